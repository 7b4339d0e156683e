package keystest

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/share"
)

// SharerFixture is one Sharer under test.
type SharerFixture struct {
	Sharer keys.Sharer
	// Reopen closes it and opens it again from what it made durable.
	Reopen func(t *testing.T) keys.Sharer
	// Approve lets parts be handed on to a committee, whose members' sealing keys are given;
	// nil where nobody has to.
	Approve func(t *testing.T, committee carnet.Hash, recipients [][]byte)
}

const (
	monthly     = `SELECT month, COUNT(*), SUM(value) FROM trade GROUP BY month`
	one         = `SELECT SUM(value) FROM trade WHERE month = '01'`
	other       = `SELECT SUM(value) FROM trade WHERE month = '02'`
	secretMonth = `SELECT COUNT(*), SUM(value) FROM trade WHERE month = PRIVATE($1)`
)

// RunSharer checks an implementation. make returns a fresh Sharer each time that answers
// to queries of the given buyer.
func RunSharer(t *testing.T, make func(t *testing.T, buyer ed25519.PublicKey) SharerFixture) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, f SharerFixture)
	}{
		{"seeds that match are kept", sharerAccepts},
		{"seeds that do not match are refused", sharerRefuses},
		{"sums of cells over two owners", sharerLinear},
		{"products over two owners", sharerProducts},
		{"products across owners", sharerCrosses},
		{"keys dealt again", sharerRedealt},
		{"parts are handed on", sharerHandsOver},
		{"what is handed on is taken over", sharerTakesOver},
		{"a home part has a scalar of its own", sharerHome},
		{"private parameters are checked and answered", sharerSelects},
		{"seeds of another selection are refused", sharerSelectsOther},
		{"the same functional has the same answer for ever", sharerRepeats},
		{"an answer needs all its products", sharerIncomplete},
		{"destruction is final", sharerDestroys},
		{"concurrent use is safe", sharerConcurrent},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, make(t, NewPerson("buyer").Public())) })
	}
}

// Accept hands all seeds of the network over.
func (n *Network) Accept(t testing.TB, s keys.Sharer) {
	t.Helper()
	for _, d := range n.Dealings {
		require.NoError(t, s.Accept(t.Context(), d, n.Sealed(d.Key)))
	}
}

// Answer has a release answered and opens it as its buyer does.
func (n *Network) Answer(t testing.TB, s keys.Sharer, r *keys.Release, salt byte) ([]byte, error) {
	t.Helper()
	session, err := s.Open(t.Context(), r)
	if err != nil {
		return nil, err
	}
	defer session.Close()
	for i, f := range r.Plan.Functionals() {
		if f.Degree > 1 {
			if err := session.Product(t.Context(), i, n.Parts(r, i, salt)); err != nil {
				return nil, err
			}
		}
	}
	sealed, err := session.Seal(t.Context(), n.IDs(r, salt))
	if err != nil {
		return nil, err
	}
	plain, err := n.Recipient.Open(share.AnswerInfo(r.Hash, Member), sealed)
	require.NoError(t, err)
	return plain, nil
}

func (n *Network) answers(t *testing.T, s keys.Sharer, r *keys.Release, salt byte, selection *share.Bundle) {
	t.Helper()
	got, err := n.Answer(t, s, r, salt)
	require.NoError(t, err)
	require.Equal(t, n.Expect(r, salt, selection), got)
}

func sharerAccepts(t *testing.T, f SharerFixture) {
	n := NewNetwork(t, f.Sharer.SealingKey(), carnet.LayoutCube, 2, false)
	for _, d := range n.Dealings {
		wants(t, f.Sharer.Held(t.Context(), d), carnet.NotFound, "KEY_NOT_HELD")
	}
	n.Accept(t, f.Sharer)
	n.Accept(t, f.Sharer)
	key := f.Sharer.SealingKey()
	s := f.Reopen(t)
	require.Equal(t, key, s.SealingKey())
	for _, d := range n.Dealings {
		require.NoError(t, s.Held(t.Context(), d))
	}
}

func sharerRefuses(t *testing.T, f SharerFixture) {
	key := f.Sharer.SealingKey()
	n := NewNetwork(t, key, carnet.LayoutCube, 2, false)
	d, b := n.Dealings[0], n.bundles[n.Dealings[0].Key]
	for reason, sealed := range map[string][]byte{
		"SEEDS_UNREADABLE":  n.Sealed(n.Dealings[1].Key),
		"SEEDS_MISMATCH":    n.Seal(key, d.Key, n.bundles[n.Dealings[1].Key]),
		"SEEDS_FOR_ANOTHER": n.Seal(key, d.Key, share.Bundle{Number: 2, Seeds: map[share.Subset][32]byte{1: {}, 4: {}}}),
	} {
		err := f.Sharer.Accept(t.Context(), d, sealed)
		wants(t, err, carnet.Refused, reason)
		for _, seed := range b.Seeds {
			require.NotContains(t, fmt.Sprintf("%v %#v", err, err), fmt.Sprintf("%x", seed[:8]))
		}
	}
	wants(t, f.Sharer.Held(t.Context(), d), carnet.NotFound, "KEY_NOT_HELD")
	_, err := n.Answer(t, f.Sharer, n.Ask(monthly), 0)
	wants(t, err, carnet.NotFound, "KEY_NOT_HELD")
}

func sharerLinear(t *testing.T, f SharerFixture) {
	n := NewNetwork(t, f.Sharer.SealingKey(), carnet.LayoutCube, 2, false)
	n.Accept(t, f.Sharer)
	for _, sql := range []string{monthly, one} {
		n.answers(t, f.Sharer, n.Ask(sql), 0, nil)
	}
}

func sharerProducts(t *testing.T, f SharerFixture) {
	n := NewNetwork(t, f.Sharer.SealingKey(), carnet.LayoutRecords, 2, false)
	n.Accept(t, f.Sharer)
	r := n.Ask(monthly)
	degrees := map[int]bool{}
	for _, f := range r.Plan.Functionals() {
		degrees[f.Degree] = true
	}
	require.Equal(t, map[int]bool{1: true, 2: true}, degrees)
	n.answers(t, f.Sharer, r, 1, nil)
	n.answers(t, f.Sharer, r, 2, nil)
}

// sharerRedealt is decision 16: the key keeps its name, and seeds are those of the new dealing.
func sharerRedealt(t *testing.T, f SharerFixture) {
	for _, layout := range []carnet.Layout{carnet.LayoutCube, carnet.LayoutRecords} {
		n := NewNetwork(t, f.Sharer.SealingKey(), layout, 2, false)
		n.Accept(t, f.Sharer)
		r := n.Ask(one)
		before, err := n.Answer(t, f.Sharer, r, 0)
		require.NoError(t, err)
		// Either of two keys, whose order as dealings may be another than as names.
		for i := range n.Dealings {
			again, after := n.Redeal(i, f.Sharer.SealingKey(), "again")
			wants(t, f.Sharer.Held(t.Context(), again), carnet.NotFound, "KEY_NOT_HELD")
			require.NoError(t, f.Sharer.Accept(t.Context(), again, after.Sealed(again.Key)))
			for _, sql := range []string{one, monthly} {
				r := after.Ask(sql)
				after.answers(t, f.Sharer, r, 4, nil)
				after.answers(t, f.Sharer, r, 4, nil)
			}
			require.NoError(t, f.Sharer.Held(t.Context(), again))
		}
		// What was asked before is answered by the dealing that it was asked of.
		still, err := n.Answer(t, f.Sharer, r, 0)
		require.NoError(t, err)
		require.Equal(t, before, still)

		again, after := n.Redeal(0, f.Sharer.SealingKey(), "again")
		require.NoError(t, f.Sharer.Destroy(t.Context(), again.Key))
		_, err = after.Answer(t, f.Sharer, after.Ask(one), 0)
		wants(t, err, carnet.Precondition, "KEY_DESTROYED")
	}
}

func sharerHome(t *testing.T, f SharerFixture) {
	for _, layout := range []carnet.Layout{carnet.LayoutCube, carnet.LayoutRecords} {
		n := NewNetwork(t, f.Sharer.SealingKey(), layout, 2, true)
		n.Accept(t, f.Sharer)
		n.answers(t, f.Sharer, n.Ask(monthly), 0, nil)
	}
}

func sharerSelects(t *testing.T, f SharerFixture) {
	for _, layout := range []carnet.Layout{carnet.LayoutCube, carnet.LayoutRecords} {
		n := NewNetwork(t, f.Sharer.SealingKey(), layout, 2, false)
		n.Accept(t, f.Sharer)
		change, bundle := n.Select(f.Sharer.SealingKey(), 1)
		r := n.Ask(secretMonth, change)
		session, err := f.Sharer.Open(t.Context(), r)
		require.NoError(t, err)
		got, err := session.Check(t.Context())
		require.NoError(t, err)
		session.Close()
		require.Equal(t, n.ExpectCheck(r, *bundle), got)
		n.answers(t, f.Sharer, r, 3, bundle)
	}
}

func sharerSelectsOther(t *testing.T, f SharerFixture) {
	n := NewNetwork(t, f.Sharer.SealingKey(), carnet.LayoutCube, 1, false)
	n.Accept(t, f.Sharer)
	change, _ := n.Select(f.Sharer.SealingKey(), 1)
	for name, then := range map[string]func(q *carnet.Query){
		"for another id": func(q *carnet.Query) { q.ID[0] ^= 1 },
		"none":           func(q *carnet.Query) { q.Private.Seeds = nil },
		"other":          func(q *carnet.Query) { q.Private.Commitments[0][0] ^= 1; q.Private.Commitments[1][0] ^= 1 },
	} {
		session, err := f.Sharer.Open(t.Context(), n.Ask(secretMonth, change, then))
		require.NoError(t, err, name)
		_, err = session.Check(t.Context())
		wants(t, err, carnet.Invalid, "BAD_SELECTION_SEEDS")
		session.Close()
	}
}

func sharerRepeats(t *testing.T, f SharerFixture) {
	n := NewNetwork(t, f.Sharer.SealingKey(), carnet.LayoutCube, 2, false)
	n.Accept(t, f.Sharer)
	first, err := n.Answer(t, f.Sharer, n.Ask(one), 0)
	require.NoError(t, err)
	again, err := n.Answer(t, f.Sharer, n.Ask(one), 0)
	require.NoError(t, err)
	require.Equal(t, first, again, "in another query")
	second, err := n.Answer(t, f.Sharer, n.Ask(other), 0)
	require.NoError(t, err)
	require.NotEqual(t, first, second)
	f.Sharer.Zero()
	for _, s := range []func() keys.Sharer{func() keys.Sharer { return f.Sharer }, func() keys.Sharer { return f.Reopen(t) }} {
		again, err := n.Answer(t, s(), n.Ask(one), 0)
		require.NoError(t, err)
		require.Equal(t, first, again)
	}
}

func sharerIncomplete(t *testing.T, f SharerFixture) {
	n := NewNetwork(t, f.Sharer.SealingKey(), carnet.LayoutRecords, 1, false)
	n.Accept(t, f.Sharer)
	r := n.Ask(monthly)
	session, err := f.Sharer.Open(t.Context(), r)
	require.NoError(t, err)
	defer session.Close()
	_, err = session.Seal(t.Context(), n.IDs(r, 0))
	wants(t, err, carnet.Internal, "FUNCTIONAL_MISSING")
}

func sharerDestroys(t *testing.T, f SharerFixture) {
	n := NewNetwork(t, f.Sharer.SealingKey(), carnet.LayoutCube, 2, false)
	n.Accept(t, f.Sharer)
	r := n.Ask(one)
	session, err := f.Sharer.Open(t.Context(), r)
	require.NoError(t, err)
	d := n.Dealings[0]
	for range 2 {
		require.NoError(t, f.Sharer.Destroy(t.Context(), d.Key))
	}
	_, err = session.Seal(t.Context(), n.IDs(r, 0))
	wants(t, err, carnet.Precondition, "KEY_DESTROYED")
	session.Close()
	for _, s := range []func() keys.Sharer{func() keys.Sharer { return f.Sharer }, func() keys.Sharer { return f.Reopen(t) }} {
		s := s()
		wants(t, s.Held(t.Context(), d), carnet.Precondition, "KEY_DESTROYED")
		wants(t, s.Accept(t.Context(), d, n.Sealed(d.Key)), carnet.Precondition, "KEY_DESTROYED")
		_, err := n.Answer(t, s, n.Ask(one), 0)
		wants(t, err, carnet.Precondition, "KEY_DESTROYED")
		require.NoError(t, s.Held(t.Context(), n.Dealings[1]))
	}
}

func sharerConcurrent(t *testing.T, f SharerFixture) {
	n := NewNetwork(t, f.Sharer.SealingKey(), carnet.LayoutCube, 2, false)
	n.Accept(t, f.Sharer)
	first, second := n.Ask(one), n.Ask(other)
	want := [][]byte{n.Expect(first, 0, nil), n.Expect(second, 0, nil)}
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			r := []*keys.Release{first, second}[i%2]
			session, err := f.Sharer.Open(t.Context(), r)
			if err != nil {
				t.Error(err)
				return
			}
			defer session.Close()
			sealed, err := session.Seal(t.Context(), n.IDs(r, 0))
			if err != nil {
				t.Error(err)
				return
			}
			got, err := n.Recipient.Open(share.AnswerInfo(r.Hash, Member), sealed)
			if err != nil || !bytes.Equal(got, want[i%2]) {
				t.Error("another answer", err)
			}
			if err := f.Sharer.Held(t.Context(), n.Dealings[0]); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
