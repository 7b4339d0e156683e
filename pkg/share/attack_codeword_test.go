package share

import (
	"math/big"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/he"
)

// collude replaces the answers of the liars so that the total moves by shift: they
// lie on the codeword of a polynomial that is the honest one plus shift at 0 and
// zero at all of the given honest keyholders, as many as t-1 of them.
func (s *system) collude(answers []Answer, liars, agree []int, shift he.Scalar) []Answer {
	var a Subset
	for _, i := range agree {
		a |= 1 << (i - 1)
	}
	out := slices.Clone(answers)
	for _, i := range liars {
		out[i-1].Value = s.r.ScalarAdd(out[i-1].Value, s.r.ScalarMul(shift, coefficient(s.r, a, i)))
	}
	return out
}

// TestAttackColludingLiars: t-1 keyholders that lie together, knowing all honest
// answers. 2t-1 answers show that someone lies, 3t-2 say who and give the right
// total. Correcting (m-t)/2 at any number of answers, as the distance of the code
// alone would allow, returns the liars' total and names an honest keyholder.
func TestAttackColludingLiars(t *testing.T) {
	for _, nt := range [][2]int{{3, 2}, {4, 2}, {5, 3}, {7, 3}, {7, 4}, {10, 4}} {
		s := newSystem(t, smallRecords, nt[0], nt[1], 0, 0)
		threshold := s.c.T
		o := s.open(s.product([]uint32{2}, []uint32{0}))
		want := s.total(o, o.answers)
		one := s.r.ScalarMul(s.r.TInv(2), s.r.ScalarFromBig(big.NewInt(1))) // moves the value by one
		liars, honest := []int{}, []int{}
		for i := 1; i < threshold; i++ {
			liars, honest = append(liars, i), append(honest, threshold-1+i)
		}
		bad := s.collude(o.answers, liars, honest, one)

		// t-1 liars and t-1 honest ones agree with each other, one honest one does not.
		m := 2*threshold - 1
		_, _, err := Combine(s.r, s.c, bad[:m])
		requireReason(t, "INCONSISTENT_ANSWERS", err)
		if e := (m - threshold) / 2; e > 0 {
			at := func(a int) he.Scalar { return bad[a].Value }
			numbers := []int{}
			for _, a := range bad[:m] {
				numbers = append(numbers, a.Number)
			}
			weak := newDecoder(s.r, threshold, numbers, 0).withoutLiars(e, at)
			require.NotNil(t, weak)
			require.Equal(t, uint16(1)<<(m-1), weak.out, "an honest keyholder is named")
			sum, _ := weak.decode(at)
			require.Equal(t, s.r.ScalarAdd(want, one), s.r.ScalarAdd(sum, o.z), "and the total is the liars'")
		}

		// Fewer answers than 2t-1 can't show it, and Guarantees says so.
		sum, named, err := Combine(s.r, s.c, bad[:m-1])
		require.NoError(t, err)
		require.Empty(t, named)
		require.Equal(t, s.r.ScalarAdd(want, one), s.r.ScalarAdd(sum, o.z))
		detected, _ := s.c.Guarantees(m - 1)
		require.Less(t, detected, threshold-1)

		if m = 3*threshold - 2; m <= s.c.N {
			for range 2 { // along a codeword, then anyhow
				sum, named, err = Combine(s.r, s.c, bad[:m])
				require.NoError(t, err)
				require.Equal(t, liars, named)
				require.Equal(t, want, s.r.ScalarAdd(sum, o.z))
				for _, i := range liars {
					bad[i-1] = shift(s.r, o.answers[i-1], int64(7*i))
				}
			}
		}
	}
}
