// Package guard is the policy of a keyholder that decides by its own bundle: owners'
// terms first, whatever the bundle says, then handing out its key share and releasing the
// result.
package guard

import (
	"context"
	"fmt"
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
func (p *Policy) Check(ctx context.Context, r keyholder.Request) (v keyholder.Verdict, err error) {
	if err := keyholder.KeepTerms(r); err != nil {
		return v, err
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
	var unmet []policy.Unmet
	flows := []policy.Flow{policy.FlowShare, policy.FlowRelease}
	for i, o := range p.holder.Opinions(ctx, f.Input(flows[0]), f.Input(flows[1])) {
		flow, d, judged := flows[i], o.Decision, o.Judged
		if o.Err != nil {
			return v, o.Err
		}
		v.Policy = judged.By()
		if err := r.Demanded(v.Policy); err != nil {
			return v, err
		}
		records = append(records, judged)
		for _, x := range d.Blocking() {
			blocking = append(blocking, policy.Blocked{Flow: flow, Finding: x})
		}
		if d.Allow {
			unmet = append(unmet, d.Obligations.Unmet(r.Plan, r.Query.Purpose, r.Now)...)
		}
		needs(&v, judged, d)
	}
	return v, policy.Refusal(blocking, unmet, records)
}

// needs adds what a decision wants people to approve, and what its rules said.
func needs(v *keyholder.Verdict, j carnet.Judged, d *policy.Decision) {
	by := fmt.Sprintf("policy %s version %d", j.Name, j.Version)
	if slices.Contains(d.Obligations.Approval, policy.ApprovalOwner) {
		v.Owners = true
	}
	if slices.Contains(d.Obligations.Approval, policy.ApprovalJudge) {
		v.Own = append(v.Own, fmt.Sprintf("%s, %s", by, j.Flow))
	}
	for i := range d.Findings {
		f := &d.Findings[i]
		v.Said = append(v.Said, fmt.Sprintf("%s: %s: %s", by, f.Effect, f.Text(policy.Flow(j.Flow))))
	}
}
