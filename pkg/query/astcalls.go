package query

// Func is an aggregate function.
type Func string

const (
	Count      Func = "count"
	Sum        Func = "sum"
	Avg        Func = "avg"
	VarPop     Func = "var_pop"
	VarSamp    Func = "var_samp"
	StddevPop  Func = "stddev_pop"
	StddevSamp Func = "stddev_samp"

	// Of two arguments, over the rows where both are not NULL.
	CovarPop      Func = "covar_pop"
	CovarSamp     Func = "covar_samp"
	Corr          Func = "corr"
	RegrSlope     Func = "regr_slope"
	RegrIntercept Func = "regr_intercept"
	RegrR2        Func = "regr_r2"
	RegrCount     Func = "regr_count"
	RegrAvgX      Func = "regr_avgx"
	RegrAvgY      Func = "regr_avgy"
	RegrSXX       Func = "regr_sxx"
	RegrSYY       Func = "regr_syy"
	RegrSXY       Func = "regr_sxy"

	// Of a dimension, worked out from the number of rows with each of its codes.
	Min            Func = "min"
	Max            Func = "max"
	PercentileDisc Func = "percentile_disc"
	PercentileCont Func = "percentile_cont"
	Mode           Func = "mode"
)

// Pairs reports whether the function takes two arguments.
func (f Func) Pairs() bool {
	switch f {
	case CovarPop, CovarSamp, Corr, RegrSlope, RegrIntercept, RegrR2, RegrCount, RegrAvgX, RegrAvgY, RegrSXX, RegrSYY, RegrSXY:
		return true
	}
	return false
}

// Ordinal reports whether the function looks at the order or frequency of values.
func (f Func) Ordinal() bool { return f == Min || f == Max || f.Within() }

// Within reports whether the function is written with WITHIN GROUP (ORDER BY ...).
func (f Func) Within() bool { return f == PercentileDisc || f == PercentileCont || f == Mode }

// Aggregate is an aggregate function over the rows of a group.
type Aggregate struct {
	Func     Func
	Name     string // as written, lower case: "variance" for VarSamp, "stddev" for StddevSamp
	Arg      Expr   // nil for COUNT(*); what WITHIN GROUP orders by
	Arg2     Expr   // the second of a pair, else nil
	Fraction Expr   // of a percentile, else nil
	Desc     bool   // of WITHIN GROUP
	Filter   Expr   // nil if absent
	At       Pos
}

func (e *Aggregate) parts() []Expr {
	var list []Expr
	for _, x := range []Expr{e.Fraction, e.Arg, e.Arg2, e.Filter} {
		if x != nil {
			list = append(list, x)
		}
	}
	return list
}

// CallFunc is a function of released numbers.
type CallFunc string

const (
	Coalesce CallFunc = "coalesce" // one or more arguments
	Nullif   CallFunc = "nullif"   // two arguments
	Round    CallFunc = "round"    // one or two arguments
)

// Call applies a function to released numbers.
type Call struct {
	Func CallFunc
	Args []Expr
	At   Pos
}

// Case is the result of the first branch that applies.
type Case struct {
	Operand Expr // compared with each When; nil if each is a condition
	Whens   []When
	Else    Expr // nil stands for NULL
	At      Pos
}

// When is one branch of a Case.
type When struct{ When, Then Expr }

func (e *Case) parts() []Expr {
	var list []Expr
	if e.Operand != nil {
		list = append(list, e.Operand)
	}
	for _, w := range e.Whens {
		list = append(list, w.When, w.Then)
	}
	if e.Else != nil {
		list = append(list, e.Else)
	}
	return list
}

// Condition is the condition of branch i as an expression of its own.
func (e *Case) Condition(i int) Expr {
	if e.Operand == nil {
		return e.Whens[i].When
	}
	return &Binary{Eq, e.Operand, e.Whens[i].When, e.Whens[i].When.Position()}
}

// DateFunc is a function of a date.
type DateFunc string

const (
	Extract   DateFunc = "extract"    // EXTRACT(field FROM x)
	DatePartF DateFunc = "date_part"  // date_part('field', x)
	DateTrunc DateFunc = "date_trunc" // date_trunc('field', x)
)

// DatePart takes a field out of a date, or goes back to where it begins.
type DatePart struct {
	Func  DateFunc
	Field string // year, quarter, month, ...; see dateFields
	X     Expr
	At    Pos
}

// Type is what a value can be cast to.
type Type string

const (
	DateType    Type = "date"
	NumericType Type = "numeric"
	IntegerType Type = "integer"
)

// Cast is CAST(X AS To) or X::To.
type Cast struct {
	X  Expr
	To Type
	At Pos
}

func (e *Private) Position() Pos   { return e.At }
func (e *ColumnRef) Position() Pos { return e.At }
func (e *Literal) Position() Pos   { return e.At }
func (e *Aggregate) Position() Pos { return e.At }
func (e *Call) Position() Pos      { return e.At }
func (e *Case) Position() Pos      { return e.At }
func (e *DatePart) Position() Pos  { return e.At }
func (e *Cast) Position() Pos      { return e.At }
func (e *Unary) Position() Pos     { return e.At }
func (e *Binary) Position() Pos    { return e.At }
func (e *Between) Position() Pos   { return e.At }
func (e *In) Position() Pos        { return e.At }
func (e *IsNull) Position() Pos    { return e.At }

func (*Private) expr()   {}
func (*ColumnRef) expr() {}
func (*Literal) expr()   {}
func (*Aggregate) expr() {}
func (*Call) expr()      {}
func (*Case) expr()      {}
func (*DatePart) expr()  {}
func (*Cast) expr()      {}
func (*Unary) expr()     {}
func (*Binary) expr()    {}
func (*Between) expr()   {}
func (*In) expr()        {}
func (*IsNull) expr()    {}
