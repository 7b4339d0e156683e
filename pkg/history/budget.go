package history

import (
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/privacy"
	"github.com/carnet-network/carnet/pkg/share"
	"github.com/carnet-network/carnet/pkg/terms"
)

// Payment is what an entry of the log took from the privacy budget of one dataset, in
// millionths of rho, or would have taken if it had fitted.
type Payment struct {
	Dataset carnet.DatasetID
	Cost    int64 // of the numbers that no entry before had released
	Before  int64 // spent before
	Budget  int64 // by the terms that the query is about
	Fits    bool  // all datasets of the query could pay, and did; otherwise none did
}

// Budgets are the accounts of all datasets with privacy terms, over all buyers and versions,
// worked out from the log as every keyholder does. A log with entries left out gives less
// than was spent.
type Budgets struct {
	spent map[carnet.DatasetID]int64
	known map[carnet.DatasetID]map[carnet.Hash]bool // numbers that were released with noise
}

// NewBudgets begins with nothing spent.
func NewBudgets() *Budgets {
	return &Budgets{map[carnet.DatasetID]int64{}, map[carnet.DatasetID]map[carnet.Hash]bool{}}
}

// Spent is what entries so far took from the budget of a dataset.
func (b *Budgets) Spent(id carnet.DatasetID) int64 { return b.spent[id] }

// Datasets lists, ascending, those from whose budgets something was taken.
func (b *Budgets) Datasets() (out []carnet.DatasetID) {
	for id := range b.spent {
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}

// pay takes what the next query of the log releases; in the order of the plan's datasets.
// If one of them can't pay, none does, and nothing counts as released.
func (b *Budgets) pay(spendings []plan.Spending, numbers []carnet.Hash) (out []Payment) {
	fits := true
	for i := range spendings {
		s := &spendings[i]
		x := Payment{Dataset: s.Dataset, Before: b.spent[s.Dataset], Budget: s.Terms.Budget}
		known := b.known[s.Dataset]
		x.Cost = s.Cost(func(opening int) bool { return known[numbers[opening]] })
		fits = fits && privacy.Add(x.Before, x.Cost) <= x.Budget
		out = append(out, x)
	}
	for i := range spendings {
		s := &spendings[i]
		if out[i].Fits = fits; !fits {
			continue
		}
		b.spent[s.Dataset] = privacy.Add(out[i].Before, out[i].Cost)
		if b.known[s.Dataset] == nil {
			b.known[s.Dataset] = map[carnet.Hash]bool{}
		}
		for _, n := range s.Numbers {
			b.known[s.Dataset][numbers[n.Opening]] = true
		}
	}
	return out
}

// Budgets are the accounts after the entries so far.
func (s *State) Budgets() *Budgets { return s.budgets }

// WithoutBudgets keeps no accounts and notes no payments: for who needs none, since every
// query about a dataset with privacy terms is compiled for them. It is called before the
// first entry.
func (s *State) WithoutBudgets() *State {
	s.budgets = nil
	return s
}

// charge works out what a query that its buyer signed takes from budgets. It need not have
// an effect otherwise: keyholders charge what compiles, so that a gateway that writes what
// nobody answers makes the account larger, never smaller.
func (s *State) charge(c *Case) []Payment {
	noisy := func(in Input) bool { return in.Manifest.Body.Terms.Privacy != nil }
	if s.budgets == nil || !slices.ContainsFunc(c.Inputs, noisy) || !c.whole() || oneCommittee(c) != nil {
		return nil
	}
	p, err := c.Plan()
	defer c.Rest()
	if err != nil || len(p.Spendings) == 0 || p.Across && terms.Unlisted(p) != nil || terms.Grouped(p) != nil || s.overlap(c) != nil {
		return nil
	}
	var sharing carnet.Hash
	if p.Private != nil {
		if c.Query.Private == nil {
			return nil // refused by everyone
		}
		sharing = share.SelectionOf(&c.Query).Hash()
	}
	numbers := make([]carnet.Hash, len(p.Openings))
	for i := range numbers {
		numbers[i] = c.countsAs(p, i, sharing)
	}
	return s.budgets.pay(p.Spendings, numbers)
}

// whole reports whether all products of the query were found, and datasets of each.
func (c *Case) whole() bool {
	empty := func(q *Queried) bool { return len(q.Inputs) == 0 }
	return len(c.Products) == len(c.Query.Products()) && !slices.ContainsFunc(c.Products, empty)
}
