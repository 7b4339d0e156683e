package plan

import "github.com/carnet-network/carnet/pkg/query"

// sideNode compiles a column of a join: it is evaluated in the group as its side has it.
func (o *outputs) sideNode(c *query.ColumnRef) (*node, error) {
	s, e, err := o.join.find(c)
	if err != nil {
		return nil, o.aliasAdvice(c, err)
	}
	n, err := s.source.outputs.node(e)
	if err != nil {
		return nil, err
	}
	at, eval := s.source.index, n.eval
	n.side, n.at, n.expr = at+1, c.At, c
	n.eval = func(g *env) (Value, error) { return eval(g.sides[at]) }
	return n, nil
}

// code is the position of a node that is a key of GROUP BY.
func (n *node) code(g *env) int {
	if n.side > 0 {
		g = g.sides[n.side-1]
	}
	return g.codes[n.group]
}

// joinTest compiles the conditions that groups of a join have to meet: HAVING of the
// sides and WHERE of the join.
func (o *outputs) joinTest() (test, error) {
	var all test
	and := func(t test) {
		if all != nil {
			t = joined(query.And, all, t)
		}
		all = t
	}
	for _, s := range o.join.sides {
		own := s.source.outputs
		if own.sel.Having == nil {
			continue
		}
		t, err := own.test(own.sel.Having)
		if err != nil {
			return nil, err
		}
		at := s.source.index
		and(func(g *env) (tri, error) { return t(g.sides[at]) })
	}
	if o.sel.Where != nil {
		t, err := o.test(o.sel.Where)
		if err != nil {
			return nil, err
		}
		and(t)
	}
	return all, nil
}

// means returns the aggregate that an expression is, and where it is compiled; nil if it
// is none.
func (o *outputs) means(e query.Expr) (*outputs, *query.Aggregate) {
	if c, ok := e.(*query.ColumnRef); ok && o.join != nil {
		s, x, err := o.join.find(c)
		if err != nil {
			return o, nil
		}
		return s.source.outputs.means(x)
	}
	a, _ := e.(*query.Aggregate)
	return o, a
}

// visit calls see for every expression of the query, outermost first, with what columns
// of a join stand for; not for parts of aggregates.
func (o *outputs) visit(see func(o *outputs, e query.Expr)) {
	var walk func(o *outputs, e query.Expr)
	walk = func(o *outputs, e query.Expr) {
		if e == nil {
			return
		}
		see(o, e)
		switch e := e.(type) {
		case *query.Aggregate:
			return
		case *query.ColumnRef:
			if o.join == nil {
				return
			}
			if s, x, err := o.join.find(e); err == nil {
				walk(s.source.outputs, x)
			}
		default:
			for _, part := range query.Children(e) {
				walk(o, part)
			}
		}
	}
	for _, it := range o.sel.Items {
		walk(o, it.Expr)
	}
	walk(o, o.sel.Having)
	for _, k := range o.sel.OrderBy {
		if o.join == nil || !o.join.named(k.Expr) {
			walk(o, k.Expr)
		}
	}
	if o.join != nil {
		walk(o, o.sel.Where)
		for _, s := range o.join.sides {
			walk(s.source.outputs, s.source.sel.Having)
		}
	}
}

// occurs counts how often the query contains an aggregate of a source.
func (o *outputs) occurs(of *outputs, a *query.Aggregate) (count int) {
	o.whole().visit(func(at *outputs, e query.Expr) {
		if at == of && query.Equal(e, a) {
			count++
		}
	})
	return count
}

// subtracted counts how often the query contains the difference of two aggregates.
func (o *outputs) subtracted(l, r *outputs, x, y *query.Aggregate) (count int) {
	o.whole().visit(func(at *outputs, e query.Expr) {
		b, ok := e.(*query.Binary)
		if !ok || b.Op != query.Sub {
			return
		}
		p, a := at.means(b.X)
		q, c := at.means(b.Y)
		if a != nil && c != nil && p == l && q == r && query.Equal(a, x) && query.Equal(c, y) {
			count++
		}
	})
	return count
}

// whole is that of the whole query, for a side of a join.
func (o *outputs) whole() *outputs {
	if o.outer != nil {
		return o.outer
	}
	return o
}
