package verify_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/history/historytest"
	"github.com/carnet-network/carnet/pkg/verify"
)

// Where the committee demands a policy bundle, an answer by another one, or by none, is a fault.
func TestAnswersByAnotherBundle(t *testing.T) {
	demand := &carnet.PolicyDemand{Name: "corridor", Version: 2}
	for what, x := range map[string]struct {
		by     *carnet.PolicyBundle
		faults int // k2 names none
	}{
		"none": {nil, 2}, "an older one": {&carnet.PolicyBundle{Name: "corridor", Version: 1}, 2},
		"that one": {&carnet.PolicyBundle{Name: "corridor", Version: 2}, 1},
	} {
		w := historytest.NewDemanding(t, demand)
		r := run(t, answered(w, w.Ask(historytest.SQL), func(a *carnet.Answer) { a.Policy = x.by }), options())
		check := r.Check(verify.CheckDecisions)
		require.Len(t, check.Faults, x.faults, what)
		for _, f := range check.Faults {
			require.Equal(t, "POLICY_DEMANDED", f.Reason)
		}
	}
}
