package plan

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/schema"
)

// Every random query that is accepted is accepted by PostgreSQL and has its answer
// there, in both layouts. The text is the same for both.
func TestSameAnswersAsPostgres(t *testing.T) {
	pg := startPostgres(t)
	stats := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		s := drawPgSchema(t)
		require.NoError(t, s.Validate())
		owners := drawOwners(t, s)
		for i := range owners {
			for j := range owners[i].rows {
				computeM3(s, &owners[i].rows[j])
			}
		}
		tiny := rapid.Bool().Draw(t, "tiny")
		benches := []*bench{newBench(t, s, carnet.LayoutCube, tiny, owners), newBench(t, s, carnet.LayoutRecords, tiny, owners)}
		a := &pgAsker{t, s}
		var queries []string
		var sorted []bool
		for range 8 {
			q, ok := a.query()
			queries, sorted = append(queries, q), append(sorted, ok)
		}
		want := pg.run(t, pgTable(s, owners), queries)
		for i, q := range queries {
			failed := len(want[i]) == 1 && strings.HasPrefix(want[i][0][0], "ERROR")
			for _, b := range benches {
				got, err := b.ask(t, q)
				layout := string(b.product.Encoding.Layout)
				if err != nil {
					r := RefusalOf(err)
					require.NotNil(t, r, "%s: %v", q, err)
					require.NotEmpty(t, r.Remedy, err.Error())
					stats[layout+" "+r.Reason]++
					require.Contains(t, []string{"NOT_STORED", "DEGREE", "OVERFLOW", "DIVISION_BY_ZERO", "TOO_COMPLEX"}, r.Reason, "%s: %v", q, err)
					continue
				}
				require.False(t, failed, "%s\nPostgreSQL: %v", q, want[i])
				stats[layout]++
				sameAsPostgres(t, q, want[i], got, sorted[i])
			}
		}
	})
	t.Log(stats)
}

// drawPgSchema draws a schema whose columns PostgreSQL has too.
func drawPgSchema(t *rapid.T) *schema.Schema {
	s := &schema.Schema{Name: "random", Version: 1, Limits: schema.Limits{Rows: 200, Datasets: 3}, Layouts: []carnet.Layout{carnet.LayoutCube, carnet.LayoutRecords}}
	list := []schema.Dimension{
		{Name: "num", Codes: codes("3", "1", "2", "10", "-4")},
		{Name: "txt", Codes: codes("b", "a", "B", "aa")},
		{Name: "lst", Codes: codes("lo", "hi", "mid"), Ordered: true},
		{Name: "dat", Codes: codes("2024-02-29", "2023-12-31", "2024-01-01", "2021-08-15", "2024-03-04"), Type: schema.DateType},
		{Name: "dec", Codes: codes("0.05", "0.1", "0", "2.50")},
		{Name: "mon", Codes: codes("2024-02", "2023-12", "2024-01"), Type: schema.DateType},
	}
	for _, i := range rapid.Permutation([]int{0, 1, 2, 3, 4, 5}).Draw(t, "dimensions")[:rapid.IntRange(1, 2).Draw(t, "count")] {
		d := list[i]
		d.Nullable = rapid.Bool().Draw(t, "nullable")
		s.Dimensions = append(s.Dimensions, d)
	}
	for i := range 3 {
		s.Measures = append(s.Measures, schema.Measure{
			Name: fmt.Sprintf("m%d", i), Scale: i, Min: "-500", Max: "500",
			Nullable: rapid.IntRange(0, 2).Draw(t, "null") == 0, Squares: rapid.IntRange(0, 3).Draw(t, "squares") > 0,
		})
	}
	if rapid.Bool().Draw(t, "products") {
		s.Measures[1].Products = []string{"m0", "m2"}
	}
	if rapid.Bool().Draw(t, "formula") {
		s.Measures = append(s.Measures, schema.Measure{
			Name: "m3", Formula: "m0 * (1 - m2)", Scale: 2, Min: "-250500", Max: "250500", Nullable: s.Measures[0].Nullable || s.Measures[2].Nullable,
		})
	}
	return s
}

// computeM3 fills in the measure with a formula.
func computeM3(s *schema.Schema, r *schema.Row) {
	if len(s.Measures) > 3 {
		r.Measures[3], r.Null[3] = r.Measures[0]*(100-r.Measures[2]), r.Null[0] || r.Null[2]
	}
}

// pgAsker draws queries over such a schema.
type pgAsker struct {
	t *rapid.T
	s *schema.Schema
}

func (a *pgAsker) pick(list ...string) string { return rapid.SampledFrom(list).Draw(a.t, "pick") }
func (a *pgAsker) n(n int) int                { return rapid.IntRange(0, n-1).Draw(a.t, "n") }

func (a *pgAsker) dimension() *schema.Dimension { return &a.s.Dimensions[a.n(len(a.s.Dimensions))] }
func (a *pgAsker) measure() string              { return a.s.Measures[a.n(len(a.s.Measures))].Name }

func (a *pgAsker) literal(d *schema.Dimension) string {
	dom := dimensionDomain(d)
	v := dom.values[a.n(len(dom.values))]
	switch {
	case dom.numeric():
		return v
	case dom.unit != "":
		return a.pick("DATE ", "") + "'" + v + "'"
	}
	return "'" + v + "'"
}

// derived draws an expression over one dimension and a value to compare it with.
func (a *pgAsker) derived() (expr, value string) {
	d := a.dimension()
	switch d.Name {
	case "num":
		return a.pick("num + 1", "num * 2 - 1", "num / 2", "- num", "NULLIF(num, 1)", "COALESCE(num, 0)", "CASE num WHEN 1 THEN 7 WHEN 2 THEN 7 ELSE num END", "num / 2.0", "CAST(num AS NUMERIC) / 3"), a.pick("1", "7", "0", "1.5")
	case "dec":
		return a.pick("dec * 2", "dec / 2", "CAST(dec AS INTEGER)", "dec + 1", "COALESCE(dec, 0.75)"), a.pick("0.1", "0.10", "1", "5.0", "0.025")
	case "txt":
		return a.pick("COALESCE(txt, 'none')", "NULLIF(txt, 'a')", "CASE WHEN txt < 'a' THEN 'low' WHEN txt IS NULL THEN 'none' ELSE 'high' END"), a.pick("'a'", "'none'", "'high'")
	case "lst":
		return a.pick("CASE WHEN lst <= 'hi' THEN 1 ELSE 2 END", "CASE lst WHEN 'mid' THEN 'm' END"), "NULL"
	case "dat":
		switch a.n(3) {
		case 0:
			return a.pick("EXTRACT(YEAR FROM dat)", "EXTRACT(quarter FROM dat)", "date_part('month', dat)", "EXTRACT(week FROM dat)", "EXTRACT(dow FROM dat)", "EXTRACT(isodow FROM dat)",
				"EXTRACT(doy FROM dat)", "EXTRACT(isoyear FROM dat)", "EXTRACT(decade FROM dat)", "EXTRACT(century FROM dat)", "EXTRACT(DAY FROM dat)", "EXTRACT(YEAR FROM dat) / 2", "dat - DATE '2024-01-01'"), a.pick("2024", "1", "4", "0")
		case 1:
			return a.pick("date_trunc('month', dat)", "date_trunc('week', dat)", "date_trunc('quarter', dat)", "date_trunc('year', dat)", "CAST(date_trunc('decade', dat) AS DATE)"), a.pick("DATE '2024-01-01'", "'2024-01-01'", "DATE '2023-12-01' + INTERVAL '1' MONTH")
		}
		return a.pick("dat + 1", "dat - INTERVAL '1' MONTH", "dat + INTERVAL '1 year 2 days'", "CAST(dat - INTERVAL '3' DAY AS DATE)", "CAST(dat AS DATE)"), a.pick("DATE '2024-01-01'", "DATE '2024-01-31' - 30", "DATE '2024-02-29' - INTERVAL '1' YEAR")
	}
	return a.pick("EXTRACT(YEAR FROM mon)", "EXTRACT(MONTH FROM mon)", "EXTRACT(quarter FROM mon)"), a.pick("2024", "1")
}

// condition draws a condition on rows, or on groups of the given keys.
func (a *pgAsker) condition(depth int) string {
	if depth > 0 {
		switch a.n(5) {
		case 0, 1:
			return "(" + a.condition(depth-1) + " AND " + a.condition(depth-1) + ")"
		case 2:
			return "(" + a.condition(depth-1) + " OR " + a.condition(depth-1) + ")"
		case 3:
			return "NOT " + a.condition(depth-1)
		}
	}
	op := a.pick("=", "<>", "<", "<=", ">", ">=")
	switch a.n(5) {
	case 0:
		x, v := a.derived()
		return x + " " + op + " " + v
	case 1:
		x, v := a.derived()
		_, w := v, v
		return x + a.pick(" IN (", " NOT IN (") + v + ", " + w + ")"
	case 2:
		x, _ := a.derived()
		return x + a.pick(" IS NULL", " IS NOT NULL")
	case 3:
		return a.pick("jurisdiction", "owner") + " " + op + " " + a.pick("'DE'", "'KZ'", "'acme'")
	}
	d := a.dimension()
	return d.Name + " " + op + " " + a.literal(d)
}

// polynomial draws an argument of SUM.
func (a *pgAsker) polynomial(depth int) string {
	if a.n(8) == 0 {
		return a.pick("m0 * (1 - m2)", "(2 * m0 - m2 * m0 * 2)", "(m0 - m0 * m2 + m1)", "3 * m0 * (m2 - 1) + m0")
	}
	if depth == 0 || a.n(4) == 0 {
		return a.pick(a.measure(), a.measure(), "2", "0.5", "COALESCE("+a.measure()+", 0)")
	}
	switch a.n(6) {
	case 0:
		return "- " + a.polynomial(depth-1)
	case 1:
		return fmt.Sprintf("CASE WHEN %s THEN %s%s END", a.condition(1), a.polynomial(depth-1), a.pick("", " ELSE 0", " ELSE "+a.polynomial(0)))
	case 2:
		return "(" + a.polynomial(depth-1) + " * " + a.polynomial(0) + ")"
	case 3:
		return a.polynomial(depth-1) + " / 2.5"
	}
	return "(" + a.polynomial(depth-1) + a.pick(" + ", " - ") + a.polynomial(depth-1) + ")"
}

// exact draws an aggregate that PostgreSQL computes exactly.
func (a *pgAsker) exact() string {
	x := a.pick("COUNT(*)", "SUM("+a.measure()+")", "COUNT("+a.measure()+")", "SUM("+a.polynomial(1)+")")
	if a.n(3) == 0 {
		x += " FILTER (WHERE " + a.condition(1) + ")"
	}
	return x
}

// number draws an aggregate that is a number.
func (a *pgAsker) number() string {
	filter := ""
	if a.n(3) == 0 {
		filter = " FILTER (WHERE " + a.condition(1) + ")"
	}
	x := a.polynomial(a.n(3))
	if a.n(2) == 0 {
		x = a.measure()
	}
	switch a.n(9) {
	case 0:
		return "COUNT(*)" + filter
	case 1:
		e, _ := a.derived()
		return "COUNT(" + a.pick(x, "CASE WHEN "+a.condition(1)+" THEN 1 END", e) + ")" + filter
	case 2:
		return a.pick("AVG", "VAR_POP", "VARIANCE", "STDDEV_POP", "STDDEV") + "(" + x + ")" + filter
	case 3, 4:
		f := a.pick("COVAR_POP", "COVAR_SAMP", "CORR", "REGR_SLOPE", "REGR_INTERCEPT", "REGR_R2", "REGR_COUNT", "REGR_AVGX", "REGR_AVGY", "REGR_SXX", "REGR_SYY", "REGR_SXY")
		return f + "(" + a.pick("m0", "m1", "2 * m1 - 1") + ", " + a.pick("m2", "m2 + m0", "m2 / 4") + ")" + filter
	case 5:
		return "SUM(CASE WHEN " + a.condition(1) + " THEN " + x + " ELSE 0 END)" + filter
	}
	return "SUM(" + x + ")" + filter
}

// ordinal draws an aggregate of a dimension.
func (a *pgAsker) ordinal() string {
	d := a.dimension()
	x := d.Name
	if e, _ := a.derived(); a.n(3) == 0 && x != "lst" {
		x = e
	}
	filter := a.pick("", "", " FILTER (WHERE "+a.condition(0)+")")
	desc := a.pick("", " DESC")
	switch a.n(4) {
	case 0:
		if x != d.Name || d.Name == "num" || d.Name == "dat" || d.Name == "mon" || d.Name == "txt" || d.Name == "lst" {
			return a.pick("MIN", "MAX") + "(" + x + ")" + filter
		}
	case 1:
		return "MODE() WITHIN GROUP (ORDER BY " + x + desc + ")" + filter
	case 2:
		if x == "num" || x == "dec" {
			return "PERCENTILE_CONT(" + a.pick("0", "0.25", "0.5", "0.9", "1") + ") WITHIN GROUP (ORDER BY " + x + desc + ")" + filter
		}
	}
	return "PERCENTILE_DISC(" + a.pick("0", "0.3", "0.5", "1") + ") WITHIN GROUP (ORDER BY " + x + desc + ")" + filter
}

// output draws what is computed from aggregates.
func (a *pgAsker) output() string {
	switch a.n(8) {
	case 0:
		return a.number() + a.pick(" + ", " - ", " * ") + a.number()
	case 1:
		return a.number() + " / NULLIF(" + a.exact() + ", 0)"
	case 2:
		// A number that PostgreSQL computes in floating point may lie on either side of a tie.
		return a.pick("ROUND("+a.exact()+" / 4.0, 1)", "ROUND(CAST("+a.number()+" AS NUMERIC) + 0.0000137, 3)")
	case 3:
		return "CASE WHEN " + a.exact() + " > " + a.exact() + " THEN " + a.number() + " WHEN COUNT(*) = 2 THEN 5 ELSE 1.5 END"
	case 4:
		return a.ordinal()
	case 5:
		return "COALESCE(" + a.number() + ", -1)"
	case 6:
		m := a.pick(a.measure(), "2 * "+a.measure())
		side := func() string {
			return a.pick("owner = 'acme'", "owner <> 'acme'", "jurisdiction = 'KZ'", a.condition(0))
		}
		return "SUM(" + m + ") FILTER (WHERE " + side() + ") - SUM(" + m + ") FILTER (WHERE " + side() + ")"
	}
	return a.number()
}

func (a *pgAsker) query() (q string, sorted bool) {
	var by, items []string
	for range a.n(3) {
		x, _ := a.derived()
		by = append(by, a.pick(a.dimension().Name, a.dimension().Name, "owner", x))
	}
	items = append(items, by...)
	for range 1 + a.n(2) {
		items = append(items, a.output())
	}
	q = "SELECT " + strings.Join(items, ", ") + " FROM trade"
	if a.n(2) == 0 {
		q += " WHERE " + a.condition(a.n(3))
	}
	if len(by) > 0 {
		q += " GROUP BY " + strings.Join(by, ", ")
		if a.n(3) == 0 {
			q += " HAVING " + a.pick("COUNT(*) > 1", a.exact()+" > 0", "NOT "+a.exact()+" BETWEEN -3 AND 10", "CASE WHEN COUNT(*) > 2 THEN 1 ELSE 0 END = 1")
		}
		if a.n(2) == 0 {
			var keys []string
			for i := range by {
				keys = append(keys, fmt.Sprint(i+1)+a.pick("", " DESC", " NULLS FIRST", " DESC NULLS LAST"))
			}
			return q + " ORDER BY " + strings.Join(keys, ", ") + a.pick("", " LIMIT 3", " OFFSET 1"), true
		}
	}
	return q, false
}
