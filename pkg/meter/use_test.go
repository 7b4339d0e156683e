package meter

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/schema"
	"github.com/carnet-network/carnet/pkg/share"
)

// product unites two owners with a file for each of two years; uz has none for 2024.
func product(t *testing.T) *plan.Product {
	s := &schema.Schema{
		Name: "trade", Version: 1, Limits: schema.Limits{Rows: 1000, Datasets: 5}, Layouts: []carnet.Layout{carnet.LayoutRecords},
		Dimensions: []schema.Dimension{{Name: "month", Codes: []schema.Code{{Value: "1"}, {Value: "2"}, {Value: "3"}}}},
		Measures:   []schema.Measure{{Name: "value", Min: "0", Max: "100"}},
		Partitions: []schema.Partition{{Name: "year"}},
	}
	e, err := s.Encode(carnet.LayoutRecords)
	require.NoError(t, err)
	profile, err := he.Lookup(e.Profile)
	require.NoError(t, err)
	committee, err := share.NewCommittee(5, 3)
	require.NoError(t, err)
	p := &plan.Product{ID: "kz/trade", Schema: s, Encoding: e, Profile: profile, Committee: committee}
	for i, owner := range []carnet.PartyID{"kz", "uz"} {
		m := carnet.Dataset{ID: carnet.DatasetID(owner + "/trade"), Owner: owner, Layout: e.Layout, Profile: e.Profile, Key: carnet.KeyID{byte(i + 1)},
			Terms: carnet.Terms{Price: &carnet.Price{Currency: "KZT"}}}
		for y, year := range []string{"2023", "2024"} {
			if owner == "uz" && year == "2024" {
				continue
			}
			m.Files = append(m.Files, carnet.File{Nonce: carnet.Nonce{byte(i), byte(y)}, Partition: map[string]string{"year": year}, Rows: int64(10 + y), Columns: len(e.Columns), Blocks: 1})
		}
		p.Datasets = append(p.Datasets, plan.Dataset{Hash: carnet.Hash{byte(i + 1)}, Manifest: m})
	}
	return p
}

func TestUses(t *testing.T) {
	for _, c := range []struct {
		sql    string
		kz, uz *Use
	}{
		// A sum comes with a count, which tells NULL from 0.
		{"SELECT COUNT(*) FROM trade", &Use{Groups: 1, Numbers: 1, Rows: 21}, &Use{Groups: 1, Numbers: 1, Rows: 10}},
		{"SELECT month, AVG(value), COUNT(*) FROM trade GROUP BY month", &Use{Groups: 3, Numbers: 6, Rows: 21}, &Use{Groups: 3, Numbers: 6, Rows: 10}},
		{"SELECT year, month, SUM(value) FROM trade GROUP BY year, month", &Use{Groups: 6, Numbers: 12, Rows: 21}, &Use{Groups: 3, Numbers: 6, Rows: 10}},
		{"SELECT SUM(value) FROM trade WHERE year = 2024", &Use{Groups: 1, Numbers: 2, Rows: 11}, nil},
	} {
		p, err := plan.Compile(c.sql, product(t))
		require.NoError(t, err)
		got := map[carnet.PartyID]Use{}
		for _, u := range Uses(p) {
			got[u.Owner] = u
		}
		for owner, want := range map[carnet.PartyID]*Use{"kz": c.kz, "uz": c.uz} {
			u, ok := got[owner]
			require.Equal(t, want != nil, ok, "%s: %s", owner, c.sql)
			if want != nil {
				require.Equal(t, *want, Use{Groups: u.Groups, Numbers: u.Numbers, Rows: u.Rows}, "%s: %s", owner, c.sql)
				require.NotNil(t, u.Price)
			}
		}
	}
}

// TestUsesOfBudget: one quantity over all groups costs its price once, and every quantity
// costs.
func TestUsesOfBudget(t *testing.T) {
	p := product(t)
	p.Datasets[0].Manifest.Terms.Privacy = &carnet.Privacy{Budget: 1_000_000, PerNumber: 1000, RowsPerUnit: 1}
	compiled, err := plan.Compile("SELECT month, COUNT(*) FROM trade GROUP BY month", p)
	require.NoError(t, err)
	uses := Uses(compiled)
	require.EqualValues(t, 1000, uses[0].Budget)
	require.Zero(t, uses[1].Budget, "its owner asks for none")
}
