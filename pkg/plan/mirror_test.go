package plan

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/plain"
	"github.com/carnet-network/carnet/pkg/schema"
)

// twoBenches are two products with their plaintext.
type twoBenches [2]*bench

// newTwo makes the product bolt/mirror of the second bench, with keys and files of its own.
func newTwo(first, second *bench) twoBenches {
	second.product.ID = "bolt/mirror"
	files := map[carnet.Nonce]*schema.Builder{}
	for i := range second.product.Datasets {
		d := &second.product.Datasets[i]
		d.Hash, d.Manifest.Key, d.Manifest.ID = sha256.Sum256(d.Hash[:]), sha256.Sum256(d.Manifest.Key[:]), "mirror-"+d.Manifest.ID
		for j := range d.Manifest.Files {
			f := &d.Manifest.Files[j]
			other := carnet.Nonce(sha256.Sum256(f.Nonce[:]))
			files[other] = second.files[f.Nonce]
			f.Nonce = other
		}
	}
	second.files = files
	return twoBenches{first, second}
}

func (b twoBenches) Values(id he.BlockID) ([]uint64, error) {
	if _, ok := b[1].files[id.File]; ok {
		return b[1].Values(id)
	}
	return b[0].Values(id)
}

func (b twoBenches) compile(sql string) (*Plan, error) {
	return Compile(sql, b[0].product, b[1].product)
}

func (b twoBenches) ask(t require.TestingT, sql string) (*Result, error) {
	p, err := b.compile(sql)
	if err != nil {
		return nil, err
	}
	values := make([]int64, len(p.Openings))
	for i := range p.Openings {
		v, err := plain.Eval(p.Profile, p.Openings[i].F, b)
		require.NoError(t, err)
		values[i] = he.Centre(v, p.Profile.T())
	}
	return p.Evaluate(values)
}

// imports is a schema that shares columns with customs: what partners say of the same trade.
func imports() *schema.Schema {
	s := customs()
	s.Name = "imports"
	s.Dimensions = []schema.Dimension{s.Dimensions[2], s.Dimensions[0], s.Dimensions[3], {Name: "origin", Codes: codes("FR", "DE", "O'H", "KZ"), Nullable: true},
		{Name: "mode", Codes: codes("sea", "road")}, {Name: "day", Type: schema.DateType, Codes: codes("2024-01", "2024-02")}}
	s.Measures = []schema.Measure{
		{Name: "amount", Scale: 2, Min: "-500", Max: "60000", Nullable: true},
		{Name: "mass", Scale: 3, Min: "0", Max: "5000"},
	}
	return s
}

// arrivals are rows of imports.
func arrivals(n int) (out []owner) {
	for i, o := range declarants(n) {
		other := owner{id: o.id + "-import", jurisdiction: o.jurisdiction}
		for j, r := range o.rows {
			if r.Dims[0] == 4 && i == 0 || r.Dims[2] == 1 {
				continue // groups of one side only
			}
			v := schema.Row{Partition: r.Partition, Dims: []int{r.Dims[2], r.Dims[0], r.Dims[3], -1, j % 2, j % 2},
				Measures: []int64{r.Measures[0]/2 + int64(j), int64(j) * 1001}, Null: []bool{j%5 == 3, false}}
			if r.Dims[1] >= 0 {
				v.Dims[3] = []int{1, 0, 3, 2}[r.Dims[1]]
			}
			other.rows = append(other.rows, v)
		}
		out = append(out, other)
	}
	return out
}

func newMirror(t *testing.T, l carnet.Layout) twoBenches {
	return newTwo(newBench(t, customs(), l, false, declarants(40)), newBench(t, imports(), l, false, arrivals(40)))
}

// asMirror makes the script for table trade one for table mirror.
func asMirror(script string) string {
	return strings.NewReplacer("trade", "mirror", "t_", "m_").Replace(script)
}

// mirrors are queries over two products that PostgreSQL answers the same.
var mirrors = []string{
	`SELECT month, p.v - q.v AS gap, ROUND(p.v / NULLIF(q.v, 0), 3) AS ratio FROM (SELECT month, SUM(value) AS v FROM trade GROUP BY month) p
	 JOIN (SELECT month, SUM(amount) AS v FROM mirror GROUP BY month) q USING (month) ORDER BY month`,
	`SELECT month, p.v - q.v AS gap FROM (SELECT month, SUM(value) AS v FROM trade WHERE year = 2024 GROUP BY month) p
	 JOIN (SELECT month, SUM(amount) AS v FROM mirror WHERE year = 2024 GROUP BY month) q USING (month) ORDER BY gap DESC, month`,
	`SELECT chapter, partner, n, m, heavy FROM (SELECT origin AS partner, chapter, COUNT(*) AS m, SUM(mass) FILTER (WHERE mode = 'sea') AS heavy FROM mirror GROUP BY origin, chapter HAVING COUNT(*) > 1) q
	 JOIN (SELECT chapter, partner, COUNT(*) AS n FROM trade GROUP BY 2, 1) p USING (chapter, partner) WHERE n <> m ORDER BY chapter, partner`,
	`SELECT k, p.a - q.a FROM (SELECT (month - 1) / 3 AS k, AVG(value) AS a FROM trade GROUP BY (month - 1) / 3) p
	 JOIN (SELECT (month + 2) / 3 - 1 AS k, AVG(amount) AS a FROM mirror WHERE jurisdiction = 'DE' GROUP BY (month + 2) / 3 - 1) q USING (k) ORDER BY k`,
	`SELECT jurisdiction, p.v - q.v FROM (SELECT jurisdiction, SUM(value - weight * duty) AS v FROM trade GROUP BY jurisdiction) p
	 JOIN (SELECT jurisdiction, SUM(mass) AS v FROM mirror GROUP BY jurisdiction) q USING (jurisdiction)`,
	`SELECT p.month, q.month FROM (SELECT month FROM trade GROUP BY month) p JOIN (SELECT month FROM mirror GROUP BY month) q USING (month) WHERE p.month > 3`,
	`SELECT size, p.d + q.s, p.lag FROM (SELECT size, SUM(value) FILTER (WHERE half = 1) - SUM(value) FILTER (WHERE half = 2) AS d, MIN(month) AS lag FROM trade GROUP BY size) p
	 JOIN (SELECT size, SUM(amount) AS s FROM mirror GROUP BY size) q USING (size)`,
	`SELECT m, p.v - q.v AS change FROM (SELECT month AS m, SUM(value) AS v FROM trade GROUP BY month) p JOIN (SELECT month + 1 AS m, SUM(value) AS v FROM trade GROUP BY month + 1) q USING (m) ORDER BY 1`,
}

// groupedRows join rows, by groups.
var groupedRows = []string{
	`SELECT month, SUM(a.value) - SUM(b.amount) AS gap, COUNT(*), AVG(a.value) / AVG(b.amount) FROM trade a JOIN mirror b USING (month) GROUP BY month ORDER BY month`,
	`SELECT month, SUM(value), COUNT(amount), MIN(mode), MAX(a.partner) FROM trade AS a INNER JOIN mirror AS b USING (month) WHERE a.partner = 'DE' AND mode = 'sea' AND month < 9 GROUP BY month HAVING COUNT(*) > 2 ORDER BY SUM(value) DESC, 1 LIMIT 4`,
	`SELECT b.chapter AS c, a.month, VAR_POP(a.value), STDDEV_POP(a.value), AVG(mass), REGR_SXY(value, value), REGR_COUNT(value, value), SUM(mass) FILTER (WHERE mode = 'road' OR b.month = 2), SUM(CASE WHEN a.year = 2024 THEN value ELSE 0 END)
	 FROM trade a JOIN mirror b USING (chapter, month) GROUP BY c, 2`,
	`SELECT size, COUNT(*) FILTER (WHERE half = 1) + 0.5, CASE WHEN SUM(a.value) > SUM(b.value) THEN 'more' ELSE 'less' END FROM trade a JOIN trade b USING (size, half) GROUP BY half, size`,
	`SELECT jurisdiction, COUNT(*), SUM(1), SUM(trade.value * weight), PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY trade.month) FROM trade JOIN mirror USING (jurisdiction) WHERE 1 = 1 GROUP BY trade.jurisdiction`,
}

func TestTwoProductsAgainstPostgres(t *testing.T) {
	pg := startPostgres(t)
	whole := "ALTER TABLE trade ALTER year TYPE INTEGER USING year::int, ALTER half TYPE INTEGER USING half::int, ALTER chapter TYPE INTEGER USING chapter::int;"
	setup := pgTable(customs(), declarants(40)) + whole + asMirror(pgTable(imports(), arrivals(40))+whole) + "ALTER TABLE mirror ALTER size TYPE t_size USING size::text::t_size;"
	mirrors := slices.Concat(mirrors, groupedRows)
	want := pg.run(t, setup, mirrors)
	for _, l := range layouts {
		b := newMirror(t, l)
		for i, q := range mirrors {
			products := []*Product{b[0].product, b[1].product}
			if !strings.Contains(q, "mirror") {
				products = products[:1]
			}
			p, err := Compile(q, products...)
			if l == layouts[1] && RefusalOf(err) != nil && RefusalOf(err).Reason == "DEGREE" {
				continue
			}
			require.NoError(t, err, q)
			values := make([]int64, len(p.Openings))
			for i := range p.Openings {
				v, err := plain.Eval(p.Profile, p.Openings[i].F, b)
				require.NoError(t, err)
				values[i] = he.Centre(v, p.Profile.T())
			}
			got, err := p.Evaluate(values)
			require.NoError(t, err, q)
			require.NotEmpty(t, want[i], q)
			sameAsPostgres(t, q, want[i], got, strings.Contains(q, "ORDER BY") && !strings.Contains(q, "WITHIN"))
		}
	}
}

// Every random join of two products that is accepted has the answer that PostgreSQL gives.
func TestRandomJoinsAgainstPostgres(t *testing.T) {
	pg := startPostgres(t)
	stats := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		var schemas [2]*schema.Schema
		var owners [2][]owner
		for i := range schemas {
			schemas[i] = drawPgSchema(t)
			require.NoError(t, schemas[i].Validate())
			owners[i] = drawOwners(t, schemas[i])
			for j := range owners[i] {
				for k := range owners[i][j].rows {
					computeM3(schemas[i], &owners[i][j].rows[k])
				}
			}
		}
		keys := []string{"jurisdiction", "owner"}
		for _, d := range schemas[0].Dimensions {
			if schemas[1].Dimension(d.Name) >= 0 && d.Name != "lst" {
				keys = append(keys, d.Name, d.Name, d.Name)
			}
		}
		tiny := rapid.Bool().Draw(t, "tiny")
		var queries []string
		for i := range 8 {
			if i%2 == 0 {
				queries = append(queries, drawJoin(t, schemas, keys))
			} else {
				queries = append(queries, drawRowJoin(t, schemas, keys))
			}
		}
		want := pg.run(t, pgTable(schemas[0], owners[0])+asMirror(pgTable(schemas[1], owners[1])), queries)
		for _, l := range layouts {
			b := newTwo(newBench(t, schemas[0], l, tiny, owners[0]), newBench(t, schemas[1], l, tiny, owners[1]))
			for i, q := range queries {
				got, err := b.ask(t, q)
				if err != nil {
					r := RefusalOf(err)
					require.NotNil(t, r, "%s: %v", q, err)
					require.NotEmpty(t, r.Remedy, err.Error())
					stats[string(l)+" "+r.Reason]++
					require.Contains(t, []string{"NOT_STORED", "DEGREE", "OVERFLOW", "DIVISION_BY_ZERO", "TOO_COMPLEX"}, r.Reason, "%s: %v", q, err)
					continue
				}
				require.False(t, len(want[i]) == 1 && strings.HasPrefix(want[i][0][0], "ERROR"), "%s\nPostgreSQL: %v", q, want[i])
				stats[string(l)]++
				sameAsPostgres(t, q, want[i], got, false)
			}
		}
	})
	t.Log(stats)
}

// drawJoin draws a join of trade and mirror by some of the keys.
func drawJoin(t *rapid.T, schemas [2]*schema.Schema, keys []string) string {
	by := slices.Compact(slices.Sorted(slices.Values([]string{rapid.SampledFrom(keys).Draw(t, "key"), rapid.SampledFrom(keys).Draw(t, "key")})))
	var sides [2]string
	measure := rapid.SampledFrom([]string{"m0", "m1", "m2"}).Draw(t, "measure")
	for i, table := range []string{"trade", "mirror"} {
		a := &pgAsker{t, schemas[i]}
		order := rapid.Permutation(by).Draw(t, "order")
		sum := a.pick("SUM("+measure+")", "SUM("+measure+") FILTER (WHERE "+a.condition(1)+")", "SUM("+a.measure()+")")
		q := fmt.Sprintf("SELECT %s, %s AS x, %s AS y FROM %s", strings.Join(by, ", "), sum, a.exact(), table)
		if a.n(2) == 0 {
			q += " WHERE " + a.condition(a.n(3))
		}
		q += " GROUP BY " + strings.Join(order, ", ")
		if a.n(4) == 0 {
			q += " HAVING " + a.pick("COUNT(*) > 1", a.exact()+" > 0")
		}
		sides[i] = "(" + q + ") AS " + []string{"p", "q"}[i]
	}
	a := &pgAsker{t, schemas[0]}
	outputs := a.pick("p.x - q.x, p.y, q.y", "p.x - q.x AS d, p.y + q.y", "q.x - p.x, q.y - p.y", "p.x, q.x, p.y - q.y, p.y / NULLIF(q.y, 0)", "COALESCE(p.x - q.x, -1), p.x * q.y, p.y")
	q := fmt.Sprintf("SELECT %s, %s FROM %s JOIN %s USING (%s)", strings.Join(by, ", "), outputs, sides[0], sides[1], strings.Join(by, ", "))
	for _, c := range []string{"p.x", "q.x", "p.y", "q.y"} {
		if !strings.Contains(outputs, c) {
			q += map[bool]string{true: " WHERE ", false: " AND "}[!strings.Contains(q[strings.Index(q, "USING"):], "WHERE")] + c + " IS NOT NULL"
		}
	}
	return q
}

// drawRowJoin draws a join of the rows of trade and mirror, grouped by what it is joined by.
func drawRowJoin(t *rapid.T, schemas [2]*schema.Schema, keys []string) string {
	by := slices.Compact(slices.Sorted(slices.Values([]string{rapid.SampledFrom(keys).Draw(t, "key"), rapid.SampledFrom(keys).Draw(t, "key")})))
	var sides [2]*pgAsker
	// qualified says which side the columns of an expression are of.
	qualified := func(i int, text string) string {
		for _, m := range []string{"m0", "m1", "m2", "m3", "jurisdiction", "owner", "num", "txt", "lst", "dat", "dec", "mon"} {
			text = wordsOf(m).ReplaceAllString(text, []string{"a.", "b."}[i]+m)
		}
		return text
	}
	aggregate := func() string {
		i := rapid.IntRange(0, 1).Draw(t, "side")
		a := sides[i]
		m := a.measure()
		x := a.pick("SUM("+m+")", "COUNT("+m+")", "COUNT(*)", "AVG("+m+")", "SUM("+a.polynomial(1)+")", "VAR_POP("+m+")", "REGR_COUNT(m0, m1)")
		if a.n(3) == 0 {
			x += " FILTER (WHERE " + a.condition(1) + ")"
		}
		return qualified(i, x)
	}
	for i := range sides {
		sides[i] = &pgAsker{t, schemas[i]}
	}
	items := slices.Clone(by)
	for range 1 + sides[0].n(3) {
		items = append(items, aggregate()+sides[0].pick("", "", " - "+aggregate(), " + 1", " / 2.0"))
	}
	q := "SELECT " + strings.Join(items, ", ") + " FROM trade a JOIN mirror b USING (" + strings.Join(by, ", ") + ")"
	var where []string
	for i := range sides {
		if sides[i].n(2) == 0 {
			where = append(where, qualified(i, sides[i].condition(1)))
		}
	}
	if len(where) > 0 {
		q += " WHERE " + strings.Join(where, " AND ")
	}
	q += " GROUP BY " + strings.Join(rapid.Permutation(by).Draw(t, "order"), ", ")
	if sides[0].n(3) == 0 {
		q += " HAVING " + aggregate() + " > 1"
	}
	return q
}

// wordsOf finds a name that is not qualified, and no part of another.
func wordsOf(name string) *regexp.Regexp { return regexp.MustCompile(`\b` + name + `\b`) }

// What can't be joined is refused at its place, with what differs.
func TestTwoProductsRefused(t *testing.T) {
	b := newMirror(t, layouts[0])
	join := func(p, q, using string) string {
		return "SELECT x FROM (SELECT " + p + ", COUNT(*) AS x FROM trade GROUP BY 1) p JOIN (SELECT " + q + " FROM mirror GROUP BY 1) q USING (" + using + ")"
	}
	rows := func(items, rest string) string {
		return "SELECT " + items + " FROM trade a JOIN mirror b USING (month) " + rest
	}
	for _, c := range []struct{ sql, reason, near, says string }{
		{join("day", "day", "day"), "UNSUPPORTED", "day", "one holds a date for each day, one for each month"},
		{join("month", "chapter AS month", "month"), "UNSUPPORTED", "month", "month is month of p and chapter of q: one is a number, one is a code of chapter"},
		{join("partner", "mode AS partner", "partner"), "UNSUPPORTED", "partner", "only one has the code DE"},
		{join("month", "month / 2.0 AS month", "month"), "UNSUPPORTED", "month", "one is a whole number, one is not"},
		{join("size", "mode AS size", "size"), "UNSUPPORTED", "size", "only one has the code small"},
		{"SELECT COUNT(*) FROM trade", "UNKNOWN_PRODUCT", "trade", "was sent to product bolt/mirror, and does not name it"},
		{"SELECT COUNT(*) FROM other", "UNKNOWN_PRODUCT", "other", "was sent to products acme/trade, bolt/mirror"},
		{rows("month, SUM(value)", "GROUP BY month HAVING mode = 'sea'"), "NOT_GROUPED", "mode", "neither aggregated nor in GROUP BY"},
		{rows("month, VARIANCE(value)", "GROUP BY month"), "UNSUPPORTED", "VARIANCE", "depends on how often each row is joined"},
		{rows("month, COUNT(*)", "WHERE a.partner = 'DE' OR mode = 'sea' GROUP BY month"), "UNSUPPORTED", "OR", "about rows of both sides at once"},
		{rows("month, COUNT(chapter)", "GROUP BY month"), "UNKNOWN_COLUMN", "chapter", "both a and b have a column chapter"},
		{rows("month, COUNT(valu)", "GROUP BY month"), "UNKNOWN_COLUMN", "valu", "the join has no column valu"},
		{rows("month, COUNT(*)", "WHERE a.partner = PRIVATE($1) GROUP BY month"), "PRIVATE_COMMITTEE", "=", "keyholders"},
		{"SELECT month, COUNT(*) FROM trade JOIN trade USING (month) GROUP BY month", "UNKNOWN_COLUMN", "trade", "both sides of the join are called trade"},
		{"SELECT mode, COUNT(*) FROM trade JOIN mirror USING (mode) GROUP BY mode", "UNKNOWN_COLUMN", "mode", "trade has no column mode"},
		{rows("SUM(value)", ""), "UNSUPPORTED", "JOIN", "in no order that another owner's could be joined by"},
		{rows("month, SUM(value * amount)", "GROUP BY month"), "UNSUPPORTED", "JOIN", "in no order that another owner's could be joined by"},
	} {
		_, err := b.compile(c.sql)
		r := RefusalOf(err)
		require.NotNil(t, r, "%s: %v", c.sql, err)
		require.Equal(t, c.reason, r.Reason, "%s: %v", c.sql, err)
		require.Equal(t, c.near, r.Near, err.Error())
		require.Contains(t, r.Msg, c.says)
		require.NotEmpty(t, r.Remedy)
	}
	wide := newTwo(newBench(t, customs(), layouts[0], false, declarants(9)), newBench(t, imports(), layouts[1], false, arrivals(9)))
	_, err := wide.compile(mirrors[0])
	require.Equal(t, "MIXED_PROFILES", RefusalOf(err).Reason)
	require.Equal(t, "mirror", RefusalOf(err).Near)
	_, err = Compile(mirrors[0], b[0].product, b[0].product)
	require.ErrorContains(t, err, "acme/trade is given twice")
}

// A difference of two products is one number; with a dataset that is in both it is two.
func TestDifferenceOfTwoProducts(t *testing.T) {
	b := newMirror(t, layouts[0])
	differences := func(p *Plan) (n int) {
		for _, o := range p.Openings {
			if o.Less != nil {
				n++
				require.Equal(t, [2]int{3, 3}, o.Sides)
				require.Len(t, o.Owners, 6)
			}
		}
		return n
	}
	p, err := b.compile(mirrors[1])
	require.NoError(t, err)
	require.Equal(t, 12, differences(p))
	require.Equal(t, []Source{
		{Product: "acme/trade", Alias: "p", Layout: layouts[0], Encoding: b[0].product.Encoding, Datasets: p.Sources[0].Datasets, Aggregates: []string{"sum"}, GroupBy: []string{"month"}, Filters: []string{"year"}},
		{Product: "bolt/mirror", Alias: "q", Layout: layouts[0], Encoding: b[1].product.Encoding, Datasets: p.Sources[1].Datasets, Aggregates: []string{"sum"}, GroupBy: []string{"month"}, Filters: []string{"year"}},
	}, p.Sources)
	require.Len(t, p.Datasets, 6)
	require.Contains(t, p.Describe(), "  p: value, less q: amount: 1 number per group, each a sum of cells")

	// The same schema and files under another name: nothing is taken from itself.
	same := *b[0].product
	same.ID = "acme/again"
	p, err = Compile(strings.ReplaceAll(strings.ReplaceAll(mirrors[1], "mirror", "again"), "amount", "value"), b[0].product, &same)
	require.NoError(t, err)
	require.Len(t, p.Datasets, 3)
	require.EqualValues(t, 3, len(p.Sources[1].Datasets))
	for _, o := range p.Openings {
		require.Nil(t, o.Less)
	}
}
