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
	n := &node{kind: numberNode, scale: max(digits, 0), group: -1}
	n.eval = func(g *env) (Value, error) {
		v, err := x.eval(g)
		if err != nil || v.num == nil {
			return Value{}, err
		}
		return NumberValue(round(v.num, digits), n.scale), nil
	}
	return n, nil
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
		args[i] = x
		if x.kind == nullNode {
			continue
		}
		if n.kind != nullNode && n.kind != x.kind {
			return nil, query.Refuse(x.at, "TYPE_MISMATCH", "COALESCE mixes text and numbers").Fix("use values of one type")
		}
		n.kind, n.scale, n.free = x.kind, max(n.scale, x.scale), n.free || x.free
	}
	n.eval = func(g *env) (Value, error) {
		for _, a := range args {
			v, err := a.eval(g)
			if err != nil {
				return Value{}, err
			}
			if v.num != nil {
				v.scale, v.free = n.scale, n.free
			}
			if !v.IsNull() {
				return v, nil
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
		for i, v := range o.group {
			keys = append(keys, o.needs.names.u.vars[v].name+" = "+g.keys[i].String())
		}
		where = " in the group " + strings.Join(keys, ", ")
	}
	r := query.Refuse(e.At, "DIVISION_BY_ZERO", "%s divides by zero%s", query.Format(e), where).OfKind(carnet.Precondition)
	return r.Fix("write %s / NULLIF(%s, 0); asking again opens the same numbers", query.Format(e.X), query.Format(e.Y))
}
