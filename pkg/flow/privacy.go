package flow

import (
	"context"
	"fmt"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/privacy"
)

// numbered lists what the openings of a plan count as, in their order, if any of them has
// noise.
func numbered(in *inputs, p *plan.Plan, sharing carnet.Hash) []carnet.Hash {
	if len(p.Spendings) == 0 {
		return nil
	}
	out := make([]carnet.Hash, len(p.Openings))
	for i := range out {
		var ids []carnet.KeyID
		for _, k := range p.Openings[i].Functionals()[0].Keys {
			ids = append(ids, k.Key)
		}
		out[i] = in.redealt(p.Charge(i, sharing), ids)
	}
	return out
}

// expense is what a query takes from the budget of one dataset.
type expense struct {
	of      *plan.Spending
	numbers []carnet.Hash
	cost    int64 // of those that no query has released yet
	spent   int64 // by queries before
}

// expenses works out what a plan costs every dataset, given what was spent before. numbers
// are those of numbered.
func expenses(tx Tx, p *plan.Plan, numbers []carnet.Hash) (out []expense, err error) {
	for i := range p.Spendings {
		e := expense{of: &p.Spendings[i]}
		for _, n := range e.of.Numbers {
			e.numbers = append(e.numbers, numbers[n.Opening])
		}
		var known map[carnet.Hash]bool
		if e.spent, known, err = tx.Spent(e.of.Dataset, e.numbers); err != nil {
			return nil, err
		}
		e.cost = e.of.Cost(func(opening int) bool { return known[numbers[opening]] })
		out = append(out, e)
	}
	return out, nil
}

// overspent refuses a query that costs a dataset more than is left of its budget; nil if
// all fit. What is left is told as releases left are: to others than its owner a bound.
func overspent(as *carnet.Party, list []expense) *carnet.Error {
	for i := range list {
		e := &list[i]
		budget := e.of.Terms.Budget
		if privacy.Add(e.spent, e.cost) <= budget {
			continue
		}
		about, left, cost := "", max(0, budget-e.spent), e.cost
		if e.of.Owner != as.ID && !seesAll(as) {
			cost = e.of.Cost(func(int) bool { return false }) // which numbers others have asked for stays theirs
			if left > 0 {
				about, left = "at least ", budget-bound(min(e.spent, budget), budget)
			}
		}
		r := carnet.E(carnet.Refused, "BUDGET_SPENT", "the query costs %s of the privacy budget of dataset %s, and %s%s of %s are left",
			privacy.Format(cost), e.of.Dataset, about, privacy.Format(left), privacy.Format(budget))
		return r.Fix("ask for fewer aggregates, or for ones that were released before, which cost nothing; or leave the dataset out; what is spent does not come back")
	}
	return nil
}

// spend notes what a query costs. It is in the transaction that journals the query: nothing
// is released before, and nothing is refunded after.
func spend(tx Tx, list []expense) error {
	for i := range list {
		if err := tx.PutSpent(list[i].of.Dataset, list[i].numbers, list[i].cost); err != nil {
			return err
		}
	}
	return nil
}

// Spent is what a query would take from a dataset's privacy budget, in millionths of rho.
type Spent struct {
	Dataset carnet.DatasetID
	Budget  int64
	Cost    int64 // as if nothing of it was released before: else it would tell what others asked
	Spent   int64 // by all queries so far, to others than the owner a bound
}

// spending tells what a plan costs.
func spending(as *carnet.Party, list []expense) (out []Spent) {
	for i := range list {
		e := &list[i]
		s := Spent{e.of.Dataset, e.of.Terms.Budget, e.of.Cost(func(int) bool { return false }), e.spent}
		out = append(out, s.toldTo(as, e.of.Owner))
	}
	return out
}

// Budgets tells what was spent of the privacy budgets of those datasets that have one. Cost
// is not set.
func (g *Gateway) Budgets(ctx context.Context, as *carnet.Party, list []DatasetRecord) (map[carnet.DatasetID]Spent, error) {
	out := map[carnet.DatasetID]Spent{}
	err := g.Store.View(ctx, func(tx Tx) error {
		for i := range list {
			var d carnet.Dataset
			if err := list[i].Manifest.Envelope.Decode(carnet.TypeDataset, &d); err != nil {
				return err
			}
			if d.Terms.Privacy == nil {
				continue
			}
			s := Spent{Dataset: d.ID, Budget: d.Terms.Privacy.Budget}
			var err error
			if s.Spent, _, err = tx.Spent(d.ID, nil); err != nil {
				return err
			}
			out[d.ID] = s.toldTo(as, d.Owner)
		}
		return nil
	})
	return out, err
}

// toldTo is what a party is told of what was spent: others than the owner a bound.
func (s Spent) toldTo(as *carnet.Party, owner carnet.PartyID) Spent {
	if owner != as.ID && !seesAll(as) {
		s.Spent = bound(min(s.Spent, s.Budget), s.Budget)
	}
	return s
}

// checkPrivacy: the privacy terms of a manifest can be kept.
func checkPrivacy(d *carnet.Dataset, e *carnet.Error) error {
	p := d.Terms.Privacy
	if p == nil {
		return nil
	}
	if err := p.Validate(); err != nil {
		return e.With("terms.privacy", "%s", fmt.Sprint(err))
	}
	return nil
}
