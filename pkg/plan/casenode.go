package plan

import "github.com/carnet-network/carnet/pkg/query"

// caseNode compiles CASE over released values: branches that do not apply are not
// evaluated.
func (o *outputs) caseNode(e *query.Case) (*node, error) {
	var tests []test
	for i := range e.Whens {
		t, err := o.test(e.Condition(i))
		if err != nil {
			return nil, err
		}
		tests = append(tests, t)
	}
	out := &node{group: -1}
	var values []*node
	for _, x := range results(e) {
		n, err := o.node(x)
		if err != nil {
			return nil, err
		}
		t, ok := unify(out.static, n.static)
		if !ok {
			return nil, mixedTypes(x, "CASE", out.static, n.static)
		}
		out.static = t
		values = append(values, n)
	}
	out.eval = func(g *env) (Value, error) {
		taken := len(tests)
		for i, test := range tests {
			t, err := test(g)
			if err != nil {
				return Value{}, err
			}
			if t == isTrue {
				taken = i
				break
			}
		}
		v, err := values[taken].eval(g)
		return out.as(v), err
	}
	return out, nil
}

// apply compiles a function of one value.
func (o *outputs) apply(x *node, t static, f func(Value) Value) *node {
	return &node{static: t, group: -1, eval: func(g *env) (Value, error) {
		v, err := x.eval(g)
		if err != nil {
			return v, err
		}
		return f(v), nil
	}}
}

func (o *outputs) datePart(e *query.DatePart) (*node, error) {
	x, err := o.node(e.X)
	if err != nil {
		return nil, err
	}
	unit := dateUnit("")
	if x.dom != nil {
		unit = x.dom.unit
	}
	t, err := datePartType(e, x.static, unit)
	if err != nil {
		return nil, err
	}
	return o.apply(x, t, func(v Value) Value { return datePartValue(e, v) }), nil
}

func (o *outputs) cast(e *query.Cast) (*node, error) {
	x, err := o.node(e.X)
	if err != nil {
		return nil, err
	}
	t, err := castType(e, x.static)
	if err != nil {
		return nil, err
	}
	return o.apply(x, t, func(v Value) Value { return t.as(castValue(e, x.static, v)) }), nil
}
