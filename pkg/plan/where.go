package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/carnet-network/carnet/pkg/query"
)

// names resolves the columns of one query.
type names struct {
	u     *universe
	table string // what columns may be qualified with
}

// column is what a name stands for: a variable, or else a measure.
type column struct {
	variable int // -1 for a measure
	measure  int // -1 for a variable
}

// resolve finds the column of a reference.
func (n *names) resolve(c *query.ColumnRef) (column, error) {
	if c.Table != "" && c.Table != n.table {
		return column{}, query.Refuse(c.At, "UNKNOWN_COLUMN", "there is no table %s in this query", shown(c.Table)).
			Fix("write %s, or %s.%s", query.Quote(c.Name), query.Quote(n.table), query.Quote(c.Name))
	}
	for i := range n.u.vars {
		if n.u.vars[i].name == c.Name {
			return column{i, -1}, nil
		}
	}
	if m := n.u.Schema.Measure(c.Name); m >= 0 {
		return column{-1, m}, nil
	}
	return column{}, query.Refuse(c.At, "UNKNOWN_COLUMN", "there is no column %s in schema %s", shown(c.Name), n.u.Schema.ID()).
		Fix("%s", suggest(c.Name, n.all()))
}

// all lists every column, public ones last.
func (n *names) all() []string {
	var list []string
	for i := range n.u.vars {
		list = append(list, n.u.vars[i].name)
	}
	at := len(n.u.Schema.Dimensions)
	for i := range n.u.Schema.Measures {
		list = slices.Insert(list, at+i, n.u.Schema.Measures[i].Name)
	}
	return list
}

// condition compiles WHERE.
func (n *names) condition(e query.Expr) (*cond, error) {
	switch e := e.(type) {
	case *query.Literal:
		switch e.Kind {
		case query.Bool:
			return constantCond(truth(e.Text == "true")), nil
		case query.Null:
			return constantCond(unknown), nil
		}
	case *query.Unary:
		if e.Op == query.Not {
			c, err := n.condition(e.X)
			if err != nil {
				return nil, err
			}
			return c.not(), nil
		}
	case *query.Binary:
		switch {
		case e.Op == query.And, e.Op == query.Or:
			return n.logical(e)
		case e.Op.Comparison():
			return n.comparison(e)
		}
	case *query.Between:
		return n.between(e)
	case *query.In:
		return n.in(e)
	case *query.IsNull:
		return n.isNull(e)
	case *query.ColumnRef:
		return nil, query.Refuse(e.At, "TYPE_MISMATCH", "%s is not a condition", shown(e.Name)).Fix("compare it with a value")
	case *query.Aggregate:
		return nil, aggregateInWhere(e)
	}
	return nil, query.Refuse(e.Position(), "TYPE_MISMATCH", "this is not a condition").Fix("compare a dimension with a value")
}

func aggregateInWhere(e *query.Aggregate) error {
	return query.Refuse(e.At, "SYNTAX", "WHERE selects rows, and %s is computed from the selected rows", query.Format(e)).
		Fix("put the condition on it into HAVING")
}

func (n *names) logical(e *query.Binary) (*cond, error) {
	x, err := n.condition(e.X)
	if err != nil {
		return nil, err
	}
	y, err := n.condition(e.Y)
	if err != nil {
		return nil, err
	}
	if e.Op == query.And {
		return join(allOf, x, y), nil
	}
	return join(anyOf, x, y), nil
}

// mirrored is the operator with its sides exchanged.
var mirrored = map[query.Op]query.Op{query.Eq: query.Eq, query.Ne: query.Ne, query.Lt: query.Gt, query.Le: query.Ge, query.Gt: query.Lt, query.Ge: query.Le}

func (n *names) comparison(e *query.Binary) (*cond, error) {
	x, xok := asScalar(e.X)
	y, yok := asScalar(e.Y)
	switch {
	case xok && yok:
		return constantComparison(e, x, y)
	case xok:
		v, err := n.filterColumn(e.Y)
		if err != nil {
			return nil, err
		}
		return n.compare(v, mirrored[e.Op], x)
	}
	v, err := n.filterColumn(e.X)
	if err != nil {
		return nil, err
	}
	if !yok {
		if _, err := n.filterColumn(e.Y); err != nil {
			return nil, err
		}
		return nil, query.Refuse(e.At, "UNSUPPORTED", "columns can't be compared with each other").
			Fix("compare each with a value; for pairs of values: (%s = ... AND %s = ...) OR (...)", query.Format(e.X), query.Format(e.Y))
	}
	return n.compare(v, e.Op, y)
}

func (n *names) compare(v int, op query.Op, s scalar) (*cond, error) {
	t, err := n.u.vars[v].domain.compare(op, s)
	if err != nil {
		return nil, err
	}
	return leafCond(v, t), nil
}

// constantComparison evaluates 1 = 1, which tools like to write.
func constantComparison(e *query.Binary, x, y scalar) (*cond, error) {
	switch {
	case x.isNull() || y.isNull():
		return constantCond(unknown), nil
	case x.isText != y.isText:
		return nil, query.Refuse(e.At, "TYPE_MISMATCH", "a text and a number do not compare").Fix("compare a dimension with a value")
	case x.isText:
		return constantCond(truth(holds(e.Op, strings.Compare(x.text, y.text)))), nil
	}
	return constantCond(truth(holds(e.Op, x.num.Cmp(y.num)))), nil
}

// filterColumn resolves the column of a condition.
func (n *names) filterColumn(e query.Expr) (int, error) {
	switch e := e.(type) {
	case *query.ColumnRef:
		c, err := n.resolve(e)
		if err != nil {
			return 0, err
		}
		if c.variable < 0 {
			return 0, query.Refuse(e.At, "NOT_A_FILTER", "%s is a measure: its values are encrypted and can only be summed", e.Name).
				Fix("%s", n.filterAdvice())
		}
		return c.variable, nil
	case *query.Aggregate:
		return 0, aggregateInWhere(e)
	}
	return 0, query.Refuse(e.Position(), "UNSUPPORTED", "conditions in WHERE compare a column with literal values").
		Fix("write column = value, column IN (...), column BETWEEN a AND b or column IS NULL")
}

// filterAdvice names the columns that conditions can be on.
func (n *names) filterAdvice() string {
	var list []string
	for i := range n.u.vars {
		list = append(list, n.u.vars[i].name)
	}
	if len(list) > 12 {
		list = append(list[:11], "...")
	}
	return fmt.Sprintf("filter by %s; the owner can add a dimension with buckets of the measure", strings.Join(list, ", "))
}

func (n *names) values(list ...query.Expr) ([]scalar, error) {
	out := make([]scalar, len(list))
	for i, e := range list {
		s, ok := asScalar(e)
		if !ok {
			return nil, query.Refuse(e.Position(), "UNSUPPORTED", "only literal values can stand here").
				Fix("write the values into the query")
		}
		out[i] = s
	}
	return out, nil
}

func (n *names) between(e *query.Between) (*cond, error) {
	v, err := n.filterColumn(e.X)
	if err != nil {
		return nil, err
	}
	b, err := n.values(e.Lo, e.Hi)
	if err != nil {
		return nil, err
	}
	lo, err := n.compare(v, query.Ge, b[0])
	if err != nil {
		return nil, err
	}
	hi, err := n.compare(v, query.Le, b[1])
	if err != nil {
		return nil, err
	}
	return negated(join(allOf, lo, hi), e.Not), nil
}

func (n *names) in(e *query.In) (*cond, error) {
	v, err := n.filterColumn(e.X)
	if err != nil {
		return nil, err
	}
	list, err := n.values(e.List...)
	if err != nil {
		return nil, err
	}
	t, err := n.u.vars[v].domain.among(list)
	if err != nil {
		return nil, err
	}
	return negated(leafCond(v, t), e.Not), nil
}

func (n *names) isNull(e *query.IsNull) (*cond, error) {
	v, err := n.filterColumn(e.X)
	if err != nil {
		return nil, err
	}
	return negated(leafCond(v, n.nullTruth(v)), e.Not), nil
}

// nullTruth is the truth of IS NULL at each position.
func (n *names) nullTruth(v int) []tri {
	d := n.u.vars[v].domain
	t := make([]tri, d.size())
	if d.nullable {
		t[len(d.values)] = isTrue
	}
	return t
}

func negated(c *cond, not bool) *cond {
	if not {
		return c.not()
	}
	return c
}
