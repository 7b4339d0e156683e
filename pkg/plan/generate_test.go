package plan

import (
	"fmt"

	"pgregory.net/rapid"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/schema"
)

// drawSchema draws a small schema with every kind of column.
func drawSchema(t *rapid.T) *schema.Schema {
	s := &schema.Schema{Name: "random", Version: 1, Limits: schema.Limits{Rows: 200, Datasets: 3}, Layouts: []carnet.Layout{carnet.LayoutCube, carnet.LayoutRecords}}
	lists := [][]string{
		{"3", "1", "2", "10"}, {"-1", "0", "1"}, // integers
		{"01", "2", "10"}, {"b", "a", "B", "aa"}, {"x"}, {"lo", "hi", "mid"}, {"1", "2", "3", "4", "5", "6", "7"}, // padded, text, single, list order
	}
	for i := range rapid.IntRange(1, 3).Draw(t, "dimensions") {
		s.Dimensions = append(s.Dimensions, schema.Dimension{
			Name:     fmt.Sprintf("d%d", i),
			Codes:    codes(rapid.SampledFrom(lists).Draw(t, "codes")...),
			Ordered:  rapid.Bool().Draw(t, "ordered"),
			Nullable: rapid.Bool().Draw(t, "nullable"),
		})
	}
	if rapid.Bool().Draw(t, "encoded") {
		drawEncodings(t, s)
	}
	for i := range rapid.IntRange(1, 2).Draw(t, "measures") {
		most := rapid.SampledFrom([]string{"500", "3000"}).Draw(t, "most") // the latter takes two digits in tiny rings
		m := schema.Measure{Name: fmt.Sprintf("m%d", i), Min: "-" + most, Max: most, Nullable: rapid.Bool().Draw(t, "null"), Squares: rapid.Bool().Draw(t, "squares")}
		if i == 1 && rapid.Bool().Draw(t, "products") {
			m.Products = []string{"m0"}
		}
		s.Measures = append(s.Measures, m)
	}
	if rapid.Bool().Draw(t, "partitioned") {
		s.Partitions = []schema.Partition{{Name: "year"}}
		if rapid.Bool().Draw(t, "listed") {
			s.Partitions[0].Values = []string{"2023", "2024", "999"}
		}
	}
	return s
}

// drawOwners draws one to three datasets of a few rows, sometimes none.
func drawOwners(t *rapid.T, s *schema.Schema) []owner {
	var owners []owner
	for i := range rapid.IntRange(1, 3).Draw(t, "owners") {
		o := owner{carnet.PartyID([]string{"acme", "bolt", "corp"}[i]), carnet.Jurisdiction([]string{"DE", "KZ", "KZ"}[i]), nil}
		for range rapid.SampledFrom([]int{0, 1, 3, 10, 15, 16, 17, 40}).Draw(t, "rows") {
			r := schema.Row{Measures: make([]int64, len(s.Measures)), Null: make([]bool, len(s.Measures))}
			for range s.Partitions {
				r.Partition = append(r.Partition, rapid.SampledFrom([]string{"2023", "2024"}).Draw(t, "year"))
			}
			for _, d := range s.Dimensions {
				low := 0
				if d.Nullable {
					low = -1
				}
				r.Dims = append(r.Dims, rapid.IntRange(low, len(d.Codes)-1).Draw(t, "code"))
			}
			for j, m := range s.Measures {
				r.Measures[j] = rapid.Int64Range(-500, 500).Draw(t, "value")
				r.Null[j] = m.Nullable && rapid.IntRange(0, 3).Draw(t, "isnull") == 0
			}
			o.rows = append(o.rows, r)
		}
		owners = append(owners, o)
	}
	return owners
}
