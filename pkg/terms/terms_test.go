package terms

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/schema"
	"github.com/carnet-network/carnet/pkg/share"
)

var now = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// product unites three owners, two of them in one jurisdiction, with a file for each
// of two years; corp has no file for 2024.
func product(t *testing.T, change func(owner carnet.PartyID, terms *carnet.Terms)) *plan.Product {
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
		m := carnet.Dataset{ID: carnet.DatasetID(owner + "/trade"), Owner: owner, Jurisdiction: []carnet.Jurisdiction{"DE", "KZ", "KZ"}[i], Layout: e.Layout, Profile: e.Profile, Key: carnet.KeyID{byte(i + 1)}}
		m.Terms = carnet.Terms{Buyers: []carnet.PartyID{"*"}, Purposes: []string{"*"}, Expires: now.Add(time.Hour)}
		if change != nil {
			change(owner, &m.Terms)
		}
		for y, year := range []string{"2023", "2024"} {
			if owner == "corp" && year == "2024" {
				continue
			}
			m.Files = append(m.Files, carnet.File{Nonce: carnet.Nonce{byte(i), byte(y)}, Partition: map[string]string{"year": year}, Rows: 10, Columns: len(e.Columns), Blocks: 1})
		}
		p.Datasets = append(p.Datasets, plan.Dataset{Hash: carnet.Hash{byte(i + 1)}, Manifest: m})
	}
	return p
}

// check compiles and judges.
func check(t *testing.T, sql string, p *plan.Product, change func(*Request)) []Refusal {
	compiled, err := plan.Compile(sql, p)
	require.NoError(t, err, sql)
	r := Request{Buyer: "buyer", Purpose: "statistics", Plan: compiled, Now: now}
	if change != nil {
		change(&r)
	}
	return Check(r)
}

func reasons(refusals []Refusal) (list []string) {
	for _, r := range refusals {
		list = append(list, string(r.By)+" "+r.Reason)
	}
	return list
}

func TestOpenTermsAllow(t *testing.T) {
	for _, sql := range []string{
		"SELECT COUNT(*) FROM trade", "SELECT month, AVG(value) FROM trade GROUP BY month", "SELECT owner, COUNT(*) FROM trade WHERE month = 1 GROUP BY owner",
	} {
		require.Nil(t, check(t, sql, product(t, nil), nil))
	}
}

func TestEachCondition(t *testing.T) {
	const total = "SELECT COUNT(*), SUM(value) FROM trade WHERE month = 1"
	for _, c := range []struct {
		name   string
		terms  func(*carnet.Terms)
		sql    string
		ask    func(*Request)
		reason string // "" allows
	}{
		{"named buyer", func(x *carnet.Terms) { x.Buyers = []carnet.PartyID{"other", "buyer"} }, total, nil, ""},
		{"other buyer", func(x *carnet.Terms) { x.Buyers = []carnet.PartyID{"other"} }, total, nil, ReasonBuyer},
		{"no buyer", func(x *carnet.Terms) { x.Buyers = nil }, total, nil, ReasonBuyer},
		{"named jurisdiction", func(x *carnet.Terms) { x.Jurisdictions = []carnet.Jurisdiction{"UZ", "KZ"} }, total, func(r *Request) { r.From = "KZ" }, ""},
		{"other jurisdiction", func(x *carnet.Terms) { x.Jurisdictions = []carnet.Jurisdiction{"UZ"} }, total, func(r *Request) { r.From = "KZ" }, ReasonFrom},
		{"unknown jurisdiction", func(x *carnet.Terms) { x.Jurisdictions = []carnet.Jurisdiction{"UZ"} }, total, nil, ReasonFrom},
		{"named purpose", func(x *carnet.Terms) { x.Purposes = []string{"statistics"} }, total, nil, ""},
		{"other purpose", func(x *carnet.Terms) { x.Purposes = []string{"research", "audit"} }, total, nil, ReasonPurpose},
		{"no purpose", func(x *carnet.Terms) { x.Purposes = nil }, total, nil, ReasonPurpose},
		{"empty purpose is not any", func(x *carnet.Terms) { x.Purposes = []string{"statistics"} }, total, func(r *Request) { r.Purpose = "" }, ReasonPurpose},
		{"aggregates", func(x *carnet.Terms) { x.Aggregates = []string{"count", "sum"} }, total, nil, ""},
		{"aggregates in capitals", func(x *carnet.Terms) { x.Aggregates = []string{"COUNT", "SUM"} }, total, nil, ""},
		{"no sum", func(x *carnet.Terms) { x.Aggregates = []string{"count", "avg"} }, total, nil, ReasonAggregate},
		{"sum in ORDER BY", func(x *carnet.Terms) { x.Aggregates = []string{"count"} }, "SELECT COUNT(*) FROM trade ORDER BY SUM(value)", nil, ReasonAggregate},
		{"sum in HAVING", func(x *carnet.Terms) { x.Aggregates = []string{"count"} }, "SELECT COUNT(*) FROM trade HAVING SUM(value) > 1", nil, ReasonAggregate},
		{"alias in terms", func(x *carnet.Terms) { x.Aggregates = []string{"variance"} }, "SELECT VAR_SAMP(value) FROM trade", nil, ""},
		{"alias in query", func(x *carnet.Terms) { x.Aggregates = []string{"stddev_samp"} }, "SELECT STDDEV(value) FROM trade", nil, ""},
		{"groups alone count rows", func(x *carnet.Terms) { x.Aggregates = []string{"sum"} }, "SELECT month FROM trade GROUP BY month", nil, ReasonAggregate},
		{"group by", func(x *carnet.Terms) { x.GroupBy = []string{"month"} }, "SELECT month, COUNT(*) FROM trade GROUP BY month", nil, ""},
		{"other group by", func(x *carnet.Terms) { x.GroupBy = []string{"month"} }, "SELECT partner, COUNT(*) FROM trade GROUP BY partner", nil, ReasonGroupBy},
		{"public columns are columns", func(x *carnet.Terms) { x.GroupBy = []string{"month"} }, "SELECT owner, COUNT(*) FROM trade GROUP BY owner", nil, ReasonGroupBy},
		{"filter", func(x *carnet.Terms) { x.Filters = []string{"month"} }, total, nil, ""},
		{"other filter", func(x *carnet.Terms) { x.Filters = []string{"month"} }, "SELECT COUNT(*) FROM trade WHERE partner IS NULL", nil, ReasonFilter},
		{"counting a dimension filters by it", func(x *carnet.Terms) { x.Filters = []string{"month"} }, "SELECT COUNT(partner) FROM trade", nil, ReasonFilter},
		{"a filter that selects everything is one", func(x *carnet.Terms) { x.Filters = []string{"partner"} }, "SELECT COUNT(*) FROM trade WHERE month < 99", nil, ReasonFilter},
		{"just before expiry", nil, total, func(r *Request) { r.Now = now.Add(time.Hour - 1) }, ""},
		{"at expiry", nil, total, func(r *Request) { r.Now = now.Add(time.Hour) }, ReasonExpired},
		{"no expiry", func(x *carnet.Terms) { x.Expires = time.Time{} }, total, nil, ReasonExpired},
		{"revoked", nil, total, func(r *Request) { r.Revoked = map[carnet.Hash]bool{{1}: true, {2}: true, {3}: true} }, ReasonRevoked},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := product(t, func(owner carnet.PartyID, x *carnet.Terms) {
				if c.terms != nil {
					c.terms(x)
				}
			})
			got := check(t, c.sql, p, c.ask)
			if c.reason == "" {
				require.Empty(t, got)
				return
			}
			require.Equal(t, []string{"acme " + c.reason, "bolt " + c.reason, "corp " + c.reason}, reasons(got))
			for _, r := range got {
				require.NotEmpty(t, r.Message)
				require.NotEmpty(t, r.Remedy)
				require.Equal(t, carnet.DatasetID(r.By+"/trade"), r.Dataset)
				require.Equal(t, carnet.Refused, r.Error().Kind)
			}
		})
	}
}

// The least number of owners is judged on each opening: what singles owners out is
// refused, however it is written.
func TestMinOwners(t *testing.T) {
	three := product(t, func(owner carnet.PartyID, x *carnet.Terms) {
		if owner == "acme" {
			x.MinOwners = 3
		}
	})
	for sql, want := range map[string][]string{
		"SELECT COUNT(*) FROM trade":                                                                       nil,
		"SELECT SUM(value) FROM trade WHERE year = 2023":                                                   nil,
		"SELECT month, COUNT(*) FROM trade WHERE year = 2023 GROUP BY month":                               nil,
		"SELECT COUNT(*) FROM trade WHERE year = 2024":                                                     {"acme TOO_FEW_OWNERS"},
		"SELECT year, COUNT(*) FROM trade GROUP BY year":                                                   {"acme TOO_FEW_OWNERS"},
		"SELECT COUNT(*) FROM trade WHERE jurisdiction = 'DE'":                                             {"acme TOO_FEW_OWNERS"},
		"SELECT jurisdiction, COUNT(*) FROM trade GROUP BY jurisdiction":                                   {"acme TOO_FEW_OWNERS"},
		"SELECT COUNT(*) FROM trade WHERE owner <> 'corp'":                                                 {"acme TOO_FEW_OWNERS"},
		"SELECT COUNT(*) FROM trade WHERE month = 1 OR owner = 'acme'":                                     nil,
		"SELECT COUNT(*) FROM trade WHERE (month = 1 AND owner <> 'acme') OR owner = 'acme' AND month = 2": nil,
		"SELECT COUNT(*) FROM trade WHERE owner <> 'acme'":                                                 nil, // acme has no say in what it is no part of
		"SELECT COUNT(*) FROM trade WHERE year = 1999":                                                     nil, // nothing is opened
	} {
		require.Equal(t, want, reasons(check(t, sql, three, nil)), sql)
	}
	got := check(t, "SELECT COUNT(*) FROM trade WHERE year = 2024", three, nil)
	require.Equal(t, "ask over at least 3 owners; this query reaches 2", got[0].Remedy)

	// One owner with two datasets is one owner.
	twice := product(t, func(owner carnet.PartyID, x *carnet.Terms) { x.MinOwners = 3 })
	twice.Datasets[1].Manifest.Owner = "acme"
	require.Len(t, check(t, "SELECT COUNT(*) FROM trade", twice, nil), 3)

	// A dataset without rows does not count as an owner.
	empty := product(t, func(owner carnet.PartyID, x *carnet.Terms) { x.MinOwners = 3 })
	for i := range empty.Datasets[2].Manifest.Files {
		empty.Datasets[2].Manifest.Files[i].Rows = 0
	}
	require.Equal(t, []string{"acme TOO_FEW_OWNERS", "bolt TOO_FEW_OWNERS"}, reasons(check(t, "SELECT COUNT(*) FROM trade", empty, nil)))
}

// A difference is judged as both of its sides, however many owners it combines in all.
func TestAttackDifferenceOfOwners(t *testing.T) {
	p := product(t, func(_ carnet.PartyID, x *carnet.Terms) { x.MinOwners = 2 })
	for sql, want := range map[string][]string{
		"SELECT SUM(value) FILTER (WHERE owner = 'acme') - SUM(value) FILTER (WHERE owner <> 'acme') FROM trade": {"acme TOO_FEW_OWNERS"},
		"SELECT SUM(value) FILTER (WHERE owner <> 'acme') - SUM(value) FILTER (WHERE owner = 'acme') FROM trade": {"acme TOO_FEW_OWNERS"},
		"SELECT SUM(value) FILTER (WHERE year = 2024) - SUM(value) FILTER (WHERE year = 2023) FROM trade":        nil,
	} {
		compiled, err := plan.Compile(sql, p)
		require.NoError(t, err)
		// Row counts of the sides are numbers of their own; the rule does not rest on them.
		compiled.Openings = slices.DeleteFunc(compiled.Openings, func(o plan.Opening) bool { return o.Less == nil })
		require.Len(t, compiled.Openings, 1, sql)
		require.Len(t, compiled.Openings[0].Owners, 3)
		require.Equal(t, want, reasons(Check(Request{Buyer: "buyer", Purpose: "statistics", Plan: compiled, Now: now})), sql)
	}
}

// Terms of one dataset are not judged on openings of another of the same owner.
func TestMinOwnersPerDataset(t *testing.T) {
	p := product(t, func(owner carnet.PartyID, x *carnet.Terms) {
		if owner == "corp" {
			x.MinOwners = 3
		}
	})
	p.Datasets[0].Manifest.Owner = "corp" // open to anyone, in both years
	p.Datasets = append(p.Datasets, plan.Dataset{Hash: carnet.Hash{9}, Manifest: p.Datasets[0].Manifest})
	p.Datasets[3].Manifest.Owner, p.Datasets[3].Manifest.ID, p.Datasets[3].Manifest.Key = "dora", "dora/trade", carnet.KeyID{9}
	p.Datasets[3].Manifest.Files = []carnet.File{p.Datasets[3].Manifest.Files[0]}
	p.Datasets[3].Manifest.Files[0].Nonce = carnet.Nonce{9}
	// 2023: corp twice, bolt, dora; 2024: corp (open terms), bolt.
	require.Empty(t, check(t, "SELECT year, COUNT(*) FROM trade GROUP BY year", p, nil))
}
