package cells

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/schema"
)

func trade() *schema.Schema {
	codes := func(names ...string) (out []schema.Code) {
		for _, n := range names {
			out = append(out, schema.Code{Value: n})
		}
		return out
	}
	return &schema.Schema{
		Name: "trade", Version: 1, Unit: "firm", Limits: schema.Limits{Rows: 1000, Datasets: 5}, Layouts: []carnet.Layout{carnet.LayoutRecords, carnet.LayoutCube},
		Dimensions: []schema.Dimension{{Name: "month", Codes: codes("1", "2", "3", "4", "5", "6")}, {Name: "partner", Nullable: true, Codes: codes("DE", "FR", "KZ")}, {Name: "mode", Codes: codes("sea")}},
		Measures:   []schema.Measure{{Name: "value", Min: "-100", Max: "100"}, {Name: "weight", Min: "0", Max: "100", Nullable: true}},
		Partitions: []schema.Partition{{Name: "year"}},
	}
}

func manifest(groups ...carnet.Groups) *carnet.Dataset {
	return &carnet.Dataset{ID: "acme/trade", Files: make([]carnet.File, 2), Terms: carnet.Terms{MinGroup: 3}, Groups: groups}
}

func TestCheckGroups(t *testing.T) {
	dims := func(d ...carnet.GroupedDimension) carnet.Groups { return carnet.Groups{Files: 2, Dimensions: d} }
	for _, c := range []struct {
		name string
		d    *carnet.Dataset
		want string // part of a violation; "" passes
	}{
		{"one group", manifest(dims()), ""},
		{"every code", manifest(dims(carnet.GroupedDimension{Dimension: "month"})), ""},
		{"some", manifest(dims(carnet.GroupedDimension{Dimension: "month", From: []int{0, 3}}, carnet.GroupedDimension{Dimension: "partner", From: []int{0, 1, 3}})), ""},
		{"a file each", manifest(carnet.Groups{Files: 1}, carnet.Groups{Files: 1, Dimensions: []carnet.GroupedDimension{{Dimension: "month"}}}), ""},
		{"none", manifest(), "about 0 of 2 files"},
		{"too few files", manifest(carnet.Groups{Files: 1}), "about 1 of 2 files"},
		{"too many files", manifest(carnet.Groups{Files: 3}), "about 3 files"},
		{"no file", manifest(carnet.Groups{Files: 0}, dims()), "about 0 files"},
		{"not asked for", &carnet.Dataset{Files: make([]carnet.File, 2), Groups: []carnet.Groups{dims()}}, "ask for no min_group"},
		{"no min_group", &carnet.Dataset{Files: make([]carnet.File, 2)}, ""},
		{"negative", &carnet.Dataset{Terms: carnet.Terms{MinGroup: -1}}, "min_group"},
		{"share without group", &carnet.Dataset{Terms: carnet.Terms{MaxShare: 50}}, "max_share"},
		{"share of more than all", &carnet.Dataset{Terms: carnet.Terms{MinGroup: 3, MaxShare: 101}}, "max_share"},
		{"unknown dimension", manifest(dims(carnet.GroupedDimension{Dimension: "day"})), "no dimension"},
		{"order", manifest(dims(carnet.GroupedDimension{Dimension: "partner"}, carnet.GroupedDimension{Dimension: "month"})), "out of its order"},
		{"twice", manifest(dims(carnet.GroupedDimension{Dimension: "month"}, carnet.GroupedDimension{Dimension: "month"})), "out of its order"},
		{"one group written", manifest(dims(carnet.GroupedDimension{Dimension: "month", From: []int{0}})), "leaving the dimension out"},
		{"one code written", manifest(dims(carnet.GroupedDimension{Dimension: "mode"})), "is left out"},
		{"all written", manifest(dims(carnet.GroupedDimension{Dimension: "partner", From: []int{0, 1, 2, 3}})), "without a list"},
		{"not from 0", manifest(dims(carnet.GroupedDimension{Dimension: "month", From: []int{1, 3}})), "from 0"},
		{"beyond", manifest(dims(carnet.GroupedDimension{Dimension: "month", From: []int{0, 6}})), "below the number"},
		{"not ascending", manifest(dims(carnet.GroupedDimension{Dimension: "month", From: []int{0, 3, 3}})), "do not ascend"},
		{"negative start", manifest(dims(carnet.GroupedDimension{Dimension: "month", From: []int{0, -1, 3}})), "do not ascend"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := Check(c.d, trade())
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.Equal(t, "BAD_GROUPS", carnet.ReasonOf(err))
			require.ErrorContains(t, err, c.want)
		})
	}
	s := trade()
	for i := range MaxStarts {
		s.Dimensions[0].Codes = append(s.Dimensions[0].Codes, schema.Code{Value: string(rune('a' + i%26))})
	}
	require.ErrorContains(t, Check(manifest(dims(carnet.GroupedDimension{Dimension: "month", From: singles(MaxStarts + 1)})), s), "want at most")
}

// A function is told from its groups exactly if it is not constant in some combination of
// them.
func TestTold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOfN(rapid.IntRange(1, 5), 1, 3).Draw(t, "sizes")
		s := &Space{Weights: NewWeights(sizes)}
		g := make(Grouping, len(sizes))
		n := 1
		for d, size := range sizes {
			g[d] = []int{0}
			for c := 1; c < size; c++ {
				if rapid.Bool().Draw(t, "start") {
					g[d] = append(g[d], c)
				}
			}
			n *= size
		}
		coarse := rapid.Bool().Draw(t, "union of groups")
		values := map[string]bool{}
		name := func(codes []int) string {
			key := make([]byte, len(codes))
			for d, c := range codes {
				for i, from := range g[d] {
					if from <= c {
						key[d] = byte(i)
					}
				}
			}
			return string(key)
		}
		var list []uint32
		atoms := map[string][2]bool{}
		everyCell(sizes, func(cell int, codes []int) {
			key := name(codes)
			yes, known := values[key]
			if !known || !coarse {
				yes = rapid.Bool().Draw(t, "cell")
				values[key] = yes
			}
			a := atoms[key]
			if yes {
				list = append(list, uint32(cell))
				a[1] = true
			} else {
				a[0] = true
			}
			atoms[key] = a
		})
		constant := true
		for _, a := range atoms {
			constant = constant && !(a[0] && a[1])
		}
		told := s.Told(s.Cells(list), g)
		require.Equal(t, constant, len(told) == 0)
		for _, r := range told { // what is named is a group, and not a single code
			require.Contains(t, g[r.Dimension], r.From)
			require.Less(t, r.From+1, r.To)
		}
	})
}

// The signed form and the one that is computed with are the same.
func TestGroupingRoundTrip(t *testing.T) {
	s := trade()
	for _, g := range []Grouping{{{0}, {0}, {0}}, {{0, 1, 2, 3, 4, 5}, {0, 2}, {0}}, {{0, 5}, {0, 1, 2, 3}, {0}}} {
		signed := g.Groups(s, 2)
		require.NoError(t, Check(manifest(signed), s))
		require.Equal(t, g, NewGrouping(&signed, s))
	}
}

// Groups from outside never panic, and what is accepted has one form.
func FuzzGroups(f *testing.F) {
	f.Add(`[{"files":2,"dimensions":[{"dimension":"month","from":[0,3]},{"dimension":"partner"}]}]`, 3, 50)
	f.Add(`[{"files":1},{"files":1,"dimensions":[{"dimension":"mode"}]}]`, 2, 0)
	f.Fuzz(func(t *testing.T, text string, least, share int) {
		var groups []carnet.Groups
		if json.Unmarshal([]byte(text), &groups) != nil {
			return
		}
		d, s := manifest(groups...), trade()
		d.Terms.MinGroup, d.Terms.MaxShare = least, share
		if Check(d, s) != nil {
			return
		}
		for i := range d.Groups {
			again := NewGrouping(&d.Groups[i], s).Groups(s, d.Groups[i].Files)
			require.True(t, again.Equal(&d.Groups[i]))
		}
	})
}
