package policy_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/policy"
	"github.com/carnet-network/carnet/pkg/policy/regotest"
)

// Every test_ rule of the bundle, as opa test runs them.
func TestRego(t *testing.T) {
	b, err := policy.Default()
	require.NoError(t, err)
	results, err := regotest.Run(context.Background(), b)
	require.NoError(t, err)
	packages := map[string]int{}
	for _, r := range results {
		packages[r.Package]++
		t.Run(strings.TrimPrefix(r.Package, "data.carnet.")+"/"+r.Name, func(t *testing.T) {
			require.NoError(t, r.Err)
			require.True(t, r.Pass, fmt.Sprintf("%s failed", r.At))
		})
	}
	require.Len(t, packages, 4, "tests of every file ran: %v", packages)
	require.Greater(t, len(results), 40)
}
