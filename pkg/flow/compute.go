package flow

import (
	"context"
	"crypto/sha256"
	"errors"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
	"github.com/carnet-network/carnet/pkg/scan"
)

const (
	maxAttempts = 5           // computations of one query that end by our own fault
	sweepEvery  = time.Second // expiry of queries
)

// progress is how far a running computation has come.
type progress struct {
	done   atomic.Int64
	mu     sync.Mutex
	spoken time.Time
}

// Run computes queries and sweeps until ctx is done, and returns when everything
// has stopped. Which queries wait is read from the store, so a restart continues
// where the last process was: a computation that was interrupted begins again.
func (g *Gateway) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	for range g.Computations {
		wg.Go(func() { g.computeLoop(ctx) })
	}
	wg.Go(func() { g.publishLoop(ctx) })
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		if err := g.Sweep(ctx); err != nil && ctx.Err() == nil {
			g.Logger.Error("sweep", "error", err)
		}
		select {
		case <-ctx.Done():
			wg.Wait()
			return ctx.Err()
		case <-tick.C:
		}
	}
}

func (g *Gateway) computeLoop(ctx context.Context) {
	for ctx.Err() == nil {
		more := g.bus.next(topicWork)
		q, p, err := g.claim(ctx)
		switch {
		case err != nil:
			if ctx.Err() == nil {
				g.Logger.Error("find a query to compute", "error", err)
			}
		case q != nil:
			g.compute(ctx, q, p)
			g.progress.Delete(q.Statement.Hash)
			continue
		}
		select {
		case <-ctx.Done():
		case <-more:
		case <-time.After(g.RetryAfter):
		}
	}
}

// claim takes the oldest query that waits and nobody in this process works on.
func (g *Gateway) claim(ctx context.Context) (*QueryRecord, *progress, error) {
	var open []QueryRecord
	if err := g.Store.View(ctx, func(tx Tx) (err error) { open, err = tx.QueriesIn(QueryComputing); return err }); err != nil {
		return nil, nil, err
	}
	for i := range open {
		q := &open[i]
		if !q.Values.IsZero() || g.now().Before(q.Updated.Add(time.Duration(q.Attempts)*g.RetryAfter)) {
			continue
		}
		p := &progress{}
		if _, taken := g.progress.LoadOrStore(q.Statement.Hash, p); !taken {
			return q, p, nil
		}
	}
	return nil, nil, nil
}

// compute computes one query's public values and stores them. The attempt is
// counted before it begins, so that a query that brings the process down is given
// up; a shutdown takes the count back.
func (g *Gateway) compute(ctx context.Context, q *QueryRecord, p *progress) {
	id := q.Statement.Hash
	began := g.now()
	tries := 0
	if err := g.change(ctx, id, func(q *QueryRecord) { q.Attempts++; tries = q.Attempts }); err != nil || tries == 0 {
		return
	}
	limited, cancel := context.WithTimeout(ctx, q.Expires.Sub(began))
	values, err := g.publicValues(limited, q, p)
	cancel()
	if g.Observe.Computed != nil {
		g.Observe.Computed(q.BlocksTotal, g.now().Sub(began), err)
	}
	log := g.Logger.With("query", id.String(), "took", g.now().Sub(began).Round(time.Millisecond).String())
	switch kind := carnet.KindOf(err); {
	case err == nil:
		h := carnet.Hash(sha256.Sum256(values))
		if err = g.keepValues(ctx, id, h, values); err == nil {
			err = g.change(ctx, id, func(q *QueryRecord) { q.Values, q.BlocksDone, q.Attempts = h, q.BlocksTotal, 0 })
		}
		if err != nil {
			log.Error("store public values", "error", err)
			return
		}
		log.Info("query computed", "blocks", q.BlocksTotal, "openings", q.Openings)
	case ctx.Err() != nil: // shutting down; what is left of the time goes to the store
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		if err := g.change(last, id, func(q *QueryRecord) { q.Attempts-- }); err != nil {
			log.Warn("give a query back", "error", err)
		}
	case errors.Is(err, context.DeadlineExceeded): // Sweep expires it
	case kind != carnet.Internal && kind != carnet.Unavailable:
		log.Warn("query failed", "error", err)
		g.fail(ctx, id, carnet.ReasonOf(err))
	default:
		log.Error("query computation", "attempt", tries, "error", err)
		if tries >= maxAttempts {
			g.fail(ctx, id, lastingFault(err))
		}
	}
}

func (g *Gateway) fail(ctx context.Context, id carnet.Hash, reason string) {
	if reason == "" {
		reason = "INTERNAL"
	}
	if err := g.change(ctx, id, func(q *QueryRecord) { q.Failure = reason }); err != nil {
		g.Logger.Error("mark a query as failed", "query", id.String(), "error", err)
	}
}

func (g *Gateway) keepValues(ctx context.Context, query, h carnet.Hash, values []byte) error {
	if _, err := g.Blobs.Put(ctx, valuesKey(query, h), values); err != nil {
		return err
	}
	return g.Blobs.Sync(ctx, answerPrefix(query))
}

// publicValues evaluates the public half of every opening from stored ciphertext.
func (g *Gateway) publicValues(ctx context.Context, q *QueryRecord, p *progress) (out []byte, err error) {
	defer func() {
		if r := recover(); r != nil { // one query must not stop the others
			err = carnet.E(carnet.Internal, "PANIC", "panic: %v\n%s", r, debug.Stack())
		}
	}()
	var body carnet.Query
	if err := q.Statement.Envelope.Decode(carnet.TypeQuery, &body); err != nil {
		return nil, err
	}
	var in *inputs
	if err := g.Store.View(ctx, func(tx Tx) (err error) {
		in, err = g.pinnedInputs(tx, q.Published, body.Inputs, q.Statement.Seq)
		return err
	}); err != nil {
		return nil, err
	}
	compiled, err := g.compile(ctx, body.SQL, in.products)
	if err != nil {
		return nil, err
	}
	if compiled.Hash() != body.Plan { // checked when it was submitted, perhaps by an older version
		return nil, carnet.E(carnet.Precondition, "PLAN_DIFFERS", "the gateway's plan is not the one the buyer signed")
	}
	fs := compiled.Functionals()
	corrections, err := g.corrections(ctx, in)
	if err != nil {
		return nil, err
	}
	source, err := newColumnSource(g.Columns, in)
	if err != nil {
		return nil, err
	}
	tell := func(done, total int64) { // scan counts a block once for each pass it makes
		p.done.Store(done * q.BlocksTotal / max(total, 1))
		p.mu.Lock()
		defer p.mu.Unlock()
		if now := time.Now(); now.Sub(p.spoken) >= watchPace {
			p.spoken = now
			g.bus.wake(topicQuery(q.Statement.Hash))
		}
	}
	opt := scan.Options{Workers: g.Workers, MaxBytes: g.Memory, Progress: tell, Public: g.public}
	cubes := g.cubes
	if in.isRedealt() { // what is kept goes by the key's name, and was made with its corrections
		cubes = scan.NewCubes(0)
	}
	compute := cubes.PublicValues
	if compiled.Across {
		compute = crossValues
	}
	z, err := compute(ctx, g.ring(in.profile), fs, corrections, source, opt)
	if err != nil {
		if carnet.ReasonOf(err) == "STORAGE_DAMAGED" { // perhaps within words that were verified: the next attempt finds out where
			source.doubt()
		}
		return nil, err
	}
	return wire.AppendScalars(nil, in.profile, z), nil
}

// crossValues are the public values of functionals across keys.
func crossValues(ctx context.Context, r *he.Ring, fs []*functional.Functional, corrections map[carnet.KeyID][]he.Poly, c0 scan.Chunks, opt scan.Options) (z []he.Scalar, err error) {
	delta := map[carnet.KeyID]he.Poly{}
	for key, c := range corrections {
		delta[key] = c[0]
	}
	err = scan.Cross(ctx, r, fs, c0, opt, func(_ int, parts *scan.CrossParts) error {
		z = append(z, parts.Value(r, delta))
		return nil
	})
	return z, err
}

// corrections reads the corrections of every key of a query.
func (g *Gateway) corrections(ctx context.Context, in *inputs) (map[carnet.KeyID][]he.Poly, error) {
	out := map[carnet.KeyID][]he.Poly{}
	r := g.ring(in.profile)
	for key, d := range in.dealings {
		for j := range d.Corrections {
			b, err := g.correction(ctx, &d.Dealing, d.id, j+1)
			if err != nil {
				return nil, err
			}
			poly := r.NewPoly()
			if err := wire.ReadPoly(in.profile, b, poly); err != nil {
				return nil, err
			}
			out[key] = append(out[key], poly)
		}
	}
	return out, nil
}

// lastingFault is the reason for giving a query up: damaged storage has one of its own,
// since only the operator can repair it; other faults of ours are the log's.
func lastingFault(err error) string {
	if reason := carnet.ReasonOf(err); reason == "STORAGE_DAMAGED" {
		return reason
	}
	return "INTERNAL"
}
