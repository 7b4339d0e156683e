package share

import (
	"math/bits"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
)

func requireReason(t testing.TB, want string, err error, args ...any) {
	t.Helper()
	require.Error(t, err, args...)
	require.Equal(t, want, carnet.ReasonOf(err), args...)
}

func TestNewCommittee(t *testing.T) {
	allowed := 0
	for n := -1; n <= 14; n++ {
		for threshold := -1; threshold <= 14; threshold++ {
			c, err := NewCommittee(n, threshold)
			if err != nil {
				requireReason(t, "BAD_COMMITTEE", err)
				require.Zero(t, c)
				continue
			}
			allowed++
			require.LessOrEqual(t, c.Parts(), MaxParts)
			require.Len(t, c.Subsets(), c.Parts())
		}
	}
	require.Equal(t, 78-9, allowed) // all of 1 <= t <= n <= 12 but 11/5 to 11/8 and 12/5 to 12/9
}

// TestParts checks what the sharing rests on: any t keyholders hold all parts, any
// t-1 miss exactly one.
func TestParts(t *testing.T) {
	for _, nt := range committees {
		c := must(NewCommittee(nt[0], nt[1]))
		for who := range Subset(1) << c.N {
			missing := 0
			for _, a := range c.Subsets() {
				if who&^a == 0 { // everyone of them is in A
					missing++
				}
			}
			switch n := bits.OnesCount16(uint16(who)); {
			case n >= c.T:
				require.Zero(t, missing)
			case n == c.T-1:
				require.Equal(t, 1, missing)
			}
		}
		for i := 1; i <= c.N; i++ {
			require.NotEmpty(t, c.held(i))
		}
		require.False(t, c.Holds(0, 0))
		require.False(t, c.Holds(c.N+1, 0))
	}
}

// TestCoefficient checks f_A: 1 at 0, zero on A, and of degree t-1, that is, its
// values at any t points give 1 at 0.
func TestCoefficient(t *testing.T) {
	r := he.NewRing(smallRecords)
	var one he.Scalar
	for l := range r.Profile().Limbs() {
		one[l] = 1
	}
	for _, nt := range committees {
		c := must(NewCommittee(nt[0], nt[1]))
		for _, a := range c.Subsets() {
			require.Equal(t, one, coefficient(r, a, 0))
			var answers []Answer
			for i := 1; i <= c.N; i++ {
				v := coefficient(r, a, i)
				require.Equal(t, !c.Holds(i, a), v == he.Scalar{})
				answers = append(answers, Answer{i, v})
			}
			got, liars, err := Combine(r, c, answers)
			require.NoError(t, err)
			require.Empty(t, liars)
			require.Equal(t, one, got)
		}
	}
}
