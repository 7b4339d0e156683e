package plan

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/schema"
	"github.com/carnet-network/carnet/pkg/share"
)

// panel is an aligned schema of exports, with a measure that can be NULL.
func panel(name string, measures ...schema.Measure) *schema.Schema {
	return &schema.Schema{Name: name, Version: 1, Aligned: true, Layouts: []carnet.Layout{carnet.LayoutRecords},
		Dimensions: []schema.Dimension{{Name: "month", Codes: codes("1", "2", "3", "4", "5")}, {Name: "partner", Codes: codes("DE", "FR", "KZ", "US")}},
		Measures:   measures, Partitions: []schema.Partition{{Name: "year"}}, Limits: schema.Limits{Rows: 60, Datasets: 2}}
}

// panelRows draws one row for some of the combinations, in any order.
func panelRows(s *schema.Schema, owners int, seed uint64) (out []owner) {
	rng := rand.New(rand.NewPCG(seed, 7))
	for i := range owners {
		o := owner{id: carnet.PartyID(fmt.Sprintf("%s%d", s.Name, i)), jurisdiction: "DE"}
		for year := range 2 {
			for _, cell := range rng.Perm(20)[:8+rng.IntN(12)] {
				r := schema.Row{Partition: []string{fmt.Sprint(2023 + year)}, Dims: []int{cell / 4, cell % 4}}
				for m := range s.Measures {
					lo, hi := s.Measures[m].Bounds()
					r.Measures = append(r.Measures, lo+rng.Int64N(hi-lo+1))
					r.Null = append(r.Null, s.Measures[m].Nullable && rng.IntN(4) == 0)
				}
				o.rows = append(o.rows, r)
			}
		}
		out = append(out, o)
	}
	return out
}

func exports() *schema.Schema {
	return panel("exports", schema.Measure{Name: "value", Scale: 1, Min: "-90", Max: "200", Squares: true, Products: []string{"tons"}},
		schema.Measure{Name: "tons", Min: "0", Max: "40", Nullable: true, Squares: true})
}

func prices() *schema.Schema {
	return panel("prices", schema.Measure{Name: "value", Scale: 1, Min: "-100", Max: "150", Squares: true, Nullable: true},
		schema.Measure{Name: "price", Scale: 2, Min: "0", Max: "9.99", Squares: true})
}

func newPanels(t require.TestingT, profile string, owners int) (twoBenches, [2][]owner) {
	left, right := panelRows(exports(), owners, 1), panelRows(prices(), 1, 2)
	return newTwo(newProfileBench(t, exports(), profile, left), newProfileBench(t, prices(), profile, right)), [2][]owner{left, right}
}

const onAll = " USING (month, partner, year)"

// rowJoins are queries over joined rows that PostgreSQL answers the same.
var rowJoins = []string{
	`SELECT COUNT(*), SUM(a.value * b.price), SUM(price * tons), COUNT(tons), COUNT(a.tons * b.value) FROM trade a JOIN mirror b` + onAll,
	`SELECT SUM((a.value - b.value) * (a.value - b.value)) AS gap FROM trade a JOIN mirror b` + onAll,
	`SELECT a.year, SUM(a.value * b.value) AS xy, COUNT(*) AS n FROM trade a JOIN mirror b` + onAll + ` GROUP BY year ORDER BY xy DESC`,
	`SELECT SUM(a.value * price) / SUM(price) AS mean, AVG(a.value * price), AVG(tons) FROM trade a JOIN mirror b` + onAll + ` WHERE b.year = '2024'`,
	`SELECT CORR(a.value, b.price), COVAR_POP(a.value, b.value), REGR_SLOPE(a.value, price), REGR_COUNT(tons, b.value), VAR_SAMP(a.value) FROM trade a JOIN mirror b` + onAll,
	`SELECT SUM(a.value) - SUM(b.value), SUM(a.value - b.value), SUM(2 * tons * price + price / 4 + 1) FROM trade a JOIN mirror b` + onAll,
	`SELECT year, SUM(tons * price) FROM trade a JOIN mirror b` + onAll + ` GROUP BY 1 HAVING COUNT(*) > 5 ORDER BY 1 LIMIT 1`,
	`SELECT SUM(a.value * tons * price), SUM(a.value * a.value * b.value) FROM trade AS a JOIN mirror AS b` + onAll,
	`SELECT COUNT(*), SUM(trade.value * mirror.price) FROM trade JOIN mirror` + onAll + ` WHERE year IN ('1999', '2000')`,
	`SELECT SUM((price - tons) * (price - tons)), STDDEV_POP(price) FROM trade JOIN mirror` + onAll + ` WHERE year <> '2023'`,
}

func TestJoinedRowsAsPostgres(t *testing.T) {
	pg := startPostgres(t)
	for _, profile := range []string{"records", "records-tiny"} {
		for owners := 1; owners <= 2; owners++ {
			b, rows := newPanels(t, profile, owners)
			want := pg.run(t, pgTable(exports(), rows[0])+asMirror(pgTable(prices(), rows[1])), rowJoins)
			for i, sql := range rowJoins {
				r, err := b.ask(t, sql)
				if profile == "records-tiny" && RefusalOf(err) != nil && RefusalOf(err).Reason == "OVERFLOW" {
					continue // more digits than numbers so small have room for
				}
				require.NoError(t, err, sql)
				sameAsPostgres(t, sql, want[i], r, strings.Contains(sql, "ORDER BY"))
			}
		}
	}
}

// Random aligned tables, in SQLite and here.
func TestJoinedRowsAsSQLite(t *testing.T) {
	asked, refused := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		nullable := rapid.Bool().Draw(t, "nullable")
		most := rapid.SampledFrom([]string{"9", "400"}).Draw(t, "most")
		left := panel("exports", schema.Measure{Name: "x", Min: "-" + most, Max: most, Squares: true, Nullable: nullable})
		right := panel("prices", schema.Measure{Name: "y", Min: "0", Max: "300", Squares: true})
		seed := rapid.Uint64().Draw(t, "seed")
		owners := [2][]owner{panelRows(left, rapid.IntRange(1, 2).Draw(t, "owners"), seed), panelRows(right, 1, seed+1)}
		profile := rapid.SampledFrom([]string{"records", "records-tiny"}).Draw(t, "profile")
		b := newTwo(newProfileBench(t, left, profile, owners[0]), newProfileBench(t, right, profile, owners[1]))
		db := load(t, right, owners[1])
		_, err := db.Exec("DROP TABLE IF EXISTS mirror; ALTER TABLE trade RENAME TO mirror")
		require.NoError(t, err)
		load(t, left, owners[0])
		for _, sql := range []string{
			"SELECT COUNT(*), COUNT(x), SUM(x * y), SUM((x - y) * (x - y)), AVG(x * y) FROM trade JOIN mirror" + onAll,
			"SELECT year, SUM(x * y), SUM(3 * x * y - y * y + 2 * x) FROM trade JOIN mirror" + onAll + " GROUP BY year",
			"SELECT SUM(x * x * y * y), SUM((y - x) * (y - x) * 2) FROM trade JOIN mirror" + onAll + " WHERE year = '2023'",
		} {
			want := answer(t, db, sql)
			got, err := b.ask(t, sql)
			asked++
			if err != nil {
				require.NotNil(t, RefusalOf(err), "%v", err)
				require.Equal(t, "OVERFLOW", RefusalOf(err).Reason, "%v", err)
				refused++
				continue
			}
			same(t, twin{ours: sql, lite: sql}, want, got, false)
		}
	})
	require.Less(t, refused, asked/2)
}

// A squared difference opens as one number with four products of noise, and everything
// opened is across keys, with the largest flood that fits.
func TestJoinedRowsPlan(t *testing.T) {
	b, _ := newPanels(t, "records", 2)
	p, err := b.compile("SELECT SUM((a.value - b.value) * (a.value - b.value)) FROM trade a JOIN mirror b" + onAll)
	require.NoError(t, err)
	require.True(t, p.Across)
	require.Equal(t, 5, p.Needed())
	require.Len(t, p.Openings, 2, "the sum, and how many there are")
	files := int64(4) // two owners, two years
	blocks := files * int64(b[0].product.Encoding.Blocks(1))
	require.Equal(t, int64(2), blocks/4, "20 combinations in slots of 16")
	terms := map[int64]bool{}
	for i := range p.Openings {
		o := &p.Openings[i]
		require.NoError(t, o.F.Validate(p.Profile.N()))
		require.NotEmpty(t, o.F.Cross)
		require.Len(t, o.F.Keys, 3)
		terms[share.Terms(o.F)] = true
		k, _, err := share.FloodBits(p.Profile, p.Committee, 0, share.NoiseBound(p.Profile, 2, share.Terms(o.F)))
		require.NoError(t, err)
		require.Equal(t, k, o.FloodBits)
		require.Equal(t, [2]int{2, 1}, o.Sides)
		require.Len(t, o.Less, 2)
		require.Equal(t, []carnet.PartyID{"exports0", "exports1", "prices0"}, o.Owners)
	}
	require.Equal(t, map[int64]bool{blocks: true, 4 * blocks: true}, terms)
	require.Len(t, p.Sources, 2)
	require.Len(t, p.Datasets, 3)
	text := strings.Join(p.Describe(), "\n")
	for _, want := range []string{"(a.value - b.value)^2: 1 number", "slot by slot", "products_with", "5 keyholders have to answer", "4096 times at most"} {
		require.Contains(t, text, want)
	}

	one, err := b.compile("SELECT year, SUM(a.value * price) FROM trade a JOIN mirror b" + onAll + " WHERE year = '2023' GROUP BY year")
	require.NoError(t, err)
	require.Equal(t, []string{"sum"}, one.Aggregates)
	require.Equal(t, []string{"year"}, one.GroupBy)
	require.Equal(t, []string{"year"}, one.Filters)
	for _, o := range one.Openings {
		require.Len(t, o.F.Cross, 2, "files of one year")
	}
	require.NotEqual(t, p.Hash(), one.Hash())
}

// Numbers that take several digits open one number for every two of them, each of which
// fits; nothing of it wraps.
func TestJoinedDigits(t *testing.T) {
	b, _ := newPanels(t, "records-tiny", 1)
	x := b[0].product.Encoding.Digits(schema.Atom{Kind: schema.Sum, X: "value"})
	y := b[1].product.Encoding.Digits(schema.Atom{Kind: schema.Sum, X: "price"})
	require.Greater(t, len(x)*len(y), 3)
	p, err := b.compile("SELECT SUM(a.value * price) FROM trade a JOIN mirror b" + onAll)
	require.NoError(t, err)
	require.Len(t, p.Openings, len(x)*len(y)+1)
	for _, o := range p.Openings {
		require.Less(t, max(o.Max, -o.Min), int64(p.Profile.T()/2))
	}
}

func TestJoinedRowsRefused(t *testing.T) {
	b, _ := newPanels(t, "records", 1)
	plain := exports()
	plain.Aligned = false
	other := prices()
	other.Dimensions[1].Codes = codes("DE", "FR", "US", "KZ")
	unparted := prices()
	unparted.Partitions = nil
	unpartedRows := panelRows(prices(), 1, 2)
	for i := range unpartedRows {
		unpartedRows[i].rows = slices.DeleteFunc(unpartedRows[i].rows, func(r schema.Row) bool { return r.Partition[0] != "2023" })
		for j := range unpartedRows[i].rows {
			unpartedRows[i].rows[j].Partition = nil
		}
	}
	pair := func(l, r *schema.Schema) twoBenches {
		rows := panelRows(prices(), 1, 2)
		if r.Partitions == nil {
			rows = unpartedRows
		}
		return newTwo(newProfileBench(t, l, "records", panelRows(exports(), 1, 1)), newProfileBench(t, r, "records", rows))
	}
	homed, shared, small := pair(exports(), prices()), pair(exports(), prices()), pair(exports(), prices())
	homed[1].product.Homes = map[carnet.KeyID]int{homed[1].product.Datasets[0].Manifest.Key: 2}
	shared[1].product.Datasets[0].Manifest.Key = shared[0].product.Datasets[0].Manifest.Key
	for _, x := range small {
		x.product.Committee = share.Committee{N: 4, T: 3}
	}
	const sum = "SELECT SUM(a.value * b.price) FROM trade a JOIN mirror b"
	for _, x := range []struct {
		reason, sql string
		b           twoBenches
	}{
		{"UNSUPPORTED", sum + onAll, pair(plain, prices())},
		{"UNSUPPORTED", sum + onAll, pair(exports(), other)},
		{"UNSUPPORTED", sum + onAll, pair(exports(), unparted)},
		{"UNSUPPORTED", sum + onAll, shared},
		{"CROSS_HOME", sum + onAll, homed},
		{"CROSS_COMMITTEE", sum + onAll, small},
		{"UNSUPPORTED", sum + " USING (month, year)", b},
		{"UNSUPPORTED", sum + " USING (month, partner)", b},
		{"UNKNOWN_COLUMN", sum + " USING (month, partner, year, value)", b},
		{"SYNTAX", sum + " USING (month, partner, year, year)", b},
		{"UNSUPPORTED", "SELECT COUNT(*) FROM trade a JOIN trade b" + onAll, b},
		{"UNKNOWN_COLUMN", "SELECT COUNT(*) FROM trade a JOIN mirror a" + onAll, b},
		{"UNSUPPORTED", sum + onAll + " WHERE month = 1", b},
		{"UNSUPPORTED", "SELECT month, COUNT(*) FROM trade a JOIN mirror b" + onAll + " GROUP BY month", b},
		{"UNSUPPORTED", sum + onAll + " WHERE owner = 'exports0'", b},
		{"PRIVATE_COLUMN", sum + onAll + " WHERE year = PRIVATE($1)", b},
		{"UNSUPPORTED", "SELECT SUM(a.value) FILTER (WHERE month = 1) FROM trade a JOIN mirror b" + onAll, b},
		{"UNSUPPORTED", "SELECT MAX(a.value) FROM trade a JOIN mirror b" + onAll, b},
		{"UNSUPPORTED", "SELECT SUM(3) FROM trade a JOIN mirror b" + onAll, b},
		{"UNSUPPORTED", "SELECT SUM(COALESCE(tons, 0)) FROM trade a JOIN mirror b" + onAll, b},
		{"UNKNOWN_COLUMN", "SELECT SUM(value) FROM trade a JOIN mirror b" + onAll, b},
		{"UNKNOWN_COLUMN", "SELECT SUM(c.value) FROM trade a JOIN mirror b" + onAll, b},
		{"UNKNOWN_COLUMN", "SELECT c.year, COUNT(*) FROM trade a JOIN mirror b" + onAll + " GROUP BY year", b},
		{"TYPE_MISMATCH", "SELECT SUM(month) FROM trade a JOIN mirror b" + onAll, b},
		{"NOT_GROUPED", "SELECT price FROM trade a JOIN mirror b" + onAll, b},
		{"NOT_GROUPED", "SELECT year, COUNT(*) FROM trade a JOIN mirror b" + onAll, b},
		{"NO_AGGREGATE", "SELECT 1 FROM trade a JOIN mirror b" + onAll, b},
		{"NOT_STORED", "SELECT SUM(price * price * price) FROM trade a JOIN mirror b" + onAll, b},
		{"NOT_STORED", "SELECT SUM(a.value * tons * tons) FROM trade a JOIN mirror b" + onAll, b},
		{"NOT_STORED", "SELECT SUM(a.value * price + tons) FROM trade a JOIN mirror b" + onAll, b},
	} {
		_, err := x.b.compile(x.sql)
		r := RefusalOf(err)
		require.NotNil(t, r, "%s: %v", x.sql, err)
		require.Equal(t, x.reason, r.Reason, "%s: %v", x.sql, err)
		require.NotEmpty(t, r.Remedy, "%s: %v", x.sql, err)
		require.NotZero(t, r.Pos.Line)
	}
	_, err := Compile(sum+onAll, b[0].product)
	require.Equal(t, "UNKNOWN_PRODUCT", RefusalOf(err).Reason)
}
