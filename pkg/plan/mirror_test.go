package plan

import (
	"crypto/sha256"
	"fmt"
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

func TestTwoProductsAgainstPostgres(t *testing.T) {
	pg := startPostgres(t)
	whole := "ALTER TABLE trade ALTER year TYPE INTEGER USING year::int, ALTER half TYPE INTEGER USING half::int, ALTER chapter TYPE INTEGER USING chapter::int;"
	setup := pgTable(customs(), declarants(40)) + whole + asMirror(pgTable(imports(), arrivals(40))+whole) + "ALTER TABLE mirror ALTER size TYPE t_size USING size::text::t_size;"
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
			sameAsPostgres(t, q, want[i], got, strings.Contains(q, "ORDER BY"))
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
		for range 6 {
			queries = append(queries, drawJoin(t, schemas, keys))
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
