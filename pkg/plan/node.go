package plan

import (
	"math/big"
	"strings"

	"github.com/carnet-network/carnet/pkg/query"
)

// env is the group that output expressions are evaluated for.
type env struct {
	totals []*big.Int // per need
	keys   []Value    // per GROUP BY column
	codes  []int      // per GROUP BY column: position in its domain
}

// node is a compiled output expression. Types are static: a node is a number, a text
// or the literal NULL, which is either.
type node struct {
	kind  nodeKind
	scale int  // number: digits after the point
	free  bool // number: quotients and roots print more digits
	group int  // the node is this GROUP BY column, else -1
	dom   *domain
	lit   *scalar // the node is this literal
	at    query.Pos
	expr  query.Expr // for messages; nil for a literal
	eval  func(*env) (Value, error)
}

// text is the expression as SQL. It is written out only when a message shows it: a
// long sum has as many nodes as signs, each with a text almost as long as the query.
func (n *node) text() string {
	if n.expr == nil {
		return n.lit.String()
	}
	return query.Format(n.expr)
}

type nodeKind int

const (
	nullNode nodeKind = iota
	numberNode
	textNode
)

// test is a compiled condition on released groups.
type test func(*env) (tri, error)

// outputs compiles what is computed at the buyer.
type outputs struct {
	needs *needs
	group []int // variables of GROUP BY
	sel   *query.Select
}

func (o *outputs) node(e query.Expr) (*node, error) {
	if s, ok := asScalar(e); ok {
		return literalNode(s), nil
	}
	var (
		out *node
		err error
	)
	switch e := e.(type) {
	case *query.ColumnRef:
		out, err = o.columnNode(e)
	case *query.Aggregate:
		out, err = o.aggregateNode(e)
	case *query.Unary:
		if e.Op == query.Neg {
			out, err = o.negative(e)
		} else {
			err = conditionSelected(e)
		}
	case *query.Binary:
		switch e.Op {
		case query.Add, query.Sub, query.Mul, query.Div:
			out, err = o.arithmetic(e)
		default:
			err = conditionSelected(e)
		}
	case *query.Call:
		out, err = o.call(e)
	default:
		err = conditionSelected(e)
	}
	if err != nil {
		return nil, err
	}
	out.at, out.expr = e.Position(), e
	return out, nil
}

func conditionSelected(e query.Expr) error {
	return query.Refuse(e.Position(), "TYPE_MISMATCH", "a condition is not a value").
		Fix("put conditions on rows into WHERE, conditions on groups into HAVING")
}

func literalNode(s scalar) *node {
	n := &node{group: -1, lit: &s, at: s.at}
	var v Value
	switch {
	case s.isText:
		n.kind, v = textNode, TextValue(s.text)
	case s.num != nil:
		n.kind, n.scale, v = numberNode, s.scale, NumberValue(s.num, s.scale)
	}
	n.eval = func(*env) (Value, error) { return v, nil }
	return n
}

func (o *outputs) columnNode(e *query.ColumnRef) (*node, error) {
	c, err := o.needs.names.resolve(e)
	if err != nil {
		return nil, o.aliasAdvice(e, err)
	}
	if c.measure >= 0 {
		return nil, query.Refuse(e.At, "NOT_GROUPED", "%s is a measure: single values are never released", e.Name).
			Fix("aggregate it: SUM(%s) or AVG(%s)", e.Name, e.Name)
	}
	for i, v := range o.group {
		if v == c.variable {
			d := o.needs.names.u.vars[v].domain
			n := &node{kind: textNode, group: i, dom: d, eval: func(g *env) (Value, error) { return g.keys[i], nil }}
			if d.numeric() {
				n.kind = numberNode
			}
			return n, nil
		}
	}
	columns := []string{e.Name}
	for _, v := range o.group {
		columns = append([]string{o.needs.names.u.vars[v].name}, columns...)
	}
	return nil, query.Refuse(e.At, "NOT_GROUPED", "%s is neither aggregated nor in GROUP BY", e.Name).
		Fix("add GROUP BY %s", strings.Join(columns, ", "))
}

// aliasAdvice improves the refusal of a name that is an alias of the result.
func (o *outputs) aliasAdvice(e *query.ColumnRef, err error) error {
	for _, it := range o.sel.Items {
		if it.Alias == e.Name && e.Table == "" {
			return query.Refuse(e.At, "UNKNOWN_COLUMN", "%s names a column of the result, which can't be used inside expressions", shown(e.Name)).
				Fix("write %s instead", query.Format(it.Expr))
		}
	}
	return err
}

func (o *outputs) aggregateNode(e *query.Aggregate) (*node, error) {
	s, err := o.needs.aggregate(e)
	if err != nil {
		return nil, err
	}
	n := &node{kind: numberNode, group: -1}
	n.scale, n.free = s.shape()
	n.eval = func(g *env) (Value, error) { return s.value(g.totals), nil }
	return n, nil
}

// number compiles an operand that has to be a number.
func (o *outputs) number(e query.Expr) (*node, error) {
	n, err := o.node(e)
	if err != nil {
		return nil, err
	}
	if n.kind == textNode {
		return nil, query.Refuse(e.Position(), "TYPE_MISMATCH", "%s is text, and only numbers are computed with", n.text()).
			Fix("use aggregates and numbers")
	}
	return n, nil
}

func (o *outputs) negative(e *query.Unary) (*node, error) {
	x, err := o.number(e.X)
	if err != nil {
		return nil, err
	}
	n := &node{kind: numberNode, scale: x.scale, free: x.free, group: -1}
	n.eval = func(g *env) (Value, error) {
		v, err := x.eval(g)
		if err != nil || v.num == nil {
			return Value{}, err
		}
		v.num = new(big.Rat).Neg(v.num)
		return v, nil
	}
	return n, nil
}

func (o *outputs) arithmetic(e *query.Binary) (*node, error) {
	x, err := o.number(e.X)
	if err != nil {
		return nil, err
	}
	y, err := o.number(e.Y)
	if err != nil {
		return nil, err
	}
	n := &node{kind: numberNode, scale: max(x.scale, y.scale), free: x.free || y.free, group: -1}
	switch e.Op {
	case query.Mul:
		n.scale = x.scale + y.scale
	case query.Div:
		n.free = true
	}
	if n.scale > maxScale {
		n.scale, n.free = maxScale, true
	}
	n.eval = func(g *env) (Value, error) {
		a, err := x.eval(g)
		if err != nil {
			return Value{}, err
		}
		b, err := y.eval(g)
		if err != nil || a.num == nil || b.num == nil {
			return Value{}, err
		}
		r, ok := arithmetic(e.Op, a.num, b.num)
		if !ok {
			return Value{}, o.divisionByZero(e, g)
		}
		return Value{num: r, scale: n.scale, free: n.free}, nil
	}
	return n, nil
}
