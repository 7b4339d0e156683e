package keyholder

import (
	"context"
	"slices"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/privacy"
	"github.com/carnet-network/carnet/pkg/share"
	"github.com/carnet-network/carnet/pkg/terms"
)

// spend lists what a query takes from the privacy budgets of its datasets, and what every
// one of its openings counts as.
//
// As with charge, it depends on the journal alone. Unlike charge it does not depend on
// which keys this keyholder guards: a dataset keeps its budget when its key is dealt to
// another committee.
func (k *Keyholder) spend(c *Case) (spendings []plan.Spending, numbers []carnet.Hash) {
	asks := func(in input) bool { return in.manifest.body.Terms.Privacy != nil }
	if !slices.ContainsFunc(c.inputs, asks) || !c.signed() || checkOneCommittee(c) != nil {
		return nil, nil
	}
	p, err := c.compile()
	defer c.rest()
	if err != nil || len(p.Spendings) == 0 || p.Across && terms.Unlisted(p) != nil || terms.Grouped(p) != nil || k.overlaps.refuses(c) {
		return nil, nil
	}
	var sharing carnet.Hash
	if p.Private != nil {
		if c.Query.Private == nil {
			return nil, nil
		}
		sharing = share.SelectionOf(&c.Query).Hash()
	}
	for i := range p.Openings {
		numbers = append(numbers, c.countsAs(p, i, sharing))
	}
	return p.Spendings, numbers
}

// checkPrivacy: what the query releases with noise fits into the budget of every dataset
// as it was when its entry was made durable (scheme §6.3). A query that does not fit was
// not charged, and is answered by nobody: all keyholders follow one journal.
func checkPrivacy(ctx context.Context, k *Keyholder, c *Case) error {
	p, err := c.compile()
	if err != nil {
		return asRefusal(err)
	}
	if len(p.Spendings) == 0 {
		return nil
	}
	paid, err := k.ledger.paid(ctx, c.Seq)
	if err != nil {
		return err
	}
	fits := func(s *plan.Spending) bool { x, ok := paid[s.Dataset]; return ok && x.fits }
	if !slices.ContainsFunc(p.Spendings, func(s plan.Spending) bool { return !fits(&s) }) {
		return nil
	}
	// One that can't pay is named, not another one of the query. What of it others have asked for, and what
	// is left to the last millionth, stays theirs: decisions are told the buyer.
	poor := slices.IndexFunc(p.Spendings, func(s plan.Spending) bool {
		x, ok := paid[s.Dataset]
		return !ok || privacy.Add(x.before, x.cost) > s.Terms.Budget
	})
	s := &p.Spendings[max(0, poor)]
	return refuse("BUDGET_SPENT", "the query costs up to %s of the privacy budget of dataset %s, and of %s less is left than it takes",
		privacy.Format(s.Cost(func(int) bool { return false })), s.Dataset, privacy.Format(s.Terms.Budget)).
		Fix("ask for fewer aggregates, or for ones that were released before, which cost nothing; or leave the dataset out; what is spent does not come back")
}

// evenly waits until the time since an answer was begun is a whole number of ticks. Drawing
// noise takes some microseconds more or less by what is drawn, and nobody may read it off
// the clock.
func (k *Keyholder) evenly(ctx context.Context, began time.Time) error {
	return newSignal().wait(ctx, k.tick-time.Since(began)%k.tick)
}
