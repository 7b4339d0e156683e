package spelling

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"from", "from", 0},
		{"form", "from", 1}, // neighbours swapped
		{"frm", "from", 1}, {"fromm", "from", 1}, {"frim", "from", 1},
		{"frog", "from", 1}, {"slecet", "select", 2}, {"", "from", 4}, {"gruop", "group", 1}, {"kitten", "sitting", 3}, {"ca", "abc", 3},
	} {
		require.Equal(t, c.want, Distance(c.a, c.b), "%s %s", c.a, c.b)
		require.Equal(t, c.want, Distance(c.b, c.a), "%s %s", c.b, c.a)
	}
}

func TestNearest(t *testing.T) {
	words := []string{"Value", "volume", "KZ", "partner"}
	for s, want := range map[string]string{"value": "Value", "VALEU": "Value", "kz": "KZ", "uz": "", "parnter": "partner", "": "", "month": ""} {
		require.Equal(t, want, Nearest(s, words, strings.ToLower), s)
	}
	require.Equal(t, "ab", Nearest("abc", []string{"ab", "bc"}, strings.ToLower), "the first of equals")
}
