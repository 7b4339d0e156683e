package query

// Equal reports whether two expressions are written alike but for the qualifiers of
// columns and the case and spacing of the text.
func Equal(a, b Expr) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	if !alike(a, b) {
		return false
	}
	x, y := Children(a), Children(b)
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		if !Equal(x[i], y[i]) {
			return false
		}
	}
	return true
}

// alike compares what two expressions have besides their parts.
func alike(a, b Expr) bool {
	switch a := a.(type) {
	case *ColumnRef:
		b, ok := b.(*ColumnRef)
		return ok && a.Name == b.Name
	case *Literal:
		b, ok := b.(*Literal)
		return ok && a.Kind == b.Kind && a.Text == b.Text
	case *Aggregate:
		b, ok := b.(*Aggregate)
		return ok && a.Func == b.Func && a.Desc == b.Desc && (a.Arg == nil) == (b.Arg == nil) && (a.Arg2 == nil) == (b.Arg2 == nil) &&
			(a.Fraction == nil) == (b.Fraction == nil) && (a.Filter == nil) == (b.Filter == nil)
	case *Call:
		b, ok := b.(*Call)
		return ok && a.Func == b.Func
	case *Case:
		b, ok := b.(*Case)
		return ok && (a.Operand == nil) == (b.Operand == nil) && (a.Else == nil) == (b.Else == nil)
	case *DatePart:
		b, ok := b.(*DatePart)
		return ok && a.Func == b.Func && a.Field == b.Field
	case *Cast:
		b, ok := b.(*Cast)
		return ok && a.To == b.To
	case *Private:
		b, ok := b.(*Private)
		return ok && a.Param == b.Param
	case *Unary:
		b, ok := b.(*Unary)
		return ok && a.Op == b.Op
	case *Binary:
		b, ok := b.(*Binary)
		return ok && a.Op == b.Op
	case *Between:
		b, ok := b.(*Between)
		return ok && a.Not == b.Not
	case *In:
		b, ok := b.(*In)
		return ok && a.Not == b.Not
	case *IsNull:
		b, ok := b.(*IsNull)
		return ok && a.Not == b.Not
	}
	return false
}
