package flow

import (
	"context"
	"crypto/ed25519"
	"errors"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/scan"
	"github.com/carnet-network/carnet/pkg/schema"
)

// Config is what a Gateway is made of. Store, Blobs, Columns, Log, Registrar and Signer
// are needed; the rest has defaults.
type Config struct {
	Store     Store
	Blobs     Blobs
	Columns   Columns
	Log       Log
	Registrar ed25519.PublicKey // pinned; parties and committees carry its signature

	Operator carnet.PartyID  // in whose name the gateway decides
	Signer   evidence.Signer // signs the gateway's decisions and the log's checkpoints
	NextKey  NextKey         // what is to replace Signer; nil: that takes a restart

	Policy        Policy        // default OwnersTerms
	Now           Clock         // default time.Now
	Workers       int           // goroutines of one computation; default 1
	Memory        int64         // bytes of accumulators of one computation; default 1 GiB
	PublicCache   int64         // bytes of expanded public halves kept between computations; default none
	AskKeyholders bool          // leave it to keyholders, who decide anyway, what queries tell together
	MaxReleases   int64         // numbers that keyholders release under a key, if less than the scheme allows
	CubeMemory    int64         // bytes of set-ups of cubes that are kept; default 512 MiB, negative: none
	Computations  int           // queries computed at a time; default 1
	AbandonAfter  time.Duration // idle time after which an upload is removed; default 24 h
	RetryAfter    time.Duration // wait after a failed computation, times the attempts; default 2 s
	Logger        *slog.Logger  // background faults; default slog.Default
	Observe       Observer      // metrics; default none
}

// Observer is told what happens, for metrics. Any field may be nil.
type Observer struct {
	Pieces   func(stored, skipped int)
	Computed func(blocks int64, took time.Duration, err error)
	Mismatch func() // a keyholder attested other public values than the gateway's
}

// Gateway runs the use cases. It is safe for concurrent use. Run does its
// background work.
type Gateway struct {
	Config
	bus       *bus
	keys      operatorKeys
	cubes     *scan.Cubes
	measured  sync.Map      // profile name -> func() (plan.Rates, error), see rates
	progress  sync.Map      // query hash -> *progress, while computed
	books     books         // of use and prices
	clock     clockMark     // the latest time at which it decided
	overlaps  overlaps      // what was released
	claims    claims        // places that pieces are being written to
	committed sync.Map      // nonce -> *committed; a committed file never changes
	compiling chan struct{} // one place for each query that may be compiled at a time

	recent     recent
	publishing sync.Mutex                   // held while the log is fed
	unwritten  atomic.Pointer[carnet.Error] // why the log can't be written; nil: it can

	public    *scan.PublicCache
	mu        sync.Mutex
	rings     map[string]*he.Ring
	encodings map[encodingKey]*schema.Encoding
}

type encodingKey struct {
	schema carnet.Hash
	layout carnet.Layout
}

// New checks the configuration.
func New(c Config) (*Gateway, error) {
	switch {
	case c.Store == nil || c.Blobs == nil || c.Columns == nil || c.Log == nil || c.Signer == nil:
		return nil, errors.New("flow: store, blobs, columns, log and signer are needed")
	case len(c.Registrar) != ed25519.PublicKeySize:
		return nil, carnet.E(carnet.Precondition, "NO_REGISTRAR_KEY", "the registrar's key is missing")
	case !carnet.ValidName(string(c.Operator)):
		return nil, carnet.BadName("a party", string(c.Operator))
	}
	if c.Policy == nil {
		c.Policy = OwnersTerms{}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	c.Workers = max(c.Workers, 1)
	c.Computations = max(c.Computations, 1)
	if c.Memory <= 0 {
		c.Memory = 1 << 30
	}
	if c.CubeMemory == 0 {
		c.CubeMemory = 512 << 20
	}
	if c.AbandonAfter <= 0 {
		c.AbandonAfter = 24 * time.Hour
	}
	if c.RetryAfter <= 0 {
		c.RetryAfter = 2 * time.Second
	}
	return &Gateway{Config: c, keys: operatorKeys{held: []evidence.Signer{c.Signer}}, cubes: scan.NewCubes(c.CubeMemory), public: scan.NewPublicCache(c.PublicCache), bus: newBus(), compiling: make(chan struct{}, runtime.GOMAXPROCS(0)), rings: map[string]*he.Ring{}, encodings: map[encodingKey]*schema.Encoding{}}, nil
}

func (g *Gateway) now() time.Time { return g.Now().UTC() }

// compile plans a query. The largest take seconds and hundreds of megabytes, and
// anybody may ask: as many at a time as there are processors, the others wait.
func (g *Gateway) compile(ctx context.Context, sql string, products []*plan.Product) (*plan.Plan, error) {
	select {
	case g.compiling <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-g.compiling }()
	return plan.Compile(sql, products...)
}

// ring returns the ring of a profile; making one takes time.
func (g *Gateway) ring(p *he.Profile) *he.Ring {
	g.mu.Lock()
	defer g.mu.Unlock()
	r := g.rings[p.Name()]
	if r == nil {
		r = he.NewRing(p)
		g.rings[p.Name()] = r
	}
	return r
}

// encoding returns how a registered schema is encoded in a layout.
func (g *Gateway) encoding(tx Tx, statement carnet.Hash, layout carnet.Layout) (*schema.Encoding, error) {
	k := encodingKey{statement, layout}
	g.mu.Lock()
	e := g.encodings[k]
	g.mu.Unlock()
	if e != nil {
		return e, nil
	}
	st, err := tx.Statement(statement)
	if carnet.KindOf(err) == carnet.NotFound {
		return nil, carnet.E(carnet.NotFound, "UNKNOWN_SCHEMA", "there is no schema %s", statement).
			Fix("register the schema first")
	}
	if err != nil {
		return nil, err
	}
	var s schema.Schema
	if err := st.Envelope.Decode(carnet.TypeSchema, &s); err != nil {
		return nil, err
	}
	if e, err = s.Encode(layout); err != nil {
		return nil, err
	}
	g.mu.Lock()
	g.encodings[k] = e
	g.mu.Unlock()
	return e, nil
}

// record stores a statement: if it is not in the journal yet, it is checked and
// appended and put writes what follows from it, all in one transaction. topics are
// woken afterwards, as is the journal's.
func (g *Gateway) record(ctx context.Context, env *evidence.Envelope, put func(tx Tx, st Stored) error, topics ...string) (Ref, error) {
	st, err := g.journal(ctx, env, func(Tx) error { return nil }, put, topics...)
	return st.Ref, err
}

// recordOwn is record for what the gateway itself says, which it signs with its key as of the
// entry. It returns what the journal has: the key may have been another one then.
func (g *Gateway) recordOwn(ctx context.Context, env *evidence.Envelope, put func(tx Tx, st Stored) error, topics ...string) (Stored, error) {
	return g.journal(ctx, env, func(tx Tx) error { return g.sign(tx, env) }, put, topics...)
}

func (g *Gateway) journal(ctx context.Context, env *evidence.Envelope, before func(Tx) error, put func(tx Tx, st Stored) error, topics ...string) (Stored, error) {
	if err := g.steady(ctx); err != nil {
		return Stored{}, err
	}
	var st Stored
	var fresh bool
	err := g.Store.Update(ctx, func(tx Tx) (err error) {
		fresh = false
		if st, err = tx.Statement(env.Hash()); err == nil {
			return nil
		}
		if carnet.KindOf(err) != carnet.NotFound {
			return err
		}
		if err := before(tx); err != nil {
			return err
		}
		ref, err := tx.Append(env)
		if err != nil {
			return err
		}
		fresh, st = true, Stored{ref, env}
		return put(tx, st)
	})
	if err != nil {
		return Stored{}, err
	}
	if fresh {
		g.bus.wake(append(topics, topicEntries)...)
	}
	return st, nil
}
