package cells

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/schema"
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
				add(w.ByNumber([]int{d}, func(c int) int64 { return int64(c / 2) }), func(_ int, codes []int) int64 { return int64(codes[d] / 2) })
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

// Tuples are those of all cells, each once; and a function at a point is the sum of its
// cells there.
func TestTuplesAndEval(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOfN(rapid.IntRange(1, 4), 0, 4).Draw(t, "sizes")
		w := NewWeights(sizes)
		n := 1
		for _, s := range sizes {
			n *= s
		}
		var fs []Weight
		for range rapid.IntRange(1, 3).Draw(t, "functions") {
			f := w.Constant(-2)
			for range 2 {
				var list []uint32
				for cell := range n {
					if rapid.Bool().Draw(t, "cell") {
						list = append(list, uint32(cell))
					}
				}
				f = w.Add(f, w.Mul(w.Cells(list), w.Constant(3)))
			}
			fs = append(fs, f)
		}
		want, got := map[[3]int64]bool{}, map[[3]int64]bool{}
		const prime = 1<<61 + 15
		x := uint64(7)
		space := &Space{Weights: w, Schema: &schema.Schema{}}
		for i, size := range sizes {
			space.Schema.Dimensions = append(space.Schema.Dimensions, schema.Dimension{Name: fmt.Sprint(i), Codes: make([]schema.Code, size)})
		}
		e := NewPoints(prime, 1, func() uint64 { x = x*0x9e3779b97f4a7c15 + 1; return x })
		var numbers []uint64
		for i := range sizes {
			before := e.dimension(identity(&space.Schema.Dimensions[i]), sizes[i])
			require.EqualValues(t, 1, before[sizes[i]][0])
			for c := range sizes[i] {
				numbers = append(numbers, (before[c+1][0]+prime-before[c][0])%prime)
			}
		}
		sums := make([]uint64, len(fs))
		everyCell(sizes, func(_ int, codes []int) {
			var tuple [3]int64
			cell, at := uint64(1), 0
			for d, c := range codes {
				cell = Product(cell, numbers[at+c], prime)
				at += sizes[d]
			}
			for i, f := range fs {
				tuple[i] = w.Of(f, codes)
				sums[i] = (sums[i] + Product(cell, Modulo(tuple[i], prime), prime)) % prime
			}
			want[tuple] = true
		})
		w.Tuples(fs, func(values []int64) bool {
			var tuple [3]int64
			copy(tuple[:], values)
			require.False(t, got[tuple])
			got[tuple] = true
			return true
		})
		require.Equal(t, want, got)
		for i, f := range fs {
			require.Equal(t, []uint64{sums[i]}, e.Of(space, f))
		}
	})
}

// What is taken over is the same function, and equal ones stay one.
func TestImport(t *testing.T) {
	from, to := NewWeights([]int{3, 3}), NewWeights([]int{3, 3})
	f := from.Add(from.Cells([]uint32{1, 2, 7}), from.ByNumber([]int{1}, func(c int) int64 { return int64(c) }))
	to.Constant(7)
	own := to.Add(to.Cells([]uint32{1, 2, 7}), to.ByNumber([]int{1}, func(c int) int64 { return int64(c) }))
	done := map[Weight]Weight{}
	require.Equal(t, own, to.Import(from, f, done))
	require.Equal(t, Weight(0), to.Import(from, 0, done))
	everyCell([]int{3, 3}, func(_ int, codes []int) { require.Equal(t, from.Of(f, codes), to.Of(own, codes)) })
}

// Parts that functions share are counted once.
func TestRuns(t *testing.T) {
	w := NewWeights([]int{4, 5})
	f := w.Cells([]uint32{0, 1, 5, 6, 19})
	require.Equal(t, 3, w.Runs([]Weight{0, w.Constant(3), w.Constant(1)}))
	// Rows 0 and 1 alike, row 2 empty, row 3; two constants.
	require.Equal(t, (1+3)+(1+2)+(1+2)+2, w.Runs([]Weight{f}))
	require.Equal(t, w.Runs([]Weight{f}), w.Runs([]Weight{f, f, w.Constant(1)}))
}

// Codes with as many cells as the code before are not taken for the same cells.
func TestCellsOfNeighbours(t *testing.T) {
	w := NewWeights([]int{3, 4})
	in := map[uint32]bool{0: true, 1: true, 4: true, 6: true, 9: true, 10: true}
	f := w.Cells([]uint32{0, 1, 4, 6, 9, 10})
	everyCell([]int{3, 4}, func(cell int, codes []int) {
		require.Equal(t, in[uint32(cell)], w.Of(f, codes) == 1, "%v", codes)
	})
}
