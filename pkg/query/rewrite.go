package query

// Rewrite returns the expression with parts replaced: replace returns what stands for
// a part, or nil to look at the parts of the part.
func Rewrite(e Expr, replace func(Expr) (Expr, error)) (Expr, error) {
	if e == nil {
		return nil, nil
	}
	if r, err := replace(e); err != nil || r != nil {
		return r, err
	}
	var failed error
	part := func(x Expr) Expr {
		if x == nil || failed != nil {
			return x
		}
		r, err := Rewrite(x, replace)
		failed = err
		return r
	}
	parts := func(list []Expr) []Expr {
		out := make([]Expr, len(list))
		for i, x := range list {
			out[i] = part(x)
		}
		return out
	}
	var out Expr
	switch e := e.(type) {
	case *Aggregate:
		c := *e
		c.Arg, c.Arg2, c.Fraction, c.Filter = part(e.Arg), part(e.Arg2), part(e.Fraction), part(e.Filter)
		out = &c
	case *Call:
		out = &Call{e.Func, parts(e.Args), e.At}
	case *Case:
		c := &Case{Operand: part(e.Operand), Else: part(e.Else), At: e.At}
		for _, w := range e.Whens {
			c.Whens = append(c.Whens, When{part(w.When), part(w.Then)})
		}
		out = c
	case *DatePart:
		out = &DatePart{e.Func, e.Field, part(e.X), e.At}
	case *Cast:
		out = &Cast{part(e.X), e.To, e.At}
	case *Unary:
		out = &Unary{e.Op, part(e.X), e.At}
	case *Binary:
		out = &Binary{e.Op, part(e.X), part(e.Y), e.At}
	case *Between:
		out = &Between{part(e.X), part(e.Lo), part(e.Hi), e.Not, e.At}
	case *In:
		out = &In{part(e.X), parts(e.List), e.Not, e.At}
	case *IsNull:
		out = &IsNull{part(e.X), e.Not, e.At}
	default:
		out = e
	}
	return out, failed
}
