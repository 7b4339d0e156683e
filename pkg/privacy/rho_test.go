package privacy

import (
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The least variance that costs no more than what is given: one less costs more.
func TestVarianceAndCost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := big.NewInt(rapid.Int64Range(0, 1<<40).Draw(t, "sensitivity"))
		rho := rapid.Int64Range(1, 1<<40).Draw(t, "rho")
		v := Variance(d, rho)
		require.Positive(t, v.Sign())
		require.LessOrEqual(t, Cost(d, v), rho)
		if less := new(big.Int).Sub(v, one); less.Sign() > 0 {
			require.Greater(t, Cost(d, less), rho)
		}
		// rounded up: cost * 2v >= 10^6 d^2
		left := new(big.Int).Mul(big.NewInt(Cost(d, v)), new(big.Int).Lsh(v, 1))
		require.GreaterOrEqual(t, left.Cmp(squared(d)), 0)
	})
	require.Equal(t, int64(math.MaxInt64), Cost(new(big.Int).Lsh(one, 100), one))
	require.Equal(t, "500000000", Variance(big.NewInt(1000), 1000).String())
	require.EqualValues(t, 500_000, Cost(one, one))
	require.Equal(t, Cost(one, one), Cost(new(big.Int), one), "nothing is released for nothing")
}

func TestAdd(t *testing.T) {
	require.EqualValues(t, 3, Add(1, 2))
	require.EqualValues(t, math.MaxInt64, Add(math.MaxInt64, 1))
	require.EqualValues(t, math.MaxInt64, Add(math.MaxInt64-1, math.MaxInt64-1))
	require.EqualValues(t, math.MaxInt64, Add(0, math.MaxInt64))
}

// What people read is never less than what holds.
func TestEpsilon(t *testing.T) {
	for _, rho := range []int64{0, 1, 7, 1_000, 500_000, 1_000_000, 123_456_789} {
		for _, digits := range []int{1, 6, 9, 15} {
			r := float64(rho) / Unit
			want := r + 2*math.Sqrt(r*float64(digits)*math.Ln10)
			got, _ := new(big.Float).SetInt(Epsilon(rho, digits)).Float64()
			require.GreaterOrEqual(t, got/Unit+1e-12, want, "%d %d", rho, digits)
			require.Less(t, got/Unit, want*1.000001+3e-6, "%d %d", rho, digits)
		}
	}
}

func TestTail(t *testing.T) {
	require.Equal(t, "13", Tail(one).String())
	require.Equal(t, "19", Tail(big.NewInt(2)).String(), "18.38 rounded up")
	require.Equal(t, "130", Tail(big.NewInt(100)).String())
	require.Equal(t, "2", RootUp(big.NewInt(3)).String())
	require.Equal(t, "2", RootUp(big.NewInt(4)).String())
}

func TestFormat(t *testing.T) {
	for v, want := range map[int64]string{0: "0", 1: "0.000001", 500_000: "0.5", 1_000_000: "1", 12_340_000: "12.34", -1_500_000: "-1.5"} {
		require.Equal(t, want, Format(v))
	}
}
