package monitor_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/history/historytest"
	"github.com/carnet-network/carnet/pkg/monitor"
)

// Where the committee demands a policy bundle, whoever answers by another one, or by none, is
// found.
func TestAnswersByAnotherBundle(t *testing.T) {
	demand := &carnet.PolicyDemand{Name: "corridor", Version: 2}
	for what, x := range map[string]struct {
		by     *carnet.PolicyBundle
		breach bool
	}{
		"none": {nil, true}, "an older one": {&carnet.PolicyBundle{Name: "corridor", Version: 1}, true},
		"that one": {&carnet.PolicyBundle{Name: "corridor", Version: 2}, false},
	} {
		w := historytest.NewDemanding(t, demand)
		answer(w, w.Ask(historytest.SQL), func(a *carnet.Answer) { a.Policy = x.by })
		_, found := follow(w, options())
		if !x.breach {
			require.Empty(t, found, what)
			continue
		}
		require.Len(t, found, 1, what)
		require.Equal(t, [3]string{monitor.Decided, "POLICY_DEMANDED", "k1"}, [3]string{found[0].Invariant, found[0].Reason, string(found[0].By)})
	}
}
