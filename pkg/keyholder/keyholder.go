package keyholder

import (
	"context"
	"crypto/ed25519"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	apiv1 "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/apiconv"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/keys/local"
	"github.com/carnet-network/carnet/pkg/scan"
)

// Attest says for which queries a keyholder also recomputes the public values z
// and signs them, so that the buyer need not believe the gateway. Products cost
// nothing extra, since their blocks are read anyway; linear queries cost reading
// their blocks, and are marked unattested if too few keyholders do.
type Attest string

const (
	AttestAlways   Attest = "always"
	AttestProducts Attest = "products" // only queries with an opening of degree 2
	AttestNever    Attest = "never"
)

// Config is what a keyholder runs with.
type Config struct {
	Party     carnet.PartyID
	Registrar ed25519.PublicKey // pinned: parties and committees must carry its signature
	Keys      keys.Store
	Sharer    keys.Sharer // nil: in this process, from the seeds in Keys
	Ledger    *Ledger
	Gateway   grpc.ClientConnInterface // connects lazily and reconnects, like *grpc.ClientConn
	Policy    Policy                   // nil: the owners' terms
	Approval  ApprovalRules            // which queries wait for somebody here

	Attest           Attest // "": always
	Workers          int    // goroutines of one scan; 0: all processors
	Parallel         int    // queries answered at a time; 0: 2
	CacheBytes       int64  // verified ciphertext kept in memory; 0: 256 MiB
	PublicBytes      int64  // expanded public halves kept between queries; 0: none
	CubeBytes        int64  // set-ups of cubes kept in memory; 0: 256 MiB, negative: none
	AccumulatorBytes int64  // accumulators of one pass over products; 0: 256 MiB
	MaxReleases      int64  // own cap on distinct numbers opened per key; 0: only the scheme's
	KeepRetired      bool   // leave it to the operator to destroy the seeds of retired keys
	// ReshareTo are committees, by id or statement hash, that the operator lets parts be
	// handed on to, if their owner lets it, too.
	ReshareTo []string

	Log *slog.Logger // nil: discards
	Now func() time.Time
}

// Keyholder is a running guard. Make it with New.
type Keyholder struct {
	cfg    Config
	log    *slog.Logger
	now    func() time.Time
	ledger *Ledger
	sharer keys.Sharer
	origin string // of the log
	state  *state

	overlaps *overlaps
	api      services
	chunks   *chunkCache
	public   *scan.PublicCache
	cubes    *scan.Cubes
	deltas   *lru[carnet.KeyID, []he.Poly]

	clock clockMark

	taking sync.Mutex // held while entries are taken in, until their queries are pending

	mu        sync.Mutex
	at        position                             // the journal as applied; written by the follower only
	pending   map[carnet.Hash]*Case                // queries without an outcome
	target    int64                                // log size the gateway told when it was first reached; -1 before
	behind    carnet.Checkpoint                    // own newer co-signature, seen after a restore
	confirmed carnet.Checkpoint                    // the newest published one that the journal agrees with
	ahead     map[int64]*evidence.SignedCheckpoint // checkpoints beyond what was applied
	status    Connection

	release signal // something may be answered now
	outbox  signal // something is to be sent
	seeds   signal // seeds are to be fetched or confirmed
	moves   signal // parts may be to be handed on or taken over

	carrying sync.Mutex
	carries  *carries // guarded by carrying
	handing  handing  // of one goroutine

	quiet    time.Duration         // silence after which the head is co-signed
	retry    time.Duration         // least time between attempts
	tick     time.Duration         // what the time of an answer with noise is rounded up to
	patience time.Duration         // how long the first entry of a stream may take
	crash    func(at string) error // tests stop the keyholder between two steps
}

type services struct {
	journal  apiv1.JournalServiceClient
	release  apiv1.ReleaseServiceClient
	dealing  apiv1.DealingServiceClient
	dataset  apiv1.DatasetServiceClient
	approval apiv1.ApprovalServiceClient
	reshare  apiv1.ReshareServiceClient
}

// Connection tells how the keyholder stands with its gateway.
type Connection struct {
	Connected bool      `json:"connected"`
	Since     time.Time `json:"since"`
	Error     string    `json:"error,omitempty"`
}

// New prepares a keyholder: it replays the ledger, which checks it, and finds the
// queries that still wait. It does not talk to the gateway yet.
func New(ctx context.Context, cfg Config) (*Keyholder, error) {
	if cfg.Workers <= 0 {
		cfg.Workers = runtime.GOMAXPROCS(0)
	}
	if cfg.Parallel <= 0 {
		cfg.Parallel = 2
	}
	if cfg.CacheBytes <= 0 {
		cfg.CacheBytes = 256 << 20
	}
	if cfg.CubeBytes == 0 {
		cfg.CubeBytes = 256 << 20
	}
	if cfg.AccumulatorBytes <= 0 {
		cfg.AccumulatorBytes = 256 << 20
	}
	if cfg.Attest == "" {
		cfg.Attest = AttestAlways
	}
	if cfg.Policy == nil {
		cfg.Policy = OwnerTerms{}
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	switch cfg.Attest {
	case AttestAlways, AttestProducts, AttestNever:
	default:
		return nil, carnet.E(carnet.Invalid, "BAD_CONFIG", "attest is %q", cfg.Attest).Fix("use always, products or never")
	}
	if len(cfg.Registrar) != ed25519.PublicKeySize || !carnet.ValidName(string(cfg.Party)) {
		return nil, carnet.E(carnet.Invalid, "BAD_CONFIG", "the registrar's key or the party's name is missing or malformed")
	}
	k := &Keyholder{
		cfg: cfg, log: cfg.Log, now: cfg.Now, ledger: cfg.Ledger,
		origin:   evidence.Origin(cfg.Registrar),
		state:    newState(cfg.Registrar, cfg.Party),
		overlaps: newOverlaps(cfg.Log),
		api: services{apiv1.NewJournalServiceClient(cfg.Gateway), apiv1.NewReleaseServiceClient(cfg.Gateway),
			apiv1.NewDealingServiceClient(cfg.Gateway), apiv1.NewDatasetServiceClient(cfg.Gateway), apiv1.NewApprovalServiceClient(cfg.Gateway), apiv1.NewReshareServiceClient(cfg.Gateway)},
		chunks:  newChunkCache(cfg.CacheBytes),
		public:  scan.NewPublicCache(cfg.PublicBytes),
		cubes:   scan.NewCubes(cfg.CubeBytes),
		deltas:  newLRU[carnet.KeyID, []he.Poly](64 << 20),
		pending: map[carnet.Hash]*Case{},
		target:  -1,
		ahead:   map[int64]*evidence.SignedCheckpoint{},
		release: newSignal(), outbox: newSignal(), seeds: newSignal(), moves: newSignal(),
		handing: newHanding(),
		quiet:   200 * time.Millisecond, retry: time.Second, tick: 100 * time.Millisecond, patience: 20 * time.Second,
		crash: func(string) error { return nil },
	}
	if k.sharer = cfg.Sharer; k.sharer == nil {
		k.sharer = local.New(cfg.Keys, local.Options{Scan: k.scanning(), Cubes: k.cubes})
	}
	if err := k.clock.load(ctx, k.ledger); err != nil {
		return nil, ledgerError(k.ledger.path, err)
	}
	why, err := k.ledger.Halted(ctx)
	if err != nil {
		return nil, err
	}
	if why != "" {
		return nil, carnet.E(carnet.Precondition, "HALTED", "this keyholder stopped because the journal was rewritten: %s", why).
			Fix("compare checkpoints with the other keyholders and the gateway's operator; then run once with --resume")
	}
	k.at, err = k.ledger.replay(ctx, func(e *evidence.Entry) error {
		if err := k.state.apply(e.Envelope); err != nil {
			k.log.Debug("statement without effect", "seq", e.Seq, "type", e.Envelope.PayloadType, "reason", carnet.ReasonOf(err))
		}
		c := k.state.newCase(e.Seq, e.Envelope)
		k.overlaps.note(c)
		return k.enlist(ctx, c)
	})
	if err != nil {
		return nil, err
	}
	if err := k.marked(ctx); err != nil {
		return nil, err
	}
	if err := k.adoptNow(ctx); err != nil {
		return nil, err
	}
	if err := k.noteKeys(ctx); err != nil {
		return nil, err
	}
	k.log.Info("ledger replayed", "journal_size", k.at.Size(), "pending", len(k.pending))
	return k, nil
}

// enlist keeps a query that concerns this keyholder until it has an outcome.
func (k *Keyholder) enlist(ctx context.Context, c *Case) error {
	if c == nil {
		return nil
	}
	if !c.concernsMe() {
		k.state.forget(c.Hash)
		return nil
	}
	o, err := k.ledger.Outcome(ctx, c.Hash)
	if err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if o != nil {
		k.state.forget(c.Hash)
		delete(k.pending, c.Hash)
		return nil
	}
	if k.pending[c.Hash] == nil { // the first entry counts if a statement is repeated
		k.pending[c.Hash] = c
	}
	return nil
}

// Run works until ctx ends or the journal turns out to be rewritten. A gateway that
// is down is waited for.
func (k *Keyholder) Run(ctx context.Context) error {
	g, gctx := errgroup.WithContext(ctx)
	for _, loop := range []func(context.Context) error{k.follow, k.fetchSeeds, k.reshare, k.answer, k.send, k.watchConsent} {
		g.Go(func() error { return loop(gctx) })
	}
	err := g.Wait()
	k.sharer.Zero()
	k.cubes.Zero()
	if ctx.Err() != nil && carnet.ReasonOf(err) != "JOURNAL_FORK" {
		return nil // asked to stop
	}
	return err
}

// Connection returns how the keyholder stands with its gateway now.
func (k *Keyholder) Connection() Connection {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.status
}

func (k *Keyholder) connected(ok bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.status.Connected != ok || k.status.Since.IsZero() {
		k.status.Since = k.now()
	}
	k.status.Connected, k.status.Error = ok, ""
	if err != nil {
		k.status.Error = offWire(err).Error()
	}
}

// offWire reads an error that may have come over the wire.
func offWire(err error) error {
	if _, ok := status.FromError(err); ok {
		return apiconv.FromStatus(err)
	}
	return err
}
