package cells

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Functions meet, and cells are uncovered, as a look at every cell says.
func TestMeetingAndUncovered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOfN(rapid.IntRange(1, 4), 1, 3).Draw(t, "sizes")
		w, n := NewWeights(sizes), 1
		for _, s := range sizes {
			n *= s
		}
		var fs []Weight
		for range rapid.IntRange(0, 6).Draw(t, "functions") {
			var list []uint32
			for cell := range n {
				if rapid.Float64().Draw(t, "cell") < 0.2 {
					list = append(list, uint32(cell))
				}
			}
			fs = append(fs, w.Mul(w.Cells(list), w.Constant(rapid.Int64Range(-1, 2).Draw(t, "factor"))))
		}
		parent := make([]int, len(fs))
		for i := range parent {
			parent[i] = i
		}
		open := false
		everyCell(sizes, func(_ int, codes []int) {
			first := -1
			for i, f := range fs {
				if w.Of(f, codes) == 0 {
					continue
				}
				if first < 0 {
					first = i
				}
				a, b := parent[first], parent[i]
				for j := range parent {
					if parent[j] == max(a, b) {
						parent[j] = min(a, b)
					}
				}
			}
			open = open || first < 0
		})
		groups, ok := w.Meeting(fs, 1<<20)
		require.True(t, ok)
		require.Equal(t, append([]int(nil), parent...), groups)
		codes, ok := w.Uncovered(fs, 1<<20)
		require.Equal(t, open, ok)
		for _, f := range fs {
			require.True(t, !ok || w.Of(f, codes) == 0)
		}
		if len(fs) > 2 {
			_, ok = w.Meeting([]Weight{one, w.Cells([]uint32{0}), 1}, 1)
			require.False(t, ok, "without steps nothing is found out")
			_, ok = w.Uncovered([]Weight{one}, 1)
			require.False(t, ok)
		}
	})
}
