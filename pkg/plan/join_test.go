package plan

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// joins are queries that PostgreSQL answers the same.
var joins = []string{
	`SELECT month, p.v - q.v AS diff, p.v / NULLIF(q.v, 0) FROM (SELECT month, SUM(value) AS v FROM trade WHERE owner = 'acme' GROUP BY month) AS p
	 JOIN (SELECT month, SUM(value) AS v FROM trade WHERE owner = 'bolt' GROUP BY month) q USING (month) ORDER BY month`,
	`SELECT partner, p.n, q.n FROM (SELECT t.partner, COUNT(*) AS n FROM trade t WHERE t.month < 6 GROUP BY t.partner) p
	 INNER JOIN (SELECT partner, COUNT(*) n FROM trade WHERE month >= 6 GROUP BY 1) q USING (partner) WHERE p.n > 1 AND q.n * 2 > p.n ORDER BY p.n DESC, partner LIMIT 3`,
	`SELECT q, partner, a, b, a + b AS both FROM (SELECT (month - 1) / 3 AS q, partner, AVG(value) AS a FROM trade WHERE year = 2023 GROUP BY q, partner HAVING COUNT(*) > 1) l
	 JOIN (SELECT partner, (month - 1) / 3 AS q, MAX(month) AS b FROM trade GROUP BY 2, partner) r USING (q, partner) ORDER BY q, partner`,
	`SELECT p.size, s, m FROM (SELECT size, SUM(value) FILTER (WHERE half = 1) AS s FROM trade GROUP BY size) p
	 JOIN (SELECT size, MIN(day) AS m FROM trade WHERE chapter = 10 GROUP BY size) q USING (size) ORDER BY size DESC`,
	`SELECT month, p.v - q.v FROM (SELECT month, SUM(value) AS v FROM trade WHERE owner = 'acme' GROUP BY month) AS p
	 JOIN (SELECT month, SUM(value) AS v FROM trade WHERE owner <> 'acme' GROUP BY month) q USING (month) WHERE p.v - q.v > 0`,
	`SELECT month, p.v - q.v FROM (SELECT month, SUM(weight) AS v FROM trade WHERE partner = 'DE' GROUP BY month) AS p
	 JOIN (SELECT month, SUM(weight) AS v FROM trade WHERE partner = 'FR' GROUP BY month) q USING (month)`,
	`SELECT owner, p.v - q.v FROM (SELECT owner, SUM(2 * weight + 1) AS v FROM trade WHERE year = 2024 GROUP BY owner) AS p
	 JOIN (SELECT owner, SUM(weight) AS v FROM trade WHERE year = 2023 GROUP BY owner) q USING (owner)`,
	`SELECT SUM(weight) FILTER (WHERE year = 2024) - SUM(weight) FILTER (WHERE year = 2023), SUM(value) FILTER (WHERE month = 1) - SUM(value) FILTER (WHERE month = 2),
	 SUM(duty) FILTER (WHERE owner = 'acme') - SUM(duty) FILTER (WHERE owner = 'nobody') FROM trade`,
	`SELECT month FROM (SELECT month FROM trade WHERE year = 2023 GROUP BY month) p JOIN (SELECT month FROM trade WHERE year = 2024 GROUP BY month) q USING (month)`,
}

func TestJoinsAgainstPostgres(t *testing.T) {
	pg := startPostgres(t)
	owners := declarants(40)
	setup := pgTable(customs(), owners) + "ALTER TABLE trade ALTER year TYPE INTEGER USING year::int, ALTER half TYPE INTEGER USING half::int, ALTER chapter TYPE INTEGER USING chapter::int;"
	want := pg.run(t, setup, joins)
	for _, l := range layouts {
		b := newBench(t, customs(), l, false, owners)
		for i, q := range joins {
			got, err := b.ask(t, q)
			if l == layouts[1] && RefusalOf(err) != nil && RefusalOf(err).Reason == "DEGREE" {
				continue
			}
			require.NoError(t, err, q)
			require.NotEmpty(t, want[i], q)
			sameAsPostgres(t, q, want[i], got, i < 4)
		}
	}
}

// What a join opens: the row counts of each side, and of a difference that is all the
// query asks of two sums one number.
func TestJoinOpenings(t *testing.T) {
	b := newBench(t, customs(), layouts[0], false, declarants(40))
	p, err := Compile(joins[0], b.product) // difference and ratio
	require.NoError(t, err)
	require.Equal(t, []string{"sum"}, p.Aggregates)
	require.Equal(t, []string{"month"}, p.GroupBy)
	require.Equal(t, []string{"owner"}, p.Filters)
	require.Len(t, p.Openings, 12*4) // count and sum of each side
	for _, o := range p.Openings {
		require.Len(t, o.Owners, 1)
		require.Nil(t, o.Less)
	}
	require.Equal(t, "joins the groups of p and q that have the same month", p.Describe()[2])
	require.Contains(t, p.Describe(), "p: selects rows where owner = 'acme'")
	require.Contains(t, p.Describe(), "  q: value: 1 number per group, each a sum of cells")

	only := `SELECT month, p.v - q.v AS diff FROM (SELECT month, SUM(value) AS v FROM trade WHERE owner = 'acme' GROUP BY month) p
		JOIN (SELECT month, SUM(value) AS v FROM trade WHERE owner <> 'acme' GROUP BY month) q USING (month)`
	p, err = Compile(only, b.product)
	require.NoError(t, err)
	require.Len(t, p.Openings, 12*3) // counts, and the difference
	require.Contains(t, p.Describe(), "  p: value, less q: value: 1 number per group, each a sum of cells")
	var differences []Opening
	for _, o := range p.Openings {
		if o.Less != nil {
			differences = append(differences, o)
			require.Equal(t, [2]int{1, 2}, o.Sides)
			require.Len(t, o.Owners, 3)
			require.Negative(t, o.Min)
			minus := 0
			for _, k := range o.F.Keys {
				for _, l := range k.Linear {
					require.Equal(t, o.Less[l.File], l.Minus)
					minus += len(l.Cells)
				}
			}
			require.Positive(t, minus)
		}
	}
	require.Len(t, differences, 12)
	// The other way round is another functional.
	p, err = Compile(strings.Replace(only, "p.v - q.v", "q.v - p.v", 1), b.product)
	require.NoError(t, err)
	for i, o := range p.Openings {
		if o.Less != nil {
			require.NotEqual(t, differences[0].Digest, p.Openings[i].Digest)
			require.Equal(t, [2]int{2, 1}, o.Sides)
		}
	}
}

// Explain says what order statistics release.
func TestOrdinalsAreDescribed(t *testing.T) {
	b := newBench(t, customs(), layouts[0], false, declarants(40))
	p, err := Compile("SELECT MAX(month), SUM(value) FILTER (WHERE half = 1) FROM trade", b.product)
	require.NoError(t, err)
	require.Equal(t, []string{"month"}, p.GroupBy)
	require.Equal(t, []string{"max", "sum"}, p.Aggregates)
	require.Contains(t, p.Describe(), "  rows of rows chosen by MAX(month): 1 number, each a sum of cells; for each of 12 sets of rows")
	require.Contains(t, p.Describe(), "  value of rows chosen by SUM(value) FILTER (WHERE half = 1): 1 number, each a sum of cells")
}
