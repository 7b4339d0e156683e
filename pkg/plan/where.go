package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/carnet-network/carnet/pkg/query"
)

// names resolves the columns of one query.
type names struct {
	u      *universe
	table  string // what columns may be qualified with
	values map[int][]Value
	spent  int // of maxCompile
}

// maxCompile bounds the positions of columns that expressions and conditions are
// evaluated for while a query is compiled.
const maxCompile = 1 << 24

// spend counts the work that a condition stands for and refuses too much of it.
func (n *names) spend(at query.Pos, cs ...*cond) error {
	for _, c := range cs {
		leaves, positions := c.weight()
		if n.spent += positions + leaves; leaves > maxLeaves || n.spent > maxCompile {
			return query.Refuse(at, "TOO_COMPLEX", "the query tells too many cases of rows apart").Fix("use fewer branches and codes, or several queries")
		}
	}
	return nil
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
			return n.comparison(e.Op, e.X, e.Y, e.At)
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

func (n *names) comparison(op query.Op, a, b query.Expr, at query.Pos) (*cond, error) {
	x, err := n.rowValue(a)
	if err != nil {
		return nil, err
	}
	y, err := n.rowValue(b)
	if err != nil {
		return nil, err
	}
	return n.compareRows(op, x, y, at)
}

func (n *names) compare(v int, op query.Op, s scalar) (*cond, error) {
	t, err := n.u.vars[v].domain.compare(op, s)
	if err != nil {
		return nil, err
	}
	return leafCond(v, t), nil
}

// constantComparison evaluates 1 = 1, which tools like to write.
func constantComparison(op query.Op, at query.Pos, x, y scalar) (*cond, error) {
	switch {
	case x.isNull() || y.isNull():
		return constantCond(unknown), nil
	case x.isText != y.isText:
		return nil, query.Refuse(at, "TYPE_MISMATCH", "a text and a number do not compare").Fix("compare a dimension with a value")
	case x.isDate != y.isDate:
		for _, s := range []scalar{x, y} {
			if _, err := s.date(); err != nil {
				return nil, err
			}
		}
		fallthrough
	case x.isText:
		return constantCond(truth(holds(op, strings.Compare(x.text, y.text)))), nil
	}
	return constantCond(truth(holds(op, x.num.Cmp(y.num)))), nil
}

// filterColumn resolves the column of a condition.
func (n *names) filterColumn(e *query.ColumnRef) (int, error) {
	c, err := n.resolve(e)
	if err != nil {
		return 0, err
	}
	if c.variable < 0 {
		return 0, query.Refuse(e.At, "NOT_A_FILTER", "%s is a measure: its values are encrypted and can only be summed", e.Name).
			Fix("%s", n.filterAdvice(n.u.Schema.Measures[c.measure].Name))
	}
	return c.variable, nil
}

// filterAdvice names the columns that conditions can be on instead of on a measure.
func (n *names) filterAdvice(measure string) string {
	if list := n.u.Schema.BucketsOf(measure); len(list) > 0 {
		return fmt.Sprintf("filter by %s, where the buckets of %s begin", strings.Join(list, " or "), measure)
	}
	var list []string
	for i := range n.u.vars {
		list = append(list, n.u.vars[i].name)
	}
	if len(list) > 12 {
		list = append(list[:11], "...")
	}
	return fmt.Sprintf("filter by %s; a new version of the schema can have a dimension with buckets: %s", strings.Join(list, ", "), measure)
}

func (n *names) between(e *query.Between) (*cond, error) {
	x, err := n.rowValue(e.X)
	if err != nil {
		return nil, err
	}
	var sides [2]*cond
	for i, b := range []query.Expr{e.Lo, e.Hi} {
		y, err := n.rowValue(b)
		if err != nil {
			return nil, err
		}
		if sides[i], err = n.compareRows([]query.Op{query.Ge, query.Le}[i], x, y, e.At); err != nil {
			return nil, err
		}
	}
	return negated(join(allOf, sides[0], sides[1]), e.Not), nil
}

func (n *names) in(e *query.In) (*cond, error) {
	x, err := n.rowValue(e.X)
	if err != nil {
		return nil, err
	}
	if x.column >= 0 {
		if list, ok := scalars(e.List); ok {
			t, err := n.u.vars[x.column].domain.among(list)
			return negated(leafCond(x.column, t), e.Not), err
		}
	}
	out := constantCond(isFalse)
	for _, v := range e.List {
		y, err := n.rowValue(v)
		if err != nil {
			return nil, err
		}
		c, err := n.compareRows(query.Eq, x, y, e.At)
		if err != nil {
			return nil, err
		}
		out = join(anyOf, out, c)
	}
	return negated(out, e.Not), nil
}

// scalars reads a list of literals; ok is false if there is anything else.
func scalars(list []query.Expr) (out []scalar, ok bool) {
	for _, e := range list {
		s, is := asScalar(e)
		if !is {
			return nil, false
		}
		out = append(out, s)
	}
	return out, true
}

func (n *names) isNull(e *query.IsNull) (*cond, error) {
	x, err := n.rowValue(e.X)
	if err != nil {
		return nil, err
	}
	c, err := n.nullCond(x)
	if err != nil {
		return nil, err
	}
	return negated(c, e.Not), nil
}

func negated(c *cond, not bool) *cond {
	if not {
		return c.not()
	}
	return c
}
