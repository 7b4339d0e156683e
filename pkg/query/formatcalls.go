package query

import "strings"

func formatAggregate(b *strings.Builder, e *Aggregate) {
	b.WriteString(strings.ToUpper(e.Name) + "(")
	switch {
	case e.Func.Within():
		if e.Fraction != nil {
			format(b, e.Fraction, 0)
		}
		b.WriteString(") WITHIN GROUP (ORDER BY ")
		format(b, e.Arg, 0)
		if e.Desc {
			b.WriteString(" DESC")
		}
	case e.Arg == nil:
		b.WriteByte('*')
	default:
		format(b, e.Arg, 0)
		if e.Arg2 != nil {
			b.WriteString(", ")
			format(b, e.Arg2, 0)
		}
	}
	b.WriteByte(')')
	if e.Filter != nil {
		b.WriteString(" FILTER (WHERE ")
		format(b, e.Filter, 0)
		b.WriteByte(')')
	}
}

func formatCase(b *strings.Builder, e *Case) {
	b.WriteString("CASE")
	if e.Operand != nil {
		b.WriteByte(' ')
		format(b, e.Operand, 0)
	}
	for _, w := range e.Whens {
		b.WriteString(" WHEN ")
		format(b, w.When, 0)
		b.WriteString(" THEN ")
		format(b, w.Then, 0)
	}
	if e.Else != nil {
		b.WriteString(" ELSE ")
		format(b, e.Else, 0)
	}
	b.WriteString(" END")
}

func formatDatePart(b *strings.Builder, e *DatePart) {
	if e.Func == Extract {
		b.WriteString("EXTRACT(" + strings.ToUpper(e.Field) + " FROM ")
	} else {
		b.WriteString(string(e.Func) + "('" + e.Field + "', ")
	}
	format(b, e.X, 0)
	b.WriteByte(')')
}
