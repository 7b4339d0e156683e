package doctest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var reasonRow = regexp.MustCompile("^\\| `([A-Z][A-Z0-9_]*)` \\|(.*)\\|(.*)\\|$")

// TestErrorReasonsAreListed compares docs/reference/errors.md with the code.
func TestErrorReasonsAreListed(t *testing.T) {
	root := filepath.Join("..", "..")
	reasons, err := Reasons(root)
	require.NoError(t, err)
	require.Greater(t, len(reasons), 100)
	data, err := os.ReadFile(filepath.Join(root, "docs", "reference", "errors.md"))
	require.NoError(t, err)

	listed := map[string]bool{}
	for line := range strings.Lines(string(data)) {
		m := reasonRow.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			continue
		}
		if listed[m[1]] {
			t.Errorf("errors.md lists %s twice", m[1])
		}
		listed[m[1]] = true
		if strings.TrimSpace(m[2]) == "" || strings.TrimSpace(m[3]) == "" {
			t.Errorf("errors.md does not say what %s means or what to do", m[1])
		}
		if reasons[m[1]] == nil {
			t.Errorf("errors.md lists %s, which the code does not have", m[1])
		}
	}
	for _, name := range Names(reasons) {
		if r := reasons[name]; !listed[name] {
			t.Errorf("errors.md does not list %s of %s (%s): %s; %s", name, strings.Join(r.Packages, ", "),
				strings.Join(r.Kinds, ", "), strings.Join(r.Messages, "; "), strings.Join(r.Remedies, "; "))
		}
	}
}
