package client

import (
	"context"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// DecidedBy says by which policy bundle a party let a query pass.
type DecidedBy struct {
	Party     carnet.PartyID       `json:"party"`
	Number    int                  `json:"number,omitempty"` // keyholder number; 0: the gateway
	Policy    *carnet.PolicyBundle `json:"policy,omitempty"` // nil: owners' terms alone
	Statement carnet.Hash          `json:"statement"`        // that says so: the gateway's decision or the keyholder's answer
}

// decided collects by which bundles the query was let pass, from signed statements only.
func (c *Client) decided(ctx context.Context, gateway *evidence.Envelope, o *opening) error {
	o.out.DecidedBy = []DecidedBy{}
	if gateway != nil {
		d, err := c.gatewaysDecision(ctx, gateway, o)
		if err != nil {
			return err
		}
		o.out.DecidedBy = append(o.out.DecidedBy, *d)
	}
	for _, s := range o.shares {
		o.out.DecidedBy = append(o.out.DecidedBy, s.decided)
	}
	return nil
}

// gatewaysDecision checks that a statement is an operator's word that rules allowed this
// query.
func (c *Client) gatewaysDecision(ctx context.Context, env *evidence.Envelope, o *opening) (*DecidedBy, error) {
	var d carnet.Decision
	if err := env.Decode(carnet.TypeDecision, &d); err != nil {
		return nil, err
	}
	known := parties{}
	for id, r := range o.asked.Product.parties { // a copy: products are shared
		one := *r
		known[id] = &one
	}
	if err := known.load(ctx, c, o.asked.Product.Committee, d.By); err != nil {
		return nil, err
	}
	if err := known.signed(ctx, env, d.By, carnet.RoleOperator); err != nil {
		return nil, err
	}
	if d.Query != o.asked.Hash || !d.Allow || len(d.Judged) == 0 {
		return nil, wrong("the gateway sent a decision that does not allow this query by rules")
	}
	by := d.Judged[0].By()
	for i := range d.Judged {
		if *d.Judged[i].By() != *by {
			return nil, wrong("the gateway decided about one query by two policy bundles")
		}
	}
	return &DecidedBy{Party: d.By, Policy: by, Statement: env.Hash()}, nil
}
