package plan

import (
	"math/big"
	"slices"

	"github.com/carnet-network/carnet/pkg/query"
	"github.com/carnet-network/carnet/pkg/schema"
)

// formula is a measure whose values are those of a polynomial of other measures.
type formula struct {
	measure string
	p       query.Polynomial
}

// decompose writes the sum of a polynomial, over the rows where none of its columns is
// NULL, as a sum of quantities that are stored or can be multiplied.
func (c *collector) decompose(p query.Polynomial) ([]quantity, error) {
	formulas := c.formulas()
	if expanded, ok := c.expand(p, formulas); ok {
		if list := c.whole(expanded, formulas); list != nil && len(expanded.Terms) > 1 {
			return list, nil
		}
		if list := c.parts(expanded, formulas, c.stored); list != nil {
			return list, nil
		}
		if list := c.whole(expanded, formulas); list != nil {
			return list, nil
		}
	}
	if list := c.parts(p, nil, c.available); list != nil {
		return list, nil
	}
	if expanded, ok := c.expand(p, formulas); ok {
		if list := c.parts(expanded, formulas, c.available); list != nil {
			return list, nil
		}
	}
	rows := c.nullable(p.Columns)
	for _, m := range p.Columns {
		if !c.measured([]string{m}) && !(len(p.Terms) > 0 && p.Degree() > 1) {
			return nil, c.notMeasure(&query.ColumnRef{Name: m, At: c.by.Arg.Position()})
		}
	}
	for _, t := range p.Terms {
		if q, ok := c.term(t, rows); !ok || !c.available(q) {
			return nil, c.notComposed(p, t, rows)
		}
	}
	return nil, c.notComposed(p, p.Terms[0], rows)
}

// expand replaces measures with a formula by it. A measure that does not decide about
// NULL, as in COALESCE(x, 0), is left as it is: its formula would.
func (n *needs) expand(p query.Polynomial, formulas []formula) (query.Polynomial, bool) {
	return p.Substitute(func(column string) (query.Polynomial, bool) {
		i := slices.IndexFunc(formulas, func(f formula) bool { return f.measure == column })
		if i < 0 || len(n.nullable([]string{column})) > 0 && !slices.Contains(p.Columns, column) {
			return query.Polynomial{}, false
		}
		return formulas[i].p, true
	})
}

// whole finds a measure whose formula is the polynomial but for a factor.
func (c *collector) whole(p query.Polynomial, formulas []formula) []quantity {
	for _, f := range formulas {
		if len(f.p.Terms) == 0 || len(f.p.Terms) != len(p.Terms) {
			continue
		}
		ratio := new(big.Rat).Quo(p.Terms[0].Coefficient, f.p.Terms[0].Coefficient)
		if p.Equal(f.p.Scaled(ratio)) {
			return []quantity{{just(schema.Atom{Kind: schema.Sum, X: f.measure}), ratio.Mul(ratio, c.unit(f.measure))}}
		}
	}
	return nil
}

// parts adds the polynomial up from formulas and from products of columns, as far as
// usable; nil if that can't be done.
func (c *collector) parts(p query.Polynomial, formulas []formula, usable func(quantity) bool) []quantity {
	rows := c.nullable(p.Columns)
	single := func(t query.Term) (quantity, bool) {
		q, ok := c.term(t, rows)
		q.weight = new(big.Rat).Mul(t.Coefficient, c.unit(t.Factors...))
		return q, ok && usable(q)
	}
	open := query.Polynomial{} // the terms that only a formula contains
	for _, t := range p.Terms {
		if _, ok := single(t); !ok {
			open.Terms = append(open.Terms, t)
		}
	}
	var list []quantity
	rest := p
	if len(open.Terms) > 0 {
		var fitting []formula
		for _, f := range formulas {
			if slices.Equal(c.nullable(f.p.Columns), rows) {
				fitting = append(fitting, f)
			}
		}
		weights := solve(p, fitting, func(t query.Term) bool { _, ok := single(t); return ok })
		if weights == nil {
			return nil
		}
		for i, w := range weights {
			if w.Sign() == 0 {
				continue
			}
			rest = rest.Plus(fitting[i].p.Scaled(new(big.Rat).Neg(w)))
			list = append(list, quantity{just(schema.Atom{Kind: schema.Sum, X: fitting[i].measure}), new(big.Rat).Mul(w, c.unit(fitting[i].measure))})
		}
	}
	for _, t := range rest.Terms {
		q, ok := single(t)
		if !ok {
			return nil
		}
		list = append(list, q)
	}
	return list
}

// stored tells whether the layout keeps a quantity as columns of its own.
func (c *collector) stored(q quantity) bool {
	return len(q.of.list()) == 0 || len(q.of.list()) == 1 && c.names.u.Encoding.Digits(q.of[0]) != nil
}

// available tells whether a quantity is stored or the product of as many that are as
// the profile multiplies.
func (c *collector) available(q quantity) bool {
	if c.stored(q) {
		return true
	}
	lists, ok := q.of.columns(c.names.u.Encoding)
	return ok && len(lists) <= c.names.u.Profile.MaxDegree()
}

// solve finds weights with which the formulas add up to the terms of p that are not
// free, nil if there are none: Gaussian elimination with exact numbers.
func solve(p query.Polynomial, formulas []formula, free func(query.Term) bool) []*big.Rat {
	var terms []query.Term
	note := func(list []query.Term) {
		for _, t := range list {
			if !free(t) && !slices.ContainsFunc(terms, func(o query.Term) bool { return slices.Equal(o.Factors, t.Factors) }) {
				terms = append(terms, t)
			}
		}
	}
	note(p.Terms)
	for _, f := range formulas {
		note(f.p.Terms)
	}
	coefficient := func(p query.Polynomial, t query.Term) *big.Rat {
		for _, o := range p.Terms {
			if slices.Equal(o.Factors, t.Factors) {
				return new(big.Rat).Set(o.Coefficient)
			}
		}
		return new(big.Rat)
	}
	rows := make([][]*big.Rat, len(terms)) // one equation per term, the last column is p
	for i, t := range terms {
		for _, f := range formulas {
			rows[i] = append(rows[i], coefficient(f.p, t))
		}
		rows[i] = append(rows[i], coefficient(p, t))
	}
	return eliminate(rows, len(formulas))
}

// eliminate solves equations in n unknowns; unknowns that are left free are zero.
func eliminate(rows [][]*big.Rat, n int) []*big.Rat {
	pivot := make([]int, 0, n) // per solved row: its unknown
	for col := 0; col < n && len(pivot) < len(rows); col++ {
		at := len(pivot)
		from := slices.IndexFunc(rows[at:], func(r []*big.Rat) bool { return r[col].Sign() != 0 })
		if from < 0 {
			continue
		}
		rows[at], rows[at+from] = rows[at+from], rows[at]
		inverse := new(big.Rat).Inv(rows[at][col])
		for i := range rows[at] {
			rows[at][i].Mul(rows[at][i], inverse)
		}
		for r := range rows {
			if by := new(big.Rat).Set(rows[r][col]); r != at && by.Sign() != 0 {
				for i := range rows[r] {
					rows[r][i].Sub(rows[r][i], new(big.Rat).Mul(by, rows[at][i]))
				}
			}
		}
		pivot = append(pivot, col)
	}
	for _, r := range rows[len(pivot):] {
		if r[n].Sign() != 0 {
			return nil
		}
	}
	out := make([]*big.Rat, n)
	for i := range out {
		out[i] = new(big.Rat)
	}
	for i, col := range pivot {
		out[col] = rows[i][n]
	}
	return out
}
