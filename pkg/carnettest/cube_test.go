package carnettest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
)

const salesYAML = `
name: sales
version: 1
dimensions:
  - name: month
    codes: [{value: "01"}, {value: "02"}, {value: "03"}]
  - name: region
    nullable: true
    codes: [{value: N}, {value: S}]
measures:
  - {name: x, min: "-1000000", max: "1000000", squares: true, products: [y]}
  - {name: y, scale: 2, min: "-100.00", max: "100.00", nullable: true, squares: true}
limits: {rows: 100000, datasets: 4}
layouts: [cube]
`

// Cubes hold signed values, how many are NULL, sums of squares and of products, as
// further columns. Every aggregate over them is what plain sums of the rows give, the
// first time, when cells are set up, and later, when they are kept.
func TestCubeAggregates(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{})
	s := ParseSchema(t, salesYAML)
	type sums struct{ rows, x, xx, known, y, yy, xy, regions int64 }
	byMonth := map[string]*sums{}
	var sets []*Dataset
	for i, o := range n.Owners {
		text := "month,region,x,y\n"
		for r := range 40 {
			month := []string{"01", "02", "03"}[(r+i)%3]
			region := []string{"N", "S", ""}[r%3]
			x, y := int64(r*r*37*(1-2*(r%2))), int64((r-20)*111*(i+1))%10000
			value := fmt.Sprintf("%d.%02d", y/100, max(y%100, -y%100))
			if y < 0 && y > -100 {
				value = "-" + value
			}
			if r%7 == 0 {
				value = ""
			}
			text += fmt.Sprintf("%s,%s,%d,%s\n", month, region, x, value)
			m := byMonth[month]
			if m == nil {
				m = &sums{}
				byMonth[month] = m
			}
			m.rows, m.x, m.xx = m.rows+1, m.x+x, m.xx+x*x
			if region != "" {
				m.regions++
			}
			if value != "" {
				m.known, m.y, m.yy, m.xy = m.known+1, m.y+y, m.yy+y*y, m.xy+x*y
			}
		}
		sets = append(sets, n.Publish(t, Publication{Owner: o.ID, Name: "sales", Schema: s, CSV: text}))
	}
	n.Product(t, "sales", sets...)
	decimal := func(v int64, digits int64) string { // as a numeric of that scale prints
		sign := ""
		if v < 0 {
			sign, v = "-", -v
		}
		return fmt.Sprintf("%s%d.%0*d", sign, v/digits, len(fmt.Sprint(digits))-1, v%digits)
	}
	sql := "SELECT month, COUNT(*), COUNT(y), COUNT(region), SUM(x), SUM(y), SUM(x*x), SUM(x*y), SUM(y*y) FROM sales GROUP BY month ORDER BY month"
	for range 2 {
		a := n.Ask(t, "buyer", "sales", sql)
		rows := Rows(a.Result)
		require.Len(t, rows, 3)
		for _, row := range rows {
			m := byMonth[row[0]]
			require.Equal(t, []string{fmt.Sprint(m.rows), fmt.Sprint(m.known), fmt.Sprint(m.regions), fmt.Sprint(m.x), decimal(m.y, 100),
				fmt.Sprint(m.xx), decimal(m.xy, 100), decimal(m.yy, 10000)}, row[1:])
		}
		require.False(t, a.Unattested)
	}
	// Variances and averages are computed from the same openings; filters overlap them.
	for _, sql := range []string{
		"SELECT month, VAR_SAMP(x), STDDEV_POP(y), AVG(y) FROM sales WHERE region = 'N' OR region IS NULL GROUP BY month",
		"SELECT region, VAR_POP(y), COUNT(y) FROM sales WHERE month <> '02' GROUP BY region",
		"SELECT SUM(x), AVG(x*y) FROM sales",
	} {
		asked := n.Submit(t, "buyer", "sales", sql)
		got, err := n.Open(t, asked)
		require.NoError(t, err)
		require.Equal(t, Rows(Twin(t, asked.Plan, PlainOf(sets...))), Rows(got.Result), sql)
	}
	e, err := n.Client(t, "buyer").Assess(Context(t), "sales", sql, Purpose)
	require.NoError(t, err)
	require.Empty(t, e.Refusals)
	require.NotNil(t, e.Estimate)
	require.Positive(t, e.Estimate.Total)
	require.Equal(t, carnet.LayoutCube, sets[0].Manifest.Layout)
}
