package sample

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCountries(t *testing.T) {
	require.Len(t, countries, 249)
	require.True(t, slices.IsSorted(countries))
	require.Equal(t, slices.Compact(slices.Clone(countries)), countries)
	for _, known := range partners {
		require.True(t, Country(known), known)
	}
	for _, unknown := range []string{"", "XX", "kz", "KAZ", "UK"} {
		require.False(t, Country(unknown), unknown)
	}
}
