package keyholder

import (
	"context"
	"encoding/binary"
	"sync"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
)

const (
	clockSlack = 5 * time.Minute // that a clock may be set back, as time services do
	clockPace  = time.Minute     // between notes in the ledger
)

// clockMark is the latest time at which this keyholder worked, in the ledger so that it
// holds over restarts. Expiries of terms, approvals, queries and bundles all rest on the
// clock: one that was set back would put them in force again.
type clockMark struct {
	mu           sync.Mutex
	latest, kept time.Time
}

const clockMeta = "clock"

// load reads the mark of earlier runs.
func (m *clockMark) load(ctx context.Context, l *Ledger) error {
	b, err := l.meta(ctx, clockMeta)
	if err != nil || len(b) != 8 {
		return err
	}
	m.latest = time.Unix(0, int64(binary.BigEndian.Uint64(b))).UTC()
	m.kept = m.latest
	return nil
}

// steady refuses to work with a clock that was set back, for as long as it is.
func (m *clockMark) steady(ctx context.Context, l *Ledger, now time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now.Before(m.latest.Add(-clockSlack)) {
		return carnet.E(carnet.Unavailable, "CLOCK_SET_BACK", "the clock says %s, and this keyholder worked at %s before", now.UTC().Format(time.RFC3339), m.latest.Format(time.RFC3339)).
			Fix("set the clock; if it was wrong before and is right now, run once with --resume")
	}
	if now.After(m.latest) {
		m.latest = now.UTC()
	}
	if m.latest.Sub(m.kept) < clockPace && !m.kept.IsZero() {
		return nil
	}
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(m.latest.UnixNano()))
	if err := l.setMeta(ctx, clockMeta, b[:]); err != nil {
		return &fatalError{ledgerError(l.path, err)}
	}
	m.kept = m.latest
	return nil
}
