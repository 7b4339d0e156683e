package engine

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"slices"
	"testing"

	"github.com/hashicorp/vault/sdk/logical"
	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/keys/keystest"
	"github.com/carnet-network/carnet/pkg/scan"
	"github.com/carnet-network/carnet/pkg/share"
	"github.com/carnet-network/carnet/pkg/ticket"
)

// half is the request for one key's part of a product across keys.
func (a *attacker) half(r *keys.Release, parts *scan.CrossParts, corrections map[carnet.KeyID]he.Poly, at int) map[string]any {
	p := a.net.Profile
	names := make([]string, len(r.Dealings))
	for i, d := range r.Dealings {
		names[i] = d.Key.String()
	}
	delta := wire.AppendPoly(nil, p, corrections[parts.Keys[at]])
	if at == 0 {
		delta = wire.AppendPoly(delta, p, corrections[parts.Keys[1]])
	}
	return map[string]any{"keys": names, "at": at, "with": []int{1 - at}, "corrections": pieces(delta),
		"d": pieces(wire.AppendPoly(wire.AppendPoly(nil, p, parts.Own[at]), p, parts.Pairs[0].E))}
}

func pieces(b []byte) (out []string) {
	for chunk := range slices.Chunk(b, 512<<10) {
		out = append(out, text(chunk))
	}
	return out
}

// halves hands both over.
func (a *attacker) halves(r *keys.Release, parts *scan.CrossParts, corrections map[carnet.KeyID]he.Poly) (handles [][]byte) {
	for at := range parts.Keys {
		data, err := a.engine.Write(a.t.Context(), "across", a.half(r, parts, corrections, at))
		require.NoError(a.t, err)
		handles = append(handles, bytesOf(a.t, data["handle"]))
	}
	return handles
}

func (a *attacker) crossTicket(r *keys.Release, parts *scan.CrossParts) string {
	return a.sign(ticket.ForAnswer(1, keystest.Member, r.Hash, r.Query, a.net.Profile.N(), r.Plan.Openings, []carnet.Hash{a.net.CrossID(r, parts)}), policy)
}

// crossRequest is what an honest keyholder sends at last, without its ticket.
func (a *attacker) crossRequest(r *keys.Release, handles ...[]byte) map[string]any {
	env, err := json.Marshal(r.Statement)
	require.NoError(a.t, err)
	var names []string
	for _, d := range r.Dealings {
		names = append(names, d.Key.String())
	}
	return map[string]any{"query": []string{text(env)}, "keys": names, "handles": pieces(slices.Concat(handles...)),
		"openings": []string{text(ticket.AppendOpenings(nil, r.Plan.Openings))}}
}

func TestAttackAcross(t *testing.T) {
	a := newAttacker(t, carnet.LayoutRecords)
	r, parts, corrections := a.net.Cross(0)
	handles := a.halves(r, parts, corrections)
	signed := a.crossTicket(r, parts)
	good := with(a.crossRequest(r, handles...), "ticket", signed)
	a.refused("NO_TICKET", "share", a.crossRequest(r, handles...))

	// Other polynomials, in one of the two places or in both.
	_, others, _ := a.net.Cross(1)
	mixed := *parts
	mixed.Pairs = others.Pairs
	other := a.halves(r, &mixed, corrections)
	for _, hs := range [][][]byte{{other[0], handles[1]}, {handles[0], other[1]}, other} {
		a.refused("TICKET_DIFFERS", "share", with(a.crossRequest(r, hs...), "ticket", signed))
	}
	mixed = *parts
	mixed.Own = []he.Poly{parts.Own[0], others.Own[1]}
	a.refused("TICKET_DIFFERS", "share", with(a.crossRequest(r, a.halves(r, &mixed, corrections)...), "ticket", signed))

	// Corrections that are not the dealings': a share multiplies them with the other key's.
	for at, change := range []func(c map[carnet.KeyID]he.Poly){
		func(c map[carnet.KeyID]he.Poly) { c[parts.Keys[1]] = others.Own[0] },
		func(c map[carnet.KeyID]he.Poly) { c[parts.Keys[1]] = others.Own[0] },
	} {
		changed := map[carnet.KeyID]he.Poly{parts.Keys[0]: corrections[parts.Keys[0]], parts.Keys[1]: corrections[parts.Keys[1]]}
		change(changed)
		a.refused("BAD_CORRECTION", "across", a.half(r, parts, changed, at))
	}

	// Handles of one key's products, of other keys, in another order, of no engine.
	product, err := a.handle(parts.Keys[0], keys.Part{Key: parts.Keys[0], D: parts.Own})
	require.NoError(t, err)
	flipped := bytes.Clone(handles[1])
	flipped[70] ^= 1
	for _, hs := range [][][]byte{{product, handles[1]}, {handles[1], handles[0]}, {handles[0], handles[0]}, {handles[0], flipped}} {
		a.refused("BAD_HANDLE", "share", with(a.crossRequest(r, hs...), "ticket", signed))
	}
	a.refused("FUNCTIONAL_MISSING", "share", with(a.crossRequest(r, handles[0]), "ticket", signed))
	plain := a.net.Ask(monthly)
	honest := a.request(plain)
	joined := bytesOf(t, honest["handles"].([]string)[0])
	size := len(handles[0])
	a.refused("BAD_HANDLE", "share", with(with(honest, "handles", pieces(append(bytes.Clone(handles[0]), joined[size:]...))),
		"ticket", a.sign(a.ticket(plain, a.net.IDs(plain, 0)), policy)))

	for name, change := range map[string]map[string]any{
		"itself": {"with": []int{0}}, "twice": {"with": []int{1, 1}}, "nobody": {"with": []int{2}}, "before": {"with": []int{-1}},
		"place": {"at": 2}, "negative": {"at": -1}, "one key": {"keys": []string{parts.Keys[0].String()}}, "short": {"d": pieces(make([]byte, 16))},
		"no corrections": {"corrections": []string{}},
	} {
		data := a.half(r, parts, corrections, 0)
		for field, v := range change {
			data = with(data, field, v)
		}
		_, err := a.engine.Write(t.Context(), "across", data)
		require.Equal(t, carnet.Invalid, carnet.KindOf(err), name)
	}

	got, err := a.engine.Write(t.Context(), "share", good)
	require.NoError(t, err)
	require.NotEmpty(t, got["sealed"])
}

// A home part is in no sharing that could be multiplied, and nobody carries over how many
// numbers across owners were opened under another dealing.
func TestAttackAcrossHomeAndRedealt(t *testing.T) {
	a := newAttacker(t, carnet.LayoutRecords)
	home := keystest.NewNetwork(t, a.sharer.SealingKey(), carnet.LayoutRecords, 2, true)
	home.Accept(t, a.sharer)
	again, after := a.net.Redeal(0, a.sharer.SealingKey(), "again")
	require.NoError(t, a.sharer.Accept(t.Context(), again, after.Sealed(again.Key)))
	first := *a.net
	for reason, n := range map[string]*keystest.Network{"CROSS_HOME": home, "KEY_REDEALT": after} {
		a.net = n
		r, parts, corrections := first.Cross(0)
		if reason == "CROSS_HOME" {
			r, parts, corrections = home.Cross(0)
		} else {
			r.Dealings = after.Dealings
			s, err := a.sharer.Open(t.Context(), r) // shows the engine the statement
			require.NoError(t, err)
			s.Close()
		}
		a.refused(reason, "across", a.half(r, parts, corrections, 0))
		a.refused(reason, "share", with(a.crossRequest(r), "ticket", a.crossTicket(r, parts)))
	}
}

// Rule: 4,096 numbers across keys for each key, whatever was configured.
func TestAttackAcrossReleases(t *testing.T) {
	a := newAttacker(t, carnet.LayoutRecords)
	require.NoError(t, a.configure(map[string]any{"max_product_releases": 1 << 20}))
	answer := func(salt byte) error {
		r, parts, corrections := a.net.Cross(salt)
		_, err := a.net.AnswerCross(t, a.sharer, r, parts, corrections)
		return err
	}
	require.NoError(t, answer(1))
	// One of the keys has been used with others, up to one less than the limit.
	key := a.net.Dealings[1].Key
	at := storedAcross + key.String() + "/000000"
	e, err := a.storage.Get(t.Context(), at)
	require.NoError(t, err)
	require.Len(t, e.Value, 32)
	for i := len(e.Value) / 32; i < share.MaxCrossReleases-1; i++ {
		id := make([]byte, 32)
		binary.BigEndian.PutUint64(id, uint64(i))
		e.Value = append(e.Value, id...)
	}
	require.NoError(t, a.storage.Put(t.Context(), &logical.StorageEntry{Key: at, Value: e.Value}))
	require.NoError(t, answer(2))
	before := a.released()
	require.Equal(t, "RELEASES_EXHAUSTED", carnet.ReasonOf(answer(3)))
	require.Equal(t, before, a.released(), "nothing is counted, for the other key neither")
	require.NoError(t, answer(2), "a repetition")

	require.NoError(t, a.configure(map[string]any{"max_product_releases": 1}))
	a.net = keystest.NewNetwork(t, a.sharer.SealingKey(), carnet.LayoutRecords, 2, false)
	require.Equal(t, carnet.Forbidden, carnet.KindOf(answer(4)), "they are products, too")
}
