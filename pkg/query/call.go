package query

import "strings"

// aggregateNames maps every accepted spelling of an aggregate.
var aggregateNames = map[string]Func{
	"count": Count, "sum": Sum, "avg": Avg,
	"var_pop": VarPop, "var_samp": VarSamp, "variance": VarSamp,
	"stddev_pop": StddevPop, "stddev_samp": StddevSamp, "stddev": StddevSamp,
}

// AggregateFunc returns the aggregate of that name, in any spelling.
func AggregateFunc(name string) (Func, bool) {
	f, ok := aggregateNames[strings.ToLower(name)]
	return f, ok
}

// call parses the arguments of a function whose name has been read.
func (p *parser) call(name token) (Expr, error) {
	if name.text == "private" {
		return p.private(name.pos)
	}
	f, aggregate := aggregateNames[name.text]
	var (
		e   Expr
		err error
	)
	switch {
	case aggregate:
		e, err = p.aggregate(f, name)
	case CallFunc(name.text) == Coalesce, CallFunc(name.text) == Nullif, CallFunc(name.text) == Round:
		e, err = p.plainCall(CallFunc(name.text), name.pos)
	default:
		return nil, unknownFunction(name)
	}
	if err != nil {
		return nil, err
	}
	if p.isWord("filter") || p.isWord("over") || p.isWord("within") {
		return nil, p.unexpected("an operator")
	}
	return e, nil
}

func unknownFunction(name token) error {
	if f, ok := otherFunctions[name.text]; ok {
		return Refuse(name.pos, "UNSUPPORTED", "%s", f.why).Fix("%s", f.fix)
	}
	if u, ok := unsupported[name.text]; ok {
		return Refuse(name.pos, "UNSUPPORTED", "%s", u.why).Fix("%s", u.fix)
	}
	return Refuse(name.pos, "UNKNOWN_FUNCTION", "there is no function %s", shorten(name.text, 40)).
		Fix("functions of rows are COUNT, SUM, AVG, VAR_POP, VAR_SAMP, STDDEV_POP and STDDEV_SAMP; functions of released numbers are COALESCE, NULLIF and ROUND")
}

func (p *parser) aggregate(f Func, name token) (Expr, error) {
	if err := p.needOp("("); err != nil {
		return nil, err
	}
	a := &Aggregate{Func: f, Name: name.text, At: name.pos}
	if p.isOp("*") {
		star := p.advance()
		if f != Count {
			return nil, Refuse(star.pos, "SYNTAX", "%s needs a measure", strings.ToUpper(name.text)).
				Fix("write %s(measure), or COUNT(*)", strings.ToUpper(name.text))
		}
		return a, p.needOp(")")
	}
	if p.isWord("distinct") {
		return nil, Refuse(p.tok.pos, "UNSUPPORTED", "DISTINCT inside an aggregate would need every value to be told apart").
			Fix("group by a dimension and count the rows of the result, or drop DISTINCT")
	}
	p.acceptWord("all")
	if p.isOp(")") {
		return nil, p.unexpected("what to aggregate")
	}
	var err error
	if a.Arg, err = p.expr(); err != nil {
		return nil, err
	}
	if p.isOp(",") {
		return nil, Refuse(p.tok.pos, "SYNTAX", "%s takes one argument", strings.ToUpper(name.text))
	}
	if p.isWord("order") {
		return nil, Refuse(p.tok.pos, "UNSUPPORTED", "the order of rows has no influence on an aggregate").Fix("drop ORDER BY inside the parentheses")
	}
	return a, p.needOp(")")
}

func (p *parser) plainCall(f CallFunc, at Pos) (Expr, error) {
	if err := p.needOp("("); err != nil {
		return nil, err
	}
	c := &Call{Func: f, At: at}
	err := p.list(func() error {
		e, err := p.expr()
		c.Args = append(c.Args, e)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := p.needOp(")"); err != nil {
		return nil, err
	}
	n := len(c.Args)
	switch {
	case f == Nullif && n != 2:
		return nil, Refuse(at, "SYNTAX", "NULLIF takes two arguments").Fix("write NULLIF(a, 0)")
	case f == Round && n > 2:
		return nil, Refuse(at, "SYNTAX", "ROUND takes one or two arguments").Fix("write ROUND(a, 2)")
	}
	return c, nil
}
