package query

// Select is one query. The tree is not changed after Parse and may be read
// concurrently.
type Select struct {
	Items   []Item
	From    Table    // with a Join, that of its first side
	Join    *Join    // nil if absent
	Rows    *RowJoin // nil if absent: rows of From are joined
	Where   Expr     // nil if absent
	GroupBy []Expr
	Having  Expr // nil if absent
	OrderBy []Order
	Limit   *int64 // nil if absent; not negative
	Offset  int64  // not negative
}

// Item is one column of the result.
type Item struct {
	Expr  Expr
	Alias string // "" if none was given
}

// Table names the product that is queried.
type Table struct {
	Name  string // "owner/name" or "name", lower case unless quoted
	Alias string // "" if none was given
	Pos   Pos
}

// Order is one key of ORDER BY.
type Order struct {
	Expr       Expr // a bare integer is the position of a result column
	Desc       bool
	NullsFirst bool // as written, else NULLs are larger than everything
}

// Expr is an expression. The set of implementations is closed: ColumnRef, Literal,
// Aggregate, Call, Case, DatePart, Cast, Unary, Binary, Between, In, IsNull and Private.
type Expr interface {
	// Position is where the expression starts; for an operator between two
	// expressions, where the operator stands.
	Position() Pos
	expr()
}

// ColumnRef names a column.
type ColumnRef struct {
	Table string // qualifier, "" if none
	Name  string // lower case unless quoted
	At    Pos
}

// LiteralKind sorts literals.
type LiteralKind int

const (
	Null      LiteralKind = iota
	Number                // Text is an unsigned decimal number, possibly with an exponent of at most two digits
	String                // Text is the contents
	Bool                  // Text is "true" or "false"
	Date                  // Text is a date of the calendar as YYYY-MM-DD
	Timestamp             // Text is a date as above, meant is its first moment
	Interval              // Text is "n month m day", both with a sign if negative; see Span
)

// Literal is a constant.
type Literal struct {
	Kind LiteralKind
	Text string
	At   Pos
}

// Op is an operator.
type Op string

const (
	Neg Op = "-x"
	Not Op = "NOT"

	Add Op = "+"
	Sub Op = "-"
	Mul Op = "*"
	Div Op = "/"

	Eq Op = "="
	Ne Op = "<>"
	Lt Op = "<"
	Le Op = "<="
	Gt Op = ">"
	Ge Op = ">="

	And Op = "AND"
	Or  Op = "OR"
)

// Comparison reports whether the operator compares two values.
func (o Op) Comparison() bool {
	switch o {
	case Eq, Ne, Lt, Le, Gt, Ge:
		return true
	}
	return false
}

// Unary is Neg or Not of an expression.
type Unary struct {
	Op Op
	X  Expr
	At Pos
}

// Binary joins two expressions by an arithmetic, comparison or logical operator.
type Binary struct {
	Op   Op
	X, Y Expr
	At   Pos
}

// Between is X [NOT] BETWEEN Lo AND Hi.
type Between struct {
	X, Lo, Hi Expr
	Not       bool
	At        Pos
}

// In is X [NOT] IN (List).
type In struct {
	X    Expr
	List []Expr // not empty
	Not  bool
	At   Pos
}

// IsNull is X IS [NOT] NULL.
type IsNull struct {
	X   Expr
	Not bool
	At  Pos
}

// Private is PRIVATE($n): a value that only the asker knows. It is valid PostgreSQL, a
// function of a parameter; that it stays secret is Carnet's own.
type Private struct {
	Param int // n, 1 to MaxPrivate
	At    Pos
}

// Children returns the direct parts of an expression, in the order written.
func Children(e Expr) []Expr {
	switch e := e.(type) {
	case *Aggregate:
		return e.parts()
	case *Call:
		return e.Args
	case *Case:
		return e.parts()
	case *DatePart:
		return []Expr{e.X}
	case *Cast:
		return []Expr{e.X}
	case *Unary:
		return []Expr{e.X}
	case *Binary:
		return []Expr{e.X, e.Y}
	case *Between:
		return []Expr{e.X, e.Lo, e.Hi}
	case *In:
		return append([]Expr{e.X}, e.List...)
	case *IsNull:
		return []Expr{e.X}
	}
	return nil
}

// Walk calls visit for the expression and all its parts, outermost first, until
// visit returns false for a part: then the parts of that part are skipped.
func Walk(e Expr, visit func(Expr) bool) {
	if e == nil || !visit(e) {
		return
	}
	for _, c := range Children(e) {
		Walk(c, visit)
	}
}
