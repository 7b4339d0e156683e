package keystest

import (
	"crypto/sha256"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/scan"
	"github.com/carnet-network/carnet/pkg/share"
)

// Cross makes up a release with one opening across both keys and what it computes to, which
// depends on salt. The corrections are those of the dealings.
func (n *Network) Cross(salt byte) (*keys.Release, *scan.CrossParts, map[carnet.KeyID]he.Poly) {
	r, ring := *n.Ask(monthly), he.NewRing(n.Profile)
	uniform := func(label byte) he.Poly {
		p := ring.NewPoly()
		ring.Uniform(sha256.Sum256([]byte{label, salt}), p)
		return p
	}
	parts := &scan.CrossParts{Stored: uniform(0), Pairs: []scan.CrossPair{{A: 0, B: 1, E: uniform(1)}}}
	corrections := map[carnet.KeyID]he.Poly{}
	var sides []functional.CrossFactor
	for i, d := range r.Dealings {
		parts.Keys, parts.Own = append(parts.Keys, d.Key), append(parts.Own, uniform(byte(2+i)))
		corrections[d.Key] = n.first[d.Key]
		sides = append(sides, functional.CrossFactor{Key: d.Key, File: carnet.Nonce{byte(i)}, Factor: functional.Sum(0)})
	}
	f := functional.Across(functional.Cross{Left: sides[0], Right: sides[1], Blocks: 1, Weight: 1})
	k, _, err := share.FloodBits(n.Profile, n.Scheme, 0, share.NoiseBound(n.Profile, f.Degree, share.Terms(f)))
	require.NoError(n.t, err)
	r.Plan = &plan.Plan{Profile: n.Profile, Across: true, Openings: []plan.Opening{{F: f, Degree: 2, FloodBits: k}}}
	return &r, parts, corrections
}

// CrossID is the functional id of such a release.
func (n *Network) CrossID(r *keys.Release, parts *scan.CrossParts) carnet.Hash {
	o := &r.Plan.Openings[0]
	return share.FunctionalID(n.Profile, o.F, o.FloodBits, o.Variance, parts.Contents(he.NewRing(n.Profile)))
}

// AnswerCross has such a release answered and opens it as its buyer does.
func (n *Network) AnswerCross(t testing.TB, s keys.Sharer, r *keys.Release, parts *scan.CrossParts, corrections map[carnet.KeyID]he.Poly) ([]byte, error) {
	t.Helper()
	session, err := s.Open(t.Context(), r)
	if err != nil {
		return nil, err
	}
	defer session.Close()
	if err := session.(keys.CrossSession).Cross(t.Context(), 0, parts, corrections); err != nil {
		return nil, err
	}
	sealed, err := session.Seal(t.Context(), []carnet.Hash{n.CrossID(r, parts)})
	if err != nil {
		return nil, err
	}
	plain, err := n.Recipient.Open(share.AnswerInfo(r.Hash, Member), sealed)
	require.NoError(t, err)
	return plain, nil
}

// sharerCrosses is scheme §8.
func sharerCrosses(t *testing.T, f SharerFixture) {
	n := NewNetwork(t, f.Sharer.SealingKey(), carnet.LayoutRecords, 2, false)
	n.Accept(t, f.Sharer)
	r, parts, corrections := n.Cross(0)
	ring, k := he.NewRing(n.Profile), r.Plan.Openings[0].FloodBits
	id := n.CrossID(r, parts)
	open := func(r *keys.Release) keys.CrossSession {
		s, err := f.Sharer.Open(t.Context(), r)
		require.NoError(t, err)
		t.Cleanup(s.Close)
		return s.(keys.CrossSession)
	}
	session := open(r)
	require.Error(t, session.Product(t.Context(), 0, []keys.Part{{Key: parts.Keys[0], D: parts.Own}, {Key: parts.Keys[1], D: parts.Own}}),
		"a product of one key is flooded otherwise")
	_, err := session.Seal(t.Context(), []carnet.Hash{id})
	require.Error(t, err, "nothing was given")
	session = open(r)
	require.Error(t, session.Cross(t.Context(), 0, &scan.CrossParts{Keys: parts.Keys[:1], Stored: parts.Stored, Own: parts.Own[:1]}, corrections))
	require.Error(t, session.Cross(t.Context(), 0, parts, map[carnet.KeyID]he.Poly{parts.Keys[0]: parts.Stored}))

	held := n.shares(r.Plan.Openings[0].F)
	rs, err := share.NewCrossResponder(ring, n.Scheme, Member, held)
	require.NoError(t, err)
	shares := map[carnet.KeyID]he.Poly{}
	for _, k := range held {
		shares[k.Key()] = k.Power(1)
	}
	want := wire.AppendScalars(nil, n.Profile, []he.Scalar{rs.Respond(id, k, nil, parts.Share(ring, shares, corrections))})
	for range 2 {
		got, err := n.AnswerCross(t, f.Sharer, r, parts, corrections)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}

	home := NewNetwork(t, f.Sharer.SealingKey(), carnet.LayoutRecords, 2, true)
	home.Accept(t, f.Sharer)
	r, parts, corrections = home.Cross(0)
	wants(t, open(r).Cross(t.Context(), 0, parts, corrections), carnet.Refused, "CROSS_HOME")
}
