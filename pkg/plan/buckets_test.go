package plan

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/schema"
)

// Order statistics of buckets tell between which values those of the measure are, and
// conditions on where they begin are conditions on the measure.
func TestBucketsOfAMeasure(t *testing.T) {
	s := &schema.Schema{
		Name: "invoices", Version: 1, Limits: schema.Limits{Rows: 100, Datasets: 1},
		Layouts:    []carnet.Layout{carnet.LayoutCube, carnet.LayoutRecords},
		Dimensions: []schema.Dimension{{Name: "price_from", Buckets: "price", Codes: codes("0", "10", "20", "50", "80.5")}},
		Measures:   []schema.Measure{{Name: "price", Scale: 1, Min: "0", Max: "100"}},
	}
	require.NoError(t, s.Validate())
	starts := []int64{0, 100, 200, 500, 805}
	var rows []schema.Row
	var prices []int64
	for i := range 41 {
		price := int64(i*i*7%700 + 105)
		at := 0
		for at+1 < len(starts) && starts[at+1] <= price {
			at++
		}
		rows, prices = append(rows, schema.Row{Dims: []int{at}, Measures: []int64{price}, Null: []bool{false}}), append(prices, price)
	}
	slices.Sort(prices)
	bucket := func(v int64) string {
		at, found := slices.BinarySearch(starts, v)
		if !found {
			at--
		}
		return s.Dimensions[0].Codes[at].Value
	}
	above := 0
	for _, v := range prices {
		if v >= 500 {
			above++
		}
	}
	for _, l := range layouts {
		b := newBench(t, s, l, false, []owner{{"acme", "DE", rows}})
		require.Equal(t, fmt.Sprintf("lo,hi,median,above\n%s,%s,%s,%d\n", bucket(prices[0]), bucket(prices[40]), bucket(prices[20]), above),
			b.table(t, `SELECT CAST(MIN(price_from) AS INTEGER) AS lo, CAST(MAX(price_from) AS INTEGER) AS hi,
				CAST(PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY price_from) AS INTEGER) AS median,
				COUNT(*) FILTER (WHERE price_from >= 50) AS above FROM trade`))
		for _, q := range []string{"SELECT MAX(price) FROM trade", "SELECT COUNT(*) FROM trade WHERE price > 3"} {
			_, err := Compile(q, b.product)
			require.Contains(t, RefusalOf(err).Remedy, "price_from, where the buckets of price begin")
		}
	}
}
