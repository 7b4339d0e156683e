package carnettest

import (
	"fmt"
	"testing"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// tradeYAML is a small schema that both layouts can carry.
const tradeYAML = `
name: trade
version: 1
dimensions:
  - name: chapter
    codes: [{value: "01"}, {value: "02"}, {value: "84"}]
  - name: month
    codes: [{value: "01"}, {value: "02"}]
measures:
  - {name: value, scale: 2, min: "-1000000.00", max: "1000000.00", squares: true}
  - {name: weight, min: "0", max: "100000", nullable: true}
limits: {rows: 100000, datasets: 4}
layouts: [cube, records]
`

// trade is an owner's CSV of a few rows, different for every i.
func trade(i int) string {
	text := "chapter,month,value,weight\n"
	for r := range 12 {
		weight := fmt.Sprint(100*i + r)
		if r%5 == 0 {
			weight = ""
		}
		text += fmt.Sprintf("%s,%s,%d.%02d,%s\n", []string{"01", "02", "84"}[r%3], []string{"01", "02"}[r%2], 1000*(i+1)*(r-3), r, weight)
	}
	return text
}

// publishTrade publishes everybody's table in a layout and puts them together under
// the layout's name.
func publishTrade(t *testing.T, n *Network, layout carnet.Layout, change ...func(i int, p *Publication)) (sets []*Dataset) {
	t.Helper()
	s := ParseSchema(t, tradeYAML)
	for i, o := range n.Owners {
		p := Publication{Owner: o.ID, Name: string(layout), Schema: s, Layout: layout, CSV: trade(i)}
		for _, c := range change {
			c(i, &p)
		}
		sets = append(sets, n.Publish(t, p))
	}
	n.Product(t, carnet.ProductID(layout), sets...)
	return sets
}

// Queries of degree 1 and 2, each with the product it is asked of.
var (
	linearQuery  = "SELECT chapter, COUNT(*), SUM(value), AVG(weight) FROM cube GROUP BY chapter ORDER BY chapter"
	productQuery = "SELECT chapter, COUNT(*), SUM(value) FROM records GROUP BY chapter ORDER BY chapter"
)

var layoutQueries = map[carnet.Layout]string{carnet.LayoutCube: linearQuery, carnet.LayoutRecords: productQuery}
