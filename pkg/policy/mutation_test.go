package policy_test

import (
	"bytes"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/policy"
	"github.com/carnet-network/carnet/pkg/policy/regotest"
)

// aRule begins a rule that adds findings or the like; what it says follows.
var aRule = regexp.MustCompile(`(?m)^\w+ contains (?:.*"([a-z]+\.[a-z0-9-]+)")?.* if \{$`)

// Every rule of the bundle is needed: with any of them taken out, a test of the bundle
// fails.
func TestEveryRuleIsNeeded(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the bundle's tests once for every rule")
	}
	b, err := policy.Default()
	require.NoError(t, err)
	rules := 0
	for name, content := range b.Files() {
		if path.Ext(name) != ".rego" || strings.HasSuffix(name, "_test.rego") {
			continue
		}
		for _, at := range aRule.FindAllIndex(content, -1) {
			rules++
			head := string(content[at[0]:at[1]])
			t.Run(name+"/"+head[:min(len(head), 70)], func(t *testing.T) {
				t.Parallel()
				files := b.Files()
				files[policy.ManifestName] = policy.DefaultManifest()
				files[name] = bytes.Join([][]byte{content[:at[1]], []byte("\n\tfalse"), content[at[1]:]}, nil)
				require.True(t, fails(t, files), "no test fails without it")
			})
		}
	}
	require.Greater(t, rules, 60)
}

// fails reports whether a test of a bundle fails, or it can't be used.
func fails(t *testing.T, files map[string][]byte) bool {
	b, err := policy.NewBundle(files)
	require.NoError(t, err)
	results, err := regotest.Run(ctx, b)
	if err != nil {
		return true
	}
	for _, r := range results {
		if !r.Pass {
			return true
		}
	}
	return false
}
