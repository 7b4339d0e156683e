// Package gate is the policy of a gateway that decides by a bundle: owners' terms first,
// whatever the bundle says, then the three flows.
package gate

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/flow"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/policy"
	"github.com/carnet-network/carnet/pkg/terms"
)

// Policy implements flow.Policy. It is safe for concurrent use.
type Policy struct {
	holder   *policy.Holder
	store    flow.Store
	operator carnet.PartyID

	mu        sync.Mutex
	seen      int64                                // entries of the journal that were read
	published map[carnet.PartyID][]*carnet.Dataset // by owner, in the order of the journal
}

var _ flow.Policy = (*Policy)(nil)

// New makes the policy of the operator's gateway on this store.
func New(h *policy.Holder, store flow.Store, operator carnet.PartyID) *Policy {
	return &Policy{holder: h, store: store, operator: operator, published: map[carnet.PartyID][]*carnet.Dataset{}}
}

// Check implements flow.Policy.
func (p *Policy) Check(ctx context.Context, r flow.PolicyRequest) (flow.Verdict, error) {
	v := flow.KeepTerms(r)
	b := p.holder.Engine().Bundle()
	v.Demand(r, &carnet.PolicyBundle{Name: b.Name, Version: b.Version, Digest: b.Digest})
	f := &policy.Facts{Now: r.Now, Judge: p.operator, Operator: p.operator, Datasets: r.Plan.Datasets,
		Buyer: r.Buyer.ID, Purpose: r.Purpose, Plan: r.Plan, Homes: map[carnet.KeyID]int{}}
	err := p.store.View(ctx, func(tx flow.Tx) error {
		for i := range f.Datasets {
			d, err := flow.OpenedWith(tx, f.Datasets[i].Manifest.Key)
			if err != nil {
				return err
			}
			if d.Home != nil {
				f.Homes[f.Datasets[i].Manifest.Key] = d.Home.Member
			}
			if f.Committee == nil {
				if f.Committee, err = committee(tx, d.Committee); err != nil {
					return err
				}
			}
		}
		return p.complete(tx, f)
	})
	if err != nil {
		return v, err
	}
	return p.judge(ctx, f, v, policy.FlowShare, policy.FlowRelease)
}

// CheckDataset implements flow.Policy.
func (p *Policy) CheckDataset(ctx context.Context, d flow.PolicyDataset) (flow.Verdict, error) {
	f := &policy.Facts{Now: d.Now, Judge: p.operator, Operator: p.operator, Committee: d.Committee,
		Datasets: []plan.Dataset{{Hash: d.Statement, Manifest: *d.Manifest}}, Homes: map[carnet.KeyID]int{}}
	if d.Home {
		f.Homes[d.Manifest.Key] = 1
	}
	// What is to be published counts already, as the journal will have it.
	if err := p.store.View(ctx, func(tx flow.Tx) error { return p.complete(tx, f, d.Manifest) }); err != nil {
		return flow.Verdict{}, err
	}
	if d.Owner != nil {
		registered := f.Party
		f.Party = func(id carnet.PartyID) *carnet.Party {
			if id == d.Owner.ID {
				return d.Owner
			}
			return registered(id)
		}
		f.Exports = nil
	}
	return p.judge(ctx, f, flow.Verdict{}, policy.FlowStorage, policy.FlowShare)
}

// judge asks the bundle about flows. What it says about terms is left out if they were
// refused already.
func (p *Policy) judge(ctx context.Context, f *policy.Facts, v flow.Verdict, flows ...policy.Flow) (flow.Verdict, error) {
	byTerms := len(v.Refusals) > 0
	var inputs []*policy.Input
	for _, name := range flows {
		inputs = append(inputs, f.Input(name))
	}
	for i, o := range p.holder.Opinions(ctx, inputs...) {
		name, d, judged, err := flows[i], o.Decision, o.Judged, o.Err
		var e *carnet.Error
		if errors.As(err, &e) && e.Kind == carnet.Refused {
			v.Refusals = append(v.Refusals, flow.Refusal{By: p.operator, Reason: e.Reason, Message: e.Msg, Remedy: e.Remedy})
			return v, nil // a stale bundle says the same of every flow
		}
		if err != nil {
			return v, err
		}
		v.Judged = append(v.Judged, judged)
		p.oblige(f, &v, d)
		for _, x := range d.Blocking() {
			r := flow.Refusal{By: p.operator, Reason: x.Reason(), Message: x.Text(name), Remedy: x.Remedy}
			if x.ByOwner() {
				if byTerms {
					continue
				}
				r.By = x.By
			}
			v.Refusals = append(v.Refusals, r)
		}
	}
	return v, nil
}

// oblige adds what the obligations of a decision about a query refuse, and whose approval
// they want.
func (p *Policy) oblige(f *policy.Facts, v *flow.Verdict, d *policy.Decision) {
	if f.Plan == nil || !d.Allow {
		return
	}
	for _, u := range d.Obligations.Unmet(f.Plan, f.Purpose, f.Now) {
		r := flow.Refusal{By: p.operator, Reason: policy.ReasonUnmet, Message: u.Message, Remedy: u.Remedy}
		if !slices.Contains(v.Refusals, r) { // each flow has them
			v.Refusals = append(v.Refusals, r)
		}
	}
	if slices.Contains(d.Obligations.Approval, policy.ApprovalOwner) {
		v.Approval = append(v.Approval, terms.Owners(f.Plan)...)
	}
	if slices.Contains(d.Obligations.Approval, policy.ApprovalJudge) {
		v.Approval = append(v.Approval, p.operator)
	}
	slices.Sort(v.Approval)
	v.Approval = slices.Compact(v.Approval)
}

// complete adds what the store knows: parties, and what their owners published before
// next.
func (p *Policy) complete(tx flow.Tx, f *policy.Facts, next ...*carnet.Dataset) error {
	parties := map[carnet.PartyID]*carnet.Party{}
	ids := []carnet.PartyID{p.operator, f.Buyer}
	if f.Committee != nil {
		ids = append(ids, f.Committee.Members...)
	}
	owners := map[carnet.PartyID]bool{}
	for i := range f.Datasets {
		ids = append(ids, f.Datasets[i].Manifest.Owner)
		owners[f.Datasets[i].Manifest.Owner] = true
	}
	for _, id := range ids {
		if id == "" || parties[id] != nil {
			continue
		}
		st, err := tx.GetNamed(flow.NamedParty, string(id))
		if carnet.KindOf(err) == carnet.NotFound {
			continue // an operator that is not registered is nowhere
		}
		if err != nil {
			return err
		}
		parties[id] = &carnet.Party{}
		if err := st.Envelope.Decode(carnet.TypeParty, parties[id]); err != nil {
			return err
		}
	}
	f.Party = func(id carnet.PartyID) *carnet.Party { return parties[id] }

	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.catchUp(tx); err != nil {
		return err
	}
	var published []*carnet.Dataset
	for _, id := range ids {
		if owners[id] {
			published = append(published, p.published[id]...)
			delete(owners, id)
		}
	}
	f.Exports = policy.Exports(append(published, next...), f.Now)
	return nil
}

// batch is how many entries are read at a time.
const batch = 1000

// catchUp reads what the journal has of manifests since the last time.
func (p *Policy) catchUp(tx flow.Tx) error {
	for {
		entries, err := tx.Entries(p.seen, batch)
		if err != nil {
			return err
		}
		for i := range entries {
			if env := entries[i].Envelope; env.PayloadType == carnet.TypeDataset {
				d := &carnet.Dataset{}
				if err := env.Decode(carnet.TypeDataset, d); err != nil {
					return err
				}
				p.published[d.Owner] = append(p.published[d.Owner], d)
			}
			p.seen = entries[i].Seq + 1
		}
		if len(entries) < batch {
			return nil
		}
	}
}

// Prepare reads the journal, so that the first decision need not.
func (p *Policy) Prepare(ctx context.Context) error {
	return p.store.View(ctx, func(tx flow.Tx) error {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.catchUp(tx)
	})
}

func committee(tx flow.Tx, h carnet.Hash) (*carnet.Committee, error) {
	st, err := tx.Statement(h)
	if err != nil {
		return nil, err
	}
	c := &carnet.Committee{}
	return c, st.Envelope.Decode(carnet.TypeCommittee, c)
}
