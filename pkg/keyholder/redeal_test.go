package keyholder

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
	"github.com/carnet-network/carnet/pkg/seal"
	"github.com/carnet-network/carnet/pkg/share"
)

// dealAgain makes a world of its own in which owner i has another dealing of its secret.
func dealAgain(t *testing.T, base *world, i int) (*world, *evidence.Envelope) {
	t.Helper()
	w := *base
	w.corrections, w.sealed = maps.Clone(base.corrections), maps.Clone(base.sealed)
	ring := he.NewRing(w.profile)
	secret := ring.DeriveSecret(he.Seed(sha256.Sum256(fmt.Append(nil, "dataset key", i))))
	body := carnet.Dealing{Owner: w.owners[i].id, Committee: w.committee, Profile: w.profile.Name(), Params: w.profile.ID(), Created: testTime}
	_, _ = rand.Read(body.Nonce[:])
	d, err := share.NewDeal(ring, secret, w.scheme, body.Nonce, w.profile.MaxDegree(), false, rand.Reader)
	require.NoError(t, err)
	body.Commitments = d.Commitments
	var deltas [][]byte
	for j, c := range d.Corrections {
		deltas = append(deltas, wire.AppendPoly(nil, w.profile, c))
		body.Corrections = append(body.Corrections, wire.CorrectionHash(j+1, deltas[j]))
	}
	env := sign(t, carnet.TypeDealing, body, w.owners[i])
	id := carnet.KeyID(env.Hash())
	w.corrections[id] = deltas
	for n, m := range w.stores() {
		sealed, err := seal.Seal(m.SealingKey(), share.SeedsInfo(id, n+1), d.Bundle(w.scheme, n+1, 0).Append(nil))
		require.NoError(t, err)
		w.sealed[id] = append(w.sealed[id], sealed)
	}
	w.base = append(slices.Clone(base.base), env)
	return &w, env
}

func redealing(t *testing.T, w *world, i int, dealing *evidence.Envelope, change ...func(*carnet.Redealing)) *evidence.Envelope {
	r := carnet.Redealing{Key: carnet.KeyID(w.dealings[i].Hash()), Dealing: carnet.KeyID(dealing.Hash()), Owner: w.owners[i].id, Created: testTime.Add(time.Second)}
	for _, c := range change {
		c(&r)
	}
	return sign(t, carnet.TypeRedealing, r, w.owners[i])
}

// TestRedealtKey: a query that comes after is answered with the new seeds, the old ones go.
func TestRedealtKey(t *testing.T) {
	w, dealing := dealAgain(t, cubeWorld(t), 0)
	g := newGateway(t, w)
	h := g.run(t, 1)
	key, id := carnet.KeyID(w.dealings[0].Hash()), carnet.KeyID(dealing.Hash())
	g.wait(t, "confirmation", func() bool { return g.confirmed["1 "+id.String()] == "true " })
	first := w.ask(t, monthly)
	g.journal(t, first)
	g.answered(t, first, 1)
	one, err := h.ledger.Charged(t.Context(), key, 1<<40)
	require.NoError(t, err)
	g.journal(t, redealing(t, w, 0, dealing))
	g.destruction(t, "1", key)
	_, err = h.store.Get(t.Context(), key)
	require.Equal(t, "KEY_DESTROYED", carnet.ReasonOf(err))

	second := w.ask(t, monthly)
	g.journal(t, second)
	g.answered(t, second, 1)
	for k, want := range map[carnet.KeyID]int64{key: 2 * one, carnet.KeyID(w.dealings[1].Hash()): 2 * one} {
		n, err := h.ledger.Charged(t.Context(), k, 1<<40)
		require.NoError(t, err)
		require.Equal(t, want, n, "another flood of the same numbers counts anew, for both owners' keys")
	}

	// After a restart it is the same.
	require.NoError(t, h.stop())
	h = h.again(t).start(t)
	third := w.ask(t, monthly)
	g.journal(t, third)
	g.answered(t, third, 1)
	n, err := h.ledger.Charged(t.Context(), key, 1<<40)
	require.NoError(t, err)
	require.Equal(t, 2*one, n, "and nothing counts three times")
}

// TestRedealtKeyIsAwaited: a query that came before is answered with the old seeds, which
// go only then.
func TestRedealtKeyIsAwaited(t *testing.T) {
	w, dealing := dealAgain(t, cubeWorld(t), 0)
	g := newGateway(t, w)
	g.silent = map[int]bool{2: true, 3: true} // no quorum before the redealing
	h := g.run(t, 1)
	key, id := carnet.KeyID(w.dealings[0].Hash()), carnet.KeyID(dealing.Hash())
	g.held(t, "1")
	g.wait(t, "confirmation", func() bool { return g.confirmed["1 "+id.String()] == "true " })
	waiting := w.ask(t, monthly)
	g.journal(t, waiting, redealing(t, w, 0, dealing))
	require.Eventually(t, func() bool { return h.state.isOver(key) }, waitLimit, waitStep)

	// Also over a restart, after which seeds are the first thing that is settled.
	require.NoError(t, h.stop())
	h = h.again(t).start(t)
	g.mu.Lock()
	g.silent = map[int]bool{}
	g.mu.Unlock()
	g.journal(t, w.ask(t, monthly))
	g.answered(t, waiting, 1)
	g.destruction(t, "1", key)
	_, err := h.store.Get(t.Context(), key)
	require.Equal(t, "KEY_DESTROYED", carnet.ReasonOf(err))
}

// TestRetiredKeyAwaitsNothing: queries that wait hold no seeds of a retired key, however it
// was dealt.
func TestRetiredKeyAwaitsNothing(t *testing.T) {
	w, dealing := dealAgain(t, cubeWorld(t), 0)
	g := newGateway(t, w)
	g.silent = map[int]bool{2: true, 3: true}
	g.run(t, 1)
	key, id := carnet.KeyID(w.dealings[0].Hash()), carnet.KeyID(dealing.Hash())
	g.held(t, "1")
	g.wait(t, "confirmation", func() bool { return g.confirmed["1 "+id.String()] == "true " })
	g.journal(t, w.ask(t, monthly), redealing(t, w, 0, dealing), w.ask(t, monthly), retirement(t, w, 0))
	g.destruction(t, "1", key)
	g.destruction(t, "1", id)
}

// Rule (dealing again): what was set up with one dealing is not used with another, also if
// the old seeds are kept and nothing was cleared with them.
func TestRedealtKeyUsesNothingOld(t *testing.T) {
	w, dealing := dealAgain(t, cubeWorld(t), 0)
	g := newGateway(t, w)
	g.run(t, 1, func(c *Config) { c.KeepRetired = true })
	id := carnet.KeyID(dealing.Hash())
	g.wait(t, "confirmation", func() bool { return g.confirmed["1 "+id.String()] == "true " })
	first, second := w.ask(t, monthly), w.ask(t, monthly)
	g.journal(t, first)
	a := g.answered(t, first, 1)[0]
	g.journal(t, redealing(t, w, 0, dealing), second)
	b := g.answered(t, second, 1)[0]
	require.NotEmpty(t, a.public)
	require.NotEqual(t, a.public, b.public, "public values depend on the corrections")
}

// Rule (releases): a dealing brings no new releases. What the owner says was released before
// counts, and what this keyholder charged itself if that is more.
func TestRedealingCarriesReleases(t *testing.T) {
	for name, c := range map[string]struct {
		released int64
		limit    func(one int64) int64
		reason   string
	}{
		"the owner's word":      {1000, func(int64) int64 { return 1000 }, "RELEASES_EXHAUSTED"},
		"enough is left":        {1000, func(one int64) int64 { return 1000 + one }, ""},
		"own count":             {0, func(one int64) int64 { return 2*one - 1 }, "RELEASES_EXHAUSTED"},
		"own count, just right": {0, func(one int64) int64 { return 2 * one }, ""},
		"beyond all":            {1<<63 - 1, func(int64) int64 { return 1 << 40 }, "RELEASES_EXHAUSTED"},
	} {
		t.Run(name, func(t *testing.T) {
			w, dealing := dealAgain(t, cubeWorld(t), 0)
			p, err := w.compile(monthly)
			require.NoError(t, err)
			one := int64(len(p.Openings))
			g := newGateway(t, w)
			g.run(t, 1, func(k *Config) { k.MaxReleases = c.limit(one) })
			id := carnet.KeyID(dealing.Hash())
			g.wait(t, "confirmation", func() bool { return g.confirmed["1 "+id.String()] == "true " })
			first := w.ask(t, monthly)
			g.journal(t, first)
			g.answered(t, first, 1)
			second := w.ask(t, monthly)
			g.journal(t, redealing(t, w, 0, dealing, func(r *carnet.Redealing) { r.Released = c.released }), second)
			if c.reason != "" {
				require.Equal(t, c.reason, g.refused(t, second).Reason)
				return
			}
			g.answered(t, second, 1)
		})
	}
}

// TestRedealingRefused: by strangers, of other owners' dealings, of dealings in use.
func TestRedealingRefused(t *testing.T) {
	w, dealing := dealAgain(t, cubeWorld(t), 0)
	s := newState(w.registrar.Public(), "kh1")
	for _, e := range w.base {
		require.NoError(t, s.apply(e))
	}
	other := carnet.KeyID(w.dealings[1].Hash())
	key, id := carnet.KeyID(w.dealings[0].Hash()), carnet.KeyID(dealing.Hash())
	refuse := func(reason string, change func(*carnet.Redealing)) {
		t.Helper()
		require.Equal(t, reason, carnet.ReasonOf(s.apply(redealing(t, w, 0, dealing, change))))
	}
	require.Equal(t, "BAD_SIGNATURE", carnet.ReasonOf(s.apply(sign(t, carnet.TypeRedealing,
		carnet.Redealing{Key: key, Dealing: id, Owner: "owner1", Created: testTime}, w.owners[1]))))
	refuse("BAD_REDEALING", func(r *carnet.Redealing) { r.Key = other })
	refuse("BAD_REDEALING", func(r *carnet.Redealing) { r.Dealing = other })
	refuse("BAD_REDEALING", func(r *carnet.Redealing) { r.Dealing = key })
	refuse("BAD_REDEALING", func(r *carnet.Redealing) { r.Dealing = carnet.KeyID{7} })
	refuse("BAD_REDEALING", func(r *carnet.Redealing) { r.Released = -1 })
	refuse("BAD_REDEALING", func(r *carnet.Redealing) { r.Key, r.Dealing = id, key })
	require.Equal(t, key, s.opened(key).id)
	require.NoError(t, s.apply(redealing(t, w, 0, dealing)))
	require.Equal(t, id, s.opened(key).id)
	require.Equal(t, key, s.opened(key).key)
	require.EqualValues(t, s.applied-1, s.opened(key).since)
	refuse("BAD_REDEALING", func(r *carnet.Redealing) { r.Created = testTime.Add(time.Hour) })

	// Nothing is encrypted under the new dealing's name, and it isn't retired by itself.
	m := w.product.Datasets[0].Manifest
	m.ID, m.Key, m.Files = "owner1/under", id, []carnet.File{m.Files[0]}
	m.Files[0].Nonce = carnet.Nonce{9}
	require.Equal(t, "BAD_DATASET", carnet.ReasonOf(s.apply(sign(t, carnet.TypeDataset, m, w.owners[0]))))
	require.Equal(t, "BAD_RETIREMENT", carnet.ReasonOf(s.apply(sign(t, carnet.TypeRetirement, carnet.Retirement{Key: id, Owner: "owner1"}, w.owners[0]))))

	third, again := dealAgain(t, w, 0)
	require.NoError(t, s.apply(again))
	refuse3 := sign(t, carnet.TypeRedealing, carnet.Redealing{Key: key, Dealing: carnet.KeyID(again.Hash()), Owner: "owner1", Created: testTime}, third.owners[0])
	require.Equal(t, "OLDER_STATEMENT", carnet.ReasonOf(s.apply(refuse3)), "a gateway that kept it back can't go back to it")
	require.NoError(t, s.apply(sign(t, carnet.TypeRetirement, carnet.Retirement{Key: key, Owner: "owner1"}, w.owners[0])))
	require.True(t, s.isOver(id))
	require.True(t, s.isOver(key))
}
