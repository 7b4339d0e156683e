package carnet

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What is proposed in place of a bad name can be used.
func TestBadNameProposesOne(t *testing.T) {
	for bad, near := range map[string]string{
		"KZ Customs": "kz-customs", "kz-customs/trade": "kz-customs-trade", "_trade.": "trade", "Trade  (2025)": "trade-2025",
		strings.Repeat("A", 70): strings.Repeat("a", 63), "Zürich": "z-rich",
	} {
		require.False(t, ValidName(bad), bad)
		require.True(t, ValidName(near), near)
		e := BadName("a party", bad)
		require.Equal(t, "BAD_NAME", e.Reason)
		require.True(t, strings.HasSuffix(e.Remedy, ", such as "+near), "%s: %s", bad, e.Remedy)
	}
	for _, bad := range []string{"", "---", "海关"} {
		require.NotContains(t, BadName("a party", bad).Remedy, "such as", bad)
	}
	require.Contains(t, BadName("a party", "100% Ltd").Remedy, "such as 100-ltd")
}
