package guard_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/history/historytest"
	"github.com/carnet-network/carnet/pkg/keyholder"
	"github.com/carnet-network/carnet/pkg/policy"
	"github.com/carnet-network/carnet/pkg/policy/guard"
)

// A bundle that allows everything lifts none of the owners' terms: they are judged before it
// is asked.
func TestTermsHoldWhateverABundleSays(t *testing.T) {
	b, err := policy.NewBundle(map[string][]byte{
		policy.ManifestName: []byte("name: lax\nversion: 1\nexpires: 2099-06-30T00:00:00Z\nroots: [rules]\n"),
		"rules/base.rego": []byte(`package carnet

finding := {"effect": "allow", "rule": "anything", "dataset": "", "by": "", "from": "", "to": "", "message": "everything is allowed", "remedy": "", "law": "none", "source": "none", "in_force": "2026-01-01", "until": "", "status": "in_force", "confidence": "low"}

decision := {"allow": true, "findings": [finding], "obligations": {"min_owners": 1, "valid_until": "2099-01-01T00:00:00Z"}}
`)})
	require.NoError(t, err)
	h, err := policy.Hold(context.Background(), b)
	require.NoError(t, err)
	for reason, change := range map[string]func(*carnet.Terms){
		"":                         func(*carnet.Terms) {},
		"BUYER_NOT_ALLOWED":        func(x *carnet.Terms) { x.Buyers = []carnet.PartyID{"other"} },
		"PURPOSE_NOT_ALLOWED":      func(x *carnet.Terms) { x.Purposes = []string{"research"} },
		"JURISDICTION_NOT_ALLOWED": func(x *carnet.Terms) { x.Jurisdictions = []carnet.Jurisdiction{"KZ"} },
		"TERMS_EXPIRED":            func(x *carnet.Terms) { x.Expires = historytest.Start },
		"TOO_FEW_OWNERS":           func(x *carnet.Terms) { x.MinOwners = 3 },
	} {
		w := historytest.New(t)
		w.Publish(historytest.Owners[0], func(d *carnet.Dataset) { change(&d.Terms) })
		q := w.Query(historytest.SQL)
		r := keyholder.Request{Query: &q, Buyer: &carnet.Party{ID: historytest.Buyer, Jurisdiction: "CH", Roles: []carnet.Role{carnet.RoleBuyer}},
			Plan: w.Plan(q), Now: w.Now(), Judge: "k1"}
		_, err := guard.New(h, "k1").Check(context.Background(), r)
		require.Equal(t, reason, carnet.ReasonOf(err), "%v", err)
	}
}
