package plan

import (
	"encoding/binary"
	"slices"

	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/query"
	"github.com/carnet-network/carnet/pkg/schema"
)

// rowSet says which rows of a file are selected: those with the fixed codes, from
// the region.
type rowSet struct {
	fixed     map[int]int // dimensions grouped by: their code
	region    *region
	selectors []selector
	possible  bool // selectors add up to the set
	weighty   bool // not possible because products would have to count twice
	factors   int  // how many columns have to be multiplied, at most
}

// expansion is the part of a row set that does not depend on the group: the region in
// the coordinates of the encoding, and two ways to write it.
type expansion struct {
	region  *region // nil if nothing is selected
	coords  int
	ways    [][]selector
	weighty bool
}

// dims lists the dimensions that indicator columns are needed of, ascending.
func (r *rowSet) dims() []int {
	var list []int
	for d := range r.fixed {
		list = append(list, d)
	}
	for _, a := range r.region.axes {
		list = append(list, a.dim)
	}
	slices.Sort(list)
	return list
}

// rowSet returns the rows that table t of a filter selects in a group, nil if there
// are none.
func (b *builder) rowSet(filter, t int, g *group) (*rowSet, error) {
	r := &rowSet{fixed: map[int]int{}}
	for i, v := range b.vars {
		if d := b.u.vars[v].domain; !b.u.vars[v].public && d.size() > 1 {
			r.fixed[v] = g.codes[i]
		}
	}
	e, err := b.expansion(filter, t, g, r)
	if err != nil || e.region == nil {
		return nil, err
	}
	r.region, r.factors, r.weighty = e.region, e.coords, e.weighty
	sparse := b.sparse(r)
	if b.work < 0 {
		return nil, b.tooMuch()
	}
	for i := range sparse {
		r.factors += len(sparse[i].factors)
	}
	for _, list := range e.ways {
		for i := range sparse {
			list = cross(list, sparse[i])
		}
		list = settle(list, degree(list), b.ones())
		if !r.possible || cheaper(list, r.selectors) {
			r.selectors, r.possible = list, true
		}
	}
	if r.possible {
		r.factors = degree(r.selectors)
	}
	return r, nil
}

// expansion works out what groups have in common that the filter does not tell apart.
func (b *builder) expansion(filter, t int, g *group, r *rowSet) (*expansion, error) {
	s, err := b.space(spaceID{filter, g.part})
	if err != nil {
		return nil, err
	}
	at := fixing(b.vars, g.codes)
	var key []byte
	for _, n := range []int{filter, g.part, t} {
		key = binary.BigEndian.AppendUint32(key, uint32(n))
	}
	for d, dim := range s.dims {
		if c := at(dim); c >= 0 {
			key = binary.BigEndian.AppendUint32(key, uint32(s.class[d][c]))
		}
		for _, other := range b.u.Encoding.Axes[b.u.Encoding.AxisOf(dim)].Dimensions {
			if c := at(other); c >= 0 && other != dim {
				key = binary.BigEndian.AppendUint32(key, uint32(c))
			}
		}
	}
	if b.isTwoDigitGroup(r) { // several numbers of one axis: dense without being in the filter
		for _, v := range b.vars {
			key = binary.BigEndian.AppendUint32(key, uint32(at(v)))
		}
	}
	if e, known := b.expansions[string(key)]; known {
		return e, nil
	}
	e := &expansion{}
	b.expansions[string(key)] = e
	restricted, free := s.fixed(s.tables[t], at)
	if !restricted.any() {
		return e, nil
	}
	e.region = s.region(restricted, free)
	r.region = e.region
	sel, err := b.selection(r)
	if err != nil {
		return nil, err
	}
	e.coords = len(sel.coords)
	b.work -= len(sel.table)
	for _, complement := range []bool{false, true} {
		x := &expander{ones: b.ones(), complement: complement, work: min(b.work, maxWork>>8)}
		before := x.work
		list, ok := x.expand(sel, functional.MaxDegree)
		if b.work -= before - x.work; x.work < 0 {
			return nil, b.tooMuch()
		}
		if e.weighty = e.weighty || x.weighty; ok {
			e.ways = append(e.ways, list)
		}
	}
	return e, nil
}

func (b *builder) tooMuch() error {
	return tooComplex(b.needs.where, "the condition and the groups combine too many classes of codes")
}

// isTwoDigitGroup reports whether a group leaves several numbers of a two-digit axis.
func (b *builder) isTwoDigitGroup(r *rowSet) bool {
	for d := range r.fixed {
		a := &b.u.Encoding.Axes[b.u.Encoding.AxisOf(d)]
		if a.Coding == schema.TwoDigit && len(a.Dimensions) > 1 {
			return true
		}
	}
	return false
}

// cross multiplies every selector with one more.
func cross(list []selector, by selector) []selector {
	out := make([]selector, len(list))
	for i, s := range list {
		out[i] = selector{slices.Concat(s.factors, by.factors), s.minus != by.minus}
	}
	return out
}

// settle makes sure that the column of ones is in one factor of a product only, or is
// the whole of several: products with fewer factors than the degree are filled up with
// it, and all rows less some times all rows less others is written out.
func settle(list []selector, degree int, ones uint32) []selector {
	var out []selector
	for _, s := range list {
		at := slices.IndexFunc(s.factors, func(f functional.Factor) bool { return hasColumn(&f, ones) })
		again := at >= 0 && slices.ContainsFunc(s.factors[at+1:], func(f functional.Factor) bool { return hasColumn(&f, ones) })
		if at < 0 || !again && len(s.factors) == degree {
			out = append(out, s)
			continue
		}
		f := &s.factors[at]
		others := slices.Delete(slices.Clone(s.factors), at, at+1)
		remove := func(columns []uint32) []uint32 {
			return slices.DeleteFunc(slices.Clone(columns), func(c uint32) bool { return c == ones })
		}
		rest := functional.Factor{Plus: remove(f.Plus), Minus: remove(f.Minus)}
		out = append(out, settle([]selector{
			{others, s.minus != slices.Contains(f.Minus, ones)},
			{append(slices.Clone(others), rest), s.minus},
		}, degree, ones)...)
	}
	return out
}

func hasColumn(f *functional.Factor, c uint32) bool {
	return slices.Contains(f.Plus, c) || slices.Contains(f.Minus, c)
}

// members are the dimensions of an axis as a row set has them.
type member struct {
	size   int
	fixed  int   // code, -1 if it is not fixed
	class  []int // code -> class in the region; nil if the region leaves it free
	stride int   // of a class in the region's table
}

func (b *builder) members(r *rowSet, a *schema.Axis) (list []member, inRegion bool) {
	for _, d := range a.Dimensions {
		m := member{size: b.u.vars[d].domain.size(), fixed: -1}
		if code, ok := r.fixed[d]; ok {
			m.fixed = code
		}
		for i := range r.region.axes {
			if x := &r.region.axes[i]; x.dim == d {
				m.class, m.stride, inRegion = make([]int, m.size), r.region.stride(i), true
				for c, codes := range x.classes {
					for _, code := range codes {
						m.class[code] = c
					}
				}
			}
		}
		list = append(list, m)
	}
	return list, inRegion
}

// touched lists the axes of the encoding that the set depends on, and whether they
// are dense: to be looked at number by number, because the region is about them.
func (b *builder) touched(r *rowSet, dense bool, visit func(a *schema.Axis, ms []member)) {
	dims := r.dims()
	axes := b.u.Encoding.Axes
	for i := range axes {
		if !slices.ContainsFunc(axes[i].Dimensions, func(d int) bool { return slices.Contains(dims, d) }) {
			continue
		}
		ms, inRegion := b.members(r, &axes[i])
		if axes[i].Coding == schema.TwoDigit && slices.ContainsFunc(ms, func(m member) bool { return m.fixed < 0 && m.size > 1 }) {
			inRegion = true // several numbers are not one product of two digits
		}
		if inRegion == dense {
			visit(&axes[i], ms)
		}
	}
}

// numbers lists the numbers that the fixed codes leave on an axis, ascending.
func numbers(ms []member) []int {
	list := []int{0}
	for _, m := range ms {
		var next []int
		for _, n := range list {
			if m.fixed >= 0 {
				next = append(next, n*m.size+m.fixed)
				continue
			}
			for code := range m.size {
				next = append(next, n*m.size+code)
			}
		}
		list = next
	}
	return list
}

// sparse makes the selectors of the axes that only fixed codes are on.
func (b *builder) sparse(r *rowSet) []selector {
	var out []selector
	b.touched(r, false, func(a *schema.Axis, ms []member) {
		list := numbers(ms)
		b.work -= len(list)
		f := functional.Factor{}
		switch a.Coding {
		case schema.TwoDigit:
			n := list[0]
			out = append(out, selector{factors: []functional.Factor{
				functional.Sum(a.Column(schema.HighIs, n/a.Radix)), functional.Sum(a.Column(schema.LowIs, n%a.Radix))}})
			return
		case schema.Cumulative:
			f = b.runs(a, list)
		default:
			for _, n := range list {
				f.Plus = append(f.Plus, a.Column(schema.Equals, n))
			}
		}
		if !slices.Equal(f.Plus, []uint32{b.ones()}) || len(f.Minus) > 0 {
			out = append(out, selector{factors: []functional.Factor{f}})
		}
	})
	return out
}

// runs adds up differences of cumulative columns, one for each run of numbers.
func (b *builder) runs(a *schema.Axis, list []int) (f functional.Factor) {
	for i, n := range list {
		if n > 0 && (i == 0 || list[i-1] != n-1) {
			f.Minus = append(f.Minus, a.Column(schema.AtMost, n-1))
		}
		switch {
		case n == a.Size-1:
			f.Plus = append(f.Plus, b.ones())
		case i == len(list)-1 || list[i+1] != n+1:
			f.Plus = append(f.Plus, a.Column(schema.AtMost, n))
		}
	}
	slices.Sort(f.Plus)
	return f
}

// selection writes the region, with the fixed codes on the same axes, in the
// coordinates of the encoding.
func (b *builder) selection(r *rowSet) (*selection, error) {
	out, size := &selection{}, 1
	var dials []dial
	b.touched(r, true, func(a *schema.Axis, ms []member) {
		offsets := make([]int, a.Size)
		b.work -= a.Size
		for n := range offsets {
			rest := n
			for i := len(ms) - 1; i >= 0; i-- {
				m := &ms[i]
				code := rest % m.size
				rest /= m.size
				switch {
				case m.fixed >= 0 && code != m.fixed:
					offsets[n] = -1
				case m.class != nil && offsets[n] >= 0:
					offsets[n] += m.class[code] * m.stride
				}
			}
		}
		d := newDial(a, offsets)
		dials, out.coords = append(dials, d), append(out.coords, d.coords...)
		size = min(size*len(d.offsets), maxTable+1)
	})
	if size > maxTable {
		return nil, tooComplex(b.needs.where, "the condition tells more than %d combinations of indicator columns apart", maxTable)
	}
	out.table = make([]int8, size)
	for i := range out.table {
		at, rest := 0, i
		for d := len(dials) - 1; d >= 0; d-- {
			o := dials[d].offsets[rest%len(dials[d].offsets)]
			rest /= len(dials[d].offsets)
			if at = at + o; o < 0 {
				at = -1
				break
			}
		}
		if at >= 0 && r.region.table[at] {
			out.table[i] = 1
		}
	}
	return out, nil
}

// unwritable refuses a condition that no products with weights 1 and -1 add up to.
func (b *builder) unwritable(n int) error {
	what, at := b.who(n)
	return query.Refuse(at, "TOO_COMPLEX", "%s over these rows would count products of cumulative columns twice", what).
		Fix("ask for parts of the condition in several queries; or a new version of the schema can set encoding: onehot for one of the dimensions")
}
