package flow

import (
	"context"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/meter"
	"github.com/carnet-network/carnet/pkg/plan"
)

// Explanation is what a query would need. Plan is nil if the query can't be compiled.
type Explanation struct {
	Plan     *plan.Plan
	Estimate plan.Estimate
	Charged  map[carnet.KeyID]int64 // releases of each key that the journal's queries used, to others than its owner a bound
	Spent    []Spent                // privacy budgets
	Refusals []Refusal
	Quote    []meter.Line     // what the caller would owe
	Approval []carnet.PartyID // who would have to approve it before it is computed
	Judged   []carnet.Judged  // what the gateway's policy bundle decided, if it has one
}

// ExplainQuery compiles a query as the caller's and tells what it would need and how
// long it would take here, or who would refuse it and why. Nothing is stored, and nothing
// that is told depends on what was computed before: it would show others' questions.
func (g *Gateway) ExplainQuery(ctx context.Context, as *carnet.Party, products []carnet.ProductID, sql, purpose string) (*Explanation, error) {
	if len(products) > plan.MaxProducts {
		return nil, bad("BAD_QUERY", "a query is about at most %d products", plan.MaxProducts)
	}
	var in *inputs
	if err := g.Store.View(ctx, func(tx Tx) (err error) { in, err = g.currentInputs(tx, products); return err }); err != nil {
		return nil, err
	}
	rates, err := g.rates(ctx, in.profile) // before the clock of compiling runs
	if err != nil {
		return nil, err
	}
	began := g.now()
	p, err := g.compile(ctx, sql, in.products)
	if err != nil {
		if r, ok := g.refusalOf(err); ok {
			return &Explanation{Refusals: []Refusal{r}}, nil
		}
		return nil, err
	}
	out := &Explanation{Plan: p, Estimate: p.Work.Estimate(rates, g.now().Sub(began))}
	if out.Quote, err = meter.Quote(meter.Uses(p), as.ID, g.now()); err != nil {
		return nil, err
	}
	verdict, err := g.Policy.Check(ctx, PolicyRequest{as, purpose, p, g.now(), g.Operator, &in.committee})
	if err != nil {
		return nil, err
	}
	out.Refusals, out.Judged, out.Approval = verdict.Refusals, verdict.Judged, verdict.Approval
	err = g.Store.View(ctx, func(tx Tx) error {
		e, err := g.exhausted(tx, as, in, p, charges(in, p, carnet.Hash{}))
		if err != nil {
			return err
		}
		if e != nil {
			out.Refusals = append(out.Refusals, Refusal{By: g.Operator, Reason: e.Reason, Message: e.Msg, Remedy: e.Remedy})
		}
		costs, err := expenses(tx, p, numbered(in, p, carnet.Hash{}))
		if err != nil {
			return err
		}
		if e := overspent(as, costs); e != nil {
			out.Refusals = append(out.Refusals, Refusal{By: g.Operator, Reason: e.Reason, Message: e.Msg, Remedy: e.Remedy})
		}
		out.Spent = spending(as, costs)
		out.Charged, err = g.charged(tx, as, in, p)
		return err
	})
	return out, err
}
