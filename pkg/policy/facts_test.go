package policy_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/policy"
	"github.com/carnet-network/carnet/pkg/schema"
	"github.com/carnet-network/carnet/pkg/share"
	"github.com/carnet-network/carnet/pkg/terms"
)

// product unites three owners of three jurisdictions, a file for each of two years.
func product(t testing.TB) *plan.Product {
	s := &schema.Schema{
		Name: "trade", Version: 1, Limits: schema.Limits{Rows: 1000, Datasets: 5}, Layouts: []carnet.Layout{carnet.LayoutRecords},
		Dimensions: []schema.Dimension{{Name: "month", Codes: []schema.Code{{Value: "1"}, {Value: "2"}}}, {Name: "partner", Nullable: true, Codes: []schema.Code{{Value: "DE"}}}},
		Measures:   []schema.Measure{{Name: "value", Min: "0", Max: "100", Squares: true}},
		Partitions: []schema.Partition{{Name: "year"}},
	}
	e, err := s.Encode(carnet.LayoutRecords)
	require.NoError(t, err)
	profile, err := he.Lookup(e.Profile)
	require.NoError(t, err)
	committee, err := share.NewCommittee(5, 3)
	require.NoError(t, err)
	p := &plan.Product{ID: "acme/trade", Schema: s, Encoding: e, Profile: profile, Committee: committee}
	for i, owner := range []carnet.PartyID{"acme", "bolt", "corp"} {
		m := carnet.Dataset{ID: carnet.DatasetID(owner + "/trade"), Owner: owner, Jurisdiction: from[owner], Layout: e.Layout, Profile: e.Profile, Key: carnet.KeyID{byte(i + 1)}}
		m.Terms = carnet.Terms{Buyers: []carnet.PartyID{"*"}, Purposes: []string{"*"}, Expires: now.Add(time.Hour)}
		m.Declaration = &carnet.Declaration{Classes: []carnet.DataClass{carnet.ClassNone}}
		for y, year := range []string{"2023", "2024"} {
			m.Files = append(m.Files, carnet.File{Nonce: carnet.Nonce{byte(i), byte(y)}, Partition: map[string]string{"year": year}, Rows: 10, Columns: len(e.Columns), Blocks: 1})
		}
		p.Datasets = append(p.Datasets, plan.Dataset{Hash: carnet.Hash{byte(i + 1)}, Manifest: m})
	}
	return p
}

var from = map[carnet.PartyID]carnet.Jurisdiction{"acme": "CN", "bolt": "KZ", "corp": "UZ", "buyer": "RU", "gate": "CN", "k1": "CN", "k2": "KZ", "k3": "UZ"}

func facts(p *plan.Plan, buyer carnet.PartyID, purpose string) *policy.Facts {
	return &policy.Facts{
		Now: now, Judge: "k1", Operator: "gate", Committee: &carnet.Committee{Members: []carnet.PartyID{"k1", "k2", "k3"}, Threshold: 2},
		Party: func(id carnet.PartyID) *carnet.Party {
			if from[id] == "" {
				return nil
			}
			return &carnet.Party{ID: id, Jurisdiction: from[id], Roles: []carnet.Role{carnet.RoleBuyer}}
		},
		Datasets: p.Datasets, Buyer: buyer, Purpose: purpose, Plan: p,
	}
}

// reasons names in package terms what the rules say.
var reasons = map[string]string{
	"terms.buyer": terms.ReasonBuyer, "terms.jurisdiction": terms.ReasonFrom, "terms.purpose": terms.ReasonPurpose, "terms.aggregate": terms.ReasonAggregate,
	"terms.group-by": terms.ReasonGroupBy, "terms.filter": terms.ReasonFilter, "terms.min-owners": terms.ReasonOwners, "terms.expired": terms.ReasonExpired, "terms.revoked": terms.ReasonRevoked,
}

// The rules in Rego and package terms in Go are two accounts of the owners' conditions.
// Over random terms and queries they agree on every condition that is not met.
func TestTermsInRegoAndInGoAgree(t *testing.T) {
	e := engine(t)
	queries := []string{
		"SELECT COUNT(*) FROM trade", "SELECT AVG(value) FROM trade WHERE month = 1", "SELECT month, SUM(value) FROM trade GROUP BY month",
		"SELECT owner, COUNT(*) FROM trade GROUP BY owner", "SELECT year, VARIANCE(value) FROM trade WHERE partner IS NULL GROUP BY year",
	}
	refused := map[string]bool{}
	rapid.Check(t, func(r *rapid.T) {
		p := product(t)
		some := func(name string, of ...string) []string {
			return rapid.SliceOfNDistinct(rapid.SampledFrom(of), 0, len(of), rapid.ID[string]).Draw(r, name)
		}
		for i := range p.Datasets {
			x := &p.Datasets[i].Manifest.Terms
			x.Buyers, x.Purposes, x.Jurisdictions = nil, some("purposes", "*", "statistics", "research"), nil
			for _, b := range some("buyers", "*", "buyer", "other") {
				x.Buyers = append(x.Buyers, carnet.PartyID(b))
			}
			for _, j := range some("jurisdictions", "RU", "KZ") {
				x.Jurisdictions = append(x.Jurisdictions, carnet.Jurisdiction(j))
			}
			x.Aggregates, x.GroupBy, x.Filters = some("aggregates", "count", "SUM", "avg", "variance"), some("group by", "month", "owner", "year"), some("filters", "month", "partner")
			x.MinOwners = rapid.IntRange(0, 4).Draw(r, "owners")
			x.Expires = now.Add(time.Duration(rapid.IntRange(-1, 2).Draw(r, "expires")) * time.Hour)
		}
		compiled, err := plan.Compile(rapid.SampledFrom(queries).Draw(r, "sql"), p)
		require.NoError(t, err)
		buyer := rapid.SampledFrom([]carnet.PartyID{"buyer", "other"}).Draw(r, "who")
		f := facts(compiled, buyer, rapid.SampledFrom([]string{"statistics", "audit", ""}).Draw(r, "purpose"))
		f.Revoked = map[carnet.Hash]bool{{1}: rapid.Bool().Draw(r, "revoked")}

		var want, have []string
		for _, x := range terms.Check(terms.Request{Buyer: buyer, From: from[buyer], Purpose: f.Purpose, Plan: compiled, Now: now, Revoked: f.Revoked}) {
			want = append(want, fmt.Sprintln(x.By, x.Dataset, x.Reason, x.Message))
			refused[x.Reason] = true
		}
		d, err := e.Decide(ctx, f.Input(policy.FlowRelease))
		require.NoError(t, err)
		for _, x := range d.Blocking() {
			if reason := reasons[x.Rule]; reason != "" {
				have = append(have, fmt.Sprintln(x.By, x.Dataset, reason, x.Message))
				require.NotEmpty(t, x.Remedy)
			}
		}
		slices.Sort(want)
		slices.Sort(have)
		require.Equal(t, slices.Compact(want), slices.Compact(have))
	})
	for _, reason := range reasons {
		if testing.Short() {
			break // a few cases only
		}
		require.True(t, refused[reason], "no random case was about %s", reason)
	}
}

func TestFactsOfAQuery(t *testing.T) {
	p, err := plan.Compile("SELECT month, SUM(value) AS total FROM trade WHERE year = '2024' GROUP BY month", product(t))
	require.NoError(t, err)
	f := facts(p, "buyer", "statistics")
	f.Homes = map[carnet.KeyID]int{{2}: 1}
	in := f.Input(policy.FlowRelease)
	require.Equal(t, policy.Plan{Layout: carnet.LayoutRecords, Aggregates: []string{"sum"}, GroupBy: []string{"month"}, Filters: []string{"year"},
		Columns: []string{"month", "total"}, Groups: 2, Openings: len(p.Openings), Factors: 2, Rows: 30, Owners: 3}, in.Plan)
	require.Equal(t, []bool{false, true, false}, []bool{in.Datasets[0].HomeVeto, in.Datasets[1].HomeVeto, in.Datasets[2].HomeVeto})
	require.Equal(t, 3, in.Datasets[0].FewestOwners)
	require.Equal(t, carnet.Jurisdiction("RU"), in.Buyer.Jurisdiction)
	require.Equal(t, 2, in.Threshold)
	require.Len(t, in.Keyholders, 3)

	// A buyer that nobody registered is nowhere, and nothing is released to nowhere.
	d, err := engine(t).Decide(ctx, facts(p, "stranger", "statistics").Input(policy.FlowRelease))
	require.NoError(t, err)
	require.Contains(t, rules(d), "base.unknown-place")
}

func rules(d *policy.Decision) (out []string) {
	for _, f := range d.Blocking() {
		out = append(out, f.Rule)
	}
	return out
}

func TestExports(t *testing.T) {
	at := func(day int) time.Time { return time.Date(2026, 3, day, 0, 0, 0, 0, time.UTC) }
	made := func(id carnet.DatasetID, day int, persons int64, files ...byte) *carnet.Dataset {
		d := &carnet.Dataset{ID: id, Owner: "own", Created: at(day), Declaration: &carnet.Declaration{Classes: []carnet.DataClass{carnet.ClassPersonal}, Persons: persons}}
		for _, n := range files {
			d.Files = append(d.Files, carnet.File{Nonce: carnet.Nonce{n}})
		}
		return d
	}
	undeclared := made("own/c", 4, 0, 9)
	undeclared.Declaration = nil
	old := made("own/d", 1, 7, 8)
	old.Created = at(1).AddDate(-2, 0, 0)
	got := policy.Exports([]*carnet.Dataset{made("own/a", 3, 100, 1), made("own/a", 5, 130, 1, 2), made("own/b", 4, 50, 3), made("own/b", 6, 50, 4), undeclared, old}, now)
	want := []policy.Export{
		{Owner: "own", Dataset: "own/a", At: at(3), Persons: 100},
		{Owner: "own", Dataset: "own/b", At: at(4), Persons: 50},
		{Owner: "own", Dataset: "own/a", At: at(5), Persons: 30}, // only added files
		{Owner: "own", Dataset: "own/b", At: at(6), Persons: 50}, // published anew: counts anew
	}
	require.Equal(t, want, got)
}

func BenchmarkDecide(b *testing.B) {
	e := engine(b)
	p, err := plan.Compile("SELECT month, SUM(value) FROM trade GROUP BY month", product(b))
	require.NoError(b, err)
	in := facts(p, "buyer", "statistics").Input(policy.FlowRelease)
	for b.Loop() {
		d, err := e.Decide(ctx, in)
		require.NoError(b, err)
		require.True(b, d.Allow)
	}
}
