package scan

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/functional"
)

// A range over hundreds of columns takes the memory of its sum, is read once for all
// terms that multiply by it, and is not cut into products of its parts.
func TestWideFactorsAreSummedOnce(t *testing.T) {
	var wide functional.Factor
	for c := range uint32(300) {
		wide.Plus = append(wide.Plus, c+100)
	}
	var fs []*functional.Functional
	for g := range uint32(10) {
		fs = append(fs, &functional.Functional{Degree: 2, Keys: []functional.KeyTerms{{Products: []functional.Product{
			{Blocks: 1, Factors: []functional.Factor{functional.Sum(g), wide}},
		}}}})
	}
	which := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
	passes, err := planPasses(fs, which, 12)
	require.NoError(t, err)
	require.Len(t, passes[0].files, 1, "10 columns and both halves of the sum")
	require.Equal(t, 12, passes[0].files[0].memory())
	require.Len(t, passes[0].files[0].terms, 10)
	require.Equal(t, int64(310), passes[0].reads())

	passes, err = planPasses(fs, which, 8)
	require.NoError(t, err)
	require.Len(t, passes[0].files, 2)
	for _, f := range passes[0].files {
		require.LessOrEqual(t, f.memory(), 8)
	}
}
