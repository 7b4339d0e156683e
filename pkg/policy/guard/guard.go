// Package guard is the policy of a keyholder that decides by its own bundle: owners'
// terms first, whatever the bundle says, then handing out its key share and releasing the
// result.
package guard

import (
	"context"
	"maps"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/keyholder"
	"github.com/carnet-network/carnet/pkg/policy"
)

// Policy implements keyholder.Policy. It is safe for concurrent use.
type Policy struct {
	holder *policy.Holder
	me     carnet.PartyID
}

var _ keyholder.Policy = (*Policy)(nil)

// New makes the policy of a keyholder.
func New(h *policy.Holder, me carnet.PartyID) *Policy { return &Policy{h, me} }

// Check implements keyholder.Policy.
func (p *Policy) Check(ctx context.Context, r keyholder.Request) error {
	if err := (keyholder.OwnerTerms{}).Check(ctx, r); err != nil {
		return err
	}
	var published []*carnet.Dataset
	for _, owner := range slices.Sorted(maps.Keys(r.Published)) {
		published = append(published, r.Published[owner]...)
	}
	f := &policy.Facts{
		Now: r.Now, Judge: p.me, Committee: r.Committee, Datasets: r.Plan.Datasets, Homes: r.Homes,
		Exports: policy.Exports(published, r.Now), Buyer: r.Query.Buyer, Purpose: r.Query.Purpose, Plan: r.Plan,
		Party: func(id carnet.PartyID) *carnet.Party {
			if id == r.Buyer.ID {
				return r.Buyer
			}
			return r.Parties[id]
		},
	}
	var blocking []policy.Blocked
	var records []carnet.Judged
	for _, flow := range []policy.Flow{policy.FlowShare, policy.FlowRelease} {
		d, judged, err := p.holder.Judge(ctx, f.Input(flow))
		if err != nil {
			return err
		}
		records = append(records, judged)
		for _, x := range d.Blocking() {
			blocking = append(blocking, policy.Blocked{Flow: flow, Finding: x})
		}
	}
	return policy.Refusal(blocking, records)
}
