package keyholder

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// TestCrashBetweenAnyTwoSteps: whatever the keyholder had persisted is sent, byte by
// byte, and never made anew.
func TestCrashBetweenAnyTwoSteps(t *testing.T) {
	w := cubeWorld(t)
	for _, at := range []string{"cosigned", "persisted", "sent"} {
		t.Run(at, func(t *testing.T) {
			g := newGateway(t, w)
			query := w.ask(t, monthly)
			g.journal(t, query)
			h := g.prepare(t, 1, t.TempDir())
			died := errors.New("power cut")
			h.crash = func(now string) error {
				if now == at {
					return died
				}
				return nil
			}
			h.start(t)
			if at == "cosigned" || at == "persisted" {
				require.Eventually(t, func() bool { return errors.Is(h.stopIfDead(), died) }, waitLimit, waitStep)
			} else {
				g.answered(t, query, 2) // keeps sending what it could not mark as sent
			}
			h.stop()
			before, err := h.ledger.Outcome(t.Context(), query.Hash())
			require.NoError(t, err)
			n := len(g.got(query.Hash()))
			if at == "persisted" {
				require.NotNil(t, before)
				require.False(t, before.Sent)
				require.Zero(t, n, "nothing was sent before the crash")
			}
			h.again(t).start(t)
			all := g.answered(t, query, n+1)
			for _, a := range all {
				require.Equal(t, all[0].sealed, a.sealed)
				require.Equal(t, all[0].env, a.env)
				if before != nil {
					require.Equal(t, before.Sealed, a.sealed)
				}
			}
			require.Equal(t, 1, countCosigned(g, h))
		})
	}
}

// stopIfDead returns why the keyholder ended by itself, nil while it runs.
func (h *holder) stopIfDead() error {
	if h.dead == nil {
		return nil
	}
	select {
	case <-h.dead:
		return h.stop()
	default:
		return nil
	}
}

// countCosigned counts heads co-signed by h for the newest size.
func countCosigned(g *gateway, h *holder) (n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	heads := map[carnet.Hash]bool{}
	for _, c := range g.cosigned {
		if c.Size == g.tree.Size() && h.signedMyself(c) {
			heads[c.Head] = true
		}
	}
	return len(heads)
}

// TestRepeatedQueryRepeatsTheBytes: a query that the journal lists a second time is
// answered with the very bytes sent before.
func TestRepeatedQueryRepeatsTheBytes(t *testing.T) {
	w := cubeWorld(t)
	g := newGateway(t, w)
	h := g.run(t, 1)
	query := w.ask(t, monthly)
	g.journal(t, query)
	first := g.answered(t, query, 1)[0]
	require.Eventually(t, func() bool { // as long as it is on its way, a repetition asks for nothing new
		o, err := h.ledger.Outcome(t.Context(), query.Hash())
		return err == nil && o != nil && o.Sent
	}, time.Minute, 5*time.Millisecond)
	g.journal(t, query)
	again := g.answered(t, query, 2)[1]
	require.Equal(t, first.sealed, again.sealed)
	require.Equal(t, first.env, again.env)
}

// TestRestoredFromOldBackup: the journal is replayed up to the newest own
// co-signature before anything is answered or co-signed; what the journal shows as
// answered is not answered again; another journal is refused.
func TestRestoredFromOldBackup(t *testing.T) {
	w := cubeWorld(t)
	backup := func(t *testing.T) (*gateway, *holder, []byte) {
		g := newGateway(t, w)
		h := g.run(t, 1)
		h.reached(t, g.tree.Size())
		require.NoError(t, h.stop())
		require.NoError(t, h.ledger.Close())
		old, err := os.ReadFile(filepath.Join(h.dir, "ledger.db"))
		require.NoError(t, err)
		return g, h.again(t), old
	}
	restore := func(t *testing.T, h *holder, old []byte) *holder {
		require.NoError(t, h.stop())
		require.NoError(t, h.ledger.Close())
		for _, f := range []string{"ledger.db-wal", "ledger.db-shm"} {
			os.Remove(filepath.Join(h.dir, f))
		}
		require.NoError(t, os.WriteFile(filepath.Join(h.dir, "ledger.db"), old, 0o600))
		return h.again(t)
	}
	t.Run("same journal", func(t *testing.T) {
		g, h, old := backup(t)
		h.start(t)
		q1, q2 := w.ask(t, monthly), w.ask(t, monthly)
		g.journal(t, q1)
		a := g.answered(t, q1, 1)[0]
		g.journal(t, a.env)
		h.reached(t, g.tree.Size())
		g.wait(t, "co-signature of the answer", func() bool { return sizeOf(g.newest) == g.tree.Size() })
		h = restore(t, h, old)
		require.Less(t, h.position().Size(), g.tree.Size())
		h.start(t)
		g.journal(t, q2)
		g.answered(t, q2, 1)
		require.Len(t, g.got(q1.Hash()), 1, "not made a second time")
		require.Contains(t, h.logs.String(), "older than this keyholder's own co-signature")
		n, err := h.ledger.Charged(t.Context(), w.product.Datasets[0].Manifest.Key, 1<<40)
		require.NoError(t, err)
		require.Positive(t, n)
	})
	t.Run("another journal", func(t *testing.T) {
		g, h, old := backup(t)
		h.start(t)
		q1 := w.ask(t, monthly)
		seq := g.journal(t, q1)
		g.answered(t, q1, 1)
		h = restore(t, h, old)
		g.rewrite(t, seq, w.filler(t, 1), w.filler(t, 2), w.filler(t, 3), w.ask(t, monthly))
		h.start(t).halts(t)
	})
}

func sizeOf(c *evidence.SignedCheckpoint) int64 {
	if c == nil {
		return 0
	}
	return c.Size
}
