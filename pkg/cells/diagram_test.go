package cells

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// everyCell calls f with the codes of every cell, in the order of their numbers.
func everyCell(sizes []int, f func(cell int, codes []int)) {
	codes := make([]int, len(sizes))
	for cell := 0; ; cell++ {
		f(cell, codes)
		d := len(sizes) - 1
		for ; d >= 0; d-- {
			if codes[d]++; codes[d] < sizes[d] {
				break
			}
			codes[d] = 0
		}
		if d < 0 {
			return
		}
	}
}

// Functions made in any way have the values that plain arrays have, and are the same
// Weight exactly if they are equal.
func TestWeights(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOfN(rapid.IntRange(1, 4), 0, 4).Draw(t, "sizes")
		w := NewWeights(sizes)
		n := 1
		for _, s := range sizes {
			n *= s
		}
		type pair struct {
			f      Weight
			values []int64
		}
		var known []pair
		add := func(f Weight, value func(cell int, codes []int) int64) {
			p := pair{f, make([]int64, n)}
			everyCell(sizes, func(cell int, codes []int) {
				p.values[cell] = value(cell, codes)
				require.Equal(t, p.values[cell], w.Of(f, codes))
			})
			known = append(known, p)
		}
		add(w.Constant(3), func(int, []int) int64 { return 3 })
		for range rapid.IntRange(1, 8).Draw(t, "steps") {
			a, b := rapid.SampledFrom(known).Draw(t, "a"), rapid.SampledFrom(known).Draw(t, "b")
			switch rapid.IntRange(0, 4).Draw(t, "op") {
			case 0:
				add(w.Add(a.f, b.f), func(cell int, _ []int) int64 { return a.values[cell] + b.values[cell] })
			case 1:
				add(w.Mul(a.f, b.f), func(cell int, _ []int) int64 { return a.values[cell] * b.values[cell] })
			case 2:
				chosen := rapid.SliceOfN(rapid.Bool(), n, n).Draw(t, "cells")
				var list []uint32
				for i, yes := range chosen {
					if yes {
						list = append(list, uint32(i))
					}
				}
				add(w.Cells(list), func(cell int, _ []int) int64 {
					if chosen[cell] {
						return 1
					}
					return 0
				})
			case 3:
				if len(sizes) == 0 {
					continue
				}
				dims := rapid.Permutation(rangeOf(len(sizes))).Draw(t, "dims")[:rapid.IntRange(1, len(sizes)).Draw(t, "of")]
				add(w.ByNumber(dims, func(n int) int64 { return int64(n * n % 3) }), func(_ int, codes []int) int64 {
					number := 0
					for _, d := range dims {
						number = number*sizes[d] + codes[d]
					}
					return int64(number * number % 3)
				})
			case 4:
				if len(sizes) == 0 {
					continue
				}
				d := rapid.IntRange(0, len(sizes)-1).Draw(t, "dim")
				add(w.ByCode(d, func(c int) int64 { return int64(c / 2) }), func(_ int, codes []int) int64 { return int64(codes[d] / 2) })
			}
		}
		for _, a := range known {
			for _, b := range known {
				same := true
				for i := range a.values {
					same = same && a.values[i] == b.values[i]
				}
				require.Equal(t, same, a.f == b.f)
			}
		}
		require.NoError(t, w.Err())
	})
}

func rangeOf(n int) []int { return singles(n) }

// What is too complex ends in a refusal, not in memory.
func TestWeightsAreBounded(t *testing.T) {
	w := NewWeights([]int{2, 64, 64})
	w.left = 100
	f := w.ByNumber([]int{1, 2}, func(n int) int64 { return int64(n) })
	require.Equal(t, "SELECTION_TOO_COMPLEX", carnet.ReasonOf(w.Err()))
	require.Equal(t, carnet.Refused, carnet.KindOf(w.Err()))
	w.Add(f, w.Constant(1))
}
