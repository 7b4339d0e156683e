package plan

import (
	"encoding/binary"
	"slices"

	"github.com/carnet-network/carnet/pkg/query"
)

// maxTuples bounds the combinations of GROUP BY values that are looked at.
const maxTuples = 1 << 22

// group is a combination of GROUP BY values and the files it can have rows in.
type group struct {
	codes []int // per GROUP BY column
	part  int   // combination of values of the GROUP BY expressions
	exprs []int // its values: per GROUP BY expression, position among its values
	files []int
}

// grouper lists the groups that the condition leaves possible. Whether they have
// rows is not known before they are opened.
type grouper struct {
	u       *universe
	vars    []int // GROUP BY columns
	derived bool  // there are GROUP BY expressions: without rows there is no group
	space   *space
	at      query.Pos
}

// groups returns them in no particular order. Without GROUP BY there is exactly one.
func (g *grouper) groups() ([]group, error) {
	if len(g.vars) == 0 {
		if files := g.selected(); len(files) > 0 || !g.derived {
			return []group{{files: files}}, nil
		}
		return nil, nil
	}
	var public []int
	for _, v := range g.vars {
		if g.u.vars[v].public {
			public = append(public, v)
		}
	}
	byTuple := map[string][]int{}
	var tuples []string
	for _, f := range g.selected() {
		key := g.u.files[f].tuple(public)
		if byTuple[key] == nil {
			tuples = append(tuples, key)
		}
		byTuple[key] = append(byTuple[key], f)
	}
	slices.Sort(tuples)
	var out []group
	visited := 0
	for _, t := range tuples {
		gs, err := g.within(byTuple[t], &visited)
		if err != nil {
			return nil, err
		}
		if out = append(out, gs...); len(out) > MaxOpenings {
			return nil, g.tooMany()
		}
	}
	return out, nil
}

func (g *grouper) tooMany() error {
	return query.Refuse(g.at, "TOO_MANY_GROUPS", "the query has more than %d groups, and each is opened", MaxOpenings).
		Fix("group by fewer columns, or select fewer codes with WHERE")
}

// selected returns the files with rows that the condition can select.
func (g *grouper) selected() []int {
	var list []int
	for f, t := range g.space.files {
		if t >= 0 {
			list = append(list, f)
		}
	}
	return list
}

// within lists the groups among files that agree in the public GROUP BY columns.
func (g *grouper) within(files []int, visited *int) ([]group, error) {
	var tables []int
	for _, f := range files {
		if t := g.space.files[f]; !slices.Contains(tables, t) {
			tables = append(tables, t)
		}
	}
	choices := make([][]int, len(g.vars))
	for i, v := range g.vars {
		if g.u.vars[v].public {
			choices[i] = []int{g.u.files[files[0]].public[v]}
		} else {
			choices[i] = g.feasible(v, tables)
		}
	}
	var (
		out  []group
		memo = map[string]bool{}
		walk func(i int, codes []int) error
	)
	walk = func(i int, codes []int) error {
		if i < len(choices) {
			for _, c := range choices[i] {
				if err := walk(i+1, append(codes, c)); err != nil {
					return err
				}
			}
			return nil
		}
		if *visited++; *visited > maxTuples || len(out) >= MaxOpenings {
			return g.tooMany()
		}
		if g.possible(codes, tables, memo) {
			out = append(out, group{codes: slices.Clone(codes), files: files})
		}
		return nil
	}
	err := walk(0, make([]int, 0, len(choices)))
	return out, err
}

// feasible lists the positions of a dimension that some table selects.
func (g *grouper) feasible(v int, tables []int) []int {
	d := slices.Index(g.space.dims, v)
	var list []int
	ok := map[int]bool{}
	for at := range g.u.vars[v].domain.size() {
		if d >= 0 {
			c := g.space.class[d][at]
			yes, known := ok[c]
			if !known {
				for _, t := range tables {
					restricted, _ := g.space.fixed(g.space.tables[t], only(v, at))
					yes = yes || restricted.any()
				}
				ok[c] = yes
			}
			if !yes {
				continue
			}
		}
		list = append(list, at)
	}
	return list
}

// only fixes one dimension and leaves the others free.
func only(v, at int) func(int) int {
	return func(dim int) int {
		if dim == v {
			return at
		}
		return -1
	}
}

// fixing returns the position a group fixes a dimension to, -1 if it leaves it free.
func fixing(vars, codes []int) func(int) int {
	return func(dim int) int {
		if i := slices.Index(vars, dim); i >= 0 {
			return codes[i]
		}
		return -1
	}
}

// possible tells whether some table selects a combination of the group's codes.
func (g *grouper) possible(codes, tables []int, memo map[string]bool) bool {
	var key []byte
	at := fixing(g.vars, codes)
	for d, dim := range g.space.dims {
		if c := at(dim); c >= 0 {
			key = binary.BigEndian.AppendUint32(key, uint32(g.space.class[d][c]))
		}
	}
	yes, known := memo[string(key)]
	if !known {
		for _, t := range tables {
			restricted, _ := g.space.fixed(g.space.tables[t], at)
			yes = yes || restricted.any()
		}
		memo[string(key)] = yes
	}
	return yes
}
