package inner

import (
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSum(t *testing.T) {
	if !Available() {
		t.Skip("this machine has no AVX2, or the build is of pure Go")
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, Step, 3 * Step, Most} {
		for _, worst := range []bool{false, true} {
			x, y, want := make([]uint64, n), make([]uint64, n), new(big.Int)
			for i := range x {
				x[i], y[i] = rnd.Uint64()>>(64-Bits), rnd.Uint64()>>(64-Bits)
				if worst {
					x[i], y[i] = 1<<Bits-1, 1<<Bits-1
				}
				want.Add(want, new(big.Int).Mul(new(big.Int).SetUint64(x[i]), new(big.Int).SetUint64(y[i])))
			}
			hi, lo := Sum(x, y)
			have := new(big.Int).SetUint64(hi)
			have.Lsh(have, 64).Add(have, new(big.Int).SetUint64(lo))
			require.Zero(t, want.Cmp(have))
		}
	}
	for _, bad := range [][2]int{{Step, 2 * Step}, {Step + 8, Step + 8}, {Most + Step, Most + Step}} {
		require.Panics(t, func() { Sum(make([]uint64, bad[0]), make([]uint64, bad[1])) })
	}
}
