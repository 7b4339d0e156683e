package verify

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/history"
	"github.com/carnet-network/carnet/pkg/history/historytest"
	"github.com/carnet-network/carnet/pkg/plan"
)

// The bounds do not rest on the planner: a plan that hides numbers by fewer bits, opens what
// is malformed or under other keys, or lets results wrap around is found by its functionals.
func TestBoundsAreNotThePlanners(t *testing.T) {
	for what, c := range map[string]struct {
		reason string
		change func(p *plan.Plan)
	}{
		"as the planner makes it": {"", func(*plan.Plan) {}},
		"fewer bits":              {"PLAN_DIFFERS", func(p *plan.Plan) { p.Openings[0].FloodBits-- }},
		"more bits":               {"PLAN_DIFFERS", func(p *plan.Plan) { p.Openings[0].FloodBits++ }},
		"another key":             {"PLAN_DIFFERS", func(p *plan.Plan) { p.Openings[0].F.Keys[0].Key = carnet.KeyID{1} }},
		"another degree":          {"PLAN_DIFFERS", func(p *plan.Plan) { p.Openings[0].Degree++ }},
		"larger results":          {"OVERFLOW", func(p *plan.Plan) { p.Certificate.MaxResult.SetUint64(p.Certificate.T) }},
	} {
		t.Run(what, func(t *testing.T) {
			w := historytest.New(t)
			q := w.Ask(historytest.SQL)
			v := &verifier{Options: Options{Registrar: historytest.KeyOf(historytest.Registrar).Public()}, ctx: t.Context(), report: &Report{}, parts: map[int64]string{}}
			v.report.Checks, v.checks = newChecks(claims)
			v.state = history.New(v.Registrar)
			for _, e := range w.Entries {
				_, err := v.state.Apply(e.Seq, e.Envelope)
				require.NoError(t, err)
			}
			v.c = v.state.Case(q.Hash())
			p, err := v.c.Plan()
			require.NoError(t, err)
			c.change(p)
			v.certificate()
			check := v.checks[CheckCertificate]
			if c.reason == "" {
				require.Equal(t, Passed, check.Status, "%v", check.Faults)
				return
			}
			require.Equal(t, Failed, check.Status)
			require.Equal(t, c.reason, check.Faults[0].Reason)
		})
	}
}
