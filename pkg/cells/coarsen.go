package cells

import (
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/schema"
)

// Loss tells what groups cost: what can be asked about them, of what the table has.
type Loss struct {
	Dimensions []DimensionLoss `json:"dimensions"`
	Cells      int             `json:"cells"`  // combinations of codes with rows, in all partitions
	Alone      int             `json:"alone"`  // of them those that can be asked about by themselves
	Groups     int             `json:"groups"` // combinations of groups with rows
}

// DimensionLoss is how many codes of a dimension are told apart.
type DimensionLoss struct {
	Dimension string `json:"dimension"`
	Codes     int    `json:"codes"`
	Groups    int    `json:"groups"`
}

// Order lists dimensions in the order in which they are kept fine: those that the terms
// name under group_by, those under filters, then the others in the order of the schema. If
// both lists are there, others can't be used and are left out.
func Order(t *carnet.Terms, s *schema.Schema) (dims []int) {
	add := func(name string) {
		if d := s.Dimension(name); d >= 0 && !slices.Contains(dims, d) {
			dims = append(dims, d)
		}
	}
	for _, name := range slices.Concat(t.GroupBy, t.Filters) {
		add(name)
	}
	if len(t.GroupBy) > 0 && len(t.Filters) > 0 {
		return dims
	}
	for i := range s.Dimensions {
		add(s.Dimensions[i].Name)
	}
	return dims
}

// Groups finds groups in which the rule holds: in every file, every combination of groups
// and every combination of measures that are NULL there is nobody, or enough, and nobody
// has too large a share. Dimension by dimension, in the order given, it takes the codes
// one after the other and ends a group as soon as the rule holds with the groups of the
// dimensions before; what remains at the end joins the last ones. Groups are unions of
// those of base, of an earlier part of the dataset; nil is every code by itself.
//
// The rule holds for unions of groups if it holds for the groups, so totals tell no
// more than the groups do. Errors: GROUP_TOO_SMALL, TOO_MANY_CODE_GROUPS.
func (c *Census) Groups(rule Rule, order []int, base Grouping) (Grouping, *Loss, error) {
	if err := c.check(&rule); err != nil {
		return nil, nil, err
	}
	out := NewGrouping(nil, c.schema)
	cell := slices.Clone(c.kind)
	starts := 0
	for _, d := range order {
		n := c.schema.Dimensions[d].Cardinality()
		from := singles(n)
		if base != nil {
			from = base[d]
		}
		if out[d] = c.merge(&rule, d, from, cell); len(out[d]) > 1 {
			starts += len(out[d])
			cell = c.split(d, out[d], cell)
		}
	}
	if starts > MaxStarts {
		return nil, nil, carnet.E(carnet.Precondition, "TOO_MANY_CODE_GROUPS", "the dataset would list %d groups of codes; want at most %d", starts, MaxStarts).
			Fix("name the dimensions that are needed under group_by and filters of the terms: others are not told apart")
	}
	return out, c.loss(out, cell), nil
}

// merge finds the groups of one dimension, given the cells that rows are in by the
// dimensions before. from are the first codes of what is not divided.
func (c *Census) merge(rule *Rule, dim int, from []int, cell []int32) []int {
	rows := c.byStart(dim, from)
	t := newTally(c, rule)
	fill := func(i int) {
		for _, row := range rows[i] {
			t.add(int(row), cell[row])
		}
	}
	at, open := []int{}, 0 // where groups start, and the one that is being filled, as positions in from
	for i := range from {
		fill(i)
		if t.fits() {
			at = append(at, open)
			t, open = newTally(c, rule), i+1
		}
	}
	if open < len(from) { // what remains joins groups before it: all together they fit, like the cells
		for len(at) > 0 && !t.fits() {
			last := at[len(at)-1]
			for i := last; i < open; i++ {
				fill(i)
			}
			at, open = at[:len(at)-1], last
		}
		at = append(at, open)
	}
	var starts []int
	for _, i := range at {
		starts = append(starts, from[i])
	}
	return starts
}

// byStart sorts rows by the run of codes that they have.
func (c *Census) byStart(dim int, from []int) [][]int32 {
	run := c.runs(dim, from)
	out := make([][]int32, len(from))
	for row, code := range c.dims[dim] {
		i := run[code]
		out[i] = append(out[i], int32(row))
	}
	return out
}

// runs says for each code of a dimension which run it belongs to.
func (c *Census) runs(dim int, from []int) []int32 {
	run := make([]int32, c.schema.Dimensions[dim].Cardinality())
	i := 0
	for code := range run {
		for i+1 < len(from) && from[i+1] <= code {
			i++
		}
		run[code] = int32(i)
	}
	return run
}

// split numbers the cells anew with the groups of one more dimension.
func (c *Census) split(dim int, starts []int, cell []int32) []int32 {
	run := c.runs(dim, starts)
	known := map[[2]int32]int32{}
	out := make([]int32, len(cell))
	for row := range cell {
		key := [2]int32{cell[row], run[c.dims[dim][row]]}
		n, ok := known[key]
		if !ok {
			n = int32(len(known))
			known[key] = n
		}
		out[row] = n
	}
	return out
}

// loss counts what is told apart. Whether a measure is NULL is no question of cells.
func (c *Census) loss(g Grouping, cell []int32) *Loss {
	out := &Loss{}
	fine, grouped := make([]int32, len(c.kind)), make([]int32, len(c.kind))
	for row, kind := range c.kind {
		fine[row], grouped[row] = c.kindOf[kind].file, c.kindOf[kind].file
	}
	for d := range g {
		n := c.schema.Dimensions[d].Cardinality()
		out.Dimensions = append(out.Dimensions, DimensionLoss{c.schema.Dimensions[d].Name, n, len(g[d])})
		fine, grouped = c.split(d, singles(n), fine), c.split(d, g[d], grouped)
	}
	alone := map[int32]bool{} // cells whose groups are single codes
	all, groups := map[int32]bool{}, map[int32]bool{}
	for row := range fine {
		if all[fine[row]] {
			continue
		}
		all[fine[row]], groups[grouped[row]] = true, true
		single := true
		for d := range g {
			code := int(c.dims[d][row])
			at, ok := slices.BinarySearch(g[d], code)
			end := c.schema.Dimensions[d].Cardinality()
			if ok && at+1 < len(g[d]) {
				end = g[d][at+1]
			}
			single = single && ok && end == code+1
		}
		if single {
			alone[fine[row]] = true
		}
	}
	out.Cells, out.Alone, out.Groups = len(all), len(alone), len(groups)
	return out
}
