package plan

import (
	"math/big"
	"strings"

	"github.com/carnet-network/carnet/pkg/query"
)

// env is the group that output expressions are evaluated for.
type env struct {
	totals []*big.Int // per need
	keys   []Value    // per GROUP BY key
	codes  []int      // per GROUP BY key: position in its domain, or among its values
	sides  []*env     // of a join: the group as each side has it
}

// node is a compiled output expression.
type node struct {
	static
	group int     // the node is this GROUP BY key, else -1
	side  int     // of a join: 1 + the side that it is of; 0 otherwise
	dom   *domain // group key: that of its column, nil for an expression
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

// test is a compiled condition on released groups.
type test func(*env) (tri, error)

// outputs compiles what is computed at the buyer.
type outputs struct {
	source  int
	needs   *needs
	group   []groupKey
	private bool // there is a private parameter
	sel     *query.Select
	join    *joiner  // of a join: what names of columns stand for; nil within a side
	outer   *outputs // within a side of a join: that of the whole query
	pairs   *[]pair  // differences, of all sources
}

func (o *outputs) node(e query.Expr) (*node, error) {
	if s, ok := asScalar(e); ok {
		return literalNode(s), nil
	}
	if c, ok := e.(*query.ColumnRef); ok && o.join != nil {
		return o.sideNode(c)
	}
	if n := o.keyNode(e); n != nil && o.join == nil {
		return n, nil
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
			out, err = o.arithmetic(&query.Binary{Op: query.Sub, X: &query.Literal{Kind: query.Number, Text: "0", At: e.At}, Y: e.X, At: e.At})
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
	case *query.Case:
		out, err = o.caseNode(e)
	case *query.DatePart:
		out, err = o.datePart(e)
	case *query.Cast:
		out, err = o.cast(e)
	case *query.Literal, *query.Private:
		err = notAValue(e)
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
	v := s.value()
	return &node{static: s.static(), group: -1, lit: &s, at: s.at, eval: func(*env) (Value, error) { return v, nil }}
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
	columns := []string{e.Name}
	for i := len(o.group) - 1; i >= 0; i-- {
		if o.group[i].variable == c.variable {
			return o.groupNode(i), nil
		}
		columns = append([]string{o.group[i].name}, columns...)
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
	if o.join != nil {
		return nil, aggregatedAgain(e)
	}
	s, err := o.needs.aggregate(e)
	if err != nil {
		return nil, err
	}
	return &node{static: s.shape(), group: -1, eval: func(g *env) (Value, error) { return s.value(g.totals), nil }}, nil
}

// number compiles an operand that has to be a number.
func (o *outputs) number(e query.Expr) (*node, error) {
	n, err := o.node(e)
	if err != nil {
		return nil, err
	}
	if n.kind == textNode || n.kind == dateNode {
		return nil, query.Refuse(e.Position(), "TYPE_MISMATCH", "%s is %s, and only numbers are computed with", n.text(), n.what()).
			Fix("use aggregates and numbers")
	}
	return n, nil
}

func (o *outputs) arithmetic(e *query.Binary) (*node, error) {
	if s, x, sign, ok := shifts(e); ok {
		return o.shift(e, x, s, sign)
	}
	if n, err := o.difference(e); n != nil || err != nil {
		return n, err
	}
	x, err := o.node(e.X)
	if err != nil {
		return nil, err
	}
	y, err := o.node(e.Y)
	if err != nil {
		return nil, err
	}
	t, err := arithmeticType(e, x.static, y.static)
	if err != nil {
		return nil, err
	}
	return &node{static: t, group: -1, eval: func(g *env) (Value, error) {
		a, err := x.eval(g)
		if err != nil {
			return Value{}, err
		}
		b, err := y.eval(g)
		if err != nil {
			return Value{}, err
		}
		v, ok := arithmeticValue(e.Op, t, x.static, y.static, a, b)
		switch {
		case ok:
			return v, nil
		case t.kind == dateNode:
			return v, dateRange(e)
		}
		return v, o.divisionByZero(e, g)
	}}, nil
}

func (o *outputs) shift(e *query.Binary, date query.Expr, s query.Span, sign int) (*node, error) {
	x, err := o.node(date)
	if err != nil {
		return nil, err
	}
	if err := checkShift(e, x.static); err != nil {
		return nil, err
	}
	return &node{static: static{kind: dateNode, stamp: true}, group: -1, eval: func(g *env) (Value, error) {
		v, err := x.eval(g)
		if err != nil {
			return v, err
		}
		out, ok := moved(v, s, sign)
		if !ok {
			return out, dateRange(e)
		}
		return out, nil
	}}, nil
}
