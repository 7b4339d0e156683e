package plan

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/schema"
	"github.com/carnet-network/carnet/pkg/share"
)

// parcels is a schema with four measures, two of them never together NULL, and one
// stored product.
func parcels() *schema.Schema {
	return &schema.Schema{
		Name: "parcels", Version: 1, Limits: schema.Limits{Rows: 100, Datasets: 1}, Layouts: []carnet.Layout{carnet.LayoutRecords},
		Dimensions: []schema.Dimension{{Name: "mode", Codes: codes("air", "rail", "road"), Nullable: true}},
		Measures: []schema.Measure{
			{Name: "w", Min: "-20", Max: "20"},
			{Name: "x", Min: "-30", Max: "40", Nullable: true},
			{Name: "y", Min: "0", Max: "50", Nullable: true, Products: []string{"x"}},
			{Name: "z", Min: "-10", Max: "60", Nullable: true},
			{Name: "area", Formula: "w * (x + 1)", Min: "-820", Max: "820", Nullable: true},
		},
	}
}

func sent(n int) []owner {
	var rows []schema.Row
	for i := range n {
		w, x := int64(i*7%41-20), int64(i*11%71-30)
		rows = append(rows, schema.Row{
			Dims:     []int{i%4 - 1},
			Measures: []int64{w, x, int64(i * 13 % 51), int64(i*17%71 - 10), w * (x + 1)},
			Null:     []bool{false, i%5 == 0, i%3 == 0, i%7 == 0, i%5 == 0},
		})
	}
	return []owner{{"acme", "DE", rows}}
}

// Products of any number of measures are as exact as in SQLite, also where columns are
// kept as several digits, and take the fewest columns.
func TestProductsOfMeasures(t *testing.T) {
	s, owners := parcels(), sent(70)
	require.NoError(t, s.Validate())
	db := load(t, s, owners)
	digits := 0
	for _, c := range []struct {
		sql    string
		degree int // the largest of any opening
	}{
		{"SELECT SUM(w * x * z) FROM trade", 3},
		{"SELECT SUM(w * w * w), SUM(x * x * x) FROM trade", 3},
		{"SELECT SUM(x * y * z), COUNT(x * y * z) FROM trade", 2}, // x * y is stored, and where both are not NULL
		{"SELECT SUM(x * x * y * y) FROM trade", 2},
		{"SELECT SUM(w * w * z * z), SUM(w * w * w * w) FROM trade", 4},
		{"SELECT SUM(w * x * y * z) FROM trade", 3},
		{"SELECT SUM(x * y * x * y * z) FROM trade", 3},
		{"SELECT SUM((w + 1) * (w - z) * (w + 2)) FROM trade", 4}, // w * w * w where z is not NULL
		{"SELECT SUM(w * x + z) FROM trade", 3},
		{"SELECT SUM(x + y + z), COUNT(x + y + z) FROM trade", 3},
		{"SELECT SUM(CASE WHEN mode = 'air' THEN w * x * z ELSE w * w END) FROM trade", 4},
		{"SELECT SUM(w * w * COALESCE(z, 0)) FROM trade", 3},
		{"SELECT mode, SUM(w * x * z) FROM trade GROUP BY mode", 4},
		{"SELECT SUM(w * x * z) FROM trade WHERE mode <> 'air'", 4},
		{"SELECT COUNT(w * x * z) FROM trade WHERE mode = 'rail'", 3},
		{"SELECT SUM(area * z), SUM(area * w * z), SUM(area * area * z) FROM trade", 3},
		{"SELECT SUM(w * x + w + w * w * w * x) FROM trade", 4},
		{"SELECT SUM(w * x + w + w * w * w * (x + 1)) FROM trade", 4}, // from a formula and a product
	} {
		for _, name := range []string{"records-3", "records-4", "records-4-tiny"} {
			b := newProfileBench(t, s, name, owners)
			p, err := Compile(c.sql, b.product)
			if c.degree > b.product.Profile.MaxDegree() {
				require.Equal(t, "DEGREE", RefusalOf(err).Reason, c.sql)
				require.Contains(t, RefusalOf(err).Remedy, "degree: 4", c.sql)
				continue
			}
			if name == "records-4-tiny" {
				if r := RefusalOf(err); r != nil && r.Reason == "OVERFLOW" {
					continue
				}
				digits++
			}
			require.NoError(t, err, "%s: %s", name, c.sql)
			require.Equal(t, c.degree, p.Certificate.Degree, "%s: %s", name, c.sql)
			got, err := p.Evaluate(b.open(t, p))
			require.NoError(t, err)
			same(t, both(c.sql), answer(t, db, c.sql), got, false)
			for i := range p.Openings {
				require.LessOrEqual(t, p.Openings[i].Bound.Cmp(share.NoiseBound(p.Profile, 4, share.Terms(p.Openings[i].F))), 0)
			}
		}
	}
	require.Greater(t, digits, 8)
}

// Variances and covariances of products are those of their rows.
func TestMomentsOfProducts(t *testing.T) {
	owners := sent(70)
	b := newProfileBench(t, parcels(), "records-4", owners)
	n, sum, squares, with := 0.0, 0.0, 0.0, 0.0
	for _, r := range owners[0].rows {
		if r.Null[3] {
			continue
		}
		w, z := float64(r.Measures[0]), float64(r.Measures[3])
		n, sum, squares, with = n+1, sum+w*z, squares+w*z*w*z, with+w*z*w
	}
	got, err := b.ask(t, "SELECT VAR_POP(w * z), REGR_SXY(w * z, w), AVG(w) FROM trade WHERE TRUE")
	require.NoError(t, err)
	variance, _ := got.Rows[0][0].Rat().Float64()
	require.InDelta(t, squares/n-sum/n*sum/n, variance, 1e-6)
	got, err = b.ask(t, "SELECT REGR_AVGX(w, w * z), REGR_SXY(w * z, w) + REGR_AVGX(w * z, w) * SUM(w * z) FROM trade")
	require.NoError(t, err)
	mean, _ := got.Rows[0][0].Rat().Float64()
	require.InDelta(t, sum/n, mean, 1e-6)
	whole, _ := got.Rows[0][1].Rat().Float64()
	require.InDelta(t, with, whole, 1e-6)
}
