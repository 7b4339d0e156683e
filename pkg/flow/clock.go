package flow

import (
	"context"
	"sync"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
)

const (
	clockSlack = 5 * time.Minute // that a clock may be set back, as time services do
	clockPace  = time.Minute     // between notes in the store
	clockName  = "clock"
)

// clockMark is the latest time at which this gateway decided something, in the store so
// that it holds over restarts. Expiries of terms, queries, approvals and bundles rest on
// the clock: one that was set back would put them in force again.
type clockMark struct {
	mu           sync.Mutex
	read         bool
	latest, kept time.Time
}

// steady refuses to decide with a clock that was set back, for as long as it is.
func (g *Gateway) steady(ctx context.Context) error {
	m := &g.clock
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.read {
		var at time.Time
		err := g.Store.View(ctx, func(tx Tx) (err error) { at, err = tx.Mark(clockName); return err })
		if err != nil && !absent(err) {
			return err
		}
		m.read, m.latest, m.kept = true, at, at
	}
	now := g.now()
	if now.Before(m.latest.Add(-clockSlack)) {
		return carnet.E(carnet.Unavailable, "CLOCK_SET_BACK", "the gateway's clock says %s, and it decided at %s before", now.Format(time.RFC3339), m.latest.Format(time.RFC3339)).
			Fix("its operator sets the clock; if it was wrong before and is right now, the gateway is started once with --resume")
	}
	if now.After(m.latest) {
		m.latest = now
	}
	if !m.kept.IsZero() && m.latest.Sub(m.kept) < clockPace {
		return nil
	}
	if err := g.Store.Update(ctx, func(tx Tx) error { return tx.PutMark(clockName, m.latest) }); err != nil {
		return err
	}
	m.kept = m.latest
	return nil
}

// ForgetClock takes the present time for right, whatever it was before, on the operator's word.
func (g *Gateway) ForgetClock(ctx context.Context) error {
	g.clock.mu.Lock()
	defer g.clock.mu.Unlock()
	if err := g.Store.Update(ctx, func(tx Tx) error { return tx.DeleteMark(clockName) }); err != nil {
		return err
	}
	g.clock.read, g.clock.latest, g.clock.kept = true, time.Time{}, time.Time{}
	return nil
}
