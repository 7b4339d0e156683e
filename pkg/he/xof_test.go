package he

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// slowWord is the definition of a word, one AES stream at a time.
func slowWord(key [32]byte, w, q uint64) (v uint64, rejected int) {
	block, _ := aes.NewCipher(key[:])
	mask := uint64(1)<<bits.Len64(q) - 1
	read := func(hi, byteOffset uint64) uint64 {
		iv := make([]byte, 16)
		binary.BigEndian.PutUint64(iv, hi)
		binary.BigEndian.PutUint64(iv[8:], byteOffset/16)
		b := make([]byte, 16)
		cipher.NewCTR(block, iv).XORKeyStream(b, b)
		return binary.LittleEndian.Uint64(b[byteOffset%16:]) & mask
	}
	if v = read(0, 8*w); v < q {
		return v, 0
	}
	for i := uint64(0); ; i++ {
		rejected++
		if v = read(w+1, 8*i); v < q {
			return v, rejected
		}
	}
}

// primes with q/2^bits from just above a half to nearly one: up to every second
// word is rejected.
var smallPrimes = []uint64{257, 65537, 12289, 40961, 1048583, 8191}

func testModuli() (ms []modulus) {
	for _, q := range smallPrimes {
		ms = append(ms, modulus{Reducer: Reducer{q: q}})
	}
	return ms
}

// bothWays runs a test in pure Go and with what this processor offers.
func bothWays(t *testing.T, test func(t *testing.T, portable bool)) {
	t.Run("portable", func(t *testing.T) { test(t, true) })
	t.Run("default", func(t *testing.T) { test(t, false) })
}

func TestExpansionRejectsExactly(t *testing.T) { bothWays(t, testExpansionRejectsExactly) }

func testExpansionRejectsExactly(t *testing.T, portable bool) {
	const n = 2048
	key := [32]byte{1, 2, 3}
	whole := newExpansion(&key, n, testModuli(), portable)
	for l, q := range smallPrimes {
		out := make([]uint64, n)
		whole.Words(l, 0, out)
		total, most := 0, 0
		for i, v := range out {
			want, rejected := slowWord(key, uint64(l*n+i), q)
			require.Equal(t, want, v, "limb %d word %d", l, i)
			total, most = total+rejected, max(most, rejected)
		}
		if q == 257 {
			require.Greater(t, total, n/3, "the test must force rejections")
			require.Greater(t, most, 4, "and repeated ones")
		}
	}
}

func TestExpansionRandomAccess(t *testing.T) { bothWays(t, testExpansionRandomAccess) }

func testExpansionRandomAccess(t *testing.T, portable bool) {
	const n = 2048
	key := [32]byte{4}
	all := make([][]uint64, len(smallPrimes))
	x := newExpansion(&key, n, testModuli(), portable)
	for l := range all {
		all[l] = make([]uint64, n)
		x.Words(l, 0, all[l])
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		l, lo := rnd.IntN(len(all)), rnd.IntN(n)
		out := make([]uint64, rnd.IntN(n-lo+1))
		x.Words(l, lo, out)
		require.Equal(t, all[l][lo:lo+len(out)], out)
		if next := lo + len(out); next < n { // goes on where it stopped
			one := make([]uint64, 1)
			x.Words(l, next, one)
			require.Equal(t, all[l][next], one[0])
		}
	}
}

// chiSquare returns the statistic of observed counts against expected ones.
func chiSquare(observed []int, expected []float64) (x float64) {
	for i, e := range expected {
		d := float64(observed[i]) - e
		x += d * d / e
	}
	return x
}

func TestExpansionUniform(t *testing.T) { bothWays(t, testExpansionUniform) }

func testExpansionUniform(t *testing.T, portable bool) {
	const q, n = 257, 1 << 18
	key := [32]byte{5}
	out := make([]uint64, n)
	newExpansion(&key, n, []modulus{{Reducer: Reducer{q: q}}}, portable).Words(0, 0, out)
	counts, expected := make([]int, q), make([]float64, q)
	for i := range expected {
		expected[i] = float64(n) / q
	}
	for _, v := range out {
		counts[v]++
	}
	// 256 degrees of freedom: mean 256, standard deviation 22.6
	require.InDelta(t, 256, chiSquare(counts, expected), 5*22.7)
}

func TestUniformBindsEverything(t *testing.T) {
	p := small(t, 6, 3, 55, 45, Slots)
	r := NewRing(p)
	other := NewRing(small(t, 6, 3, 55, 44, Slots)) // same primes, another param id
	require.Equal(t, p.Primes(), other.p.Primes())
	base := BlockID{File: [32]byte{1}, Column: 2, Block: 3}
	get := func(r *Ring, key [32]byte, id BlockID) Poly {
		out := r.NewPoly()
		r.PublicBlock(key, id, out)
		return out
	}
	seen := []Poly{get(r, [32]byte{9}, base)}
	require.Equal(t, seen[0], get(r, [32]byte{9}, base))
	for _, x := range []Poly{
		get(other, [32]byte{9}, base),
		get(r, [32]byte{8}, base),
		get(r, [32]byte{9}, BlockID{File: [32]byte{2}, Column: 2, Block: 3}),
		get(r, [32]byte{9}, BlockID{File: [32]byte{1}, Column: 3, Block: 3}),
		get(r, [32]byte{9}, BlockID{File: [32]byte{1}, Column: 2, Block: 2}),
		get(r, [32]byte{9}, BlockID{File: [32]byte{1}, Column: 3, Block: 2}),
	} {
		for _, y := range seen {
			same := 0
			for l := range x {
				for i := range x[l] {
					if x[l][i] == y[l][i] {
						same++
					}
				}
			}
			require.Zero(t, same)
		}
		seen = append(seen, x)
	}
	key, u := [32]byte{7}, r.NewPoly()
	r.Uniform(key, u)
	v := other.NewPoly()
	other.Uniform(key, v)
	require.NotEqual(t, u, v)
	part := make([]uint64, 10)
	x := r.Expand([32]byte{9}, base)
	x.Words(2, 33, part)
	require.Equal(t, seen[0][2][33:43], part)
}

// Column-file order holds the words of Expand, in both ways of making them, with
// rejected words at every place.
func TestColumnExpansion(t *testing.T) {
	rnd := rand.New(rand.NewPCG(8, 9))
	for _, bits := range []int{20, 55} { // with 20 bits many words are rejected
		p := small(t, 7, 3, bits, 18, Slots)
		for _, r := range []*Ring{NewRing(p), NewRing(p).Portable()} {
			for _, blocks := range []int{1, 2, 7, 64} {
				first := BlockID{File: [32]byte{1}, Column: 2, Block: 60}
				x := r.ExpandColumn(carnet.KeyID{3}, first, blocks)
				whole := make([]Poly, blocks)
				for b := range whole {
					whole[b] = r.NewPoly()
					id := first
					id.Block += uint32(b)
					r.PublicBlock(carnet.KeyID{3}, id, whole[b])
				}
				for range 20 {
					limb := rnd.IntN(p.Limbs())
					unit := []int{ColumnLane, 32}[rnd.IntN(2)]
					slot := rnd.IntN(p.N()/unit) * unit
					slots := unit * (1 + rnd.IntN((p.N()-slot)/unit))
					out, ahead := make([]uint64, slots*blocks), make([]uint64, slots*blocks)
					if rnd.IntN(2) == 0 {
						x = x.Fork()
						ahead = nil
					}
					x.Words(limb, slot, out, ahead)
					for s := range slots {
						for b := range blocks {
							require.Equal(t, whole[b][limb][slot+s], out[(s/8*blocks+b)*8+s%8])
						}
					}
				}
			}
		}
	}
}
