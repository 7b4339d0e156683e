package policy

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

// bundleOf is a bundle that says one thing about everything, and has other files beside.
func bundleOf(t *testing.T, message, rules string, more map[string]string) (*Engine, error) {
	files := map[string][]byte{
		ManifestName: []byte("name: own\nversion: 1\nexpires: 2099-06-30T00:00:00Z\nroots: [rules]\n"),
		"rules/base.rego": []byte("package carnet\n\n" + rules + `

finding := {"effect": "deny", "rule": "no pack", "dataset": "", "by": "", "from": "", "to": "", "message": ` + message + `, "remedy": "r", "law": "l", "source": "s", "in_force": "2026-01-01", "until": "", "status": "in_force", "confidence": "low"}

decision := {"allow": false, "findings": [finding], "obligations": {"min_owners": 1, "valid_until": "2099-01-01T00:00:00Z"}}
`)}
	for name, text := range more {
		files[name] = []byte(text)
	}
	b, err := NewBundle(files)
	if err != nil {
		return nil, err
	}
	return NewEngine(context.Background(), b)
}

// A rule has the name that its author gave it, also one that functions have: what counts is
// what a call is resolved to.
func TestNamesOfFunctions(t *testing.T) {
	_, err := bundleOf(t, `concat("", 7)`, "", nil)
	require.ErrorContains(t, err, "concat: invalid argument")
	require.NotContains(t, err.Error(), "bounded", "the author has not heard of it")
	lib := map[string]string{"rules/lib.rego": "package carnet.lib\n\nunion(a, b) := \"their own\" if a == b\n"}
	for what, x := range map[string]struct {
		message, rules string
		more           map[string]string
	}{
		"a rule's own":     {`union("a", "a")`, `union(a, b) := "their own" if a == b`, nil},
		"imported":         {`union("a", "a")`, `import data.carnet.lib.union`, lib},
		"by its full name": {`data.carnet.lib.union("a", "a")`, ``, lib},
		"hijacked":         {`concat("", ["their", " own"])`, `bounded_concat(a, b) := "another" if a != b`, nil},
	} {
		t.Run(what, func(t *testing.T) {
			e, err := bundleOf(t, x.message, x.rules, x.more)
			require.NoError(t, err)
			d, err := e.Decide(context.Background(), probe(FlowRelease))
			require.NoError(t, err)
			require.Equal(t, "their own", d.Findings[0].Message)
		})
	}
}
