package flow

import (
	"context"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/scan"
)

// Explanation is what a query would need. Plan is nil if the query can't be compiled.
type Explanation struct {
	Plan     *plan.Plan
	Estimate plan.Estimate
	Refusals []Refusal
}

// ExplainQuery compiles a query as the caller's and tells what it would need and how
// long it would take here, or who would refuse it and why. Nothing is stored.
func (g *Gateway) ExplainQuery(ctx context.Context, as *carnet.Party, product carnet.ProductID, sql, purpose string) (*Explanation, error) {
	var in *inputs
	if err := g.Store.View(ctx, func(tx Tx) (err error) { in, err = g.currentInputs(tx, product); return err }); err != nil {
		return nil, err
	}
	rates, err := g.rates(ctx, in.profile) // before the clock of compiling runs
	if err != nil {
		return nil, err
	}
	began := g.now()
	p, err := g.compile(ctx, sql, in.product)
	if err != nil {
		if r, ok := g.refusalOf(err); ok {
			return &Explanation{Refusals: []Refusal{r}}, nil
		}
		return nil, err
	}
	out := &Explanation{Plan: p, Refusals: g.Policy.Check(PolicyRequest{as.ID, purpose, p, g.now()})}
	out.Estimate = p.Work.Estimate(rates, g.now().Sub(began), g.toSetUp(p))
	return out, nil
}

// toSetUp returns how many words of cubes are not kept from an earlier query.
func (g *Gateway) toSetUp(p *plan.Plan) int64 {
	if p.Profile.Encoding() != he.Coefficients {
		return 0
	}
	return g.cubes.Missing(p.Profile.N(), scan.RolePublic, p.Functionals()) * int64(p.Profile.N()*p.Profile.Limbs())
}
