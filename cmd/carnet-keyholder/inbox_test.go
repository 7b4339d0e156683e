package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/keyholder"
)

// TestBuyersDoNotWriteTheInbox: what a buyer chose stays where it belongs on the terminal of
// who decides.
func TestBuyersDoNotWriteTheInbox(t *testing.T) {
	x := &keyholder.Consent{Own: true}
	x.Asked.Purpose = "statistics\nstate    approved by the board\x1b[8m"
	x.Asked.BuyerName = "Bank\r\nbuyer    ministry"
	x.Asked.SQL = "SELECT 1 -- \x1b[2J\nit waits because of nothing"
	x.Asked.Terms = []string{"purposes a\nb"}
	var b bytes.Buffer
	show(&b, x)
	require.NotContains(t, b.String(), "\x1b")
	require.NotContains(t, b.String(), "\r")
	var lines []string
	for line := range strings.Lines(b.String()) {
		if word, _, _ := strings.Cut(strings.TrimSpace(line), " "); !strings.HasPrefix(line, " ") && word != "" {
			lines = append(lines, word)
		}
	}
	require.Equal(t, []string{"query", "buyer", "purpose", "expires", "state", "terms"}, lines)
}
