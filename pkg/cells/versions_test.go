package cells

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/schema"
)

func versionSchema() *schema.Schema {
	return &schema.Schema{Name: "t", Version: 1, Unit: "firm", Dimensions: []schema.Dimension{{Name: "month", Codes: make([]schema.Code, 4)}},
		Measures: []schema.Measure{{Name: "value", Min: "0", Max: "99", Nullable: true}}}
}

// version counts rows, each a month, a firm and a value; a negative value is NULL.
func version(s *schema.Schema, g Grouping, rows [][3]int) Version {
	c := NewCensus(s, false)
	c.Remember()
	for _, r := range rows {
		c.Add(&schema.Row{Dims: []int{r[0]}, Unit: fmt.Sprint(r[1]), Measures: []int64{int64(max(r[2], 0))}, Null: []bool{r[2] < 0}})
	}
	return Version{c, func(string) Grouping { return g }}
}

// firms are rows of firms in a month, each with a value.
func firms(month, from, to, value int) (out [][3]int) {
	for f := from; f < to; f++ {
		out = append(out, [3]int{month, f, value})
	}
	return out
}

func join(list ...[][3]int) (out [][3]int) {
	for _, l := range list {
		out = append(out, l...)
	}
	return out
}

// TestAttackTwoPublications: what one firm added or corrected is not left over when the totals of two
// publications are subtracted, nor of three of them, nor when groups were cut elsewhere.
func TestAttackTwoPublications(t *testing.T) {
	s, rule := versionSchema(), Rule{MinGroup: 3}
	two := Grouping{{0, 2}}
	base := join(firms(0, 0, 5, 10), firms(2, 5, 10, 10))
	for _, c := range []struct {
		name    string
		refused bool
		list    []Version
	}{
		{"the same again", false, []Version{version(s, two, base), version(s, two, base)}},
		{"one firm more", true, []Version{version(s, two, base), version(s, two, join(base, firms(0, 20, 21, 7)))}},
		{"three firms more", false, []Version{version(s, two, base), version(s, two, join(base, firms(0, 20, 23, 7)))}},
		{"three firms more, in two groups", true, []Version{version(s, two, base), version(s, two, join(base, firms(0, 20, 22, 7), firms(2, 22, 23, 7)))}},
		{"one firm corrected", true, []Version{version(s, two, base), version(s, two, join(firms(0, 0, 4, 10), firms(0, 4, 5, 11), firms(2, 5, 10, 10)))}},
		{"all but one corrected", true, []Version{version(s, two, base), version(s, two, join(firms(0, 0, 1, 10), firms(0, 1, 5, 11), firms(2, 5, 10, 10)))}},
		{"all corrected", false, []Version{version(s, two, base), version(s, two, join(firms(0, 0, 5, 11), firms(2, 5, 10, 10)))}},
		{"one row twice", true, []Version{version(s, two, base), version(s, two, join(base, firms(0, 0, 1, 10)))}},
		{"one value missing", true, []Version{version(s, two, join(base, firms(0, 30, 33, -1))), version(s, two, join(base, firms(0, 30, 33, -1), firms(0, 33, 34, -1)))}},
		// Three are added, then three more and two of the first taken back: the first and last differ by
		// enough, and the one that stayed of the first three is what all three publications tell together.
		{"three publications", true, []Version{version(s, two, base), version(s, two, join(base, firms(0, 20, 23, 7))),
			version(s, two, join(base, firms(0, 20, 21, 7), firms(0, 40, 44, 7)))}},
		{"groups cut elsewhere", true, []Version{version(s, Grouping{{0, 2}}, join(base, firms(1, 50, 51, 1), firms(3, 51, 52, 1))),
			version(s, Grouping{{0, 1, 2, 3}}, join(base, firms(1, 50, 51, 1), firms(3, 51, 52, 1)))}},
	} {
		err := Compare(rule, c.list)
		if !c.refused {
			require.NoError(t, err, c.name)
			continue
		}
		require.Equal(t, "CHANGE_TOO_SMALL", carnet.ReasonOf(err), c.name)
		require.Equal(t, carnet.Precondition, carnet.KindOf(err))
	}
}

// A share counts in what changes, too; and censuses with and without shares can be compared.
func TestSharesOfChanges(t *testing.T) {
	s := versionSchema()
	version := func(shares bool, rows [][3]int) Version {
		c := NewCensus(s, shares)
		c.Remember()
		for _, r := range rows {
			c.Add(&schema.Row{Dims: []int{r[0]}, Unit: fmt.Sprint(r[1]), Measures: []int64{int64(r[2])}, Null: []bool{false}})
		}
		return Version{c, func(string) Grouping { return Grouping{{0}} }}
	}
	base, more := firms(0, 0, 5, 10), join(firms(0, 0, 5, 10), firms(0, 6, 8, 1), firms(0, 8, 9, 90))
	require.NoError(t, Compare(Rule{MinGroup: 3}, []Version{version(true, base), version(false, more)}))
	require.NoError(t, Compare(Rule{MinGroup: 3}, []Version{version(false, base), version(true, more)}))
	err := Compare(Rule{MinGroup: 3, MaxShare: 80}, []Version{version(true, base), version(true, more)})
	require.Equal(t, "CHANGE_TOO_SMALL", carnet.ReasonOf(err))
}

// No combination of numbers of the publications is about somebody and too few: against
// every combination with small factors of the totals of all groups.
func TestPublicationsTogether(t *testing.T) {
	s := versionSchema()
	rapid.Check(t, func(t *rapid.T) {
		groups := []Grouping{{{0, 2}}, {{0}}, {{0, 1, 2, 3}}}
		var list []Version
		var gs []Grouping
		var rows [][][3]int
		for range rapid.IntRange(2, 3).Draw(t, "versions") {
			g := rapid.SampledFrom(groups).Draw(t, "groups")
			r := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) [3]int {
				return [3]int{rapid.IntRange(0, 3).Draw(t, "month"), rapid.IntRange(0, 3).Draw(t, "firm"), 1}
			}), 0, 12).Draw(t, "rows")
			list, gs, rows = append(list, version(s, g, r)), append(gs, g), append(rows, r)
		}
		if Compare(Rule{MinGroup: 2}, list) != nil {
			return
		}
		// A number is a factor for each group of each publication; a row counts as often as the
		// groups it is in say together.
		factors := make([][]int, len(list))
		for v := range list {
			for range gs[v][0] {
				factors[v] = append(factors[v], rapid.IntRange(-1, 1).Draw(t, "factor"))
			}
		}
		count := map[string]int{}
		for v := range list {
			copies := map[[3]int]int{}
			for _, r := range rows[v] {
				g := 0
				for i, from := range gs[v][0] {
					if from <= r[0] {
						g = i
					}
				}
				count[fmt.Sprint(r, copies[r])] += factors[v][g]
				copies[r]++
			}
		}
		told := map[string]bool{} // firms that some row counts of
		for key, n := range count {
			if n != 0 {
				var m, f int
				_, err := fmt.Sscanf(key, "[%d %d", &m, &f)
				require.NoError(t, err)
				told[fmt.Sprint(f)] = true
			}
		}
		require.NotEqual(t, 1, len(told))
	})
}
