package plan

import (
	"slices"

	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/schema"
)

// selector is a product of sums of indicator columns, at most one for each
// coordinate. Without factors it is 1 in every row.
type selector struct {
	factors []functional.Factor
	minus   bool
}

// expander writes selections as sums of selectors.
//
// A function of a coordinate is a sum of columns: for one-hot columns, each with the
// function's value there, or the value taken most often for all rows and the
// differences from it; for cumulative columns, each with the difference between
// neighbours, and the last value for all rows. Columns with the same value, or the
// opposite one, make one factor. As every product of columns comes from one place in
// this sum only, none occurs twice.
type expander struct {
	ones       uint32 // the column that is 1 in every row
	complement bool   // one-hot columns may be taken as differences from all rows
	work       int    // table entries that may still be looked at
	weighty    bool   // a product would have to count more than once
}

// expand returns selectors with the fewest factors, among those the cheapest. ok is
// false if more than budget factors are needed, a weight is not 1 or -1, or the work
// is used up.
func (x *expander) expand(s *selection, budget int) (best []selector, ok bool) {
	s = s.simplify()
	if len(s.coords) == 0 {
		switch s.table[0] {
		case 0:
			return nil, true
		case 1, -1:
			return []selector{{minus: s.table[0] < 0}}, true
		}
		x.weighty = true
		return nil, false
	}
	if budget == 0 {
		return nil, false
	}
	for i := range s.coords {
		if x.work -= len(s.table) * len(s.coords); x.work < 0 {
			return nil, false
		}
		list, fits := x.by(s, i, budget)
		if fits && (!ok || cheaper(list, best)) {
			best, ok = list, true
		}
	}
	return best, ok
}

// summand is a set of columns with the function that multiplies each of them.
type summand struct {
	columns []uint32
	table   []int8
}

// by expands by coordinate i first.
func (x *expander) by(s *selection, i, budget int) ([]selector, bool) {
	rest := s.without(i)
	var out []selector
	for _, g := range signed(x.summands(s, i)) {
		left := budget - 1
		all := len(g.factor.Minus) == 0 && slices.Equal(g.factor.Plus, []uint32{x.ones})
		if all {
			left = budget
		}
		list, ok := x.expand(&selection{rest, g.table}, left)
		if !ok {
			return nil, false
		}
		for _, sel := range list {
			if !all {
				sel.factors = append(slices.Clone(sel.factors), g.factor)
			}
			out = append(out, sel)
		}
	}
	return out, true
}

func (x *expander) summands(s *selection, i int) []summand {
	c := &s.coords[i]
	slicesOf := make([][]int8, len(c.parts))
	for p := range c.parts {
		slicesOf[p] = s.slice(i, p)
	}
	var list []summand
	if c.test == schema.AtMost {
		for p, values := range c.parts {
			if p == len(c.parts)-1 {
				return append(list, summand{[]uint32{x.ones}, slicesOf[p]})
			}
			list = append(list, summand{[]uint32{c.column(values[len(values)-1])}, difference(slicesOf[p], slicesOf[p+1])})
		}
	}
	base := -1
	if x.complement {
		base = c.common(slicesOf)
	}
	for p, values := range c.parts {
		if p == base {
			continue
		}
		m := summand{table: slicesOf[p]}
		if base >= 0 {
			m.table = difference(slicesOf[p], slicesOf[base])
		}
		for _, v := range values {
			m.columns = append(m.columns, c.column(v))
		}
		list = append(list, m)
	}
	if base >= 0 {
		list = append(list, summand{[]uint32{x.ones}, slicesOf[base]})
	}
	return list
}

func (c *coordinate) column(value int) uint32 { return c.axis.Column(c.test, value) }

// common returns the part with the most values if taking all rows for it needs fewer
// columns, else -1.
func (c *coordinate) common(tables [][]int8) int {
	base, total, plain := 0, 0, 0
	for p, values := range c.parts {
		total += len(values)
		if !isZero(tables[p]) {
			plain += len(values)
		}
		if len(values) > len(c.parts[base]) {
			base = p
		}
	}
	if total-len(c.parts[base])+1 < plain {
		return base
	}
	return -1
}

func isZero(t []int8) bool { return !slices.ContainsFunc(t, func(v int8) bool { return v != 0 }) }

func difference(a, b []int8) []int8 {
	out := make([]int8, len(a))
	for i := range out {
		out[i] = a[i] - b[i]
	}
	return out
}

// signedSummand is a factor with the function that multiplies it.
type signedSummand struct {
	factor functional.Factor
	table  []int8
}

// signed makes one factor of the columns that have a function or its opposite.
func signed(list []summand) []signedSummand {
	var out []signedSummand
	seen := map[string]int{}
	for _, m := range list {
		if isZero(m.table) {
			continue
		}
		opposite := difference(make([]int8, len(m.table)), m.table)
		if at, ok := seen[tableKey(m.table)]; ok {
			out[at].factor.Plus = append(out[at].factor.Plus, m.columns...)
		} else if at, ok := seen[tableKey(opposite)]; ok {
			out[at].factor.Minus = append(out[at].factor.Minus, m.columns...)
		} else {
			seen[tableKey(m.table)] = len(out)
			out = append(out, signedSummand{functional.Factor{Plus: slices.Clone(m.columns)}, m.table})
		}
	}
	for i := range out {
		f := &out[i].factor
		slices.Sort(f.Plus)
		slices.Sort(f.Minus)
	}
	return out
}

// degree is the largest number of factors.
func degree(list []selector) int {
	most := 0
	for i := range list {
		most = max(most, len(list[i].factors))
	}
	return most
}

// cheaper compares the factors first, then the columns that are read for all products
// and the products.
func cheaper(x, y []selector) bool {
	if dx, dy := degree(x), degree(y); dx != dy {
		return dx < dy
	}
	return expense(x) < expense(y)
}

func expense(list []selector) int {
	sum := 2 * len(list)
	for i := range list {
		for j := range list[i].factors {
			sum += list[i].factors[j].Width()
		}
	}
	return sum
}
