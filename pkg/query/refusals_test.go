package query

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestRefusals compares every refusal with testdata/refusals.txt: a query, then what
// it is answered.
func TestRefusals(t *testing.T) {
	in, err := os.ReadFile("testdata/refusals.sql")
	require.NoError(t, err)
	var out strings.Builder
	for _, sql := range strings.Split(strings.TrimSuffix(string(in), "\n"), "\n") {
		_, err := Parse(sql)
		var r *Refusal
		require.True(t, errors.As(err, &r), "%s: %v", sql, err)
		fmt.Fprintf(&out, "%s\n  %s %s\n", sql, r.Reason, r.Error())
		if r.Remedy != "" {
			fmt.Fprintf(&out, "  -> %s\n", r.Remedy)
		}
	}
	if *update {
		require.NoError(t, os.WriteFile("testdata/refusals.txt", []byte(out.String()), 0o644))
	}
	want, err := os.ReadFile("testdata/refusals.txt")
	require.NoError(t, err)
	require.Equal(t, string(want), out.String())
}

func TestRefusalTravels(t *testing.T) {
	_, err := Parse("SELECT COUNT(*)\nFROM a LEFT JOIN b")
	var e *carnet.Error
	require.True(t, errors.As(err, &e))
	require.Equal(t, "UNSUPPORTED", e.Reason)
	require.Equal(t, []carnet.Violation{{Field: "sql:2:8", Msg: `at "LEFT"`}}, e.Violations)
	require.NotEmpty(t, e.Remedy)
}
