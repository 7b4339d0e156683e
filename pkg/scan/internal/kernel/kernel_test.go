package kernel

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/he"
)

// fill makes words below 2^bits: the largest there are, or any.
func fill(rnd *rand.Rand, n, bits int, worst bool) []uint64 {
	w := make([]uint64, n)
	for i := range w {
		if w[i] = uint64(1)<<bits - 1; !worst {
			w[i] &= rnd.Uint64()
		}
	}
	return w
}

// check128 compares a lane's sum with the integer it started from plus the products.
func check128(t *testing.T, before, after []uint64, lane, rows int, pairs ...Pair) {
	t.Helper()
	value := func(s []uint64) *big.Int {
		v := new(big.Int).SetUint64(s[Lanes+lane])
		return v.Lsh(v, 64).Add(v, new(big.Int).SetUint64(s[lane]))
	}
	want := value(before)
	for _, p := range pairs {
		for b := range rows {
			x := new(big.Int).SetUint64(p.A[b*Lanes+lane])
			want.Add(want, x.Mul(x, new(big.Int).SetUint64(p.B[b*Lanes+lane])))
		}
	}
	require.Less(t, want.BitLen(), 129)
	require.Zero(t, want.Cmp(value(after)))
}

// Every kernel adds exactly, up to its bound: the longest words, the largest of them,
// and as many rows as a call takes.
func TestKernelsAddExactly(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, k := range Usable(1) {
		t.Run(k.Name, func(t *testing.T) {
			for round := range 60 {
				rows, groups := 1+rnd.IntN(MaxRows), 1+rnd.IntN(3)
				bits, worst := k.Bits-rnd.IntN(4), round%2 == 0
				if round < 4 {
					rows, bits = MaxRows, k.Bits
				}
				n := groups * rows * Lanes
				var w [6][]uint64
				for i := range w {
					w[i] = fill(rnd, n, bits, worst)
				}
				group := func(i, g int) []uint64 { return w[i][g*rows*Lanes : (g+1)*rows*Lanes] }
				sums := fill(rnd, groups*3*Sum, 64, worst) // carries into the high halves
				for g := range groups * 3 {                // which have room
					for i := range Lanes {
						sums[g*Sum+Lanes+i] >>= 4
					}
				}
				before := append([]uint64(nil), sums...)
				k.Multiply(sums, w[0], w[1], w[2], w[3], rows)
				for g := range groups {
					for lane := range Lanes {
						at := func(s []uint64, d int) []uint64 { return s[(g*3+d)*Sum:] }
						check128(t, at(before, 0), at(sums, 0), lane, rows, Pair{group(0, g), group(2, g)})
						check128(t, at(before, 1), at(sums, 1), lane, rows, Pair{group(0, g), group(3, g)}, Pair{group(1, g), group(2, g)})
						check128(t, at(before, 2), at(sums, 2), lane, rows, Pair{group(1, g), group(3, g)})
					}
				}
				for n := 1; n <= 3; n++ {
					pairs := []Pair{{w[0], w[1]}, {w[2], w[3]}, {w[4], w[5]}}[:n]
					copy(sums, before)
					k.Dot(sums[Sum:], 3*Sum, pairs, rows)
					for g := range groups {
						of := make([]Pair, n)
						for i := range of {
							of[i] = Pair{group(2*i, g), group(2*i+1, g)}
						}
						for lane := range Lanes {
							check128(t, before[(g*3+1)*Sum:], sums[(g*3+1)*Sum:], lane, rows, of...)
						}
						require.Equal(t, before[g*3*Sum:(g*3+1)*Sum], sums[g*3*Sum:(g*3+1)*Sum], "others are not touched")
						require.Equal(t, before[(g*3+2)*Sum:(g*3+3)*Sum], sums[(g*3+2)*Sum:(g*3+3)*Sum])
					}
				}
			}
		})
	}
}

// A sum takes he.LazyProducts of the largest products after its high half was reduced:
// neither the 128 bits nor what a kernel holds in registers overflow.
func TestKernelsUpToTheLimitOfSums(t *testing.T) {
	for _, bits := range []int{52, 55, 58, 60} {
		for _, k := range Usable(bits) {
			limit := he.LazyProducts(bits)
			worst := uint64(1)<<bits - 1
			w := fill(nil, MaxRows*Lanes, bits, true)
			sums := make([]uint64, 3*Sum)
			for d := range 3 { // all that is left when the high half is reduced
				for i := range Lanes {
					sums[d*Sum+i], sums[d*Sum+Lanes+i] = ^uint64(0), worst
				}
			}
			var want [3]*big.Int
			product := new(big.Int).SetUint64(worst)
			product.Mul(product, product)
			for d, each := range []int64{1, 2, 1} { // D_1 gets two products a row
				rows := int64(limit / 2)
				want[d] = new(big.Int).SetUint64(worst)
				want[d].Lsh(want[d], 64).Add(want[d], new(big.Int).SetUint64(^uint64(0)))
				want[d].Add(want[d], new(big.Int).Mul(product, big.NewInt(each*rows)))
				require.LessOrEqual(t, want[d].BitLen(), 128)
			}
			for rows := limit / 2; rows > 0; {
				n := min(rows, MaxRows)
				some := w[:n*Lanes]
				k.Multiply(sums, some, some, some, some, n)
				rows -= n
			}
			for d := range want {
				for lane := range Lanes {
					have := new(big.Int).SetUint64(sums[d*Sum+Lanes+lane])
					have.Lsh(have, 64).Add(have, new(big.Int).SetUint64(sums[d*Sum+lane]))
					require.Zero(t, want[d].Cmp(have), "%s, %d bits, sum %d", k.Name, bits, d)
				}
			}
		}
	}
}

func TestKernelsAddRows(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	for _, k := range Usable(1) {
		for round := range 40 {
			rows, groups := 1+rnd.IntN(MaxRows), 1+rnd.IntN(5)
			if round == 0 {
				rows = MaxRows
			}
			words := fill(rnd, rows*groups*Lanes, RowBits, round%2 == 0)
			sums := make([]uint64, groups*Lanes+1)
			k.Rows(sums, words, rows)
			require.Zero(t, sums[groups*Lanes])
			for i, s := range sums[:groups*Lanes] {
				for b := range rows {
					s -= words[(i/Lanes*rows+b)*Lanes+i%Lanes]
				}
				require.Zero(t, s)
			}
		}
	}
}

func TestKernelsAddResidues(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	for _, k := range Usable(1) {
		for _, q := range []uint64{97, 1<<55 - 55, 1<<60 - 93} {
			n := Lanes * (1 + rnd.IntN(9))
			x, y := make([]uint64, n), make([]uint64, n)
			for i := range x {
				edge := []uint64{0, 1, q / 2, q/2 + 1, q - 1, rnd.Uint64N(q)}
				x[i], y[i] = edge[rnd.IntN(6)], edge[rnd.IntN(6)]
			}
			sum, difference := append([]uint64{}, x...), append([]uint64{}, x...)
			k.AddMod(sum, y, q)
			k.SubMod(difference, y, q)
			for i := range x {
				require.Equal(t, (x[i]+y[i])%q, sum[i])
				require.Equal(t, (x[i]+q-y[i])%q, difference[i])
			}
		}
	}
}

func TestKernelsRefuseOtherLengths(t *testing.T) {
	for _, k := range Usable(1) {
		w := make([]uint64, 64)
		for name, f := range map[string]func(){
			"rows":  func() { k.Multiply(make([]uint64, 3*Sum), w, w, w, w, 5) },
			"none":  func() { k.Multiply(make([]uint64, 3*Sum), w, w, w, w, 0) },
			"sums":  func() { k.Multiply(make([]uint64, 3*Sum-1), w, w, w, w, 8) },
			"short": func() { k.Multiply(make([]uint64, 3*Sum), w, w, w, w[:56], 8) },
			"sum":   func() { k.AddMod(w[:56], w, 97) },
			"pair":  func() { k.Dot(make([]uint64, Sum), Sum, []Pair{{w, w}, {w, w[:8]}}, 8) },
		} {
			require.Panics(t, f, k.Name+" "+name)
		}
	}
}

// BenchmarkMultiply has all words in the second-level cache.
func BenchmarkMultiply(b *testing.B) {
	for _, k := range Usable(1) {
		b.Run(k.Name, func(b *testing.B) {
			const n = 32 * MaxRows
			rnd := rand.New(rand.NewPCG(1, 2))
			w := [4][]uint64{fill(rnd, n, 52, false), fill(rnd, n, 52, false), fill(rnd, n, 52, false), fill(rnd, n, 52, false)}
			sums := make([]uint64, n/MaxRows*3*Sum/Lanes)
			for b.Loop() {
				k.Multiply(sums, w[0], w[1], w[2], w[3], MaxRows)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/row")
		})
		for d := 1; d <= 3; d++ {
			b.Run(fmt.Sprint(k.Name, "/dot", d), func(b *testing.B) {
				const n = 32 * MaxRows
				w := fill(rand.New(rand.NewPCG(1, 2)), n, 52, false)
				sums := make([]uint64, n/MaxRows*Sum/Lanes)
				pairs := []Pair{{w, w}, {w, w}, {w, w}}[:d]
				for b.Loop() {
					k.Dot(sums, Sum, pairs, MaxRows)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/row")
			})
		}
	}
}
