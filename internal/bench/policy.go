package main

import (
	"context"
	"fmt"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/policy"
)

// policyFigure times decisions of the policy bundle that comes with the programs: the
// release of a query over datasets of as many owners, each with a declaration and terms.
func policyFigure(ctx context.Context, b *bench, r *Report) error {
	bundle, err := policy.Default()
	if err != nil {
		return err
	}
	engine, err := policy.NewEngine(ctx, bundle)
	if err != nil {
		return err
	}
	worst := time.Duration(0)
	for _, owners := range []int{3, 20} {
		in := release(owners)
		times := make([]time.Duration, 0, b.rounds*b.decisions)
		for range cap(times) {
			if err := ctx.Err(); err != nil {
				return err
			}
			start := b.elapsed()
			d, err := engine.Decide(ctx, in)
			took := b.elapsed() - start
			if err != nil {
				return err
			}
			if !d.Allow || len(d.Findings) != owners {
				return fmt.Errorf("the decision about %d owners is wrong: %v", owners, d)
			}
			times = append(times, took)
		}
		p99 := r.percentiles(Row{Work: fmt.Sprintf("policy decision about a query of %d owners", owners), Cores: 1}, times)
		if owners == 3 {
			worst = p99
		}
	}
	r.Goals = append(r.Goals, Goal{"policy decision about a query of 3 owners, p99", "under 5 ms", fmt.Sprintf("%.1f ms", float64(worst)/float64(time.Millisecond)), yesNo(worst < 5*time.Millisecond)})
	return nil
}

// release is a result of statistics of owners of several jurisdictions for a buyer abroad.
func release(owners int) *policy.Input {
	now := time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)
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
