//go:build !purego

package inner

import (
	"math/bits"
	"sync"

	"golang.org/x/sys/cpu"
)

// Available says whether this processor has the instructions, and they give what Go
// gives, tried once with the largest words: a wrong sum looks like any other.
var Available = sync.OnceValue(func() bool {
	if !cpu.X86.HasAVX2 {
		return false
	}
	x, y := make([]uint64, 2*Step), make([]uint64, 2*Step)
	var hi, lo uint64
	for i := range x {
		x[i], y[i] = 1<<Bits-1-uint64(i%3), 1<<Bits-1-uint64(i%5)
		h, l := bits.Mul64(x[i], y[i])
		var c uint64
		lo, c = bits.Add64(lo, l, 0)
		hi, _ = bits.Add64(hi, h, c)
	}
	h, l := Sum(x, y)
	return h == hi && l == lo
})

// Sum returns hi*2^64 + lo, the sum of the products of x and y, which are as long as each
// other, a multiple of Step and at most Most, with words below 2^Bits.
func Sum(x, y []uint64) (hi, lo uint64) {
	if len(x) != len(y) || len(x)%Step != 0 || len(x) > Most {
		panic("inner: lengths differ")
	}
	if len(x) == 0 {
		return 0, 0
	}
	var sums [2 * lanes]uint64 // of each lane: all groups of rows add to them
	dot1AVX2(&x[0], &y[0], rows, len(x)/Step, &sums[0], 0)
	for i := range lanes {
		var c uint64
		lo, c = bits.Add64(lo, sums[i], 0)
		hi, _ = bits.Add64(hi, sums[lanes+i], c)
	}
	return hi, lo
}
