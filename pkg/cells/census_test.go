package cells

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/schema"
)

// someone is what an atom has, counted the slow way.
type someone struct {
	units map[string][2]int64 // magnitudes of value and weight
}

// atoms counts rows by file, measures that are NULL, and the groups of their codes.
func atoms(rows []schema.Row, g Grouping, byRow bool) map[string]*someone {
	out := map[string]*someone{}
	for i, r := range rows {
		key := fmt.Sprint(r.Partition, r.Null)
		for d, c := range r.Dims {
			if c < 0 {
				c = 3 // NULL of partner
			}
			group := 0
			for j, from := range g[d] {
				if from <= c {
					group = j
				}
			}
			key += fmt.Sprint(" ", group)
		}
		if out[key] == nil {
			out[key] = &someone{map[string][2]int64{}}
		}
		unit := r.Unit
		if byRow {
			unit = fmt.Sprint(i)
		}
		x := out[key].units[unit]
		x[0] += max(r.Measures[0], -r.Measures[0])
		if !r.Null[1] {
			x[1] += r.Measures[1]
		}
		out[key].units[unit] = x
	}
	return out
}

func (s *someone) fits(rule Rule) bool {
	for m := range 2 {
		var total, most int64
		for _, u := range s.units {
			total += u[m]
			most = max(most, u[m])
		}
		if rule.MaxShare > 0 && 100*most > int64(rule.MaxShare)*total {
			return false
		}
	}
	return len(s.units) >= rule.MinGroup
}

func drawRows(t *rapid.T) []schema.Row {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) schema.Row {
		return schema.Row{
			Partition: []string{rapid.SampledFrom([]string{"2023", "2024"}).Draw(t, "year")},
			Dims:      []int{rapid.IntRange(0, 5).Draw(t, "month"), rapid.IntRange(-1, 2).Draw(t, "partner"), 0},
			Measures:  []int64{rapid.Int64Range(-9, 9).Draw(t, "value"), rapid.Int64Range(0, 9).Draw(t, "weight")},
			Null:      []bool{false, rapid.Float64().Draw(t, "null") < 0.1},
			Unit:      rapid.StringOfN(rapid.RuneFrom([]rune("abcdefgh")), 1, 1, -1).Draw(t, "unit"),
		}
	}), 1, 150).Draw(t, "rows")
}

func take(s *schema.Schema, rows []schema.Row, rule Rule) *Census {
	c := NewCensus(s, rule.MaxShare > 0)
	for i := range rows {
		c.Add(&rows[i])
	}
	return c
}

// In every combination of the groups that a census finds there is nobody or enough, and
// the tables that no groups make fit are refused.
func TestCensus(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, rows := trade(), drawRows(t)
		if rapid.Bool().Draw(t, "by row") {
			s.Unit = ""
		}
		rule := Rule{MinGroup: rapid.IntRange(2, 5).Draw(t, "least"), MaxShare: rapid.SampledFrom([]int{0, 0, 50, 80, 100}).Draw(t, "share")}
		order := rapid.Permutation([]int{0, 1, 2}).Draw(t, "order")
		c := take(s, rows, rule)
		g, loss, err := c.Groups(rule, order, nil)
		whole := true
		for _, a := range atoms(rows, NewGrouping(nil, s), s.Unit == "") {
			whole = whole && a.fits(rule)
		}
		if !whole {
			require.Equal(t, "GROUP_TOO_SMALL", carnet.ReasonOf(err))
			return
		}
		require.NoError(t, err)
		for key, a := range atoms(rows, g, s.Unit == "") {
			require.True(t, a.fits(rule), key)
		}
		require.Equal(t, len(rows), c.Rows())
		require.LessOrEqual(t, loss.Alone, loss.Cells)
		require.LessOrEqual(t, loss.Groups, loss.Cells)
		require.NoError(t, Check(manifest(g.Groups(s, 2)), s))
		again, _, err := take(s, rows, rule).Groups(rule, order, nil)
		require.NoError(t, err)
		require.Equal(t, g, again)

		// Groups of a later part of the dataset are unions of those before.
		more := drawRows(t)
		if h, _, err := take(s, more, rule).Groups(rule, order, g); err == nil {
			for d := range h {
				require.Subset(t, g[d], h[d])
			}
			for key, a := range atoms(more, h, s.Unit == "") {
				require.True(t, a.fits(rule), key)
			}
		}
	})
}

// What is large enough is not merged.
func TestCensusKeepsWhatIsLarge(t *testing.T) {
	s := trade()
	var rows []schema.Row
	for month, n := range []int{5, 1, 0, 4, 3, 2} {
		for i := range n {
			rows = append(rows, schema.Row{Partition: []string{"2023"}, Dims: []int{month, i % 2, 0}, Measures: []int64{int64(1 + i), 1}, Null: make([]bool, 2), Unit: fmt.Sprint(i)})
		}
	}
	g, loss, err := take(s, rows, Rule{MinGroup: 3}).Groups(Rule{MinGroup: 3}, []int{0, 1, 2}, nil)
	require.NoError(t, err)
	// Month 1 by itself; 2 and 3 with 4, which ends them; 6 is too small and joins 5.
	// Partners are too few in month 1 to be told apart; codes without anybody stay by themselves.
	require.Equal(t, Grouping{{0, 1, 4}, {0, 2, 3}, {0}}, g)
	require.Equal(t, &Loss{Dimensions: []DimensionLoss{{"month", 6, 3}, {"partner", 4, 3}, {"mode", 1, 1}}, Cells: 9, Alone: 0, Groups: 3}, loss)

	// Dimensions that the terms name are kept first; others that they leave out, not at all.
	require.Equal(t, []int{1, 0, 2}, Order(&carnet.Terms{GroupBy: []string{"partner"}}, s))
	require.Equal(t, []int{1, 0}, Order(&carnet.Terms{GroupBy: []string{"partner"}, Filters: []string{"month", "year"}}, s))
	g, _, err = take(s, rows, Rule{MinGroup: 3}).Groups(Rule{MinGroup: 3}, []int{1}, nil)
	require.NoError(t, err)
	require.Equal(t, Grouping{{0}, {0}, {0}}, g) // FR has 2 firms, and nobody comes after it

	// A firm with most of a value hides nobody: its group is merged on.
	rows = rows[:0]
	for month := range 6 {
		for i := range 4 {
			v := int64(10)
			if month == 2 && i == 0 {
				v = 100
			}
			rows = append(rows, schema.Row{Partition: []string{"2023"}, Dims: []int{month, 0, 0}, Measures: []int64{v, 1}, Null: make([]bool, 2), Unit: fmt.Sprint(month, i)})
		}
	}
	rule := Rule{MinGroup: 3, MaxShare: 50}
	g, _, err = take(s, rows, rule).Groups(rule, []int{0}, nil)
	require.NoError(t, err)
	require.Equal(t, []int{0, 1, 2, 5}, g[0]) // 100 of 130, 170; of 210 it is less than half
}

// Too many groups are refused before anything is sent.
func TestTooManyGroups(t *testing.T) {
	s := trade()
	s.Unit = ""
	s.Dimensions = s.Dimensions[:0]
	for d := range 4 {
		x := schema.Dimension{Name: fmt.Sprint("d", d)}
		for i := range schema.MaxCodes {
			x.Codes = append(x.Codes, schema.Code{Value: fmt.Sprint(i)})
		}
		s.Dimensions = append(s.Dimensions, x)
	}
	c := NewCensus(s, false)
	for i := range 3 { // all in one place: other codes are empty, and stay by themselves
		c.Add(&schema.Row{Partition: []string{"2023"}, Dims: []int{1, 1, 1, 1}, Measures: []int64{int64(i), 0}, Null: make([]bool, 2)})
	}
	_, _, err := c.Groups(Rule{MinGroup: 3}, []int{0, 1, 2, 3}, nil)
	require.Equal(t, "TOO_MANY_CODE_GROUPS", carnet.ReasonOf(err))
	_, _, err = c.Groups(Rule{MinGroup: 3}, []int{0, 1, 2}, nil)
	require.NoError(t, err)
}

// Groups of a later part of a dataset never divide those before, however large they are.
func TestCensusKeepsEarlierGroups(t *testing.T) {
	s := trade()
	var rows []schema.Row
	for month := range 6 {
		for i := range 5 {
			rows = append(rows, schema.Row{Partition: []string{"2024"}, Dims: []int{month, 0, 0}, Measures: []int64{1, 1}, Null: make([]bool, 2), Unit: fmt.Sprint(i)})
		}
	}
	rule := Rule{MinGroup: 3}
	g, _, err := take(s, rows, rule).Groups(rule, []int{0, 1, 2}, nil)
	require.NoError(t, err)
	require.Equal(t, []int{0, 1, 2, 3, 4, 5}, g[0])
	before := Grouping{{0, 2, 5}, {0}, {0}}
	g, _, err = take(s, rows, rule).Groups(rule, []int{0, 1, 2}, before)
	require.NoError(t, err)
	require.Equal(t, before, g)
}
