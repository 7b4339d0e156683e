package policy_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/policy"
)

// manyOwners is a release of statistics of owners of several jurisdictions to a buyer abroad.
func manyOwners(owners int) *policy.Input {
	party := func(id string, j carnet.Jurisdiction) policy.Party {
		return policy.Party{ID: carnet.PartyID(id), Jurisdiction: j}
	}
	in := &policy.Input{Flow: policy.FlowRelease, Now: now, Judge: party("gate", "CN"), Operator: party("gate", "CN"), Buyer: party("buyer", "CH"),
		Keyholders: []policy.Party{party("k1", "CN"), party("k2", "KZ"), party("k3", "UZ")}, Threshold: 2, Purpose: "statistics",
		Plan: policy.Plan{Layout: carnet.LayoutCube, Aggregates: []string{"sum"}, GroupBy: []string{"month"}, Columns: []string{"month", "sum"}, Groups: 12, Openings: 12, Factors: 1, Owners: owners}}
	for i := range owners {
		id := fmt.Sprintf("owner-%d", i)
		j := []carnet.Jurisdiction{"CN", "KZ", "UZ", "RU", "IN"}[i%5]
		in.Datasets = append(in.Datasets, policy.Dataset{ID: carnet.DatasetID(id + "/trade"), Statement: carnet.Hash{byte(i)}, Owner: party(id, j), Jurisdiction: j,
			Layout: carnet.LayoutCube, Rows: 1000, FewestOwners: owners, Declaration: policy.Declaration{Declared: true, Classes: []carnet.DataClass{carnet.ClassNone}},
			Terms: policy.Terms{Buyers: []carnet.PartyID{"*"}, Purposes: []string{"statistics"}, Expires: now.AddDate(1, 0, 0)}})
	}
	return in
}

func BenchmarkDecideManyOwners(b *testing.B) {
	e := engine(b)
	in := manyOwners(20)
	b.ReportAllocs()
	for b.Loop() {
		d, err := e.Decide(ctx, in)
		require.NoError(b, err)
		require.True(b, d.Allow)
	}
}
