package keyholder

import (
	"context"
	"errors"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/keys"
)

func retirement(t *testing.T, w *world, i int) *evidence.Envelope {
	t.Helper()
	return sign(t, carnet.TypeRetirement, carnet.Retirement{Key: carnet.KeyID(w.dealings[i].Hash()), Owner: w.owners[i].id, Created: testTime}, w.owners[i])
}

// held waits until the keyholder has the seeds of every key.
func (g *gateway) held(t *testing.T, number string) {
	t.Helper()
	g.wait(t, "confirmation", func() bool {
		for _, d := range g.w.dealings {
			if g.confirmed[number+" "+d.Hash().String()] != "true " {
				return false
			}
		}
		return true
	})
}

// said waits for the keyholder's statement that it destroyed the seeds of a key.
func (g *gateway) destruction(t *testing.T, number string, key carnet.KeyID) (env *evidence.Envelope) {
	t.Helper()
	g.wait(t, "destruction", func() bool { env = g.destroyed[number+" "+key.String()]; return env != nil })
	return env
}

// TestRetiredKey: the seeds go from the keystore, it is said in the journal, and a query
// that waits and one that comes later are refused.
func TestRetiredKey(t *testing.T) {
	w := cubeWorld(t)
	g := newGateway(t, w)
	g.silent = map[int]bool{2: true, 3: true} // no quorum before the retirement
	h := g.run(t, 1)
	g.held(t, "1")
	waiting := w.ask(t, monthly)
	g.journal(t, waiting)
	key := carnet.KeyID(w.dealings[1].Hash())
	g.journal(t, retirement(t, w, 1))
	var d carnet.Destruction
	require.NoError(t, g.destruction(t, "1", key).Decode(carnet.TypeDestruction, &d))
	require.Equal(t, carnet.Destruction{Key: key, By: "kh1", Number: 1, Created: d.Created}, d)
	_, err := h.store.Get(t.Context(), key)
	require.Equal(t, "KEY_DESTROYED", carnet.ReasonOf(err), "before it was said")
	other, err := h.store.Get(t.Context(), carnet.KeyID(w.dealings[0].Hash()))
	require.NoError(t, err, "other keys stay")
	clear(other)
	g.mu.Lock()
	g.silent = map[int]bool{}
	g.mu.Unlock()
	later := w.ask(t, monthly)
	g.journal(t, later)
	require.Equal(t, "INPUTS_DIFFER", g.refused(t, later).Reason)
	require.Contains(t, []string{"KEY_DESTROYED", "KEY_RETIRED"}, g.refused(t, waiting).Reason)

	// What the others say counts, too: with two of three nothing opens.
	second := sign(t, carnet.TypeDestruction, carnet.Destruction{Key: key, By: "kh2", Number: 2, Created: testTime}, w.stores()[1].Signer())
	status := func() (s KeyStatus) {
		all, err := h.ledger.Status(t.Context())
		require.NoError(t, err)
		for _, s = range all.Keys {
			if s.Key == key {
				break
			}
		}
		return s
	}
	require.Eventually(t, func() bool { return len(status().Destroyed) == 1 }, waitLimit, waitStep)
	require.True(t, status().Retired)
	require.True(t, status().Opens)
	g.journal(t, second)
	require.Eventually(t, func() bool { return !status().Opens }, waitLimit, waitStep)
	require.Equal(t, []int{1, 2}, status().Destroyed)
}

// Rule: only the owner that dealt a key retires it, and only a member speaks for itself.
func TestRetirementByStrangers(t *testing.T) {
	w := cubeWorld(t)
	g := newGateway(t, w)
	h := g.run(t, 1)
	g.held(t, "1")
	key := carnet.KeyID(w.dealings[1].Hash())
	kh2, kh3 := w.stores()[1].Signer(), w.stores()[2].Signer()
	g.journal(t,
		sign(t, carnet.TypeRetirement, carnet.Retirement{Key: key, Owner: "owner1", Created: testTime}, w.owners[0]),
		sign(t, carnet.TypeRetirement, carnet.Retirement{Key: key, Owner: "owner2", Created: testTime}, w.owners[0]),
		sign(t, carnet.TypeRetirement, carnet.Retirement{Key: carnet.KeyID{9}, Owner: "owner2", Created: testTime}, w.owners[1]),
		sign(t, carnet.TypeDestruction, carnet.Destruction{Key: key, By: "kh1", Number: 1, Created: testTime}, kh2),
		sign(t, carnet.TypeDestruction, carnet.Destruction{Key: key, By: "kh2", Number: 1, Created: testTime}, kh2),
		sign(t, carnet.TypeDestruction, carnet.Destruction{Key: key, By: "kh3", Number: 0, Created: testTime}, kh3),
		sign(t, carnet.TypeDestruction, carnet.Destruction{Key: key, By: "owner2", Number: 0, Created: testTime}, w.owners[1]))
	query := w.ask(t, monthly)
	g.journal(t, query)
	g.answered(t, query, 1)
	require.False(t, h.state.isRetired(key))
	require.False(t, h.state.saidDestroyed(key))
	fates, err := h.ledger.fates(t.Context())
	require.NoError(t, err)
	for _, f := range fates {
		require.False(t, f.retired)
		require.Empty(t, f.destroyed)
	}
}

// Rule: what was destroyed stays destroyed. A keystore that is put back from a backup made
// before has the seeds again, until the keyholder reads what it said in the journal; so
// it is with the ledger lost, too.
func TestOldKeystoreAfterDestruction(t *testing.T) {
	w := cubeWorld(t)
	key := carnet.KeyID(w.dealings[1].Hash())
	for name, newDir := range map[string]bool{"ledger kept": false, "ledger lost": true} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t, w)
			h := g.run(t, 1)
			g.held(t, "1")
			bundle, err := h.store.Get(t.Context(), key)
			require.NoError(t, err)
			h.stop()
			require.NoError(t, h.store.Destroy(t.Context(), key))
			require.NoError(t, MarkDestroyed(t.Context(), filepath.Join(h.dir, "ledger.db"), key))
			h = h.again(t).start(t)
			g.destruction(t, "1", key)
			require.Eventually(t, func() bool { return h.state.saidDestroyed(key) }, waitLimit, waitStep)
			h.stop()

			old := w.stores()[0]
			require.NoError(t, old.Put(t.Context(), key, bundle))
			h.store = old
			if newDir {
				h.dir = t.TempDir()
			}
			h = h.again(t).start(t)
			require.Eventually(t, func() bool {
				_, err := old.Get(t.Context(), key)
				return carnet.ReasonOf(err) == "KEY_DESTROYED"
			}, waitLimit, waitStep)
		})
	}
}

// stoppingStore fails to say that it destroyed something, once, as when the process is
// stopped at that moment.
type stoppingStore struct {
	keys.Store
	stopped atomic.Bool
}

func (s *stoppingStore) Destroy(ctx context.Context, key carnet.KeyID) error {
	if err := s.Store.Destroy(ctx, key); err != nil {
		return err
	}
	if s.stopped.CompareAndSwap(false, true) {
		return errors.New("power cut")
	}
	return nil
}

// TestStopAfterDestroying: what was destroyed before the ledger knew is said all the same.
func TestStopAfterDestroying(t *testing.T) {
	w := cubeWorld(t)
	g := newGateway(t, w)
	store := &stoppingStore{Store: w.stores()[0]}
	g.run(t, 1, func(c *Config) { c.Keys = store })
	g.held(t, "1")
	g.journal(t, retirement(t, w, 1))
	g.destruction(t, "1", carnet.KeyID(w.dealings[1].Hash()))
	require.True(t, store.stopped.Load())
}

// TestRetiredKeyLeftToOperator: with KeepRetired the seeds stay until the operator
// destroys them, and nothing is answered all the same.
func TestRetiredKeyLeftToOperator(t *testing.T) {
	w := cubeWorld(t)
	g := newGateway(t, w)
	h := g.run(t, 1, func(c *Config) { c.KeepRetired = true })
	g.held(t, "1")
	query := w.ask(t, monthly)
	g.journal(t, retirement(t, w, 1), query)
	require.Equal(t, "INPUTS_DIFFER", g.refused(t, query).Reason)
	_, err := h.store.Get(t.Context(), carnet.KeyID(w.dealings[1].Hash()))
	require.NoError(t, err)
}

// TestRetiredBeforeFetched: seeds of a retired key are not fetched, and barred.
func TestRetiredBeforeFetched(t *testing.T) {
	w := cubeWorld(t)
	g := newGateway(t, w)
	g.journal(t, retirement(t, w, 1))
	h := g.run(t, 1)
	key := carnet.KeyID(w.dealings[1].Hash())
	g.destruction(t, "1", key)
	_, err := h.store.Get(t.Context(), key)
	require.Equal(t, "KEY_DESTROYED", carnet.ReasonOf(err))
}
