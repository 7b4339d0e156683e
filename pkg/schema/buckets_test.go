package schema

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
)

const invoices = `name: invoices
version: 1
dimensions:
  - {name: price_from, buckets: price, codes: ["-5", "0", "9.50", "100"]}
  - {name: total_from, buckets: total, range: [-100, 800, 100]}
measures:
  - {name: price, scale: 2, min: -5, max: 200, outside: clip}
  - {name: days, min: 0, max: 4, nullable: true}
  - {name: total, formula: price * days}
limits: {rows: 100, datasets: 1}
layouts: [cube, records]
`

// The code of a row is the last bucket that does not begin above the stored value,
// also of values that are clipped, computed or NULL.
func TestBuckets(t *testing.T) {
	s, err := Parse("invoices.yaml", []byte(invoices))
	require.NoError(t, err)
	require.False(t, s.Dimensions[0].Nullable)
	require.True(t, s.Dimensions[1].Nullable)
	b, err := s.Bind("invoices.csv", []string{"price", "days"})
	require.NoError(t, err)
	e, err := s.Encode(carnet.LayoutCube)
	require.NoError(t, err)
	require.Contains(t, e.Explain(), "price_from: computed from each row as the bucket of price")
	table, err := e.NewBuilder(nil, 0)
	require.NoError(t, err)
	for _, c := range []struct {
		price, days, from, total string
	}{
		{"-5", "0", "-5", "0"},
		{"-0.01", "1", "-5", "-100"},
		{"0", "4", "0", "0"},
		{"9.49", "4", "0", "0"},
		{"9.50", "4", "9.50", "0"},
		{"50", "2", "9.50", "100"},
		{"99.99", "", "9.50", "NULL"},
		{"200", "4", "100", "800"},
		{"7000", "4", "100", "800"},
		{"-7000", "4", "-5", "-100"},
	} {
		var row Row
		require.NoError(t, b.Row(&Record{Fields: []string{c.price, c.days}, Line: 1}, &row))
		for i, want := range []string{c.from, c.total} {
			got := "NULL"
			if row.Dims[i] >= 0 {
				got = s.Dimensions[i].Codes[row.Dims[i]].Value
			}
			require.Equal(t, want, got, "%+v", c)
		}
		require.NoError(t, table.Add(&row))
		row.Dims[0] = (row.Dims[0] + 1) % 4
		require.Equal(t, "BAD_ROW", carnet.ReasonOf(table.Add(&row)))
	}
}

func TestBucketsAreChecked(t *testing.T) {
	for change, message := range map[string]string{
		"price, codes>prize, codes": "did you mean \"price\"",
		`"-5", "0">"0"`:             "the first bucket begins at 0, and price can be less; begin at its min, -5",
		`"9.50">"9.505"`:            "at most 2 digits after the point",
		`"9.50">"many"`:             "a number",
		`"9.50">"-1"`:               "ascending order",
		`"9.50">"0.00"`:             "ascending order",
		`"100">"200.01"`:            "above the max",
		"buckets: price,>buckets: price, source: p,":      "remove source",
		"buckets: price,>buckets: price, type: date,":     "remove type",
		"buckets: price,>buckets: price, ordered: true,":  "remove ordered",
		"buckets: price,>buckets: price, nullable: true,": "write nullable: false",
		"price * days>price * days + price_from":          "price_from is computed from price",
	} {
		from, to, _ := strings.Cut(change, ">")
		require.Contains(t, invoices, from)
		_, err := Parse("invoices.yaml", []byte(strings.Replace(invoices, from, to, 1)))
		var e *carnet.Error
		require.ErrorAs(t, err, &e, change)
		var text string
		for _, v := range e.Violations {
			text += fmt.Sprintln(v.Msg)
		}
		require.Contains(t, text, message, change)
	}
}
