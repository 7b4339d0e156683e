package scan

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/functional"
)

// The parts of a wide product add up to it, whatever the columns hold.
func TestSplitAddsUp(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	values := make([]int64, 2000)
	for i := range values {
		values[i] = rnd.Int64N(20) - 10
	}
	value := func(f *functional.Factor) (v int64) {
		for _, c := range f.Plus {
			v += values[c]
		}
		for _, c := range f.Minus {
			v -= values[c]
		}
		return v
	}
	product := func(fs []functional.Factor) int64 {
		v := int64(1)
		for i := range fs {
			v *= value(&fs[i])
		}
		return v
	}
	for range 200 {
		p := &functional.Product{}
		next := uint32(0)
		for range 2 + rnd.IntN(3) {
			var f functional.Factor
			for range 1 + rnd.IntN(1<<rnd.IntN(9)) {
				if next++; rnd.IntN(3) == 0 {
					f.Minus = append(f.Minus, next)
				} else {
					f.Plus = append(f.Plus, next)
				}
			}
			p.Factors = append(p.Factors, f)
		}
		columns := leastColumns + rnd.IntN(mostColumns-leastColumns+1)
		parts := split(p, columns)
		require.LessOrEqual(t, len(parts), mostParts)
		var sum int64
		for _, part := range parts {
			require.Len(t, part, len(p.Factors))
			sum += product(part)
			q := functional.Product{Factors: part}
			if len(parts) <= mostParts/16 { // few parts: none had to be made larger
				require.LessOrEqual(t, len(q.Columns()), columns)
			}
		}
		require.Equal(t, product(p.Factors), sum)
	}
}

// A range over hundreds of columns is read a few columns at a time.
func TestWideFactorsAreSplit(t *testing.T) {
	var f functional.Factor
	for c := range uint32(300) {
		f.Plus = append(f.Plus, c+1)
	}
	fs := []*functional.Functional{{Degree: 2, Keys: []functional.KeyTerms{{Products: []functional.Product{{Blocks: 1, Factors: []functional.Factor{functional.Sum(0), f}}}}}}}
	passes, err := planPasses(fs, []int{0}, mostColumns)
	require.NoError(t, err)
	require.Greater(t, len(passes[0].files), 5)
	for _, f := range passes[0].files {
		require.LessOrEqual(t, len(f.columns), mostColumns)
	}
	require.Less(t, passes[0].reads(), int64(330))
}
