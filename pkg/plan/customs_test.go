package plan

import (
	"fmt"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/schema"
)

func codes(values ...string) []schema.Code {
	var out []schema.Code
	for _, v := range values {
		out = append(out, schema.Code{Value: v})
	}
	return out
}

func months() []schema.Code {
	var out []schema.Code
	for m := range 12 {
		out = append(out, schema.Code{Value: fmt.Sprintf("%d", m+1)})
	}
	return out
}

// customs is the schema that hand-written tests and the documentation's examples
// use.
func customs() *schema.Schema {
	return &schema.Schema{
		Name: "customs", Version: 1,
		Dimensions: []schema.Dimension{
			{Name: "month", Codes: months()},
			{Name: "partner", Codes: codes("DE", "FR", "KZ", "O'H"), Nullable: true},
			{Name: "chapter", Codes: codes("01", "02", "10", "97")},
			{Name: "size", Codes: codes("small", "medium", "large"), Ordered: true, Nullable: true},
			{Name: "day", Type: schema.DateType, Codes: codes("2024-01-01", "2024-01-31", "2024-02-29", "2024-12-31")},
		},
		Measures: []schema.Measure{
			{Name: "value", Scale: 2, Min: "-1000", Max: "100000", Squares: true, Products: []string{"weight"}},
			{Name: "weight", Min: "0", Max: "5000", Nullable: true},
			{Name: "duty", Scale: 2, Min: "0", Max: "100", Nullable: true},
			{Name: "net", Formula: "value - weight * duty", Scale: 2, Min: "-501000.00", Max: "100000.00", Nullable: true},
		},
		Partitions: []schema.Partition{{Name: "year"}, {Name: "half", Values: []string{"1", "2"}}},
		Limits:     schema.Limits{Rows: 5000, Datasets: 4},
		Layouts:    []carnet.Layout{carnet.LayoutCube, carnet.LayoutRecords},
	}
}

// encodedCustoms is the same for products of four columns, with every encoding.
func encodedCustoms() *schema.Schema {
	s := customs()
	s.Dimensions[0].Encoding, s.Dimensions[3].Encoding = schema.TwoDigit, schema.Cumulative
	s.Combine = []schema.Combination{{Dimensions: []string{"partner", "chapter"}, Encoding: schema.Cumulative}}
	return s
}

// declarations makes rows from a simple sequence: deterministic, with NULLs, ties
// and both signs.
func declarations(n, seed int) []schema.Row {
	var rows []schema.Row
	x := uint64(seed)*2654435761 + 12345
	next := func(n int) int {
		x = x*6364136223846793005 + 1442695040888963407
		return int(x>>33) % n
	}
	for range n {
		r := schema.Row{
			Partition: []string{fmt.Sprint(2023 + next(2)), fmt.Sprint(1 + next(2))},
			Dims:      []int{next(12), next(5) - 1, next(4), next(4) - 1},
			Measures:  []int64{int64(next(500_000)) - 1000, int64(next(5000)), int64(next(10_000))},
			Null:      []bool{false, next(4) == 0, next(3) == 0},
		}
		r.Dims = append(r.Dims, len(rows)%4)
		r.Measures, r.Null = append(r.Measures, r.Measures[0]-r.Measures[1]*r.Measures[2]), append(r.Null, r.Null[1] || r.Null[2])
		rows = append(rows, r)
	}
	return rows
}

func declarants(n int) []owner {
	return []owner{
		{"acme", "DE", declarations(n, 1)},
		{"bolt", "KZ", declarations(n/2, 2)},
		{"corp", "KZ", declarations(n/3, 3)},
	}
}
