package plan

import (
	"math/big"
	"slices"
	"strings"

	"github.com/carnet-network/carnet/pkg/query"
)

// argument is what an aggregate is computed over: in each row the value of the branch
// whose condition holds. Branches exclude each other; rows outside all of them, and
// those where a column of the polynomial is NULL, count as NULL.
type argument []argBranch

type argBranch struct {
	when *cond // two-valued
	p    query.Polynomial
}

var everywhere = constantCond(isTrue)

// argument compiles the argument of an aggregate.
func (n *needs) argument(a *query.Aggregate, e query.Expr) (argument, error) {
	switch e := e.(type) {
	case *query.Literal:
		switch e.Kind {
		case query.Null:
			return nil, nil
		case query.Number:
			if p, err := query.PolynomialOf(e, nil); err == nil {
				return argument{{everywhere, p}}, nil
			}
		}
	case *query.ColumnRef:
		return n.measureArgument(e)
	case *query.Unary:
		if e.Op == query.Neg {
			x, err := n.argument(a, e.X)
			if err != nil {
				return nil, err
			}
			return x.each(func(p query.Polynomial) query.Polynomial { return p.Scaled(big.NewRat(-1, 1)) }), nil
		}
	case *query.Binary:
		switch e.Op {
		case query.Add, query.Sub, query.Mul, query.Div:
			x, err := n.argument(a, e.X)
			if err != nil {
				return nil, err
			}
			y, err := n.argument(a, e.Y)
			if err != nil {
				return nil, err
			}
			return n.combine(x, y, e)
		}
	case *query.Case:
		return n.caseArgument(a, e)
	case *query.Call:
		if e.Func == query.Coalesce {
			return n.coalesceArgument(a, e)
		}
	case *query.Cast:
		if e.To == query.NumericType {
			return n.argument(a, e.X)
		}
	}
	return nil, n.refuseTerm(a, e)
}

// measureArgument reads a measure, or a column that formulas of measures use.
func (n *needs) measureArgument(e *query.ColumnRef) (argument, error) {
	s := n.names.u.Schema
	if i := s.Input(e.Name); i >= 0 && (e.Table == "" || e.Table == n.names.table) {
		return argument{{everywhere, query.ColumnPolynomial(e.Name)}}, nil
	}
	c, err := n.names.resolve(e)
	if err != nil {
		return nil, err
	}
	name := e.Name
	if c.measure >= 0 {
		name = s.Measures[c.measure].Name
	} else if !n.inFormula(name) {
		return nil, n.notMeasure(e)
	}
	return argument{{everywhere, query.ColumnPolynomial(name)}}, nil
}

// inFormula tells whether some measure is computed from the column.
func (n *needs) inFormula(column string) bool {
	return slices.ContainsFunc(n.known, func(f formula) bool { return slices.Contains(f.p.Columns, column) })
}

func (n *needs) notMeasure(e *query.ColumnRef) error {
	c, err := n.names.resolve(e)
	if err != nil || c.variable < 0 {
		return query.Refuse(e.At, "NOT_STORED", "%s is not stored: it is an input of other measures", e.Name).
			Fix("use one of the measures %s", n.measures())
	}
	v := &n.names.u.vars[c.variable]
	r := typeMismatch(e.At, "%s is a %s, and only measures can be summed", e.Name, v.what)
	if v.domain.numeric() {
		return r.Fix("group by %s and compute with the released numbers, or use one of the measures %s", e.Name, n.measures())
	}
	return r.Fix("group by %s, write CASE WHEN %s = ... THEN ... END, or use one of the measures %s", e.Name, e.Name, n.measures())
}

func (x argument) each(f func(query.Polynomial) query.Polynomial) argument {
	out := slices.Clone(x)
	for i := range out {
		out[i].p = f(out[i].p)
	}
	return out
}

// combine computes with two arguments; where one of them is NULL, so is the result.
func (n *needs) combine(x, y argument, e *query.Binary) (argument, error) {
	var out argument
	for _, a := range x {
		for _, b := range y {
			when := simplify(join(allOf, a.when, b.when))
			if when.never() {
				continue
			}
			p, err := e.Polynomial(a.p, b.p)
			if err == nil {
				err = n.names.spend(e.At, when)
			}
			if err != nil {
				return nil, err
			}
			if out = append(out, argBranch{when, p}); len(out) > maxBranches {
				return nil, tooManyBranches(e.At)
			}
		}
	}
	return n.checked(out.merged(), e.At)
}

// checked counts the work that the conditions of an argument stand for.
func (n *needs) checked(x argument, at query.Pos) (argument, error) {
	for _, b := range x {
		if err := n.names.spend(at, b.when); err != nil {
			return nil, err
		}
	}
	return x, nil
}

// merged joins branches with the same value.
func (x argument) merged() argument {
	var out argument
	for _, b := range x {
		i := slices.IndexFunc(out, func(o argBranch) bool { return o.p.Equal(b.p) })
		if i < 0 {
			out = append(out, b)
			continue
		}
		out[i].when = simplify(join(anyOf, out[i].when, b.when))
	}
	return out
}

func (n *needs) caseArgument(a *query.Aggregate, e *query.Case) (argument, error) {
	conds, err := n.names.cases(e)
	if err != nil {
		return nil, err
	}
	for i := range e.Whens {
		n.filterBy(e.Condition(i))
	}
	var out argument
	for i, x := range results(e) {
		branch, err := n.argument(a, x)
		if err != nil {
			return nil, err
		}
		if out = append(out, branch.within(conds[i])...); len(out) > maxBranches {
			return nil, tooManyBranches(e.At)
		}
	}
	return n.checked(out.merged(), e.At)
}

// within keeps the rows where a condition holds.
func (x argument) within(c *cond) argument {
	var out argument
	for _, b := range x {
		if when := simplify(join(allOf, c, b.when)); !when.never() {
			out = append(out, argBranch{when, b.p})
		}
	}
	return out
}

// coalesceArgument compiles COALESCE(measure, 0): a NULL is stored as zero anyway, and
// what is left of the column is that it no longer decides about NULL.
func (n *needs) coalesceArgument(a *query.Aggregate, e *query.Call) (argument, error) {
	if len(e.Args) != 2 {
		return nil, n.refuseTerm(a, e)
	}
	x, err := n.argument(a, e.Args[0])
	if err != nil {
		return nil, err
	}
	s, ok := asScalar(e.Args[1])
	if !ok || s.num == nil || s.num.Sign() != 0 || len(x) != 1 || !x[0].when.always() || len(x[0].p.Columns) != 1 ||
		len(x[0].p.Terms) != 1 || x[0].p.Degree() == 0 {
		return nil, n.refuseTerm(a, e)
	}
	p := x[0].p
	if len(n.nullable(p.Columns)) > 0 {
		p.Columns = nil
	}
	return argument{{everywhere, p}}, nil
}

// numberType is what PostgreSQL would call the values of an argument: measures are
// numeric, and SUM of whole numbers is a whole number.
func (n *needs) numberType(a *query.Aggregate, e query.Expr) (numberType, error) {
	switch e := e.(type) {
	case *query.Literal:
		if e.Kind == query.Number && strings.Trim(e.Text, "0123456789") == "" && len(e.Text) < 10 {
			return integerType, nil
		}
		if e.Kind == query.Null {
			if e == a.Arg {
				return 0, n.refuseTerm(a, e)
			}
			return integerType, nil
		}
	case *query.Unary:
		return n.numberType(a, e.X)
	case *query.Binary:
		x, err := n.numberType(a, e.X)
		if err != nil {
			return x, err
		}
		y, err := n.numberType(a, e.Y)
		if err == nil && e.Op == query.Div && x == integerType && y == integerType {
			err = query.Refuse(e.At, "UNSUPPORTED", "%s divides whole numbers, which drops the remainder in every row", query.Format(e)).
				Fix("write one of them with a decimal point")
		}
		return max(x, y), err
	case *query.Case:
		out := integerType
		for _, r := range results(e) {
			t, err := n.numberType(a, r)
			if err != nil {
				return t, err
			}
			out = max(out, t)
		}
		return out, nil
	}
	return numericType, nil
}

// counted compiles the argument of COUNT, which may also be of columns.
func (n *needs) counted(a *query.Aggregate) (argument, error) {
	one := query.ConstantPolynomial(big.NewRat(1, 1))
	if a.Arg == nil {
		return argument{{everywhere, one}}, nil
	}
	if l, ok := a.Arg.(*query.Literal); ok && l.Kind == query.Null {
		return nil, n.refuseTerm(a, a.Arg)
	}
	measured := false
	query.Walk(a.Arg, func(e query.Expr) bool {
		switch e := e.(type) {
		case *query.ColumnRef:
			c, err := n.names.resolve(e)
			measured = measured || err != nil && n.names.u.Schema.Input(e.Name) >= 0 || err == nil && c.measure >= 0
		case *query.Aggregate:
			measured = true
		}
		return !measured
	})
	if measured {
		return n.argument(a, a.Arg)
	}
	r, err := n.names.rowValue(a.Arg)
	if err != nil {
		return nil, err
	}
	when, err := n.names.nullCond(r)
	if err != nil {
		return nil, err
	}
	when = when.not()
	if !when.always() {
		n.filterBy(a.Arg)
	}
	return argument{{when, one}}.within(everywhere), nil
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

func (n *needs) firstMeasure() string {
	if len(n.names.u.Schema.Measures) > 0 {
		return n.names.u.Schema.Measures[0].Name
	}
	return "measure"
}

// refuseTerm explains why an argument can't be summed and shows how to write it.
func (n *needs) refuseTerm(a *query.Aggregate, e query.Expr) error {
	f := strings.ToUpper(a.Name)
	nested := false
	query.Walk(a.Arg, func(x query.Expr) bool {
		_, is := x.(*query.Aggregate)
		nested = nested || is
		return !nested
	})
	if nested {
		return query.Refuse(e.Position(), "SYNTAX", "aggregates can't be nested").Fix("aggregate a measure: %s(%s)", f, n.firstMeasure())
	}
	r := query.Refuse(e.Position(), "UNSUPPORTED", "%s takes measures, numbers, + - * / and CASE over dimensions", f)
	switch e := e.(type) {
	case *query.Call:
		if e.Func == query.Coalesce && len(e.Args) == 2 {
			return r.Fix("COALESCE of a measure and 0 is possible: COALESCE(%s, 0); or write COALESCE(%s(%s), ...)", n.firstMeasure(), f, query.Format(e.Args[0]))
		}
		if e.Func == query.Round {
			return r.Fix("round the released number: ROUND(%s(%s), ...)", f, query.Format(e.Args[0]))
		}
	case *query.Literal:
		if e.Kind == query.Null {
			return r.Fix("write %s(%s), or COUNT(*)", f, n.firstMeasure())
		}
	}
	return r.Fix("write %s(%s)", f, n.firstMeasure())
}
