package plan

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// A sum of ones is a row count, which also decides whether the sum is NULL: it is needed by
// itself, and a difference must not take its place.
func TestDifferencesOfCounts(t *testing.T) {
	for _, l := range layouts {
		b := newBench(t, customs(), l, false, declarants(30))
		for sql, want := range map[string]string{
			"SUM(1) FILTER (WHERE year = 2023) - SUM(1) FILTER (WHERE year = 2024)":                                               "[[3]]",
			"SUM(1) FILTER (WHERE year = 2024) - SUM(1) FILTER (WHERE year = 2023), COUNT(*)":                                     "[[-3 55]]",
			"SUM(1) FILTER (WHERE year = 2024) - SUM(1) FILTER (WHERE year = 2023), SUM(value * 0)":                               "[[-3 0]]",
			"SUM(1) FILTER (WHERE year = 2024) - SUM(1) FILTER (WHERE owner = 'nobody')":                                          "[[NULL]]",
			"SUM(CASE WHEN year = 2024 THEN 1 ELSE 0 END) - SUM(CASE WHEN half = 1 THEN 1 ELSE 0 END) FILTER (WHERE year = 2024)": "[[14]]",
		} {
			got, err := b.ask(t, "SELECT "+sql+" FROM trade")
			require.NoError(t, err, sql)
			require.Equal(t, want, fmt.Sprint(got.Rows), "%s %s", l, sql)
		}
	}
}
