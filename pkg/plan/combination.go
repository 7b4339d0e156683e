package plan

import (
	"math/big"
	"slices"

	"github.com/carnet-network/carnet/pkg/query"
	"github.com/carnet-network/carnet/pkg/schema"
)

// combination is a sum of needs with exact weights.
type combination []weighted

type weighted struct {
	need   int
	weight *big.Rat
}

// value computes the sum from the totals of a group.
func (c combination) value(totals []*big.Int) *big.Rat {
	sum := new(big.Rat)
	for _, w := range c {
		v := new(big.Rat).SetInt(totals[w.need])
		sum.Add(sum, v.Mul(v, w.weight))
	}
	return sum
}

// has reports whether one of the needs of others is among those of c.
func (c combination) has(others ...combination) bool {
	return slices.ContainsFunc(slices.Concat(others...), func(o weighted) bool {
		return slices.ContainsFunc(c, func(w weighted) bool { return w.need == o.need })
	})
}

// add adds r times a need.
func (c *combination) add(need int, r *big.Rat) {
	for i := range *c {
		if (*c)[i].need == need {
			(*c)[i].weight = new(big.Rat).Add((*c)[i].weight, r)
			return
		}
	}
	*c = append(*c, weighted{need, r})
}

// collector turns the arguments of one aggregate into needs.
type collector struct {
	*needs
	by *query.Aggregate
}

// count is the number of rows where an argument is not NULL.
func (c *collector) count(x argument) (combination, error) {
	var out combination
	type part struct {
		columns []string
		when    *cond
	}
	var parts []part
	for _, b := range x {
		columns := c.deciding(b.p)
		i := slices.IndexFunc(parts, func(p part) bool { return slices.Equal(p.columns, columns) })
		if i < 0 {
			parts = append(parts, part{columns, b.when})
			continue
		}
		parts[i].when = simplify(join(anyOf, parts[i].when, b.when))
	}
	for _, p := range parts {
		of, ok := c.rows(p.columns)
		if !ok || len(p.columns) > 2 && !c.available(quantity{of: of}) {
			return nil, c.notCounted(p.columns)
		}
		f, err := c.filter(c.by, p.when)
		if err != nil {
			return nil, err
		}
		out.add(c.needs.add(c.by, need{of: of, filter: f}), big.NewRat(1, 1))
	}
	return out, nil
}

// sum is the total of an argument over the rows where it is not NULL.
func (c *collector) sum(x argument) (combination, error) {
	var out combination
	for _, b := range x {
		if len(b.p.Terms) == 0 {
			continue
		}
		f, err := c.filter(c.by, b.when)
		if err != nil {
			return nil, err
		}
		list, err := c.decompose(b.p)
		if err != nil {
			return nil, err
		}
		for _, q := range list {
			out.add(c.needs.add(c.by, need{of: q.of, filter: f}), q.weight)
		}
	}
	return out, nil
}

// quantity is a stored quantity with its weight in a polynomial.
type quantity struct {
	of     factors
	weight *big.Rat
}

// nullable keeps the columns that can be NULL.
func (n *needs) nullable(columns []string) []string {
	var list []string
	s := n.names.u.Schema
	for _, m := range columns {
		i, j, k := s.Measure(m), s.Input(m), s.Dimension(m)
		if i >= 0 && s.Measures[i].Nullable || j >= 0 && s.Inputs[j].Nullable || k >= 0 && s.Dimensions[k].Nullable {
			list = append(list, m)
		}
	}
	return list
}

// measured tells whether all columns are measures, and not what only formulas use.
func (n *needs) measured(columns []string) bool {
	return !slices.ContainsFunc(columns, func(c string) bool { return n.names.u.Schema.Measure(c) < 0 })
}

// rows counts rows where the columns, all of them nullable, are not NULL; ok is false
// if nothing tells.
func (n *needs) rows(columns []string) (_ factors, ok bool) {
	switch {
	case len(columns) == 0:
		return factors{}, true
	case len(columns) == 1 && n.measured(columns):
		return just(schema.Atom{Kind: schema.NotNull, X: columns[0]}), true
	}
	for _, f := range n.formulas() {
		if slices.Equal(n.nullable(f.p.Columns), columns) {
			return just(schema.Atom{Kind: schema.NotNull, X: f.measure}), true
		}
	}
	if !n.measured(columns) {
		return factors{}, false
	}
	if len(columns) == 2 {
		x, y := n.inOrder(columns[0], columns[1])
		return just(schema.Atom{Kind: schema.NotNull, X: x, Y: y}), true
	}
	return n.cover(nil, columns)
}

// deciding lists the columns that make a polynomial NULL: one that decides alone, or
// those that a formula in it is made of.
func (n *needs) deciding(p query.Polynomial) []string {
	columns := n.nullable(p.Columns)
	if len(columns) > 1 || !n.measured(columns) {
		if q, ok := n.expand(p, n.formulas()); ok {
			return n.nullable(q.Columns)
		}
	}
	return columns
}

// inOrder returns two measures in the order of the schema.
func (n *needs) inOrder(x, y string) (string, string) {
	if n.names.u.Schema.Measure(y) < n.names.u.Schema.Measure(x) {
		return y, x
	}
	return x, y
}

// term is the quantity of a product of columns over the rows where all columns of
// rows, which are nullable, are not NULL; ok is false if no schema stores such a thing.
func (n *needs) term(t query.Term, rows []string) (q quantity, ok bool) {
	if len(t.Factors) == 0 {
		q.of, ok = n.rows(rows)
		return q, ok
	}
	own := n.nullable(t.Factors)
	var others []string
	for _, m := range rows {
		if !slices.Contains(own, m) {
			others = append(others, m)
		}
	}
	if !n.measured(t.Factors) || !n.measured(others) {
		return q, false
	}
	if len(t.Factors) == 2 && len(others) == 0 {
		q.of = just(productAtom(n.inOrder(t.Factors[0], t.Factors[1])))
		return q, true
	}
	q.of, ok = n.cover(t.Factors, others)
	return q, ok
}

func productAtom(x, y string) schema.Atom {
	if x == y {
		return schema.Atom{Kind: schema.Square, X: x}
	}
	return schema.Atom{Kind: schema.Product, X: x, Y: y}
}

// columnScale is the number of digits after the point of a column of numbers.
func (n *needs) columnScale(name string) int {
	s := n.names.u.Schema
	if i := s.Measure(name); i >= 0 {
		return s.Measures[i].Scale
	}
	if i := s.Input(name); i >= 0 {
		return s.Inputs[i].Scale
	}
	if i := s.Dimension(name); i >= 0 {
		_, scale, _ := s.Dimensions[i].Numbers()
		return scale
	}
	return 0
}

// unit is the power of ten that a stored integer of the product of columns is
// multiplied by.
func (n *needs) unit(columns ...string) *big.Rat {
	digits := 0
	for _, m := range columns {
		digits += n.columnScale(m)
	}
	return scaled(big.NewInt(1), digits)
}

// decimals is how a value of the argument prints: digits after the point, and whether
// more may follow.
func (n *needs) decimals(x argument) (scale int, free bool) {
	for _, b := range x {
		d, ok := b.p.Decimals(n.columnScale)
		scale, free = max(scale, d), free || !ok
	}
	return min(scale, maxScale), free || scale > maxScale
}
