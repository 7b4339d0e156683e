package query

// caseExpr parses a CASE expression after its first word.
func (p *parser) caseExpr(at Pos) (Expr, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	e := &Case{At: at}
	var err error
	if !p.isWord("when") {
		if e.Operand, err = p.expr(); err != nil {
			return nil, err
		}
	}
	if !p.isWord("when") {
		return nil, p.unexpected("WHEN")
	}
	for p.acceptWord("when") {
		if len(e.Whens) == MaxItems {
			return nil, Refuse(p.tok.pos, "TOO_LONG", "CASE has more than %d branches", MaxItems).Fix("split it into several results")
		}
		var w When
		if w.When, err = p.expr(); err != nil {
			return nil, err
		}
		if err = p.needWord("then"); err != nil {
			return nil, err
		}
		if w.Then, err = p.expr(); err != nil {
			return nil, err
		}
		e.Whens = append(e.Whens, w)
	}
	if p.acceptWord("else") {
		if e.Else, err = p.expr(); err != nil {
			return nil, err
		}
	}
	if !p.acceptWord("end") {
		return nil, p.unexpected("WHEN, ELSE or END")
	}
	return e, nil
}

// castTypes maps the names of types.
var castTypes = map[string]Type{
	"date": DateType, "numeric": NumericType, "decimal": NumericType,
	"integer": IntegerType, "int": IntegerType, "int4": IntegerType, "bigint": IntegerType, "int8": IntegerType, "smallint": IntegerType,
}

// cast parses CAST(x AS type) after its first word.
func (p *parser) cast(at Pos) (Expr, error) {
	if err := p.needOp("("); err != nil {
		return nil, err
	}
	x, err := p.expr()
	if err != nil {
		return nil, err
	}
	if err := p.needWord("as"); err != nil {
		return nil, err
	}
	e, err := p.castTo(x, at)
	if err != nil {
		return nil, err
	}
	return e, p.needOp(")")
}

// castTo parses the type of a cast.
func (p *parser) castTo(x Expr, at Pos) (Expr, error) {
	t := p.tok
	to, ok := castTypes[t.text]
	if t.kind != tokWord || !ok {
		if t.kind == tokError {
			return nil, t.err
		}
		return nil, Refuse(t.pos, "UNSUPPORTED", "only casts to DATE, NUMERIC and INTEGER are supported").
			Fix("released numbers are exact: drop the cast, or use ROUND(x, n) for the number of decimals")
	}
	p.advance()
	if p.isOp("(") {
		return nil, Refuse(p.tok.pos, "UNSUPPORTED", "a cast does not round").Fix("write ROUND(%s, n)", Format(x))
	}
	if s, is := x.(*Literal); is && to == DateType && s.Kind == String {
		return date(token{text: s.Text, pos: s.At}, s.At)
	}
	return &Cast{x, to, at}, nil
}
