package plan

import (
	"github.com/carnet-network/carnet/pkg/query"
)

// test compiles a condition on groups.
func (o *outputs) test(e query.Expr) (test, error) {
	switch e := e.(type) {
	case *query.Literal:
		switch e.Kind {
		case query.Bool:
			return always(truth(e.Text == "true")), nil
		case query.Null:
			return always(unknown), nil
		}
	case *query.Unary:
		if e.Op == query.Not {
			t, err := o.test(e.X)
			return inverse(t), err
		}
	case *query.Binary:
		if e.Op == query.And || e.Op == query.Or {
			x, err := o.test(e.X)
			if err != nil {
				return nil, err
			}
			y, err := o.test(e.Y)
			if err != nil {
				return nil, err
			}
			return joined(e.Op, x, y), nil
		}
		if e.Op.Comparison() {
			return o.compareExprs(e.Op, e.X, e.Y, e.At)
		}
	case *query.Between:
		lo, err := o.compareExprs(query.Ge, e.X, e.Lo, e.At)
		if err != nil {
			return nil, err
		}
		hi, err := o.compareExprs(query.Le, e.X, e.Hi, e.At)
		if err != nil {
			return nil, err
		}
		return inverseIf(e.Not, joined(query.And, lo, hi)), nil
	case *query.In:
		x, err := o.node(e.X) // once: it may be as long as the list
		if err != nil {
			return nil, err
		}
		var all test
		for _, v := range e.List {
			y, err := o.node(v)
			if err != nil {
				return nil, err
			}
			t, err := o.compare(query.Eq, x, y, e.At)
			if err != nil {
				return nil, err
			}
			if all == nil {
				all = t
			} else {
				all = joined(query.Or, all, t)
			}
		}
		return inverseIf(e.Not, all), nil
	case *query.IsNull:
		n, err := o.node(e.X)
		if err != nil {
			return nil, err
		}
		return func(g *env) (tri, error) {
			v, err := n.eval(g)
			return truth(v.IsNull() != e.Not), err
		}, nil
	}
	return nil, query.Refuse(e.Position(), "TYPE_MISMATCH", "this is not a condition").Fix("compare an aggregate with a number")
}

func always(t tri) test { return func(*env) (tri, error) { return t, nil } }

func inverse(t test) test {
	return func(g *env) (tri, error) {
		v, err := t(g)
		return v.not(), err
	}
}

func inverseIf(not bool, t test) test {
	if not {
		return inverse(t)
	}
	return t
}

// joined evaluates the second condition only if the first does not decide.
func joined(op query.Op, x, y test) test {
	decided := isFalse
	if op == query.Or {
		decided = isTrue
	}
	return func(g *env) (tri, error) {
		a, err := x(g)
		if err != nil || a == decided {
			return a, err
		}
		b, err := y(g)
		if op == query.Or {
			return max(a, b), err
		}
		return min(a, b), err
	}
}

func (o *outputs) compareExprs(op query.Op, a, b query.Expr, at query.Pos) (test, error) {
	x, err := o.node(a)
	if err != nil {
		return nil, err
	}
	y, err := o.node(b)
	if err != nil {
		return nil, err
	}
	return o.compare(op, x, y, at)
}

// compare compares two nodes. A GROUP BY column compares with a literal in the way
// it does in WHERE; other texts compare byte by byte.
func (o *outputs) compare(op query.Op, x, y *node, at query.Pos) (test, error) {
	if x.lit != nil && y.dom != nil {
		x, y, op = y, x, mirrored[op]
	}
	if x.dom != nil && y.lit != nil {
		t, err := x.dom.compare(op, *y.lit)
		if err != nil {
			return nil, err
		}
		return func(g *env) (tri, error) { return t[x.code(g)], nil }, nil
	}
	for _, n := range [][2]*node{{x, y}, {y, x}} { // a text literal is read as a date beside a date
		if n[0].kind == dateNode && n[1].lit != nil && n[1].kind == textNode {
			if _, err := n[1].lit.date(); err != nil {
				return nil, err
			}
			return comparison(op, x, y), nil
		}
	}
	if x.kind != y.kind && x.kind != nullNode && y.kind != nullNode {
		return nil, query.Refuse(at, "TYPE_MISMATCH", "%s and %s do not compare: one is %s, one is %s", x.text(), y.text(), x.what(), y.what()).
			Fix("compare numbers with numbers and codes with quoted codes")
	}
	if x.dom != nil && y.dom != nil && x.kind == textNode {
		return nil, query.Refuse(at, "UNSUPPORTED", "columns can't be compared with each other").Fix("compare each with a value")
	}
	for _, n := range []*node{x, y} {
		if err := n.ordered(n.at); err != nil {
			return nil, err
		}
	}
	return comparison(op, x, y), nil
}

func comparison(op query.Op, x, y *node) test {
	return func(g *env) (tri, error) {
		a, err := x.eval(g)
		if err != nil {
			return unknown, err
		}
		b, err := y.eval(g)
		switch {
		case err != nil || a.IsNull() || b.IsNull():
			return unknown, err
		}
		return truth(holds(op, a.compare(b))), nil
	}
}
