package overlap

import (
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/cells"
)

// view is how the rows of linked places are taken. In one view every file has rows of its
// own. In the other one files of one table have the same, whatever their layout or version:
// a column then stands for all of them.
type view struct {
	same    bool // files of one table have the same rows
	places  []*place
	columns []column
	of      map[*place][]int // columns that a place counts in
}

// column is a coordinate of patterns.
type column struct {
	need  int    // it may not be told about fewer, 0: it may
	total bool   // it has to vanish for a combination that is about others only
	of    *place // one of those that it counts: all have the same owners
}

// views are the two views, or one where they do not differ.
func (l *linked) views() []*view {
	out := []*view{l.view(false)}
	tables := map[*table]bool{}
	for _, x := range l.places {
		if tables[x.table] {
			return append(out, l.view(true))
		}
		tables[x.table] = true
	}
	return out
}

func (l *linked) view(same bool) *view {
	v := &view{same: same, places: l.places, of: map[*place][]int{}}
	type key struct {
		table *table
		place *place
		need  int
	}
	known := map[key]int{}
	count := func(k key, x *place, need int, total bool) {
		c, ok := known[k]
		if !ok {
			c = len(v.columns)
			known[k] = c
			v.columns = append(v.columns, column{need, total, x})
		}
		v.of[x] = append(v.of[x], c)
	}
	mixed := map[*table]bool{} // has places that demand different numbers of owners
	first := map[*table]*place{}
	for _, x := range l.places {
		if first[x.table] == nil {
			first[x.table] = x
		}
		mixed[x.table] = mixed[x.table] || first[x.table].need != x.need
	}
	for _, x := range l.places {
		switch {
		case !same:
			count(key{place: x}, x, x.need, true)
		case !mixed[x.table]:
			count(key{table: x.table}, x, x.need, true)
		default:
			count(key{table: x.table}, x, 0, true)
			if x.need > 1 {
				count(key{table: x.table, need: x.need}, x, x.need, false)
			}
		}
	}
	return v
}

// role is what a column is for a set of owners.
type role int

const (
	free role = iota // any value
	zero             // of others: it has to vanish
	few              // of these owners, who are too few for it
)

func (c *column) role(set []carnet.PartyID) role {
	switch among := !slices.ContainsFunc(c.of.owners, func(o carnet.PartyID) bool { return !slices.Contains(set, o) }); {
	case !among && c.total:
		return zero
	case among && c.need > len(set):
		return few
	default:
		return free
	}
}

// row is a pattern as a vector over the columns.
func (v *view) row(p pattern, prime uint64) []uint64 {
	row := make([]uint64, len(v.columns))
	for _, e := range p {
		for _, c := range v.of[e.place] {
			row[c] = (row[c] + cells.Modulo(e.value, prime)) % prime
		}
	}
	return row
}

// demanding is a place of the set's owners whose terms demand more of them.
func (v *view) demanding(set []carnet.PartyID) *place {
	for i := range v.columns {
		if v.columns[i].role(set) == few {
			return v.columns[i].of
		}
	}
	return v.places[0]
}
