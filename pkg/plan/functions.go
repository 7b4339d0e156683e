package plan

import (
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/query"
)

// maxRound bounds the digits of ROUND on both sides of the point.
const maxRound = 100

func (o *outputs) call(e *query.Call) (*node, error) {
	switch e.Func {
	case query.Round:
		return o.round(e)
	case query.Nullif:
		return o.nullif(e)
	}
	return o.coalesce(e)
}

func (o *outputs) round(e *query.Call) (*node, error) {
	x, err := o.number(e.Args[0])
	if err != nil {
		return nil, err
	}
	digits := 0
	if len(e.Args) == 2 {
		s, ok := asScalar(e.Args[1])
		if !ok || s.num == nil || !s.num.IsInt() || !s.num.Num().IsInt64() || max(s.num.Num().Int64(), -s.num.Num().Int64()) > maxRound {
			return nil, query.Refuse(e.Args[1].Position(), "TYPE_MISMATCH", "the number of digits has to be a whole number from -%d to %d", maxRound, maxRound).
				Fix("write ROUND(%s, 2)", x.text())
		}
		digits = int(s.num.Num().Int64())
	}
	t := static{kind: numberNode, num: numericType, scale: max(digits, 0)}
	if len(e.Args) == 1 && x.num != numericType {
		t.num = floatType // PostgreSQL has ROUND(x) for numeric and double precision
	}
	if len(e.Args) == 2 && x.num == floatType {
		return nil, typeMismatch(e.At, "%s is double precision in PostgreSQL, and ROUND with digits takes numeric", x.text()).
			Fix("write ROUND(CAST(%s AS NUMERIC), %d)", x.text(), digits)
	}
	return &node{static: t, group: -1, eval: func(g *env) (Value, error) {
		v, err := x.eval(g)
		if err != nil || v.num == nil {
			return Value{}, err
		}
		return NumberValue(roundAs(x.num, v.num, digits), t.scale), nil
	}}, nil
}

func (o *outputs) nullif(e *query.Call) (*node, error) {
	x, err := o.node(e.Args[0])
	if err != nil {
		return nil, err
	}
	y, err := o.node(e.Args[1])
	if err != nil {
		return nil, err
	}
	equal, err := o.compare(query.Eq, x, y, e.At)
	if err != nil {
		return nil, err
	}
	n := *x
	n.group, n.dom, n.lit = -1, nil, nil
	n.eval = func(g *env) (Value, error) {
		t, err := equal(g)
		if err != nil || t == isTrue {
			return Value{}, err
		}
		return x.eval(g)
	}
	return &n, nil
}

func (o *outputs) coalesce(e *query.Call) (*node, error) {
	n := &node{group: -1}
	args := make([]*node, len(e.Args))
	for i, a := range e.Args {
		x, err := o.node(a)
		if err != nil {
			return nil, err
		}
		t, ok := unify(n.static, x.static)
		if !ok {
			return nil, mixedTypes(a, "COALESCE", n.static, x.static)
		}
		args[i], n.static = x, t
	}
	n.eval = func(g *env) (Value, error) {
		for _, a := range args {
			v, err := a.eval(g)
			if err != nil || !v.IsNull() {
				return n.as(v), err
			}
		}
		return Value{}, nil
	}
	return n, nil
}

// divisionByZero names the group, as the rest of the answer is lost with it.
func (o *outputs) divisionByZero(e *query.Binary, g *env) error {
	where := ""
	if len(o.group) > 0 {
		var keys []string
		for i := range o.group {
			keys = append(keys, o.group[i].name+" = "+g.keys[i].String())
		}
		where = " in the group " + strings.Join(keys, ", ")
	}
	r := query.Refuse(e.At, "DIVISION_BY_ZERO", "%s divides by zero%s", query.Format(e), where).OfKind(carnet.Precondition)
	return r.Fix("write %s / NULLIF(%s, 0); asking again opens the same numbers", query.Format(e.X), query.Format(e.Y))
}
