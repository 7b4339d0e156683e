package query

import (
	"fmt"
	"strings"
)

// Format writes an expression as SQL that parses to the same tree, with parentheses
// where they are needed.
func Format(e Expr) string {
	var b strings.Builder
	format(&b, e, 0)
	return b.String()
}

// Binding strengths, loosest first; an operand is put in parentheses if it binds
// less than its place asks for.
const (
	bindOr = iota + 1
	bindAnd
	bindNot
	bindIs
	bindComparison
	bindBetween
	bindSum
	bindProduct
	bindSign
	bindPrimary
)

func binding(e Expr) int {
	switch e := e.(type) {
	case *Unary:
		if e.Op == Not {
			return bindNot
		}
		return bindSign
	case *Binary:
		switch e.Op {
		case Or:
			return bindOr
		case And:
			return bindAnd
		case Add, Sub:
			return bindSum
		case Mul, Div:
			return bindProduct
		}
		return bindComparison
	case *Between, *In:
		return bindBetween
	case *IsNull:
		return bindIs
	}
	return bindPrimary
}

func format(b *strings.Builder, e Expr, need int) {
	own := binding(e)
	if own < need {
		b.WriteByte('(')
		defer b.WriteByte(')')
	}
	not := func(n bool) string {
		if n {
			return "NOT "
		}
		return ""
	}
	switch e := e.(type) {
	case *ColumnRef:
		if e.Table != "" {
			b.WriteString(Quote(e.Table) + ".")
		}
		b.WriteString(Quote(e.Name))
	case *Literal:
		b.WriteString(e.sql())
	case *Aggregate:
		formatAggregate(b, e)
	case *Case:
		formatCase(b, e)
	case *DatePart:
		formatDatePart(b, e)
	case *Cast:
		b.WriteString("CAST(")
		format(b, e.X, 0)
		b.WriteString(" AS " + strings.ToUpper(string(e.To)) + ")")
	case *Call:
		b.WriteString(strings.ToUpper(string(e.Func)) + "(")
		formatList(b, e.Args, 0)
		b.WriteByte(')')
	case *Unary:
		if e.Op == Not {
			b.WriteString("NOT ")
		} else {
			b.WriteString("- ") // the space keeps two signs from starting a comment
		}
		format(b, e.X, own)
	case *Binary:
		right := own + 1
		left := own
		if e.Op.Comparison() {
			left = own + 1
		}
		format(b, e.X, left)
		fmt.Fprintf(b, " %s ", e.Op)
		format(b, e.Y, right)
	case *Between:
		format(b, e.X, bindSum)
		b.WriteString(" " + not(e.Not) + "BETWEEN ")
		format(b, e.Lo, bindSum)
		b.WriteString(" AND ")
		format(b, e.Hi, bindSum)
	case *In:
		format(b, e.X, bindSum)
		b.WriteString(" " + not(e.Not) + "IN (")
		formatList(b, e.List, bindSum)
		b.WriteByte(')')
	case *Private:
		fmt.Fprintf(b, "PRIVATE($%d)", e.Param)
	case *IsNull:
		format(b, e.X, bindIs)
		b.WriteString(" IS " + not(e.Not) + "NULL")
	}
}

func formatList(b *strings.Builder, list []Expr, need int) {
	for i, e := range list {
		if i > 0 {
			b.WriteString(", ")
		}
		format(b, e, need)
	}
}

func (e *Literal) sql() string {
	switch e.Kind {
	case Number:
		return e.Text
	case String:
		return "'" + strings.ReplaceAll(e.Text, "'", "''") + "'"
	case Bool:
		return strings.ToUpper(e.Text)
	case Date:
		return "DATE '" + e.Text + "'"
	case Timestamp:
		return "TIMESTAMP '" + e.Text + "'"
	case Interval:
		return "INTERVAL '" + e.Text + "'"
	}
	return "NULL"
}

// Quote writes a name as SQL, in double quotes if it needs them.
func Quote(name string) string {
	plain := name != "" && !isDigit(name[0]) && !reservedWord(name) && name[0] != '$'
	for i := range len(name) {
		c := name[i]
		plain = plain && (c == '_' || isDigit(c) || c >= 'a' && c <= 'z')
	}
	if _, soft := unsupported[name]; plain && !soft {
		return name
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// String writes the whole query as SQL that parses to the same tree.
func (s *Select) String() string {
	var b strings.Builder
	s.write(&b)
	return b.String()
}

func (t *Table) write(b *strings.Builder) {
	b.WriteString(`"` + strings.ReplaceAll(t.Name, `"`, `""`) + `"`)
	if t.Alias != "" {
		b.WriteString(" AS " + Quote(t.Alias))
	}
}

func (j *Join) write(b *strings.Builder) {
	for i := range j.Sides {
		if i > 0 {
			b.WriteString(" JOIN ")
		}
		b.WriteByte('(')
		j.Sides[i].Query.write(b)
		b.WriteString(") AS " + Quote(j.Sides[i].Alias))
	}
	writeUsing(b, j.Using)
}

func (j *RowJoin) write(b *strings.Builder) {
	b.WriteString(" JOIN ")
	j.Right.write(b)
	writeUsing(b, j.Using)
}

func writeUsing(b *strings.Builder, columns []*ColumnRef) {
	b.WriteString(" USING (")
	for i, c := range columns {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(Quote(c.Name))
	}
	b.WriteByte(')')
}

func (s *Select) write(b *strings.Builder) {
	b.WriteString("SELECT ")
	for i, it := range s.Items {
		if i > 0 {
			b.WriteString(", ")
		}
		format(b, it.Expr, 0)
		if it.Alias != "" {
			b.WriteString(" AS " + Quote(it.Alias))
		}
	}
	b.WriteString(" FROM ")
	if s.Join != nil {
		s.Join.write(b)
	} else {
		s.From.write(b)
	}
	if s.Rows != nil {
		s.Rows.write(b)
	}
	if s.Where != nil {
		b.WriteString(" WHERE " + Format(s.Where))
	}
	if len(s.GroupBy) > 0 {
		b.WriteString(" GROUP BY ")
		formatList(b, s.GroupBy, 0)
	}
	if s.Having != nil {
		b.WriteString(" HAVING " + Format(s.Having))
	}
	for i, o := range s.OrderBy {
		if i == 0 {
			b.WriteString(" ORDER BY ")
		} else {
			b.WriteString(", ")
		}
		format(b, o.Expr, 0)
		if o.Desc {
			b.WriteString(" DESC")
		}
		if o.NullsFirst != o.Desc {
			b.WriteString(map[bool]string{true: " NULLS FIRST", false: " NULLS LAST"}[o.NullsFirst])
		}
	}
	if s.Limit != nil {
		fmt.Fprintf(b, " LIMIT %d", *s.Limit)
	}
	if s.Offset > 0 {
		fmt.Fprintf(b, " OFFSET %d", s.Offset)
	}
}
