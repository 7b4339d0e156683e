package plan

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// combinations calls f for every combination of positions of the axes.
func combinations(axes []axis, sizes []int, f func(at []int)) {
	at := make([]int, len(sizes))
	var walk func(i int)
	walk = func(i int) {
		if i == len(sizes) {
			f(at)
			return
		}
		for at[i] = range sizes[i] {
			walk(i + 1)
		}
	}
	walk(0)
}

// contains evaluates a region at positions indexed by dimension.
func (r *region) contains(at []int) bool {
	i := 0
	for _, a := range r.axes {
		for c, codes := range a.classes {
			for _, p := range codes {
				if p == at[a.dim] {
					i = i*len(a.classes) + c
				}
			}
		}
	}
	return r.table[i]
}

func (s *side) contains(at []int) bool {
	if s == nil {
		return true
	}
	for _, c := range s.codes {
		if c == at[s.dim] {
			return true
		}
	}
	return false
}

// Simplifying keeps the set; boxes cover it, each combination once.
func TestRegionSplit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var (
			sizes []int
			axes  []axis
			size  = 1
		)
		for d := range rapid.IntRange(0, 3).Draw(t, "dims") {
			n := rapid.IntRange(1, 4).Draw(t, "size")
			a := axis{dim: d}
			for c := range n {
				a.classes = append(a.classes, []int{c})
			}
			sizes, axes, size = append(sizes, n), append(axes, a), size*n
		}
		few := rapid.IntRange(1, 3).Draw(t, "density")
		tab := make(table, size)
		for i := range tab {
			tab[i] = rapid.IntRange(0, few).Draw(t, "bit") == 0
		}
		if !tab.any() {
			tab[0] = true
		}
		full := &region{axes, tab}
		r := full.simplify()
		boxes := r.split()
		if len(r.axes) <= 2 {
			require.NotNil(t, boxes)
		}
		combinations(axes, sizes, func(at []int) {
			require.Equal(t, full.contains(at), r.contains(at))
			if boxes == nil {
				return
			}
			times := 0
			for _, b := range boxes {
				if b.a.contains(at) && b.b.contains(at) {
					times++
				}
			}
			want := 0
			if full.contains(at) {
				want = 1
			}
			require.Equal(t, want, times)
		})
	})
}

// Three dimensions are possible where one of them decides which other one counts.
func TestSplitByDecidingDimension(t *testing.T) {
	b := newBench(t, customs(), "records", false, declarants(40))
	b.table(t, "SELECT COUNT(*) FROM trade WHERE month = 1 AND partner = 'DE' OR month = 2 AND chapter = '10'")
	require.Equal(t, "DEGREE", b.refused(t, "SELECT COUNT(*) FROM trade WHERE month = 1 AND partner = 'DE' AND chapter = '10'"))
}
