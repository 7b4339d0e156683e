package policy

import (
	"bytes"
	"slices"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/query"
	"github.com/carnet-network/carnet/pkg/terms"
)

// Facts is what statements say about a flow, before it has the form that rules see.
type Facts struct {
	Now       time.Time
	Judge     carnet.PartyID
	Operator  carnet.PartyID // empty: not known to the judge
	Committee *carnet.Committee
	Party     func(carnet.PartyID) *carnet.Party // nil for a party that is not registered
	Datasets  []plan.Dataset
	Homes     map[carnet.KeyID]int // keys with a home veto
	Revoked   map[carnet.Hash]bool // by statement; may be nil
	Exports   []Export

	// Of a query; empty otherwise.
	Buyer   carnet.PartyID
	Purpose string
	Plan    *plan.Plan
}

// Input puts the facts into the form that rules see, for one flow.
func (f *Facts) Input(flow Flow) *Input {
	in := &Input{
		Version: InputVersion, Flow: flow, Now: f.Now.UTC().Truncate(time.Second), Purpose: f.Purpose, Exports: list(f.Exports),
		Judge: f.party(f.Judge), Operator: f.party(f.Operator), Buyer: f.party(f.Buyer),
	}
	if f.Committee != nil {
		in.Threshold = f.Committee.Threshold
		for _, m := range f.Committee.Members {
			in.Keyholders = append(in.Keyholders, f.party(m))
		}
	}
	var fewest []int
	if f.Plan != nil {
		in.Plan = planOf(f.Plan)
		fewest = terms.FewestOwners(f.Plan)
	}
	for i := range f.Datasets {
		d := &f.Datasets[i]
		_, home := f.Homes[d.Manifest.Key]
		x := datasetOf(d, f.party(d.Manifest.Owner), home, f.Revoked[d.Hash])
		if f.Plan != nil {
			if j := slices.IndexFunc(f.Plan.Datasets, func(p plan.Dataset) bool { return p.Hash == d.Hash }); j >= 0 {
				x.FewestOwners = fewest[j]
				x.Asked = Asked(terms.Asked(f.Plan, d.Hash))
			}
		}
		in.Datasets = append(in.Datasets, x)
	}
	slices.SortStableFunc(in.Datasets, func(a, b Dataset) int { return bytes.Compare(a.Statement[:], b.Statement[:]) })
	in.fill()
	return in
}

func (f *Facts) party(id carnet.PartyID) Party {
	if id == "" {
		return Party{}
	}
	p := f.Party(id)
	if p == nil {
		return Party{ID: id}
	}
	return Party{ID: p.ID, Jurisdiction: p.Jurisdiction, Roles: list(p.Roles)}
}

func planOf(p *plan.Plan) Plan {
	out := Plan{
		Layout: p.Layout, Aggregates: list(p.Aggregates), GroupBy: list(p.GroupBy), Filters: list(p.Filters),
		Groups: len(p.Groups), Openings: len(p.Openings), Factors: p.Certificate.Degree, Rows: p.Cost.Rows, Private: p.Private != nil,
	}
	for _, c := range p.Columns {
		out.Columns = append(out.Columns, c.Name)
	}
	var owners []carnet.PartyID
	for i := range p.Datasets {
		owners = append(owners, p.Datasets[i].Manifest.Owner)
	}
	slices.Sort(owners)
	out.Owners = len(slices.Compact(owners))
	return out
}

func datasetOf(d *plan.Dataset, owner Party, home, revoked bool) Dataset {
	m := &d.Manifest
	out := Dataset{
		ID: m.ID, Statement: d.Hash, Owner: owner, Jurisdiction: m.Jurisdiction, Layout: m.Layout, HomeVeto: home, Revoked: revoked,
		Terms: Terms{Buyers: m.Terms.Buyers, Jurisdictions: m.Terms.Jurisdictions, Purposes: m.Terms.Purposes,
			GroupBy: m.Terms.GroupBy, Filters: m.Terms.Filters, MinOwners: m.Terms.MinOwners,
			MinGroup: m.Terms.MinGroup, MaxShare: m.Terms.MaxShare, Noise: m.Terms.Privacy != nil, Approval: m.Terms.Approval, Expires: m.Terms.Expires},
	}
	for i := range m.Files {
		out.Rows += m.Files[i].Rows
	}
	for _, a := range m.Terms.Aggregates {
		if f, ok := query.AggregateFunc(a); ok {
			a = string(f)
		}
		out.Terms.Aggregates = append(out.Terms.Aggregates, a)
	}
	c := m.Declaration
	if c == nil {
		return out
	}
	out.Declaration = Declaration{Declared: true, Classes: c.Classes, Persons: c.Persons, Sensitive: c.Sensitive,
		Collected: c.Collected, DomesticMix: c.DomesticAdded, Exporter: c.Exporter}
	for _, x := range c.Instruments {
		out.Declaration.Instruments = append(out.Declaration.Instruments, Instrument(x))
	}
	return out
}
