package cells

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/schema"
)

// MaxVersions is how many publications of a table can be compared.
const MaxVersions = 64

// Version is one publication of a table: its rows, and the groups that its numbers keep.
type Version struct {
	Census *Census // that remembers its rows
	// Groups are those of a partition, whose values come in the order of the schema, joined by
	// spaces; nil: every code by itself.
	Groups func(partition string) Grouping
}

// Remember has a census without rows keep what tells equal rows, for Compare.
func (c *Census) Remember() { c.content = [][16]byte{} }

// contentOf is the same for equal rows.
func contentOf(r *schema.Row) (out [16]byte) {
	var b []byte
	for _, s := range append(slices.Clone(r.Partition), r.Unit) {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	for _, code := range r.Dims {
		b = binary.AppendVarint(b, int64(code))
	}
	for i, v := range r.Measures {
		if r.Null[i] {
			b = append(b, 0)
			continue
		}
		b = binary.AppendVarint(append(b, 1), v)
	}
	h := sha256.Sum256(b)
	copy(out[:], h[:])
	return out
}

// Compare refuses publications of one table if numbers of them together tell fewer apart than
// the rule allows. A number of a publication has whole groups of it. A combination of numbers
// counts all rows alike that are in the same publications and in the same groups of each of
// these, so it is enough that there is nobody in every such set, or enough, as with rows in which the
// same measures are NULL. The last one is about to be published. The error is of kind
// Precondition: CHANGE_TOO_SMALL.
func Compare(rule Rule, versions []Version) error {
	if len(versions) > MaxVersions {
		return carnet.E(carnet.Precondition, "CHANGE_TOO_SMALL", "the table was published %d times; want at most %d", len(versions)-1, MaxVersions-1).
			Fix("add partitions instead of replacing the table")
	}
	all, in := union(versions)
	cell := all.cells(versions, in)
	t := newTally(all, &rule)
	for row := range cell {
		t.add(row, cell[row])
	}
	if t.fits() {
		return nil
	}
	small := map[fileKind]int{}
	seen := map[int32]bool{}
	for row, c := range cell {
		if !seen[c] && !t.cells[c].fits {
			small[all.kindOf[all.kind[row]]]++
		}
		seen[c] = true
	}
	e := carnet.E(carnet.Precondition, "CHANGE_TOO_SMALL", "what this publication changes of the table can be told by subtracting, and is about fewer than the terms' min_group of %d, or one of them has more than the max_share", rule.MinGroup).
		Fix("change more at once, wait until more has changed, or add a partition instead of replacing the table;\nif it may be told what changed, say so (--changes-told)")
	kinds := slices.SortedFunc(maps.Keys(small), func(a, b fileKind) int {
		return cmp.Or(cmp.Compare(all.names[a.file], all.names[b.file]), cmp.Compare(a.in, b.in), cmp.Compare(a.null, b.null))
	})
	for _, k := range kinds[:min(len(kinds), 10)] {
		where := "the table"
		if name := all.names[k.file]; name != "" {
			where = "partition " + name
		}
		e = e.With(where, "rows %s: in %s", whose(k.in, len(versions)), several(small[k], "combination of groups", "combinations of groups"))
	}
	return e
}

func several(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}

// whose names the publications that rows are in.
func whose(in uint64, versions int) string {
	last := uint64(1) << (versions - 1)
	switch {
	case in == last:
		return "that are new"
	case in == 2*last-1:
		return "that stay"
	case in&last == 0:
		return "that are left out"
	default:
		return "that come back or came later"
	}
}

// union has every row of the publications once, and says in which of them it is. Rows
// that are equal are told apart by how many of them a publication has.
func union(versions []Version) (*Census, []uint64) {
	type copied struct {
		content [16]byte
		n       int
	}
	shares := !slices.ContainsFunc(versions, func(v Version) bool { return !v.Census.shares })
	all, at := NewCensus(versions[0].Census.schema, shares), map[copied]int{}
	var in []uint64
	for v := range versions {
		c := versions[v].Census
		units := make([]string, len(c.units))
		for name, i := range c.units {
			units[i] = name
		}
		count := map[[16]byte]int{}
		for row, content := range c.content {
			key := copied{content, count[content]}
			count[content]++
			if i, known := at[key]; known {
				in[i] |= 1 << v
				continue
			}
			at[key] = len(in)
			in = append(in, 1<<v)
			all.take(c, row, units)
		}
	}
	for row, set := range in {
		k := all.kindOf[all.kind[row]]
		k.in = set
		all.kind[row] = all.kindNumber(k)
	}
	return all, in
}

// take adds a row of another census.
func (c *Census) take(from *Census, row int, units []string) {
	k := from.kindOf[from.kind[row]]
	name := from.names[k.file]
	file, ok := c.files[name]
	if !ok {
		file = int32(len(c.files))
		c.files[name], c.names = file, append(c.names, name)
	}
	k.file = file
	c.kind = append(c.kind, c.kindNumber(k))
	if from.unit != nil {
		name := units[from.unit[row]]
		unit, ok := c.units[name]
		if !ok {
			unit = int32(len(c.units))
			c.units[name] = unit
		}
		c.unit = append(c.unit, unit)
	}
	for d := range c.dims {
		c.dims[d] = append(c.dims[d], from.dims[d][row])
	}
	for m := range c.size {
		c.size[m] = append(c.size[m], from.size[m][row])
	}
}

// kindNumber finds a kind, or adds it.
func (c *Census) kindNumber(k fileKind) int32 {
	n, ok := c.kinds[k]
	if !ok {
		n = int32(len(c.kinds))
		c.kinds[k], c.kindOf = n, append(c.kindOf, k)
	}
	return n
}

// cells numbers the sets of rows that every number counts alike.
func (c *Census) cells(versions []Version, in []uint64) []int32 {
	runs := map[fileKind][][]int32{} // per dimension and code, of the file's groups in these publications
	known := map[string]int32{}
	out := make([]int32, len(c.kind))
	for row, kind := range c.kind {
		k := c.kindOf[kind]
		set := fileKind{file: k.file, in: in[row]}
		if runs[set] == nil {
			g := c.refined(versions, c.names[k.file], in[row])
			for d := range g {
				runs[set] = append(runs[set], c.runs(d, g[d]))
			}
			if len(g) == 0 {
				runs[set] = [][]int32{}
			}
		}
		key := binary.AppendVarint(nil, int64(kind))
		for d, run := range runs[set] {
			key = binary.AppendVarint(key, int64(run[c.dims[d][row]]))
		}
		n, ok := known[string(key)]
		if !ok {
			n = int32(len(known))
			known[string(key)] = n
		}
		out[row] = n
	}
	return out
}

// refined has a group start wherever one does in some of the publications.
func (c *Census) refined(versions []Version, partition string, in uint64) Grouping {
	out := make(Grouping, len(c.dims))
	for v := range versions {
		if in>>v&1 == 0 {
			continue
		}
		g := versions[v].Groups(partition)
		for d := range out {
			starts := singles(c.schema.Dimensions[d].Cardinality())
			if g != nil {
				starts = g[d]
			}
			out[d] = append(out[d], starts...)
		}
	}
	for d := range out {
		slices.Sort(out[d])
		out[d] = slices.Compact(out[d])
	}
	return out
}
