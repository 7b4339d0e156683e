package query

import "fmt"

// Equal reports whether two expressions are written alike but for the qualifiers of
// columns and the case and spacing of the text.
func Equal(a, b Expr) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	if head(a) != head(b) {
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

// head is what an expression has besides its parts.
func head(e Expr) string {
	switch e := e.(type) {
	case *ColumnRef:
		return "column " + e.Name
	case *Literal:
		return fmt.Sprintf("literal %d %s", e.Kind, e.Text)
	case *Aggregate:
		return fmt.Sprintf("aggregate %s %t %t %t %t %t", e.Func, e.Arg != nil, e.Arg2 != nil, e.Fraction != nil, e.Desc, e.Filter != nil)
	case *Call:
		return "call " + string(e.Func)
	case *Case:
		return fmt.Sprintf("case %t %t", e.Operand != nil, e.Else != nil)
	case *DatePart:
		return "date " + string(e.Func) + e.Field
	case *Cast:
		return "cast " + string(e.To)
	case *Private:
		return fmt.Sprint("private ", e.Param)
	case *Unary:
		return "unary " + string(e.Op)
	case *Binary:
		return "binary " + string(e.Op)
	case *Between:
		return fmt.Sprintf("between %t", e.Not)
	case *In:
		return fmt.Sprintf("in %t", e.Not)
	case *IsNull:
		return fmt.Sprintf("null %t", e.Not)
	}
	return ""
}
