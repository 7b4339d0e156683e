package keyholder

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/keys/local"
)

var errPowerCut = errors.New("power cut")

// dies has a keyholder end the n-th time that it comes to a step.
func (h *holder) dies(at string, n int) {
	h.crash = func(now string) error {
		if now != at {
			return nil
		}
		if n--; n == 0 {
			return errPowerCut
		}
		return nil
	}
}

// diesHere starts a keyholder that ends at a step, and waits until it did.
func (h *holder) diesHere(t *testing.T, at string) {
	t.Helper()
	h.dies(at, 1)
	h.start(t)
	require.Eventually(t, func() bool { return errors.Is(h.stopIfDead(), errPowerCut) }, waitLimit, waitStep)
	require.NoError(t, h.ledger.Close())
}

// TestReshareCrash: a keyholder that holds parts in both committees crashes at every step
// of giving and taking, once at each or at all of them one after the other. It comes to the
// same end: what it handed on is the same seeds whenever it did, what it signed is one
// statement, its new seeds are held and its old ones destroyed, and nothing is left to do.
func TestReshareCrash(t *testing.T) {
	steps := []string{"handed over", "contributed", "takeover noted", "seeds taken", "taken over"}
	for name, at := range map[string][]string{
		"handed over": steps[:1], "contributed": steps[1:2], "takeover noted": steps[2:3], "seeds taken": steps[3:4], "taken over": steps[4:], "each": steps,
	} {
		t.Run(name, func(t *testing.T) {
			w := cubeWorld(t)
			m := newMoving(t, w)
			m.ok(t, m.succession(t))
			g := newGateway(t, w)
			query := w.ask(t, monthly)
			g.journal(t, m.next, query, m.succession(t))
			for _, i := range []int{2, 3} {
				b, got := m.handOver(t, i)
				env := sign(t, carnet.TypeContribution, b, m.stores[i-1].Signer())
				g.mu.Lock()
				g.handed.keep(env, got)
				g.mu.Unlock()
				g.journal(t, env)
			}
			consents := func(c *Config) { c.ReshareTo = []string{"next"} }
			h := g.prepare(t, 1, t.TempDir(), consents)
			for _, step := range at {
				h.diesHere(t, step)
				require.False(t, g.moved(step), "it crashed before")
				h = h.again(t, consents)
			}
			h.start(t)
			g.wait(t, "switch", func() bool { return g.handed.switched != nil })
			want := m.resharing(t, []int{1, 2, 3})
			require.Equal(t, want.Hash(), g.handed.switched.Hash())
			g.answered(t, query, 1) // by the old dealing: it came before

			id := carnet.KeyID(want.Hash())
			require.Eventually(t, func() bool {
				_, err := h.store.Get(t.Context(), m.key)
				left, listed := h.ledger.takeovers(t.Context())
				return carnet.ReasonOf(err) == "KEY_DESTROYED" && listed == nil && len(left) == 0 && h.state.dealing(id) != nil
			}, waitLimit, waitStep)
			require.NoError(t, local.New(h.store, local.Options{}).Held(t.Context(), h.state.dealing(id).shared()))
			require.NoError(t, h.stop())
			m.sameSeeds(t, g)
		})
	}
}

// moved reports whether the switch is in the journal, other than as the last step's doing.
func (g *gateway) moved(step string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.handed.switched != nil && step != "taken over"
}

// sameSeeds compares all that kh1 delivered: nothing was given twice differently.
func (m *moving) sameSeeds(t *testing.T, g *gateway) {
	t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	require.NotEmpty(t, g.handed.given)
	require.NotEmpty(t, g.handed.taken)
	var parts []carnet.HandedPart
	var seeds [2][]byte
	mv := m.move(t)
	for _, env := range g.handed.given {
		var c carnet.Contribution
		require.NoError(t, env.Verify(carnet.TypeContribution, m.stores[0].Signer().Public(), &c))
		if parts == nil {
			parts = c.Parts
		}
		require.Equal(t, parts, c.Parts)
		for i, to := range []int{2, 3} { // members 1 and 2 of the new committee
			plain, err := m.stores[to-1].Unseal(t.Context(), mv.SealedInfo(1, i+1), g.handed.sealed[env.Hash()][i+1])
			require.NoError(t, err)
			if seeds[i] == nil {
				seeds[i] = plain
			}
			require.Equal(t, seeds[i], plain)
		}
	}
	require.NotEqual(t, seeds[0], seeds[1])
	for _, env := range g.handed.taken {
		require.Equal(t, g.handed.taken[0].Hash(), env.Hash())
	}
}

// TestReshareStaleCrash: a crash between destroying the seeds of a resharing that is not to
// be and forgetting it is made up for.
func TestReshareStaleCrash(t *testing.T) {
	w := cubeWorld(t)
	g := newGateway(t, w)
	h := g.run(t, 1)
	g.held(t, "1")
	require.NoError(t, h.stop())
	h = h.again(t)
	stale := carnet.KeyID{2}
	require.NoError(t, h.store.Put(t.Context(), stale, []byte{1}))
	require.NoError(t, h.ledger.setTakeover(t.Context(), takeover{stale, carnet.KeyID(w.dealings[0].Hash()), carnet.KeyID{4}}))
	h.diesHere(t, "stale seeds destroyed")
	h = h.again(t)
	left, err := h.ledger.takeovers(t.Context())
	require.NoError(t, err)
	require.Len(t, left, 1)
	h.start(t)
	require.Eventually(t, func() bool {
		left, err := h.ledger.takeovers(t.Context())
		return err == nil && len(left) == 0
	}, waitLimit, waitStep)
	_, err = h.store.Get(t.Context(), stale)
	require.Equal(t, "KEY_DESTROYED", carnet.ReasonOf(err))
}

// TestCarriedInOnePass: what was charged before is counted for every key that may move by
// one pass over the journal, and by another only for what came after it.
func TestCarriedInOnePass(t *testing.T) {
	w := cubeWorld(t)
	m := newMoving(t, w)
	g := newGateway(t, w)
	second := carnet.KeyID(w.dealings[1].Hash())
	let := sign(t, carnet.TypeSuccession, carnet.Succession{Key: second, Owner: "owner2", Committees: []carnet.Hash{m.next.Hash()}, Created: testTime}, m.owners[1])
	g.journal(t, w.ask(t, monthly), m.next, m.succession(t), let)
	h := g.run(t, 1)
	h.reached(t, g.tree.Size())
	one, err := h.carried(t.Context(), m.key, 1)
	require.NoError(t, err)
	other, err := h.carried(t.Context(), second, one.upto)
	require.NoError(t, err)
	require.Same(t, one, other)
	require.NotEmpty(t, one.at[m.key])
	require.Equal(t, one.at[m.key], one.at[second])
	for _, key := range []carnet.KeyID{m.key, second} {
		n, err := h.ledger.Charged(t.Context(), key, 1<<40)
		require.NoError(t, err)
		require.Len(t, one.at[key], int(n), "as this keyholder charged itself")
	}
	g.journal(t, w.ask(t, monthly))
	h.reached(t, g.tree.Size())
	later, err := h.carried(t.Context(), second, g.tree.Size())
	require.NoError(t, err)
	require.NotSame(t, one, later)
	require.Equal(t, one.at, later.at, "the same functionals are counted once")
}
