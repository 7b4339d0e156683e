package plan

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/schema"
)

// combinations calls f for every combination of positions.
func combinations(sizes []int, f func(at []int)) {
	at := make([]int, len(sizes))
	var walk func(i int)
	walk = func(i int) {
		if i == len(sizes) {
			f(at)
			return
		}
		for at[i] = range sizes[i] {
			walk(i + 1)
		}
	}
	walk(0)
}

// contains evaluates a region at positions indexed by dimension.
func (r *region) contains(at []int) bool {
	i := 0
	for _, a := range r.axes {
		for c, codes := range a.classes {
			for _, p := range codes {
				if p == at[a.dim] {
					i = i*len(a.classes) + c
				}
			}
		}
	}
	return r.table[i]
}

// drawEncoded draws a schema of three dimensions in some encoding.
func drawEncoded(t *rapid.T) *schema.Schema {
	s := &schema.Schema{Name: "encoded", Version: 1, Limits: schema.Limits{Rows: 100, Datasets: 1}, Layouts: []carnet.Layout{carnet.LayoutRecords}}
	for d := range 3 {
		dim := schema.Dimension{Name: fmt.Sprint("d", d), Nullable: rapid.Bool().Draw(t, "nullable")}
		for c := range rapid.IntRange(1, 8).Draw(t, "codes") {
			dim.Codes = append(dim.Codes, schema.Code{Value: fmt.Sprint("c", c)})
		}
		s.Dimensions = append(s.Dimensions, dim)
	}
	drawEncodings(t, s)
	return s
}

// drawEncodings gives dimensions encodings, or combines some.
func drawEncodings(t *rapid.T, s *schema.Schema) {
	coding := func() schema.Coding {
		return rapid.SampledFrom([]schema.Coding{"", schema.Cumulative, schema.TwoDigit}).Draw(t, "encoding")
	}
	in := map[int]bool{}
	if n := len(s.Dimensions); n > 1 && rapid.IntRange(0, 2).Draw(t, "combined") == 0 {
		c := schema.Combination{Encoding: coding()}
		var order []int
		for i := range n {
			order = append(order, i)
		}
		for _, i := range rapid.Permutation(order).Draw(t, "order")[:rapid.IntRange(2, n).Draw(t, "members")] {
			in[i] = true
			c.Dimensions = append(c.Dimensions, s.Dimensions[i].Name)
		}
		s.Combine = []schema.Combination{c}
	}
	for i := range s.Dimensions {
		if !in[i] {
			s.Dimensions[i].Encoding = coding()
		}
	}
}

// columnValue is what a column of the encoding has in a row with these codes.
func columnValue(e *schema.Encoding, id uint32, at []int) int {
	c := &e.Columns[id]
	if c.Kind == schema.Digit {
		return 1 // rows
	}
	a := &e.Axes[c.Axis]
	n := 0
	for _, d := range a.Dimensions {
		n = n*e.Schema().Dimensions[d].Cardinality() + at[d]
	}
	is := false
	switch c.Test {
	case schema.Equals:
		is = n == c.Code
	case schema.AtMost:
		is = n <= c.Code
	case schema.HighIs:
		is = n/a.Radix == c.Code
	case schema.LowIs:
		is = n%a.Radix == c.Code
	}
	if is {
		return 1
	}
	return 0
}

func (s *selector) value(e *schema.Encoding, at []int) int {
	v := 1
	if s.minus {
		v = -1
	}
	for _, f := range s.factors {
		sum := 0
		for _, c := range f.Plus {
			sum += columnValue(e, c, at)
		}
		for _, c := range f.Minus {
			sum -= columnValue(e, c, at)
		}
		v *= sum
	}
	return v
}

// Whatever the encoding, the selectors of any set of rows add up to 1 in its rows and
// to 0 in others, at every degree that they are filled up to, and are canonical.
func TestSelectorsAddUpToTheRegion(t *testing.T) {
	stats := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		s := drawEncoded(t)
		b := newBench(t, s, carnet.LayoutRecords, false, []owner{{"acme", "DE", nil}})
		u, err := prepare(b.product)
		require.NoError(t, err)
		e := u.Encoding
		full := &region{}
		var sizes []int
		size := 1
		for d := range s.Dimensions {
			n := s.Dimensions[d].Cardinality()
			a := axis{dim: d}
			for c := range n {
				a.classes = append(a.classes, []int{c})
			}
			sizes, full.axes, size = append(sizes, n), append(full.axes, a), size*n
		}
		full.table = make(table, size)
		for range rapid.IntRange(1, 3).Draw(t, "boxes") { // sets as conditions describe them
			var from, to []int
			for _, n := range sizes {
				lo, hi := rapid.IntRange(0, n-1).Draw(t, "from"), rapid.IntRange(0, n-1).Draw(t, "to")
				if rapid.IntRange(0, 2).Draw(t, "any") == 0 {
					lo, hi = 0, n-1
				}
				from, to = append(from, min(lo, hi)), append(to, max(lo, hi))
			}
			i := 0
			combinations(sizes, func(at []int) {
				inside := true
				for d := range at {
					inside = inside && at[d] >= from[d] && at[d] <= to[d]
				}
				full.table[i] = full.table[i] != inside
				i++
			})
		}
		if !full.table.any() {
			full.table[0] = true
		}
		r := full.simplify()
		combinations(sizes, func(at []int) { require.Equal(t, full.contains(at), r.contains(at)) })
		sel, err := (&builder{opener: &opener{}, u: u}).selection(&rowSet{region: r})
		require.NoError(t, err)
		for _, complement := range []bool{false, true} {
			x := &expander{complement: complement, work: maxWork}
			list, ok := x.expand(sel, functional.MaxDegree)
			if !ok {
				require.True(t, x.weighty || len(sel.coords) > functional.MaxDegree)
				stats["not possible"]++
				continue
			}
			stats[fmt.Sprint("factors ", degree(list))]++
			for up := range 2 {
				filled := settle(list, degree(list)+up, 0)
				combinations(sizes, func(at []int) {
					sum, want := 0, 0
					for i := range filled {
						sum += filled[i].value(e, at)
					}
					if r.contains(at) {
						want = 1
					}
					require.Equal(t, want, sum, "%v at %v", filled, at)
				})
				if d := degree(list) + up; d > 1 && d <= functional.MaxDegree {
					k := functional.KeyTerms{Products: (&builder{opener: &opener{}, u: u}).products(&pick{file: &file{blocks: 1}}, filled, &amount{}, d)}
					f := &functional.Functional{Degree: d, Keys: []functional.KeyTerms{k}}
					f.Sort()
					require.NoError(t, f.Validate(u.n), "%v", filled)
				}
			}
		}
	})
	t.Log(stats)
}

// Three dimensions are possible where one of them decides which other one counts.
func TestSplitByDecidingDimension(t *testing.T) {
	b := newBench(t, customs(), "records", false, declarants(40))
	b.table(t, "SELECT COUNT(*) FROM trade WHERE month = 1 AND partner = 'DE' OR month = 2 AND chapter = '10'")
	require.Equal(t, "DEGREE", b.refused(t, "SELECT COUNT(*) FROM trade WHERE month = 1 AND partner = 'DE' AND chapter = '10'"))
}
