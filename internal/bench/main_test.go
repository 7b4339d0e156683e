package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// One small round: every way of doing a task runs and gives the right sum.
func TestMeasure(t *testing.T) {
	r, err := measure(1, 1)
	require.NoError(t, err)
	require.Len(t, r.Results, 8)
	for _, x := range r.Results {
		require.Positive(t, x.Ratio, x.How)
	}
	require.NotEmpty(t, r.Machine.CPU)
}
