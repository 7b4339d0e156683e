package keyholder

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/he/wire"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/plan"
)

// lapseAfter is how long after its expiry a query is still refused aloud. Older
// ones, found when replaying a long journal, are let go.
const lapseAfter = time.Hour

// answer decides pending queries whenever something changed, a bounded number at a
// time; a long one holds up others only if as many long ones run.
func (k *Keyholder) answer(ctx context.Context) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(k.cfg.Parallel)
	for {
		due, next := k.due()
		for _, c := range due {
			g.Go(func() error {
				defer k.done(c)
				return k.try(gctx, c)
			})
		}
		if err := k.release.wait(gctx, next); err != nil {
			if failed := g.Wait(); failed != nil {
				return failed
			}
			return err
		}
	}
}

// due marks the pending queries that may be tried now as running and lists them in
// the order of the journal; next is when one more becomes due or expires.
func (k *Keyholder) due() (out []*Case, next time.Duration) {
	now := k.now()
	next = longestWait
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, c := range k.pending {
		switch {
		case c.running:
			c.missed = true
			continue
		case now.Before(c.retryAt):
			next = min(next, c.retryAt.Sub(now))
			continue
		}
		if !c.expired(now) {
			next = min(next, c.Query.Expires.Sub(now))
		}
		if c.waits != nil {
			next = min(next, c.waits.until.Sub(now))
		}
		c.running = true
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b *Case) int { return cmp.Compare(a.Seq, b.Seq) })
	return out, max(next, time.Millisecond)
}

// done gives the case back; what was signalled while it ran counts now, and so does
// the time of its next attempt, which the loop did not know when it went to sleep.
func (k *Keyholder) done(c *Case) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if c.missed || k.now().Before(c.retryAt) {
		k.release.raise()
	}
	c.running, c.missed = false, false
}

// try brings one query as far as it can. Only failures of this machine's own
// ledger are returned.
func (k *Keyholder) try(ctx context.Context, c *Case) error {
	// A gateway that stalls holds a query up until it expires, not for ever.
	limited, done := context.WithTimeout(ctx, max(c.Query.Expires.Sub(k.now()), 10*time.Second))
	o, err := k.decideSafely(limited, c)
	done()
	c.rest()
	switch {
	case err == nil:
	case isFatal(err):
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, errNotYet) && !c.expired(k.now()):
		return nil // a signal wakes it
	case carnet.KindOf(err) == carnet.Refused || c.expired(k.now()):
		if carnet.KindOf(err) != carnet.Refused {
			if err = checkExpiry(ctx, k, c); c.waits != nil {
				err = c.waits.late(k.cfg.Party)
			}
		}
		if o, err = k.refusal(c, err); err != nil {
			return k.again(c, err) // the key that signs can't be reached
		}
	default:
		return k.again(c, err)
	}
	return k.conclude(ctx, c, o)
}

// again has a query tried once more after a while. Nothing was promised or sent.
func (k *Keyholder) again(c *Case, err error) error {
	k.mu.Lock()
	c.wait.least = k.retry
	d := c.wait.next()
	c.retryAt = k.now().Add(d)
	k.mu.Unlock()
	k.log.Warn("a query could not be decided yet; trying again", "query", c.Hash, "in", d, "error", offWire(err), "remedy", remedy(offWire(err)))
	return nil
}

// conclude persists an outcome and only then lets it be sent.
func (k *Keyholder) conclude(ctx context.Context, c *Case, o *Outcome) error {
	if _, err := k.ledger.decide(ctx, o); err != nil {
		return k.fatal(err)
	}
	if err := k.crash("persisted"); err != nil {
		return err
	}
	k.mu.Lock()
	delete(k.pending, c.Hash)
	k.mu.Unlock()
	k.state.forget(c.Hash)
	k.log.Info("query decided", "query", c.Hash, "seq", c.Seq, "buyer", c.Query.Buyer, "products", c.Query.Products(),
		"outcome", o.Kind, "reason", o.Reason)
	k.outbox.raise()
	if slices.ContainsFunc(c.inputs, func(in input) bool { return k.state.isOver(in.dealing.id) }) {
		k.seeds.raise() // that may have waited for it
	}
	return nil
}

// decideSafely keeps a fault met in one query from ending the process, which would
// meet it again at every start and answer nobody. The trace that Go would print shows
// arguments, which may be shares; this one names places only.
func (k *Keyholder) decideSafely(ctx context.Context, c *Case) (o *Outcome, err error) {
	defer func() {
		if r := recover(); r != nil {
			pcs := make([]uintptr, 16)
			frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
			var at []string
			for more := true; more; {
				var f runtime.Frame
				f, more = frames.Next()
				at = append(at, fmt.Sprintf("%s:%d", f.Function, f.Line))
			}
			k.log.Error("a fault of this program; report it", "query", c.Hash, "panic", fmt.Sprint(r), "at", at)
			err = carnet.E(carnet.Internal, "PANIC", "a fault of this program met the query")
		}
	}()
	return k.decide(ctx, c)
}

// decide runs the checks, derives the functionals and has the shares made and sealed.
func (k *Keyholder) decide(ctx context.Context, c *Case) (*Outcome, error) {
	if c.open > 0 && k.state.countChecks(c.Hash) < c.open {
		return nil, errNotYet // as it was; compiling and sharing anew at every entry of the journal takes seconds
	}
	if err := k.clock.steady(ctx, k.ledger, k.now()); err != nil {
		return nil, err
	}
	if w := k.waitsOf(c); w != nil {
		moved, err := k.moved(ctx, c, w)
		if err != nil {
			return nil, err
		}
		switch {
		case !moved:
			return nil, errNotYet
		case !k.now().Before(w.until):
			return nil, w.late(k.cfg.Party)
		}
	}
	if err := k.runChecks(ctx, c); err != nil {
		return nil, err
	}
	p, err := c.compile()
	if err != nil {
		return nil, err
	}
	s, err := k.sharer.Open(ctx, k.opened(c, p))
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if err := k.selection(ctx, c, p, s); err != nil {
		return nil, err
	}
	der, err := k.derive(ctx, c, p, s)
	if err != nil {
		return nil, err
	}
	// Deriving takes time; what may have changed meanwhile is checked again.
	if err := k.stillGood(ctx, c); err != nil {
		return nil, err
	}
	began := time.Now()
	sealed, err := s.Seal(ctx, der.ids)
	if err == nil && p.Noisy() {
		err = k.evenly(ctx, began)
	}
	switch {
	case carnet.ReasonOf(err) == "BAD_SEALING_KEY":
		return nil, refuse("BAD_RECIPIENT", "the query's recipient key is malformed").Fix("submit a new query with a fresh key")
	case err != nil && p.Private != nil:
		return nil, selectionFault(err)
	case err != nil:
		return nil, err
	}
	if err := k.stillGood(ctx, c); err != nil {
		return nil, err
	}
	return k.answered(c, der, sealed)
}

// opened is the query as whoever makes shares is told of it.
func (k *Keyholder) opened(c *Case, p *plan.Plan) *keys.Release {
	r := &keys.Release{Hash: c.Hash, Statement: c.env, Query: &c.Query, Plan: p}
	for _, key := range c.keys() {
		r.Dealings = append(r.Dealings, c.dealing(key).shared())
	}
	return r
}

// stillGood repeats the checks whose outcome changes with time.
func (k *Keyholder) stillGood(ctx context.Context, c *Case) error {
	if err := checkExpiry(ctx, k, c); err != nil {
		return err
	}
	if err := checkBuyer(ctx, k, c); err != nil {
		return err
	}
	if err := checkDeclined(ctx, k, c); err != nil {
		return err
	}
	return checkRevoked(ctx, k, c)
}

// answered makes the outcome of an answer. Sealing is randomised, so that the sealed
// bytes themselves are what must be kept and repeated.
func (k *Keyholder) answered(c *Case, der *derived, msg []byte) (*Outcome, error) {
	body := carnet.Answer{
		Query: c.Hash, By: k.cfg.Party, Number: c.committee().number, Openings: len(der.ids),
		Functionals: functionalsDigest(der.ids), Sealed: sha256.Sum256(msg), Created: k.now().UTC(),
		Policy: c.verdict.Policy,
	}
	o := &Outcome{Query: c.Hash, Seq: c.Seq, Kind: kindAnswer, Sealed: msg}
	if der.public != nil {
		o.Public = wire.AppendScalars(nil, c.inputs[0].dealing.profile, der.public)
		z := carnet.Digest("carnet/answers/z/1", o.Public)
		body.Attested = &z
	}
	var err error
	if o.Statement, err = evidence.Seal(carnet.TypeAnswer, body, k.signer()); err != nil {
		return nil, err
	}
	return o, nil
}

func functionalsDigest(ids []carnet.Hash) carnet.Hash {
	all := make([]byte, 0, 32*len(ids))
	for _, f := range ids {
		all = append(all, f[:]...)
	}
	return carnet.Digest("carnet/answers/F/1", all)
}

// refusal makes the outcome of a refusal: a signed decision with the public reason.
func (k *Keyholder) refusal(c *Case, err error) (*Outcome, error) {
	var e *carnet.Error
	if !errors.As(err, &e) {
		return nil, err
	}
	o := &Outcome{Query: c.Hash, Seq: c.Seq, Kind: kindRefusal, Reason: e.Reason}
	if k.now().Sub(c.Query.Expires) > lapseAfter {
		o.Kind, o.Sent = kindLapsed, true
		return o, nil
	}
	plain := *e
	plain.Err = nil // causes stay here
	body := carnet.Decision{Query: c.Hash, By: k.cfg.Party, Reason: e.Reason, Created: k.now().UTC(),
		Message: short(plain.Error()), Remedy: short(e.Remedy)}
	var judged interface{ Judged() []carnet.Judged }
	if errors.As(err, &judged) {
		body.Judged = judged.Judged()
	}
	o.Statement, err = evidence.Seal(carnet.TypeDecision, body, k.signer())
	return o, err
}

// short cuts texts that quote a query or a list at what gateways take.
func short(s string) string {
	const most = 1000
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
