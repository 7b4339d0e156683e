package kernel

import (
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/he"
)

// reducers are those of all profiles, and of odd numbers at the ends of what has assembly.
func reducers() (ms []he.Reducer) {
	for _, p := range he.Profiles() {
		for l := range p.Limbs() {
			ms = append(ms, p.Reducer(l))
		}
	}
	for _, q := range []uint64{1<<55 - 1, 1<<55 - 1<<27 + 1, 1<<55 - 1<<27 - 1, 1<<52 - 1, 1<<52 - 1<<27 + 1, 1<<54 + 1, 1<<51 + 1, 1<<60 - 1, 97} {
		ms = append(ms, he.NewReducer(q))
	}
	return ms
}

// extreme returns a number up to the largest, often it or next to it.
func extreme(rnd *rand.Rand, largest uint64) uint64 {
	switch v := rnd.Uint64(); v % 4 {
	case 0:
		return largest
	case 1:
		return largest - v>>2%3
	default:
		return (v >> (v >> 2 % 64)) % largest
	}
}

func TestKernelsReduceSums(t *testing.T) {
	rnd := rand.New(rand.NewPCG(9, 10))
	for _, k := range Usable(1) {
		for _, m := range reducers() {
			q := new(big.Int).SetUint64(m.Prime())
			for range 20 {
				groups := 1 + rnd.IntN(4)
				sums, out := make([]uint64, groups*3*Sum-2*Sum), make([]uint64, groups*Lanes)
				for i := range sums {
					sums[i] = extreme(rnd, ^uint64(0))
				}
				k.Reduce(out, sums, 3*Sum, m)
				for i, have := range out {
					at := i/Lanes*3*Sum + i%Lanes
					v := new(big.Int).SetUint64(sums[at+Lanes])
					v.Lsh(v, 64).Add(v, new(big.Int).SetUint64(sums[at]))
					require.Equal(t, v.Mod(v, q).Uint64(), have, "%s modulo %d", k.Name, m.Prime())
				}
			}
		}
	}
}

func TestKernelsMultiplyResidues(t *testing.T) {
	rnd := rand.New(rand.NewPCG(11, 12))
	for _, k := range Usable(1) {
		for _, m := range reducers() {
			q := new(big.Int).SetUint64(m.Prime())
			for range 20 {
				n := Lanes * (1 + rnd.IntN(4))
				var x [4][]uint64
				for i := range x {
					for range n {
						x[i] = append(x[i], extreme(rnd, m.Prime()-1))
					}
				}
				p := [3][]uint64{make([]uint64, n), make([]uint64, n), make([]uint64, n)}
				k.Product(p, x[0], x[1], x[2], x[3], m)
				for i := range n {
					of := func(a, b int) *big.Int {
						return new(big.Int).Mul(new(big.Int).SetUint64(x[a][i]), new(big.Int).SetUint64(x[b][i]))
					}
					for j, v := range []*big.Int{of(0, 2), new(big.Int).Add(of(0, 3), of(1, 2)), of(1, 3)} {
						require.Equal(t, v.Mod(v, q).Uint64(), p[j][i], "%s modulo %d", k.Name, m.Prime())
					}
				}
			}
		}
	}
}
