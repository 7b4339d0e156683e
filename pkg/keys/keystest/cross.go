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

// cross makes up a release with one opening across both keys, what it computes to, and
// corrections.
func (n *Network) cross() (*keys.Release, *scan.CrossParts, map[carnet.KeyID]he.Poly) {
	r, ring := *n.Ask(monthly), he.NewRing(n.Profile)
	uniform := func(label byte) he.Poly {
		p := ring.NewPoly()
		ring.Uniform(sha256.Sum256([]byte{label}), p)
		return p
	}
	parts := &scan.CrossParts{Stored: uniform(0), Pairs: []scan.CrossPair{{A: 0, B: 1, E: uniform(1)}}}
	corrections := map[carnet.KeyID]he.Poly{}
	var sides []functional.CrossFactor
	for i, d := range r.Dealings {
		parts.Keys, parts.Own = append(parts.Keys, d.Key), append(parts.Own, uniform(byte(2+i)))
		corrections[d.Key] = uniform(byte(10 + i))
		sides = append(sides, functional.CrossFactor{Key: d.Key, File: carnet.Nonce{byte(i)}, Factor: functional.Sum(0)})
	}
	f := functional.Across(functional.Cross{Left: sides[0], Right: sides[1], Blocks: 1, Weight: 1})
	r.Plan = &plan.Plan{Profile: n.Profile, Across: true, Openings: []plan.Opening{{F: f, Degree: 2, FloodBits: 150}}}
	return &r, parts, corrections
}

// sharerCrosses is for Sharers whose sessions answer products across keys. Others must not
// answer them as if they were products of one key.
func sharerCrosses(t *testing.T, f SharerFixture) {
	n := NewNetwork(t, f.Sharer.SealingKey(), carnet.LayoutRecords, 2, false)
	n.Accept(t, f.Sharer)
	r, parts, corrections := n.cross()
	ring := he.NewRing(n.Profile)
	id := share.FunctionalID(n.Profile, r.Plan.Openings[0].F, 150, parts.Contents(ring))
	open := func(r *keys.Release) keys.Session {
		s, err := f.Sharer.Open(t.Context(), r)
		require.NoError(t, err)
		t.Cleanup(s.Close)
		return s
	}
	session := open(r)
	require.Error(t, session.Product(t.Context(), 0, []keys.Part{{Key: parts.Keys[0], D: parts.Own}, {Key: parts.Keys[1], D: parts.Own}}),
		"a product of one key is flooded otherwise")
	_, err := session.Seal(t.Context(), []carnet.Hash{id})
	require.Error(t, err, "nothing was given")
	across, ok := open(r).(keys.CrossSession)
	if !ok {
		return
	}
	require.Error(t, across.Cross(t.Context(), 0, &scan.CrossParts{Keys: parts.Keys[:1], Stored: parts.Stored, Own: parts.Own[:1]}, corrections))
	require.Error(t, across.Cross(t.Context(), 0, parts, map[carnet.KeyID]he.Poly{parts.Keys[0]: parts.Stored}))
	require.NoError(t, across.Cross(t.Context(), 0, parts, corrections))
	sealed, err := across.Seal(t.Context(), []carnet.Hash{id})
	require.NoError(t, err)
	got, err := n.Recipient.Open(share.AnswerInfo(r.Hash, Member), sealed)
	require.NoError(t, err)

	held := n.shares(r.Plan.Openings[0].F)
	rs, err := share.NewCrossResponder(ring, n.Scheme, Member, held)
	require.NoError(t, err)
	shares := map[carnet.KeyID]he.Poly{}
	for _, k := range held {
		shares[k.Key()] = k.Power(1)
	}
	want := rs.Respond(id, 150, parts.Share(ring, shares, corrections))
	require.Equal(t, wire.AppendScalars(nil, n.Profile, []he.Scalar{want}), got)

	home := NewNetwork(t, f.Sharer.SealingKey(), carnet.LayoutRecords, 2, true)
	home.Accept(t, f.Sharer)
	r, parts, corrections = home.cross()
	wants(t, open(r).(keys.CrossSession).Cross(t.Context(), 0, parts, corrections), carnet.Refused, "CROSS_HOME")
}
