package keystest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/seal"
	"github.com/carnet-network/carnet/pkg/share"
)

// Handing is a resharing of the i-th dealing to a committee of this name, of three members
// and threshold two, of which the keyholder under test is the first. Its owner said so.
func (n *Network) Handing(i int, committee carnet.CommitteeID, change ...func(s *carnet.Succession)) *keys.Handing {
	d := n.Dealings[i]
	to := n.sign(carnet.TypeCommittee, carnet.Committee{ID: committee, Members: []carnet.PartyID{"a", "x", "y"}, Threshold: 2,
		Quorum: 3, Attestations: 1, PrivateChecks: 3, Created: networkTime})
	m, err := share.NewMove(d.Key, d.Scheme, to.Hash(), n.Scheme)
	require.NoError(n.t, err)
	s := &carnet.Succession{Key: d.Named(), Owner: d.Body.Owner, Committees: []carnet.Hash{to.Hash()}, Created: networkTime}
	for _, c := range change {
		c(s)
	}
	h := &keys.Handing{Move: m, To: to, First: n.statements[d.Named()], Source: d.Statement, Holders: d.Committee,
		Succession: n.sign(carnet.TypeSuccession, s), Released: func(context.Context) (int64, error) { return 0, nil }}
	if d.Again != nil {
		h.Redealing = d.Again.Redealing
	}
	for _, k := range Recipients() {
		h.Recipients = append(h.Recipients, k.Public())
	}
	return h
}

// Recipients are the sealing keys of the members of such a committee, while the keyholder
// under test only hands on.
func Recipients() (out []*seal.PrivateKey) {
	for i := range 3 {
		seed := sha256.Sum256(fmt.Append(nil, "recipient", i))
		k, err := seal.DeriveKey(seed[:])
		if err != nil {
			panic(err) // impossible: the seed is long enough
		}
		out = append(out, k)
	}
	return out
}

// ExpectHanded is what the keyholder under test must hand on, computed with package share
// alone: what it says of its parts, and the plain seeds for every member.
func (n *Network) ExpectHanded(i int, h *keys.Handing) (parts []carnet.HandedPart, seeds [][]byte) {
	d := n.Dealings[i]
	handed := n.handed(d, h, Member)
	for _, a := range h.Old.Subsets() {
		if x := handed[a]; x != nil {
			parts = append(parts, *n.said(x))
		}
	}
	for to := 1; to <= h.New.N; to++ {
		seeds = append(seeds, h.AppendSeeds(nil, Member, to, handed))
	}
	return parts, seeds
}

func (n *Network) handed(d *keys.Dealing, h *keys.Handing, number int) map[share.Subset]*share.Handed {
	out := map[share.Subset]*share.Handed{}
	b := n.all[d.Key][number-1]
	for a := range b.Seeds {
		x, err := h.HandOver(he.NewRing(n.Profile), b, a, n.Profile.MaxDegree())
		require.NoError(n.t, err)
		out[a] = x
	}
	return out
}

func (n *Network) said(x *share.Handed) *carnet.HandedPart {
	p := &carnet.HandedPart{Part: int(x.Part), Commitments: x.Commitments}
	for j, c := range x.Corrections {
		p.Corrections = append(p.Corrections, wire.CorrectionHash(j+1, wire.AppendPoly(nil, n.Profile, c)))
	}
	return p
}

// Moved is the i-th dealing after a resharing.
type Moved struct {
	Dealing *keys.Dealing
	Agreed  map[share.Subset]*carnet.HandedPart
	Sealed  map[int][]byte // to the keyholder under test, by holder
}

// Move hands the i-th dealing on to a committee, all of its holders being honest, and
// returns the network in which its key is opened with what comes of it.
func (n *Network) Move(i int, h *keys.Handing, sealing []byte, change ...func(r *carnet.Resharing)) (*Moved, *Network) {
	d := n.Dealings[i]
	m := &Moved{Agreed: map[share.Subset]*carnet.HandedPart{}, Sealed: map[int][]byte{}}
	r := &carnet.Resharing{Key: d.Named(), From: d.Key, Owner: d.Body.Owner, Committee: h.Committee, Profile: d.Body.Profile, Params: d.Body.Params, Nonce: h.Nonce()}
	var all []map[share.Subset]*share.Handed
	for from := 1; from <= h.Old.N; from++ {
		handed := n.handed(d, h, from)
		all = append(all, handed)
		var err error
		m.Sealed[from], err = seal.Seal(sealing, h.SealedInfo(from, Member), h.AppendSeeds(nil, from, Member, handed))
		require.NoError(n.t, err)
		for a, x := range handed {
			m.Agreed[a] = n.said(x)
		}
	}
	r.Commitments = h.Commitments(m.Agreed)
	r.Corrections = []carnet.Hash{{1}, {2}} // no share depends on them
	for _, c := range change {
		c(r)
	}
	env := n.sign(carnet.TypeResharing, r)
	body := r.Dealing()
	m.Dealing = &keys.Dealing{Key: carnet.KeyID(env.Hash()), As: d.Named(), Statement: env, Body: &body, Committee: h.To, Scheme: h.New, Number: Member,
		Profile: n.Profile, Handed: true}
	for to := 1; to <= h.New.N; to++ {
		g := h.Gather(to, m.Agreed)
		for from, handed := range all {
			require.NoError(n.t, g.Add(from+1, h.AppendSeeds(nil, from+1, to, handed)))
		}
		b, err := g.Bundle()
		require.NoError(n.t, err)
		n.all[m.Dealing.Key] = append(n.all[m.Dealing.Key], b)
	}
	n.bundles[m.Dealing.Key] = n.all[m.Dealing.Key][Member-1]
	after := *n
	after.Dealings = slices.Clone(n.Dealings)
	after.Dealings[i] = m.Dealing
	after.Committee = h.To
	return m, &after
}

// TakeOver has it taken over from what holders sealed.
func (m *Moved) TakeOver(t testing.TB, s keys.Sharer, h *keys.Handing, sealed map[int][]byte) (liars []int, err error) {
	return s.TakeOver(t.Context(), m.Dealing, h, m.Agreed, sealed)
}
