package flow

import (
	"context"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/plan"
)

// ExplainQuery compiles a query as the caller's and tells what it would need, or
// who would refuse it and why. Nothing is stored. The plan is nil if the query can't
// be compiled.
func (g *Gateway) ExplainQuery(ctx context.Context, as *carnet.Party, product carnet.ProductID, sql, purpose string) (*plan.Plan, []Refusal, error) {
	var in *inputs
	if err := g.Store.View(ctx, func(tx Tx) (err error) { in, err = g.currentInputs(tx, product); return err }); err != nil {
		return nil, nil, err
	}
	p, err := g.compile(ctx, sql, in.product)
	if err != nil {
		if r, ok := g.refusalOf(err); ok {
			return nil, []Refusal{r}, nil
		}
		return nil, nil, err
	}
	return p, g.Policy.Check(PolicyRequest{as.ID, purpose, p, g.now()}), nil
}
