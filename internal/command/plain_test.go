package command

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Whoever names a product or refuses a query can't move the cursor of who reads it.
func TestPlainTakesTerminalsTheirCommands(t *testing.T) {
	for in, want := range map[string]string{
		"two lines\n\tand a tab": "two lines\n\tand a tab",
		"海关 ✓ …":                 "海关 ✓ …",
		"\x1b[2K\rall is well":   "\ufffd[2K\ufffdall is well",
		"bell\a del\x7f":         "bell\ufffd del\ufffd",
		"c1 \u009b2K":            "c1 \ufffd2K",
		"turned \u202eback":      "turned \ufffdback",
	} {
		require.Equal(t, want, Plain(in))
		var b bytes.Buffer
		n, err := fmt.Fprint(PlainWriter{&b}, in)
		require.NoError(t, err)
		require.Equal(t, len(in), n)
		require.Equal(t, want, b.String())
	}
	var b bytes.Buffer
	Fail(&b, "carnet", carnet.E(carnet.Refused, "R", "no\x1b[1A").Fix("wait\x1b[1A"))
	require.NotContains(t, b.String(), "\x1b")
}

func TestLine(t *testing.T) {
	require.Equal(t, "statistics state approved \ufffd[1A", Line("statistics\nstate\tapproved\u2028\x1b[1A "))
}
