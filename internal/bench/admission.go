package main

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/overlap"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/policy"
	"github.com/carnet-network/carnet/pkg/schema"
	"github.com/carnet-network/carnet/pkg/share"
	"github.com/carnet-network/carnet/pkg/terms"
)

// admission is all that a gateway decides about a query, without its database and disk.
type admission struct {
	product *plan.Product
	policy  *policy.Holder
	docket  *overlap.Docket
	sql     string
}

// part is a part of an admission, in its order.
type part struct {
	name string
	took []time.Duration
}

// admissionFigure times the admission of queries over three owners' cubes, of 3 and of 312
// numbers, after 20 other queries: each part, and the whole.
func admissionFigure(ctx context.Context, b *bench, r *Report) error {
	bundle, err := policy.Default()
	if err != nil {
		return err
	}
	holder, err := policy.Hold(ctx, bundle)
	if err != nil {
		return err
	}
	for _, q := range []struct {
		numbers int
		sql     string
	}{
		{3, "SELECT month, SUM(value) FROM trade WHERE month <= '3' GROUP BY month"},
		{312, "SELECT chapter, month, SUM(value) FROM trade GROUP BY chapter, month"},
	} {
		a := &admission{policy: holder, sql: q.sql}
		if a.product, err = threeCubes(); err != nil {
			return err
		}
		if a.docket, err = asked(a.product); err != nil {
			return err
		}
		parts := []*part{{name: "plan"}, {name: "policy, two flows, and terms"}, {name: "overlap with 20 queries"}, {name: "charges and privacy budgets"}, {name: "the whole"}}
		for range b.rounds * b.decisions {
			if err := ctx.Err(); err != nil {
				return err
			}
			took, numbers, err := a.admit(ctx, b.elapsed)
			if err != nil {
				return err
			}
			if numbers != q.numbers {
				return fmt.Errorf("the query opens %d numbers, want %d", numbers, q.numbers)
			}
			for i, t := range took {
				parts[i].took = append(parts[i].took, t)
			}
		}
		for _, p := range parts {
			r.percentiles(Row{Work: fmt.Sprintf("admission of a query of 3 owners, %d numbers", q.numbers), How: p.name + ", ", Cores: b.cores()}, p.took)
		}
	}
	return nil
}

// admit decides about the query as the gateway does, and returns how long each part and the
// whole took, and how many numbers would be opened.
func (a *admission) admit(ctx context.Context, elapsed func() time.Duration) (took []time.Duration, numbers int, err error) {
	start := elapsed()
	last := start
	lap := func() {
		now := elapsed()
		took, last = append(took, now-last), now
	}
	p, err := plan.Compile(a.sql, a.product)
	if err != nil {
		return nil, 0, err
	}
	p.Hash()
	lap()
	now := time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)
	if list := terms.Check(terms.Request{Buyer: "buyer", From: "CH", Purpose: "statistics", Plan: p, Now: now}); len(list) > 0 {
		return nil, 0, fmt.Errorf("the terms refuse: %v", list)
	}
	facts := &policy.Facts{Now: now, Judge: "gate", Operator: "gate", Committee: &carnet.Committee{Members: []carnet.PartyID{"k1", "k2", "k3"}, Threshold: 2},
		Party: registered, Datasets: p.Datasets, Buyer: "buyer", Purpose: "statistics", Plan: p}
	var flows errgroup.Group // at the same time, as the gateway asks
	for _, flow := range []policy.Flow{policy.FlowShare, policy.FlowRelease} {
		in := facts.Input(flow)
		flows.Go(func() error {
			d, _, err := a.policy.Judge(ctx, in)
			if err != nil {
				return err
			}
			if !d.Allow {
				return fmt.Errorf("the policy refuses: %v", d.Changes)
			}
			if unmet := d.Obligations.Unmet(p, facts.Purpose, now); len(unmet) > 0 {
				return fmt.Errorf("the query does not keep what it is obliged to: %v", unmet)
			}
			return nil
		})
	}
	if err := flows.Wait(); err != nil {
		return nil, 0, err
	}
	lap()
	if err := a.docket.Check(overlap.Datasets(a.product), p); err != nil {
		return nil, 0, err
	}
	lap()
	charges := map[carnet.Hash]bool{}
	for i := range p.Openings {
		charges[p.Charge(i, carnet.Hash{})] = true
	}
	for i := range p.Spendings {
		if s := &p.Spendings[i]; s.Cost(func(int) bool { return false }) > s.Terms.Budget {
			return nil, 0, fmt.Errorf("the query costs more than the privacy budget of %s", s.Dataset)
		}
	}
	lap()
	return append(took, last-start), len(charges), nil
}

var places = map[carnet.PartyID]carnet.Jurisdiction{"gate": "CN", "buyer": "CH", "k1": "CN", "k2": "KZ", "k3": "UZ", "a": "CN", "b": "KZ", "c": "UZ"}

func registered(id carnet.PartyID) *carnet.Party {
	return &carnet.Party{ID: id, Jurisdiction: places[id]}
}

// threeCubes is a product of three owners' cubes of 26 chapters and 12 months, manifests
// only: every number combines two owners and has noise.
func threeCubes() (*plan.Product, error) {
	s := &schema.Schema{Name: "trade", Version: 1, Limits: schema.Limits{Rows: 1 << 20, Datasets: 4}, Layouts: []carnet.Layout{carnet.LayoutCube},
		Measures: []schema.Measure{{Name: "value", Min: "0", Max: "1000000"}}}
	for _, d := range []struct {
		name  string
		codes int
	}{{"chapter", 26}, {"month", 12}} {
		x := schema.Dimension{Name: d.name}
		for i := range d.codes {
			x.Codes = append(x.Codes, schema.Code{Value: fmt.Sprint(i + 1)})
		}
		s.Dimensions = append(s.Dimensions, x)
	}
	e, err := s.Encode(carnet.LayoutCube)
	if err != nil {
		return nil, err
	}
	p := &plan.Product{ID: "a/trade", Schema: s, Encoding: e}
	if p.Profile, err = he.Lookup(e.Profile); err != nil {
		return nil, err
	}
	if p.Committee, err = share.NewCommittee(3, 2); err != nil {
		return nil, err
	}
	for i, owner := range []carnet.PartyID{"a", "b", "c"} {
		m := carnet.Dataset{ID: carnet.DatasetID(owner + "/trade"), Owner: owner, Jurisdiction: places[owner], Layout: e.Layout, Profile: e.Profile, Key: carnet.KeyID{byte(i + 1)},
			Declaration: &carnet.Declaration{Classes: []carnet.DataClass{carnet.ClassNone}},
			Files:       []carnet.File{{Nonce: carnet.Nonce{byte(i + 1)}, Rows: 1000, Columns: len(e.Columns), Blocks: e.Blocks(1000)}},
			Terms: carnet.Terms{Buyers: []carnet.PartyID{"*"}, Purposes: []string{"statistics"}, MinOwners: 2, Expires: time.Date(2027, 11, 26, 0, 0, 0, 0, time.UTC),
				Privacy: &carnet.Privacy{Budget: 1_000_000, PerNumber: 1000, RowsPerUnit: 1}}}
		p.Datasets = append(p.Datasets, plan.Dataset{Hash: carnet.Hash{byte(i + 1)}, Manifest: m})
	}
	return p, nil
}

// asked notes 20 queries about the product that were admitted.
func asked(p *plan.Product) (*overlap.Docket, error) {
	d := overlap.NewDocket([32]byte{1})
	for i := range int64(20) {
		sql := fmt.Sprintf("SELECT month, SUM(value) FROM trade WHERE chapter = '%d' GROUP BY month", i+1)
		d.Note(i, overlap.Datasets(p), func() (*plan.Plan, error) { return plan.Compile(sql, p) })
		if err := d.Verdict(i); err != nil {
			return nil, err
		}
	}
	return d, nil
}
