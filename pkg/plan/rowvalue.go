package plan

import (
	"github.com/carnet-network/carnet/pkg/query"
)

// maxBranches bounds the cases that one expression over columns tells apart.
const maxBranches = 1000

// rowValue is what an expression over dimensions and public columns is in each row.
// Its branches exclude each other and leave nothing out.
type rowValue struct {
	static
	branches []rowBranch
	column   int     // the expression is this column, else -1
	lit      *scalar // the expression is this literal
	at       query.Pos
	expr     query.Expr
}

// rowBranch holds where a condition does: a value for each position of a variable.
type rowBranch struct {
	when   *cond   // two-valued
	v      int     // variable, -1: the value is the same everywhere
	values []Value // per position; one if v is -1
}

// at returns the value at a position of the branch's variable.
func (b *rowBranch) at(position int) Value {
	if b.v < 0 {
		return b.values[0]
	}
	return b.values[position]
}

// valuesOf lists the values of a variable by position.
func (n *names) valuesOf(v int) []Value {
	if n.values[v] == nil {
		d := n.u.vars[v].domain
		list := make([]Value, d.size())
		for at := range list {
			list[at] = d.value(at)
		}
		if n.values == nil {
			n.values = map[int][]Value{}
		}
		n.values[v] = list
	}
	return n.values[v]
}

// rowValue compiles an expression over dimensions and public columns.
func (n *names) rowValue(e query.Expr) (*rowValue, error) {
	if s, ok := asScalar(e); ok {
		return &rowValue{s.static(), []rowBranch{{constantCond(isTrue), -1, []Value{s.value()}}}, -1, &s, s.at, e}, nil
	}
	var (
		out *rowValue
		err error
	)
	switch e := e.(type) {
	case *query.ColumnRef:
		out, err = n.rowColumn(e)
	case *query.Aggregate:
		err = aggregateInWhere(e)
	case *query.Case:
		out, err = n.rowCase(e)
	case *query.Call:
		out, err = n.rowCall(e)
	case *query.DatePart:
		if out, err = n.rowValue(e.X); err == nil {
			unit := dateUnit("")
			if out.column >= 0 {
				unit = n.u.vars[out.column].domain.unit
			}
			x := out.static
			var t static
			if t, err = datePartType(e, x, unit); err == nil {
				out, err = n.each(out, t, func(v Value) (Value, error) { return datePartValue(e, v), nil })
			}
		}
	case *query.Cast:
		if out, err = n.rowValue(e.X); err == nil {
			x := out.static
			var t static
			if t, err = castType(e, x); err == nil {
				out, err = n.each(out, t, func(v Value) (Value, error) { return t.as(castValue(e, x, v)), nil })
			}
		}
	case *query.Unary:
		if e.Op != query.Neg {
			return nil, notAValue(e)
		}
		out, err = n.rowArithmetic(&query.Binary{Op: query.Sub, X: &query.Literal{Kind: query.Number, Text: "0", At: e.At}, Y: e.X, At: e.At})
	case *query.Binary:
		switch e.Op {
		case query.Add, query.Sub, query.Mul, query.Div:
			out, err = n.rowArithmetic(e)
		default:
			err = notAValue(e)
		}
	default:
		err = notAValue(e)
	}
	if err != nil {
		return nil, err
	}
	out.at, out.expr = e.Position(), e
	return out, nil
}

func notAValue(e query.Expr) error {
	if l, ok := e.(*query.Literal); ok && l.Kind == query.Interval {
		return query.Refuse(l.At, "UNSUPPORTED", "an interval is only added to and subtracted from dates").Fix("write DATE '2024-01-31' - INTERVAL '90' DAY")
	}
	if p, ok := e.(*query.Private); ok {
		return query.Refuse(p.At, "UNSUPPORTED", "private parameters select codes of a dimension, in a condition that AND joins to the others").Fix("write %s", privateForm)
	}
	return typeMismatch(e.Position(), "%s is a condition, and a value is needed here", query.Format(e)).Fix("write CASE WHEN %s THEN ... END", query.Format(e))
}

func (n *names) rowColumn(e *query.ColumnRef) (*rowValue, error) {
	v, err := n.filterColumn(e)
	if err != nil {
		return nil, err
	}
	d := n.u.vars[v].domain
	return &rowValue{static: d.static(), branches: []rowBranch{{constantCond(isTrue), v, n.valuesOf(v)}}, column: v}, nil
}

// each applies a function to all values.
func (n *names) each(r *rowValue, t static, f func(Value) (Value, error)) (*rowValue, error) {
	out := &rowValue{static: t, column: -1}
	for _, b := range r.branches {
		if err := n.spendValues(r.at, &b); err != nil {
			return nil, err
		}
		values := make([]Value, len(b.values))
		for i, v := range b.values {
			var err error
			if values[i], err = f(v); err != nil {
				return nil, err
			}
		}
		out.branches = append(out.branches, rowBranch{b.when, b.v, values})
	}
	return out, nil
}

// spendValues counts the work of computing the values of a branch.
func (n *names) spendValues(at query.Pos, b *rowBranch) error {
	n.spent += 8 * len(b.values)
	return n.spend(at, b.when)
}

// combine applies a function to two values of each row.
func (n *names) combine(at query.Pos, t static, x, y *rowValue, f func(a, b Value) (Value, error)) (*rowValue, error) {
	out := &rowValue{static: t, column: -1}
	for i := range x.branches {
		for j := range y.branches {
			a, b := &x.branches[i], &y.branches[j]
			when := simplify(join(allOf, a.when, b.when))
			if when.never() {
				continue
			}
			c, err := combineBranches(at, when, a, b, f)
			if err == nil {
				err = n.spendValues(at, &c)
			}
			if err != nil {
				return nil, err
			}
			if out.branches = append(out.branches, c); len(out.branches) > maxBranches {
				return nil, tooManyBranches(at)
			}
		}
	}
	return out, nil
}

func combineBranches(at query.Pos, when *cond, a, b *rowBranch, f func(a, b Value) (Value, error)) (rowBranch, error) {
	v := a.v
	if v < 0 {
		v = b.v
	}
	if b.v >= 0 && b.v != v {
		return rowBranch{}, query.Refuse(at, "UNSUPPORTED", "columns can't be compared or combined with each other").
			Fix("compare each with a value; for pairs of values: (a = ... AND b = ...) OR (...)")
	}
	out := rowBranch{when: when, v: v, values: make([]Value, max(len(a.values), len(b.values)))}
	for i := range out.values {
		var err error
		if out.values[i], err = f(a.at(i), b.at(i)); err != nil {
			return out, err
		}
	}
	return out, nil
}

func tooManyBranches(at query.Pos) error {
	return query.Refuse(at, "TOO_COMPLEX", "the expression tells more than %d cases apart", maxBranches).Fix("use fewer branches, or several queries")
}

func (n *names) rowArithmetic(e *query.Binary) (*rowValue, error) {
	if s, x, sign, ok := shifts(e); ok {
		r, err := n.rowValue(x)
		if err != nil {
			return nil, err
		}
		if err := checkShift(e, r.static); err != nil {
			return nil, err
		}
		return n.each(r, static{kind: dateNode, stamp: true}, func(v Value) (Value, error) {
			out, ok := moved(v, s, sign)
			if !ok {
				return out, dateRange(e)
			}
			return out, nil
		})
	}
	x, err := n.rowValue(e.X)
	if err != nil {
		return nil, err
	}
	y, err := n.rowValue(e.Y)
	if err != nil {
		return nil, err
	}
	t, err := arithmeticType(e, x.static, y.static)
	if err != nil {
		return nil, err
	}
	return n.combine(e.At, t, x, y, func(a, b Value) (Value, error) {
		v, ok := arithmeticValue(e.Op, t, x.static, y.static, a, b)
		switch {
		case ok:
			return v, nil
		case t.kind == dateNode:
			return v, dateRange(e)
		}
		return v, query.Refuse(e.At, "DIVISION_BY_ZERO", "%s divides by zero for some rows", query.Format(e)).
			Fix("write %s / NULLIF(%s, 0)", query.Format(e.X), query.Format(e.Y))
	})
}

// shifts recognises a date moved by an interval.
func shifts(e *query.Binary) (s query.Span, date query.Expr, sign int, ok bool) {
	span := func(e query.Expr) (query.Span, bool) {
		l, is := e.(*query.Literal)
		if !is || l.Kind != query.Interval {
			return query.Span{}, false
		}
		return l.Span(), true
	}
	if s, ok = span(e.Y); ok && (e.Op == query.Add || e.Op == query.Sub) {
		if e.Op == query.Sub {
			return s, e.X, -1, true
		}
		return s, e.X, 1, true
	}
	if s, ok = span(e.X); ok && e.Op == query.Add {
		return s, e.Y, 1, true
	}
	return s, nil, 0, false
}

func checkShift(e *query.Binary, x static) error {
	if x.kind == dateNode || x.kind == nullNode {
		return nil
	}
	return typeMismatch(e.At, "an interval is added to %s, which is not a date", x.what()).Fix("write DATE '2024-01-31' - INTERVAL '90' DAY")
}

func dateRange(e *query.Binary) error {
	return query.Refuse(e.At, "UNSUPPORTED", "%s is outside the years 1 to 9999", query.Format(e)).Fix("use a smaller interval")
}
