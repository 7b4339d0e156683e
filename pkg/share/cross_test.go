package share

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
)

// crossCommittees can open products across keys.
var crossCommittees = [][2]int{{1, 1}, {3, 2}, {5, 3}, {7, 3}, {12, 2}}

// check opens from any 2t-1 answers and more, and compares with the plain value and the
// certificate.
func (x *crossing) check() {
	s, answers := x.s, x.answers()
	require.NoError(s.t, x.f.Validate(s.p.N()))
	want := s.plainCross(x.f)
	limit := new(big.Int).Lsh(big.NewInt(int64(s.c.Parts())), uint(x.k))
	limit.Add(limit, x.bound).Add(limit, big.NewInt(int64(s.c.Parts()+1)))
	rng := rand.New(stream("crossing"))
	for m := 2*s.c.T - 1; m <= s.c.N; m++ {
		rng.Shuffle(len(answers), func(i, j int) { answers[i], answers[j] = answers[j], answers[i] })
		got, quotient := s.r.Decode(x.total(answers[:m]), 2)
		require.Equal(s.t, want, got)
		require.LessOrEqual(s.t, quotient.Cmp(limit), 0)
	}
}

// TestOpenAcrossKeys checks products, sums of products of three owners and squared
// differences, for every shape of committee.
func TestOpenAcrossKeys(t *testing.T) {
	for _, nt := range crossCommittees {
		t.Run(fmt.Sprintf("%d of %d", nt[1], nt[0]), func(t *testing.T) {
			s := newSystem(t, smallRecords, nt[0], nt[1], 0, 0, 0)
			s.crossing(s.cross(0, 1, functional.Sum(0), functional.Sum(3))).check()
			s.crossing(s.cross(2, 0, functional.Sum(1, 2), functional.Factor{Plus: []uint32{3}, Minus: []uint32{1}})).check()
			s.crossing(s.cross(0, 1, functional.Sum(0), functional.Sum(1)), s.cross(0, 2, functional.Sum(0), functional.Sum(1)), s.cross(1, 2, functional.Sum(3), functional.Sum(3))).check()
			s.crossing(s.squaredDifferences(1, 2)...).check()
		})
	}
}

func TestOpenAcrossKeysProperty(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		nt := rapid.SampledFrom(crossCommittees).Draw(rt, "committee")
		owners := rapid.IntRange(2, 4).Draw(rt, "owners")
		s := newSystem(t, smallRecords, nt[0], nt[1], make([]int, owners)...)
		var terms []functional.Cross
		for x := range owners {
			for y := range x {
				if len(terms) == 0 || rapid.Bool().Draw(rt, "pair") {
					terms = append(terms, s.cross(x, y, functional.Sum(rapid.Uint32Range(0, testColumns-1).Draw(rt, "x")), functional.Sum(rapid.Uint32Range(0, testColumns-1).Draw(rt, "y"))))
				}
			}
		}
		x := s.crossing(terms...)
		answers := rapid.Permutation(x.answers()).Draw(rt, "answers")
		m := rapid.IntRange(2*s.c.T-1, s.c.N).Draw(rt, "m")
		if got, _ := s.r.Decode(x.total(answers[:m]), 2); got != s.plainCross(x.f) {
			rt.Fatalf("opened %d, want %d", got, s.plainCross(x.f))
		}
	})
}

// TestOpenAcrossKeysRealProfile does it once with the parameters in use.
func TestOpenAcrossKeysRealProfile(t *testing.T) {
	s := newSystem(t, must(he.Lookup("records")), 5, 3, 0, 0)
	x := s.crossing(s.squaredDifferences(0, 1)...)
	got, _ := s.r.Decode(x.total(x.answers()), 2)
	require.Equal(t, s.plainCross(x.f), got)
	require.Equal(t, int64(4*testBlocks), Terms(x.f), "a squared difference is four products")
}

func TestCrossRefusals(t *testing.T) {
	s := newSystem(t, smallRecords, 3, 2, 0, 0, 2)
	var homeless, home []*KeyShare
	ks, _ := s.keyholder(2)
	for _, k := range ks {
		if home = append(home, k); !k.Home() {
			homeless = append(homeless, k)
		}
	}
	_, err := NewCrossResponder(s.r, s.c, 2, home)
	requireReason(t, "CROSS_HOME", err)
	_, err = NewCrossResponder(s.r, s.c, 2, homeless[:1])
	requireReason(t, "BAD_KEY_SHARES", err)
	_, err = NewCrossResponder(s.r, s.c, 2, []*KeyShare{homeless[0], homeless[0]})
	requireReason(t, "BAD_KEY_SHARES", err)
	_, err = NewCrossResponder(s.r, s.c, 1, homeless)
	requireReason(t, "BAD_KEY_SHARES", err)
	rs, err := NewCrossResponder(s.r, s.c, 2, homeless)
	require.NoError(t, err)
	require.Panics(t, func() { rs.Respond(carnet.Hash{1}, 0, nil, he.Scalar{}) })

	small := newSystem(t, smallRecords, 7, 5, 0, 0)
	ks, _ = small.keyholder(1)
	_, err = NewCrossResponder(small.r, small.c, 1, ks)
	requireReason(t, "CROSS_COMMITTEE", err)
	for n := 1; n <= MaxKeyholders; n++ {
		for threshold := 1; threshold <= n; threshold++ {
			require.Equal(t, n >= 2*threshold-1, Committee{n, threshold}.AllowsCross() == nil)
		}
	}

	x := s.crossing(s.cross(0, 1, functional.Sum(0), functional.Sum(0)))
	require.Panics(t, func() { FunctionalID(s.p, x.f, x.k, nil, nil) })
	require.Panics(t, func() {
		SelectionID(s.p, []*functional.Functional{x.f}, x.k, nil, [][]carnet.Hash{x.parts.Contents(s.r)}, carnet.Hash{1})
	}, "a private parameter and products of shares")
}

// TestCrossGuarantees: 2t-1 answers are needed, and all lies beyond are found.
func TestCrossGuarantees(t *testing.T) {
	for _, x := range []struct{ n, t, m, detected, corrected int }{
		{5, 3, 4, 0, 0}, {5, 3, 5, 0, 0}, {7, 3, 6, 1, 0}, {7, 3, 7, 2, 0}, {9, 3, 9, 2, 2}, {3, 2, 3, 0, 0}, {5, 2, 5, 1, 1}, {12, 2, 4, 1, 0},
	} {
		detected, corrected := Committee{x.n, x.t}.CrossGuarantees(x.m)
		require.Equal(t, []int{x.detected, x.corrected}, []int{detected, corrected}, "%d of %d, %d answers", x.t, x.n, x.m)
	}
}
