package keyholder

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/seal"
	"github.com/carnet-network/carnet/pkg/share"
)

// TestBadSeedsAreReported: seeds that don't match the commitments are not kept, the
// gateway learns a public reason, and right ones delivered later are taken.
func TestBadSeedsAreReported(t *testing.T) {
	w := *cubeWorld(t)
	key := carnet.KeyID(w.dealings[0].Hash())
	good := w.sealed
	w.sealed = map[carnet.KeyID][][]byte{key: {good[key][1]}} // sealed to another keyholder
	g := newGateway(t, &w)
	h := g.run(t, 1)
	g.wait(t, "report", func() bool { return g.confirmed["1 "+key.String()] == "false SEEDS_UNREADABLE" })
	_, err := h.store.Get(t.Context(), key)
	require.Equal(t, "KEY_NOT_HELD", carnet.ReasonOf(err))
	query := w.ask(t, monthly)
	g.journal(t, query)
	g.mu.Lock()
	w.sealed = good
	g.mu.Unlock()
	h.seeds.raise()
	g.wait(t, "confirmation", func() bool { return g.confirmed["1 "+key.String()] == "true " })
	h.seeds.raise()
	g.answered(t, query, 1)
}

// TestMismatchedSeeds covers what CheckBundle refuses, without a gateway.
func TestMismatchedSeeds(t *testing.T) {
	w := cubeWorld(t)
	h := newGateway(t, w).prepare(t, 1, t.TempDir())
	for _, env := range w.base {
		require.NoError(t, h.state.apply(env))
	}
	d := h.state.dealing(carnet.KeyID(w.dealings[0].Hash()))
	open := func(number int) []byte {
		b, err := w.stores()[number-1].Unseal(t.Context(), share.SeedsInfo(d.key, number), w.sealed[d.key][number-1])
		require.NoError(t, err)
		return b
	}
	accept := func(plain []byte) string {
		sealed, err := seal.Seal(h.sharer.SealingKey(), share.SeedsInfo(d.key, 1), plain)
		require.NoError(t, err)
		return carnet.ReasonOf(h.sharer.Accept(t.Context(), d.shared(), sealed))
	}
	changed := open(1)
	changed[len(changed)-1] ^= 1
	require.Equal(t, "SEEDS_MISMATCH", accept(changed))
	require.Equal(t, "SEEDS_FOR_ANOTHER", accept(open(2)))
	require.Equal(t, "SEEDS_MALFORMED", accept(changed[:10]))
	require.Equal(t, "KEY_NOT_HELD", carnet.ReasonOf(h.sharer.Held(t.Context(), d.shared())))
	require.Empty(t, accept(open(1)))
	require.NoError(t, h.sharer.Held(t.Context(), d.shared()))
}

// TestDestroyedKey: after destruction queries are refused with that reason.
func TestDestroyedKey(t *testing.T) {
	w := cubeWorld(t)
	g := newGateway(t, w)
	h := g.run(t, 1)
	key := carnet.KeyID(w.dealings[1].Hash())
	g.wait(t, "confirmation", func() bool { return g.confirmed["1 "+key.String()] == "true " })
	h.stop()
	require.NoError(t, h.store.Destroy(t.Context(), key))
	require.NoError(t, MarkDestroyed(t.Context(), filepath.Join(h.dir, "ledger.db"), key))
	h.again(t).start(t)
	query := w.ask(t, monthly)
	g.journal(t, query)
	require.Equal(t, "KEY_DESTROYED", g.refused(t, query).Reason)
	g.wait(t, "report", func() bool { return g.confirmed["1 "+key.String()] == "false KEY_DESTROYED" })
}
