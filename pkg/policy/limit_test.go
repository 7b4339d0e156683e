package policy

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Rules that run for ever decide nothing: the engine ends them itself, whatever time the
// caller has. Nor do rules decide that say more than there is room for.
func TestRulesHaveLimits(t *testing.T) {
	for what, rules := range map[string]string{
		"for ever": "n := count([1 | input.threshold == 7; some a in d; some b in d; some c in d; some e in d; some f in d; some g in d; some h in d; some i in d; a + b + c + e + f + g + h + i > 1])",
		"too much": "n := 1",
	} {
		b, err := NewBundle(map[string][]byte{
			ManifestName: []byte("name: own\nversion: 1\nexpires: 2099-06-30T00:00:00Z\nroots: [rules]\n"),
			"rules/base.rego": []byte(`package carnet

d := [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]

` + rules + `

finding := {"effect": "deny", "rule": "no pack", "dataset": "", "by": "", "from": "", "to": "", "message": sprintf("%v", [[x | some x in numbers]]), "remedy": "r", "law": "l", "source": "s", "in_force": "2026-01-01", "until": "", "status": "in_force", "confidence": "low"}

numbers := [a | input.threshold == 7; some a in d; some b in d; some c in d; some e in d; n > 0]

decision := {"allow": false, "findings": [finding], "obligations": {"min_owners": 1, "valid_until": "2099-01-01T00:00:00Z"}}
`)})
		require.NoError(t, err)
		e, err := NewEngine(context.Background(), b)
		require.NoError(t, err, what)
		if what == "for ever" {
			e.limit = 50 * time.Millisecond
		} else {
			e.limit = time.Minute
		}
		in := probe(FlowRelease)
		in.Threshold = 7
		_, err = e.Decide(context.Background(), in)
		require.Equal(t, "POLICY_FAILED", carnet.ReasonOf(err), "%s: %v", what, err)
		require.ErrorContains(t, err, map[string]string{"for ever": "deadline", "too much": "more than there is room for"}[what])
		in.Threshold = 2
		_, err = e.Decide(context.Background(), in)
		require.NoError(t, err, "other questions are decided")
	}
}
