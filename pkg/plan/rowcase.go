package plan

import (
	"cmp"
	"math/big"
	"slices"
	"strings"

	"github.com/carnet-network/carnet/pkg/query"
)

// cases are the conditions under which each branch of a CASE applies, the last one
// that of ELSE; two-valued, they exclude each other and leave nothing out.
func (n *names) cases(e *query.Case) ([]*cond, error) {
	var list []*cond
	rest := constantCond(isTrue)
	for i := range e.Whens {
		c, err := n.condition(e.Condition(i))
		if err != nil {
			return nil, err
		}
		c = c.strict()
		if err := n.spend(e.At, c, rest); err != nil {
			return nil, err
		}
		list = append(list, simplify(join(allOf, rest, c)))
		rest = simplify(join(allOf, rest, c.not()))
	}
	return append(list, rest), nil
}

// results are the expressions that belong to cases.
func results(e *query.Case) []query.Expr {
	var list []query.Expr
	for _, w := range e.Whens {
		list = append(list, w.Then)
	}
	if e.Else == nil {
		return append(list, &query.Literal{Kind: query.Null, At: e.At})
	}
	return append(list, e.Else)
}

func (n *names) rowCase(e *query.Case) (*rowValue, error) {
	conds, err := n.cases(e)
	if err != nil {
		return nil, err
	}
	out := &rowValue{column: -1}
	for i, x := range results(e) {
		r, err := n.rowValue(x)
		if err != nil {
			return nil, err
		}
		t, ok := unify(out.static, r.static)
		if !ok {
			return nil, mixedTypes(x, "CASE", out.static, r.static)
		}
		out.static = t
		for _, b := range r.branches {
			when := simplify(join(allOf, conds[i], b.when))
			if when.never() {
				continue
			}
			if err := n.spend(e.At, when); err != nil {
				return nil, err
			}
			if out.branches = append(out.branches, rowBranch{when, b.v, b.values}); len(out.branches) > maxBranches {
				return nil, tooManyBranches(e.At)
			}
		}
	}
	out.at = e.At
	return n.each(out, out.static, func(v Value) (Value, error) { return out.as(v), nil })
}

func mixedTypes(e query.Expr, what string, a, b static) error {
	return typeMismatch(e.Position(), "%s mixes %s and %s", what, a.what(), b.what()).Fix("use values of one type")
}

// rowCall compiles COALESCE and NULLIF.
func (n *names) rowCall(e *query.Call) (*rowValue, error) {
	if e.Func == query.Round {
		return nil, query.Refuse(e.At, "UNSUPPORTED", "codes are not rounded").Fix("write CAST(%s AS INTEGER), or list the codes", query.Format(e.Args[0]))
	}
	out, err := n.rowValue(e.Args[0])
	if err != nil {
		return nil, err
	}
	for _, a := range e.Args[1:] {
		x := out
		y, err := n.rowValue(a)
		if err != nil {
			return nil, err
		}
		t, ok := unify(x.static, y.static)
		if !ok {
			return nil, mixedTypes(a, strings.ToUpper(string(e.Func)), x.static, y.static)
		}
		pick := func(a, b Value) (Value, error) {
			if a.IsNull() {
				a = b
			}
			return t.as(a), nil
		}
		if e.Func == query.Nullif {
			t = x.static
			pick = func(a, b Value) (Value, error) {
				if !a.IsNull() && !b.IsNull() && a.compare(b) == 0 {
					return Value{}, nil
				}
				return a, nil
			}
		}
		if out, err = n.combine(e.At, t, x, y, pick); err != nil {
			return nil, err
		}
	}
	if out.column >= 0 { // COALESCE(x) is x, and not written as it
		out, err = n.each(out, out.static, func(v Value) (Value, error) { return v, nil })
	}
	return out, err
}

// compare compares two values of one kind that are not NULL.
func (v Value) compare(w Value) int {
	if v.num != nil {
		return v.num.Cmp(w.num)
	}
	return strings.Compare(v.text, w.text)
}

// compareRows compiles a comparison of two row values. A column compares with a
// literal by the rules of its domain.
func (n *names) compareRows(op query.Op, x, y *rowValue, at query.Pos) (*cond, error) {
	if x.lit != nil && y.lit == nil {
		x, y, op = y, x, mirrored[op]
	}
	if x.lit != nil {
		return constantComparison(op, at, *x.lit, *y.lit)
	}
	if x.column >= 0 {
		if s := y.scalar(); s != nil {
			return n.compare(x.column, op, *s)
		}
		if y.column >= 0 {
			return nil, query.Refuse(at, "UNSUPPORTED", "columns can't be compared with each other").
				Fix("compare each with a value; for pairs of values: (%s = ... AND %s = ...) OR (...)", query.Format(x.expr), query.Format(y.expr))
		}
	}
	if err := sameKinds(x, y, at); err != nil {
		return nil, err
	}
	out := constantCond(isFalse)
	for i := range x.branches {
		for j := range y.branches {
			a, b := &x.branches[i], &y.branches[j]
			when := simplify(join(allOf, a.when, b.when))
			if when.never() {
				continue
			}
			c, err := combineBranches(at, when, a, b, func(a, b Value) (Value, error) {
				if a.IsNull() || b.IsNull() {
					return Value{}, nil
				}
				return NumberValue(big.NewRat(int64(truth(holds(op, a.compare(b)))), 1), 0), nil
			})
			if err == nil {
				err = n.spendValues(at, &c)
			}
			if err == nil {
				err = n.spend(at, out)
			}
			if err != nil {
				return nil, err
			}
			out = simplify(join(anyOf, out, simplify(join(allOf, when, c.truth()))))
		}
	}
	return out, nil
}

// scalar returns the one value of a value that no row changes, nil for others.
func (r *rowValue) scalar() *scalar {
	if r.lit != nil {
		return r.lit
	}
	if len(r.branches) != 1 || r.branches[0].v >= 0 {
		return nil
	}
	v := r.branches[0].values[0]
	s := &scalar{num: v.num, text: v.String(), isText: v.isTxt, isDate: r.kind == dateNode, scale: v.scale, at: r.at}
	return s
}

// sameKinds refuses values of different kinds. A text literal is read as a date
// beside a date.
func sameKinds(x, y *rowValue, at query.Pos) error {
	for _, s := range []*rowValue{x, y} {
		if err := s.ordered(s.at); err != nil {
			return err
		}
	}
	for _, s := range [][2]*rowValue{{x, y}, {y, x}} {
		if s[0].kind == dateNode && s[1].lit != nil && s[1].kind == textNode {
			_, err := s[1].lit.date()
			return err
		}
	}
	if _, ok := unify(x.static, y.static); !ok {
		return typeMismatch(at, "%s and %s do not compare: one is %s, one is %s", query.Format(x.expr), query.Format(y.expr), x.what(), y.what()).
			Fix("compare values of one type")
	}
	return nil
}

// truth reads the values of a branch, 0, 1 or NULL, as a condition.
func (b *rowBranch) truth() *cond {
	list := make([]tri, len(b.values))
	for i, v := range b.values {
		switch {
		case v.IsNull():
			list[i] = unknown
		case v.num.Sign() > 0:
			list[i] = isTrue
		}
	}
	if b.v < 0 {
		return constantCond(list[0])
	}
	return leafCond(b.v, list)
}

// nullCond is the condition that a row value is NULL.
func (n *names) nullCond(r *rowValue) (*cond, error) {
	return n.holding(r, func(v Value) bool { return v.IsNull() })
}

// holding is the two-valued condition that the value has a property.
func (n *names) holding(r *rowValue, has func(Value) bool) (*cond, error) {
	out := constantCond(isFalse)
	for i := range r.branches {
		b := &r.branches[i]
		list := make([]tri, len(b.values))
		for j, v := range b.values {
			list[j] = truth(has(v))
		}
		c := leafCond(b.v, list)
		if b.v < 0 {
			c = constantCond(list[0])
		}
		out = simplify(join(anyOf, out, simplify(join(allOf, b.when, c))))
		if err := n.spend(r.at, c, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// distinct lists the different values that occur, in the order of SQL, NULL last. The
// codes of an ordered list come in its order.
func (r *rowValue) distinct(n *names) []Value {
	if r.column >= 0 {
		d := n.u.vars[r.column].domain
		at := make([]int, d.size())
		for i := range at {
			at[i] = i
		}
		slices.SortFunc(at, func(a, b int) int { return cmp.Compare(d.rank[a], d.rank[b]) })
		var list []Value
		for _, i := range at {
			list = append(list, d.value(i))
		}
		return list
	}
	var list []Value
	for _, b := range r.branches {
		list = append(list, b.values...)
	}
	slices.SortFunc(list, func(a, b Value) int {
		switch {
		case a.IsNull() || b.IsNull():
			return cmp.Compare(map[bool]int{true: 1}[a.IsNull()], map[bool]int{true: 1}[b.IsNull()])
		}
		return a.compare(b)
	})
	return slices.CompactFunc(list, sameValue)
}

func sameValue(a, b Value) bool {
	if a.IsNull() || b.IsNull() {
		return a.IsNull() == b.IsNull()
	}
	return a.compare(b) == 0
}
