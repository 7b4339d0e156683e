package carnettest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
)

const parcelsYAML = `
name: parcels
version: 1
dimensions:
  - {name: day, type: date, codes: ["2023-12-31", "2024-01-01", "2024-02-29"]}
  - {name: class, codes: [1, 2, 3], nullable: true}
measures:
  - {name: value, min: 0, max: 1000, squares: true}
  - {name: rate, scale: 2, min: 0, max: 1}
  - {name: due, formula: value * (1 + rate)}
limits: {rows: 1000, datasets: 3}
layouts: [cube]
`

// Rule: what the SQL subset puts together from released numbers is exactly the answer
// over all owners' rows; a difference of two owners' sums is opened as one number.
func TestSQLSubset(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{})
	ref := newTruth(t)
	ref.exec(t, "CREATE TABLE parcels (owner TEXT, day TEXT, class INTEGER, value INTEGER, rate INTEGER)")
	s := ParseSchema(t, parcelsYAML)
	var sets []*Dataset
	for i, o := range n.Owners {
		text := "day,class,value,rate\n"
		for r := range 120 {
			x := i*1000 + r
			day, class := []string{"2023-12-31", "2024-01-01", "2024-02-29"}[x*5%3], []any{1, 2, 3, nil}[x*7%4]
			value, rate := x*37%1001, x*13%101
			ref.exec(t, "INSERT INTO parcels VALUES (?, ?, ?, ?, ?)", string(o.ID), day, class, value, rate)
			if class == nil {
				class = ""
			}
			text += fmt.Sprintf("%s,%v,%d,%d.%02d\n", day, class, value, rate/100, rate%100)
		}
		sets = append(sets, n.Publish(t, Publication{Owner: o.ID, Name: "parcels", Schema: s, Layout: carnet.LayoutCube, CSV: text}))
	}
	n.Product(t, "parcels", sets...)
	twin := PlainOf(sets...)
	join := func(v, from string) string {
		side := func(owner string) string {
			return "(SELECT class, SUM(value) AS v FROM " + from + " WHERE owner " + owner + " GROUP BY class)"
		}
		return "SELECT class, " + v + " FROM " + side("= 'kz'") + " AS p JOIN " + side("<> 'kz'") + " AS q USING (class) ORDER BY class"
	}
	for _, q := range []struct{ ours, truth string }{
		{join("p.v - q.v", "parcels"), join("p.v - q.v", "parcels")},
		{join("100 * p.v - q.v", "parcels"), join("100 * p.v - q.v", "parcels")},
		{"SELECT class, SUM(value * (1 + rate)) * 100 FROM parcels WHERE day >= DATE '2024-03-01' - INTERVAL '60' DAY GROUP BY class ORDER BY class",
			"SELECT class, printf('%d.00', SUM(value * (100 + rate))) FROM parcels WHERE day >= '2024-01-01' GROUP BY class ORDER BY class NULLS LAST"},
		{"SELECT EXTRACT(YEAR FROM day) AS y, COUNT(*) FILTER (WHERE class IS NULL), SUM(CASE WHEN class = 2 THEN value ELSE 0 END) FROM parcels GROUP BY EXTRACT(YEAR FROM day) ORDER BY y",
			"SELECT substr(day, 1, 4) AS y, COUNT(*) FILTER (WHERE class IS NULL), SUM(CASE WHEN class = 2 THEN value ELSE 0 END) FROM parcels GROUP BY y ORDER BY y"},
		{"SELECT MIN(class), MAX(day), PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY class), REGR_COUNT(value, value) FROM parcels",
			"SELECT MIN(class), MAX(day), (SELECT class FROM parcels WHERE class IS NOT NULL ORDER BY class LIMIT 1 OFFSET (SELECT (COUNT(class) + 1) / 2 - 1 FROM parcels)), COUNT(*) FROM parcels"},
	} {
		_, compiled, err := n.Client(t, "buyer").Explain(Context(t), "parcels", q.ours)
		require.NoError(t, err, q.ours)
		differences := 0
		for _, o := range compiled.Openings {
			if o.Less != nil {
				differences++
			}
		}
		require.Equal(t, strings.Contains(q.ours, ", p.v - q.v FROM"), differences > 0, q.ours)
		a := n.Ask(t, "buyer", "parcels", q.ours)
		require.Equal(t, ref.rows(t, q.truth), Rows(a.Result), q.ours)
		require.Equal(t, Rows(Twin(t, compiled, twin)), Rows(a.Result), q.ours)
		require.Empty(t, a.Liars)
	}
}
