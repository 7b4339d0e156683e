package share

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
)

var committees = [][2]int{{1, 1}, {3, 2}, {5, 3}, {7, 3}, {7, 4}, {12, 2}}

// ownerships are who deals, and who is home to whom, for a committee of n.
func ownerships(n int) [][]int {
	return [][]int{{0}, {1}, {0, 0, 0}, {n, 0, n}, {1, 0, n}}
}

// TestOpen checks, for every shape of committee, one owner and unions, with and
// without home parts and for both low degrees, that any t answers open to the plain
// value and that the noise stays within the certificate.
func TestOpen(t *testing.T) {
	for _, nt := range committees {
		for _, homes := range ownerships(nt[0]) {
			t.Run(fmt.Sprintf("%d of %d, homes %v", nt[1], nt[0], homes), func(t *testing.T) {
				s := newSystem(t, smallRecords, nt[0], nt[1], homes...)
				checkOpening(t, s, s.linear(0))
				checkOpening(t, s, s.product([]uint32{0}, []uint32{1, 2}))
				s = newSystem(t, smallCube, nt[0], nt[1], homes...)
				checkOpening(t, s, s.linear(1, 0, 5, 63, 64, 100, 127))
			})
		}
	}
}

// TestOpenHigherDegrees: products of three and four columns, factors with signs and a
// column multiplied by itself.
func TestOpenHigherDegrees(t *testing.T) {
	signed := functional.Factor{Plus: []uint32{1}, Minus: []uint32{2}}
	for _, homes := range [][]int{{0}, {1, 0, 5}} {
		s := newSystem(t, smallThree, 5, 3, homes...)
		checkOpening(t, s, s.linear(3))
		checkOpening(t, s, s.product([]uint32{0}, []uint32{1, 2}))
		checkOpening(t, s, s.multiply(functional.Sum(0), signed, functional.Sum(3)))
		s = newSystem(t, smallFour, 5, 3, homes...)
		checkOpening(t, s, s.multiply(functional.Sum(0), signed, functional.Factor{Minus: []uint32{3}}))
		checkOpening(t, s, s.multiply(functional.Sum(0), functional.Sum(0), signed, functional.Sum(3)))
	}
}

func checkOpening(t *testing.T, s *system, f *functional.Functional) {
	require.NoError(t, f.Validate(s.p.N()))
	o := s.open(f)
	want := s.plain(f)
	rng := rand.New(stream("subsets"))
	for m := s.c.T; m <= s.c.N; m++ {
		answers := slices.Clone(o.answers)
		rng.Shuffle(len(answers), func(i, j int) { answers[i], answers[j] = answers[j], answers[i] })
		got, quotient := s.r.Decode(s.total(o, answers[:m]), f.Degree)
		require.Equal(t, want, got)
		require.LessOrEqual(t, quotient.Cmp(worstQuotient(s, o)), 0)
	}
}

// worstQuotient is B + P'*2^k + P' + 1.
func worstQuotient(s *system, o *opening) *big.Int {
	parts := big.NewInt(int64(s.c.Parts() + len(s.homes())))
	w := new(big.Int).Lsh(parts, uint(o.k))
	return w.Add(w, parts).Add(w, o.bound).Add(w, big.NewInt(1))
}

func TestOpenProperty(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		nt := rapid.SampledFrom(committees).Draw(rt, "committee")
		homes := rapid.SliceOfN(rapid.IntRange(0, nt[0]), 1, 3).Draw(rt, "homes")
		p := rapid.SampledFrom([]*he.Profile{smallRecords, smallCube}).Draw(rt, "profile")
		s := newSystem(t, p, nt[0], nt[1], homes...)
		column := rapid.Uint32Range(0, testColumns-1)
		var f *functional.Functional
		switch {
		case p == smallCube:
			cells := rapid.SliceOfNDistinct(rapid.Uint32Range(0, uint32(testBlocks*p.N()-1)), 1, 20, rapid.ID).Draw(rt, "cells")
			slices.Sort(cells)
			f = s.linear(column.Draw(rt, "column"), cells...)
		case rapid.Bool().Draw(rt, "product"):
			b := column.Draw(rt, "b")
			f = s.product([]uint32{column.Draw(rt, "a")}, []uint32{b})
		default:
			f = s.linear(column.Draw(rt, "column"))
		}
		o := s.open(f)
		answers := rapid.Permutation(o.answers).Draw(rt, "answers")
		m := rapid.IntRange(s.c.T, s.c.N).Draw(rt, "m")
		got, _ := s.r.Decode(s.total(o, answers[:m]), f.Degree)
		if want := s.plain(f); got != want {
			rt.Fatalf("opened %d, want %d", got, want)
		}
	})
}

// TestOpenRealProfiles does it once with the parameters in use.
func TestOpenRealProfiles(t *testing.T) {
	for _, name := range []string{"cube", "records", "records-4"} {
		t.Run(name, func(t *testing.T) {
			s := newSystem(t, must(he.Lookup(name)), 3, 2, 2, 0)
			if name == "cube" {
				checkOpening(t, s, s.linear(2, 1, 16383, 16384, 32767))
				return
			}
			if name == "records-4" {
				checkOpening(t, s, s.multiply(functional.Sum(0), functional.Sum(1, 2), functional.Sum(3), functional.Sum(3)))
				return
			}
			checkOpening(t, s, s.product([]uint32{0}, []uint32{1}))
		})
	}
}

func TestAddHomeNeedsEveryHome(t *testing.T) {
	s := newSystem(t, smallRecords, 3, 2, 1, 3)
	o := s.open(s.linear(0))
	delete(o.home, 3)
	err := AddHome(s.r, []he.Scalar{o.z}, s.homes(), o.home)
	requireReason(t, "HOME_MISSING", err)
}

func TestKeyShareRefusals(t *testing.T) {
	s := newSystem(t, smallRecords, 3, 2, 0, 0)
	b := s.owners[0].deal.Bundle(s.c, 1, 0)
	_, err := NewKeyShare(s.r, s.c, s.owners[0].key, b, s.p.MaxDegree()+1)
	requireReason(t, "BAD_DEGREE", err)
	_, err = NewDeal(s.r, s.owners[0].secret, s.c, s.owners[0].nonce, 0, false, stream("x"))
	requireReason(t, "BAD_DEGREE", err)
	delete(b.Seeds, 0b010)
	_, err = NewKeyShare(s.r, s.c, s.owners[0].key, b, 2)
	requireReason(t, "BAD_SEEDS", err)

	one, _ := s.keyholder(1)
	two, _ := s.keyholder(2)
	for name, ks := range map[string][]*KeyShare{
		"none": nil, "another keyholder's": {one[0], two[1]}, "twice": {one[0], one[0]},
	} {
		_, err = NewResponder(s.r, s.c, 1, ks)
		requireReason(t, "BAD_KEY_SHARES", err, name)
	}
	_, err = NewResponder(s.r, must(NewCommittee(3, 3)), 1, one)
	requireReason(t, "BAD_KEY_SHARES", err)
	_, err = NewResponder(he.NewRing(smallCube), s.c, 1, one)
	requireReason(t, "BAD_KEY_SHARES", err)
	_, rs := s.keyholder(1)
	require.Panics(t, func() { rs.Respond([32]byte{}, 0, 10, nil, he.Scalar{}) })
	require.Panics(t, func() { rs.Respond([32]byte{}, 1, 0, nil, he.Scalar{}) })
}

func TestZero(t *testing.T) {
	s := newSystem(t, smallRecords, 3, 2, 1)
	ks, _ := s.keyholder(1)
	k := ks[0]
	require.Equal(t, s.owners[0].key, k.Key())
	require.Equal(t, 1, k.Number())
	require.Equal(t, 2, k.Degree())
	k.Zero()
	require.Empty(t, k.seeds)
	require.Equal(t, s.r.NewPoly(), k.Power(1))
	require.Equal(t, s.r.NewPoly(), k.HomePower(2))
	require.Equal(t, [32]byte{}, *k.home)
	two, _ := s.keyholder(2)
	require.Nil(t, two[0].HomePower(1))
}

func TestNewDealFailsWithItsSource(t *testing.T) {
	s := newSystem(t, smallRecords, 3, 2, 0)
	for have := range 4 {
		_, err := NewDeal(s.r, s.owners[0].secret, s.c, s.owners[0].nonce, 1, true, &short{32 * have})
		require.Error(t, err)
	}
	_, err := NewDeal(s.r, s.owners[0].secret, s.c, s.owners[0].nonce, 1, true, &short{32 * 4})
	require.NoError(t, err)
}

// short is a source that ends.
type short struct{ left int }

func (r *short) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, fmt.Errorf("no more randomness")
	}
	n := min(len(p), r.left)
	r.left -= n
	return n, nil
}
