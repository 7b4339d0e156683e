package plan

// axis is one dimension of a region: its codes in classes that the region does not
// tell apart.
type axis struct {
	dim     int
	classes [][]int // positions, ascending
}

// region is a set of combinations of codes: the table is over the classes of the
// axes, the first axis outermost. Dimensions without an axis may have any code.
type region struct {
	axes  []axis
	table table
}

// region returns what a table selects among the free dimensions, simplified.
func (s *space) region(t table, free []int) *region {
	r := &region{table: t}
	for _, d := range free {
		a := axis{dim: s.dims[d], classes: make([][]int, len(s.sample[d]))}
		for at, c := range s.class[d] {
			a.classes[c] = append(a.classes[c], at)
		}
		r.axes = append(r.axes, a)
	}
	return r.simplify()
}

// stride returns how many combinations of later axes there are.
func (r *region) stride(i int) int {
	n := 1
	for _, a := range r.axes[i+1:] {
		n *= len(a.classes)
	}
	return n
}

// slice returns the table where axis i has class c.
func (r *region) slice(i, c int) table {
	inner := r.stride(i)
	n := len(r.axes[i].classes)
	out := make(table, 0, len(r.table)/n)
	for at := c * inner; at < len(r.table); at += n * inner {
		out = append(out, r.table[at:at+inner]...)
	}
	return out
}

// simplify merges classes whose slices are equal and drops axes that make no
// difference. NULL is a code like any other here: a dimension is dropped only if
// rows without a code are selected just like the others.
func (r *region) simplify() *region {
	out := &region{axes: append([]axis(nil), r.axes...), table: r.table}
	for i := 0; i < len(out.axes); {
		var (
			merged axis
			slices []table
			seen   = map[string]int{}
		)
		merged.dim = out.axes[i].dim
		for c := range out.axes[i].classes {
			t := out.slice(i, c)
			m, ok := seen[t.key()]
			if !ok {
				m = len(slices)
				seen[t.key()] = m
				slices = append(slices, t)
				merged.classes = append(merged.classes, nil)
			}
			merged.classes[m] = append(merged.classes[m], out.axes[i].classes[c]...)
		}
		inner := out.stride(i)
		if len(slices) == 1 {
			out.table = slices[0]
			out.axes = append(append([]axis(nil), out.axes[:i]...), out.axes[i+1:]...)
			continue
		}
		var t table
		for at := 0; at < len(slices[0]); at += inner {
			for _, s := range slices {
				t = append(t, s[at:at+inner]...)
			}
		}
		out.axes[i], out.table = merged, t
		i++
	}
	return out
}

func (t table) key() string {
	b := make([]byte, len(t))
	for i, v := range t {
		if v {
			b[i] = 1
		}
	}
	return string(b)
}
