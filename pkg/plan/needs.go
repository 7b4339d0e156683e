package plan

import (
	"slices"
	"strings"

	"github.com/carnet-network/carnet/pkg/query"
	"github.com/carnet-network/carnet/pkg/schema"
)

// need is a quantity that every group needs: the sum of an atom over the rows that a
// filter selects.
type need struct {
	atom   schema.Atom
	filter int // 0: WHERE; others: WHERE and a dimension that is not NULL
}

// needs collects quantities and filters; equal ones once.
type needs struct {
	names   *names
	where   query.Pos
	conds   []*cond // per filter
	notNull []int   // per filter: the dimension it adds, -1
	list    []need
	first   []*query.Aggregate // per need: the aggregate that asked first; nil for COUNT(*) of groups
	funcs   []string           // aggregates used, for the owners' terms
	filters []string           // columns used to select rows
}

func (n *needs) add(by *query.Aggregate, want need) int {
	if i := slices.Index(n.list, want); i >= 0 {
		return i
	}
	n.list = append(n.list, want)
	n.first = append(n.first, by)
	return len(n.list) - 1
}

// notNullFilter returns the filter for rows where a dimension is not NULL.
func (n *needs) notNullFilter(v int) int {
	if !n.names.u.vars[v].domain.nullable {
		return 0
	}
	n.filters = append(n.filters, n.names.u.vars[v].name)
	if i := slices.Index(n.notNull, v); i >= 0 {
		return i
	}
	n.conds = append(n.conds, join(allOf, n.conds[0], leafCond(v, n.names.nullTruth(v)).not()))
	n.notNull = append(n.notNull, v)
	return len(n.conds) - 1
}

// sums is where an aggregate finds its inputs among the needs; -1 if it has none.
type sums struct {
	function           query.Func
	count, sum, square int
	scale              int // decimal digits of sum; square has twice as many
}

// term is what an aggregate is computed over: rows, a measure, or a product of two
// measures.
type term struct {
	variable int // COUNT of a dimension or public column, else -1
	x, y     string
	scale    int
}

// aggregate finds out what an aggregate needs.
func (n *needs) aggregate(e *query.Aggregate) (*sums, error) {
	n.funcs = append(n.funcs, string(e.Func))
	t, err := n.term(e)
	if err != nil {
		return nil, err
	}
	s := &sums{function: e.Func, sum: -1, square: -1, scale: t.scale}
	s.count = n.add(e, n.rowCount(t))
	if e.Func == query.Count {
		return s, nil
	}
	if t.y == "" {
		s.sum = n.add(e, need{schema.Atom{Kind: schema.Sum, X: t.x}, 0})
	} else {
		s.sum = n.add(e, need{productAtom(t.x, t.y), 0})
	}
	if e.Func == query.Sum || e.Func == query.Avg {
		return s, nil
	}
	if t.y != "" {
		return nil, query.Refuse(e.At, "DEGREE", "%s of a product would need products of four columns", strings.ToUpper(e.Name)).
			Fix("use AVG(%s), or the variance of a single measure", query.Format(e.Arg))
	}
	s.square = n.add(e, need{schema.Atom{Kind: schema.Square, X: t.x}, 0})
	return s, nil
}

func productAtom(x, y string) schema.Atom {
	if x == y {
		return schema.Atom{Kind: schema.Square, X: x}
	}
	return schema.Atom{Kind: schema.Product, X: x, Y: y}
}

// rowCount is the number of rows where a term is not NULL.
func (n *needs) rowCount(t term) need {
	if t.variable >= 0 {
		return need{schema.Atom{Kind: schema.Count}, n.notNullFilter(t.variable)}
	}
	s := n.names.u.Schema
	var nullable []string
	for _, m := range []string{t.x, t.y} {
		if i := s.Measure(m); i >= 0 && s.Measures[i].Nullable && !slices.Contains(nullable, m) {
			nullable = append(nullable, m)
		}
	}
	switch len(nullable) {
	case 0:
		return need{schema.Atom{Kind: schema.Count}, 0}
	case 1:
		return need{schema.Atom{Kind: schema.NotNull, X: nullable[0]}, 0}
	}
	return need{schema.Atom{Kind: schema.NotNull, X: nullable[0], Y: nullable[1]}, 0}
}

// term reads the argument of an aggregate.
func (n *needs) term(e *query.Aggregate) (term, error) {
	t := term{variable: -1}
	if e.Arg == nil {
		return t, nil
	}
	if s, ok := asScalar(e.Arg); ok && e.Func == query.Count && !s.isNull() {
		return t, nil
	}
	switch arg := e.Arg.(type) {
	case *query.ColumnRef:
		c, err := n.names.resolve(arg)
		if err != nil {
			return t, err
		}
		if c.variable >= 0 {
			if e.Func != query.Count {
				return t, query.Refuse(arg.At, "TYPE_MISMATCH", "%s is a %s, and only measures can be summed", arg.Name, n.names.u.vars[c.variable].what).
					Fix("group by %s, or use one of the measures %s", arg.Name, n.measures())
			}
			t.variable = c.variable
			return t, nil
		}
		m := &n.names.u.Schema.Measures[c.measure]
		t.x, t.scale = m.Name, m.Scale
		return t, nil
	case *query.Binary:
		if arg.Op == query.Mul {
			return n.product(e, arg)
		}
	}
	return t, n.refuseTerm(e)
}

func (n *needs) product(e *query.Aggregate, arg *query.Binary) (term, error) {
	t := term{variable: -1}
	for i, side := range []query.Expr{arg.X, arg.Y} {
		ref, ok := side.(*query.ColumnRef)
		if !ok {
			return t, n.refuseTerm(e)
		}
		c, err := n.names.resolve(ref)
		if err != nil {
			return t, err
		}
		if c.measure < 0 {
			return t, query.Refuse(ref.At, "TYPE_MISMATCH", "%s is a %s, and only measures can be multiplied", ref.Name, n.names.u.vars[c.variable].what).
				Fix("group by %s and multiply the released numbers", ref.Name)
		}
		m := &n.names.u.Schema.Measures[c.measure]
		t.scale += m.Scale
		if i == 0 {
			t.x = m.Name
		} else {
			t.y = m.Name
		}
	}
	return t, nil
}

func (n *needs) measures() string {
	var list []string
	for i := range n.names.u.Schema.Measures {
		list = append(list, n.names.u.Schema.Measures[i].Name)
	}
	if len(list) > 12 {
		list = append(list[:11], "...")
	}
	return strings.Join(list, ", ")
}

// refuseTerm explains why an argument can't be summed and shows how to write it.
func (n *needs) refuseTerm(e *query.Aggregate) error {
	f := strings.ToUpper(e.Name)
	at := e.Arg.Position()
	nested := false
	query.Walk(e.Arg, func(x query.Expr) bool {
		_, is := x.(*query.Aggregate)
		nested = nested || is
		return !nested
	})
	if nested {
		return query.Refuse(at, "SYNTAX", "aggregates can't be nested").Fix("aggregate a measure: %s(%s)", f, n.firstMeasure())
	}
	r := query.Refuse(at, "UNSUPPORTED", "%s takes a measure or the product of two measures", f)
	linear := e.Func == query.Sum || e.Func == query.Avg
	switch arg := e.Arg.(type) {
	case *query.Binary:
		x, y := query.Format(arg.X), query.Format(arg.Y)
		_, constX := asScalar(arg.X)
		_, constY := asScalar(arg.Y)
		switch {
		case linear && arg.Op == query.Mul && constX:
			return r.Fix("write %s * %s(%s)", x, f, y)
		case linear && (arg.Op == query.Mul || arg.Op == query.Div) && constY:
			return r.Fix("write %s(%s) %s %s", f, x, arg.Op, y)
		case linear && (arg.Op == query.Add || arg.Op == query.Sub) && !constX && !constY:
			return r.Fix("write %s(%s) %s %s(%s); rows where only one of them is NULL then count", f, x, arg.Op, f, y)
		case linear && (arg.Op == query.Add || arg.Op == query.Sub) && constY && e.Func == query.Avg:
			return r.Fix("write AVG(%s) %s %s", x, arg.Op, y)
		case linear && (arg.Op == query.Add || arg.Op == query.Sub) && constY:
			return r.Fix("write SUM(%s) %s %s * COUNT(%s)", x, arg.Op, y, x)
		case arg.Op == query.Mul:
			return r.Fix("multiply two measures at most, as in %s(%s * %s)", f, n.firstMeasure(), n.firstMeasure())
		case arg.Op == query.Div:
			return r.Fix("the quotient of sums is possible: SUM(%s) / SUM(%s)", x, y)
		}
	case *query.Unary:
		if linear && arg.Op == query.Neg {
			return r.Fix("write - %s(%s)", f, query.Format(arg.X))
		}
	case *query.Call:
		if arg.Func == query.Coalesce && len(arg.Args) == 2 && e.Func == query.Sum {
			return r.Fix("write COALESCE(SUM(%s), 0): SUM ignores NULLs", query.Format(arg.Args[0]))
		}
	case *query.Literal:
		if arg.Kind == query.Number && e.Func == query.Sum {
			return r.Fix("write %s * COUNT(*)", arg.Text)
		}
	}
	return r.Fix("write %s(%s)", f, n.firstMeasure())
}

func (n *needs) firstMeasure() string {
	if len(n.names.u.Schema.Measures) > 0 {
		return n.names.u.Schema.Measures[0].Name
	}
	return "measure"
}
