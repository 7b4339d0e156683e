package carnet

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPolicyDemand(t *testing.T) {
	digest := Hash{1}
	third := &PolicyDemand{Name: "corridor", Version: 3}
	exactly := &PolicyDemand{Name: "corridor", Version: 3, Digest: &digest}
	for _, c := range []struct {
		what   string
		demand *PolicyDemand
		has    *PolicyBundle
		met    bool
	}{
		{"nothing is demanded", nil, nil, true},
		{"none", third, nil, false},
		{"that version", third, &PolicyBundle{"corridor", 3, Hash{9}}, true},
		{"a later version", third, &PolicyBundle{"corridor", 4, Hash{9}}, true},
		{"an older version", third, &PolicyBundle{"corridor", 2, Hash{1}}, false},
		{"another bundle", third, &PolicyBundle{"strict", 5, Hash{1}}, false},
		{"exactly that", exactly, &PolicyBundle{"corridor", 3, Hash{1}}, true},
		{"changed without a new version", exactly, &PolicyBundle{"corridor", 3, Hash{2}}, false},
		{"a later version than that", exactly, &PolicyBundle{"corridor", 4, Hash{2}}, true},
	} {
		e := c.demand.Unmet("kh1", c.has)
		if c.met {
			require.Nil(t, e, c.what)
			continue
		}
		require.NotNil(t, e, c.what)
		require.Equal(t, Refused, e.Kind)
		require.Contains(t, e.Remedy, "ask kh1 to put bundle corridor version 3")
	}
	require.NoError(t, third.Validate())
	require.NoError(t, exactly.Validate())
	require.NoError(t, (*PolicyDemand)(nil).Validate())
	for _, d := range []*PolicyDemand{{Name: "Not a name", Version: 1}, {Name: "corridor"}, {Name: "corridor", Version: 1, Digest: &Hash{}}} {
		require.Equal(t, "BAD_COMMITTEE", ReasonOf(d.Validate()))
	}
}
