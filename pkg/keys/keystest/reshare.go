package keystest

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he/wire"
	"github.com/carnet-network/carnet/pkg/keys"
)

// gives has the i-th dealing handed on and compares all of it with what package share
// makes of the seeds.
func (n *Network) gives(t *testing.T, f SharerFixture, s keys.Sharer, i int, committee carnet.CommitteeID) *keys.Handing {
	t.Helper()
	h := n.Handing(i, committee)
	if f.Approve != nil {
		f.Approve(t, h.Committee, h.Recipients)
	}
	got, err := s.HandOver(t.Context(), n.Dealings[i], h)
	require.NoError(t, err)
	parts, seeds := n.ExpectHanded(i, h)
	require.Equal(t, parts, got.Parts)
	for _, p := range parts {
		for j, c := range p.Corrections {
			require.Equal(t, c, wire.CorrectionHash(j+1, got.Corrections[c]))
		}
	}
	require.Len(t, got.Sealed, h.New.N)
	for to, k := range Recipients() {
		plain, err := k.Open(h.SealedInfo(Member, to+1), got.Sealed[to])
		require.NoError(t, err)
		require.Equal(t, seeds[to], plain)
	}
	return h
}

// sharerHandsOver is decision 23, from the side of who leaves. Over a restart the seeds are
// the same.
func sharerHandsOver(t *testing.T, f SharerFixture) {
	for _, layout := range []carnet.Layout{carnet.LayoutCube, carnet.LayoutRecords} {
		n := NewNetwork(t, f.Sharer.SealingKey(), layout, 2, false)
		_, err := f.Sharer.HandOver(t.Context(), n.Dealings[0], n.Handing(0, "next"))
		wants(t, err, carnet.NotFound, "KEY_NOT_HELD")
		n.Accept(t, f.Sharer)
		n.gives(t, f, f.Sharer, 0, "next")
		again, after := n.Redeal(1, f.Sharer.SealingKey(), "again")
		require.NoError(t, f.Sharer.Accept(t.Context(), again, after.Sealed(again.Key)))
		after.gives(t, f, f.Sharer, 1, "next")
		f.Sharer = f.Reopen(t)
		n.gives(t, f, f.Sharer, 0, "next")
		require.NoError(t, f.Sharer.Destroy(t.Context(), n.Dealings[0].Key))
		_, err = f.Sharer.HandOver(t.Context(), n.Dealings[0], n.Handing(0, "next"))
		wants(t, err, carnet.Precondition, "KEY_DESTROYED")
	}
	home := NewNetwork(t, f.Sharer.SealingKey(), carnet.LayoutCube, 1, true)
	home.Accept(t, f.Sharer)
	h := home.Handing(0, "next")
	if f.Approve != nil {
		f.Approve(t, h.Committee, h.Recipients)
	}
	_, err := f.Sharer.HandOver(t.Context(), home.Dealings[0], h)
	wants(t, err, carnet.Refused, "RESHARE_HOME")
}

// sharerTakesOver is the side of who joins: what was taken over answers as the seeds of an
// owner do, and can be handed on and taken over again.
func sharerTakesOver(t *testing.T, f SharerFixture) {
	for _, layout := range []carnet.Layout{carnet.LayoutCube, carnet.LayoutRecords} {
		for name, redealt := range map[string]bool{"first": false, "redealt": true} {
			before := NewNetwork(t, f.Sharer.SealingKey(), layout, 1, false)
			if redealt {
				_, before = before.Redeal(0, f.Sharer.SealingKey(), "again "+name)
			}
			committee := carnet.CommitteeID(name)
			h := before.Handing(0, committee)
			m, n := before.Move(0, h, f.Sharer.SealingKey())
			wants(t, f.Sharer.Held(t.Context(), m.Dealing), carnet.NotFound, "KEY_NOT_HELD")

			// One of two holders of each part is missing or lies: nothing is lost. All of them:
			// nothing is kept.
			bad := bytes.Repeat([]byte{7}, len(m.Sealed[2]))
			liars, err := m.TakeOver(t, f.Sharer, h, map[int][]byte{1: m.Sealed[1], 2: bad})
			wants(t, err, carnet.Unavailable, "RESHARE_INCOMPLETE")
			require.Equal(t, []int{2}, liars)
			wants(t, f.Sharer.Held(t.Context(), m.Dealing), carnet.NotFound, "KEY_NOT_HELD")
			for range 2 {
				liars, err = m.TakeOver(t, f.Sharer, h, map[int][]byte{1: m.Sealed[1], 2: bad, 3: m.Sealed[3]})
				require.NoError(t, err)
				require.Equal(t, []int{2}, liars)
				require.NoError(t, f.Sharer.Held(t.Context(), m.Dealing))
			}
			for _, sql := range []string{one, monthly} {
				n.answers(t, f.Sharer, n.Ask(sql), 4, nil)
				f.Sharer = f.Reopen(t)
				n.answers(t, f.Sharer, n.Ask(sql), 4, nil)
			}
			n.gives(t, f, f.Sharer, 0, committee+"-second")
			h = n.Handing(0, committee+"-second")
			m, n = n.Move(0, h, f.Sharer.SealingKey())
			liars, err = m.TakeOver(t, f.Sharer, h, m.Sealed)
			require.NoError(t, err)
			require.Empty(t, liars)
			n.answers(t, f.Sharer, n.Ask(one), 4, nil)

			require.NoError(t, f.Sharer.Destroy(t.Context(), m.Dealing.Key))
			_, err = m.TakeOver(t, f.Sharer, h, m.Sealed)
			wants(t, err, carnet.Precondition, "KEY_DESTROYED")
		}
	}
}
