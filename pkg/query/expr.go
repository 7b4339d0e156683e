package query

// Precedence, loosest first, as in PostgreSQL: OR, AND, NOT, IS, comparison,
// BETWEEN and IN, + and -, * and /, sign.

// enter counts one level of nesting.
func (p *parser) enter() error {
	if p.depth++; p.depth > MaxDepth {
		return Refuse(p.tok.pos, "TOO_DEEP", "the expression is nested more than %d levels deep", MaxDepth).Fix("use fewer parentheses, or split the query")
	}
	return nil
}

func (p *parser) leave() { p.depth-- }

func (p *parser) expr() (Expr, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	return p.chain(p.and, Or)
}

func (p *parser) and() (Expr, error) { return p.chain(p.not, And) }

// chain parses operands joined by a logical operator.
func (p *parser) chain(operand func() (Expr, error), op Op) (Expr, error) {
	word := map[Op]string{And: "and", Or: "or"}[op]
	x, err := operand()
	for err == nil && p.isWord(word) {
		at := p.advance().pos
		var y Expr
		if y, err = operand(); err == nil {
			x = &Binary{op, x, y, at}
		}
	}
	return x, err
}

func (p *parser) not() (Expr, error) {
	if !p.isWord("not") {
		return p.is()
	}
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	at := p.advance().pos
	x, err := p.not()
	if err != nil {
		return nil, err
	}
	return &Unary{Not, x, at}, nil
}

func (p *parser) is() (Expr, error) {
	x, err := p.comparison()
	for err == nil && p.isWord("is") {
		at := p.advance().pos
		not := p.acceptWord("not")
		if !p.acceptWord("null") {
			return nil, Refuse(at, "UNSUPPORTED", "of the IS tests only IS NULL and IS NOT NULL are supported").
				Fix("write x IS NULL, x IS NOT NULL, or a comparison")
		}
		x = &IsNull{x, not, at}
	}
	return x, err
}

var comparisons = map[string]Op{"=": Eq, "<>": Ne, "!=": Ne, "<": Lt, "<=": Le, ">": Gt, ">=": Ge}

func (p *parser) comparison() (Expr, error) {
	x, err := p.between()
	if err != nil {
		return nil, err
	}
	op, ok := comparisons[p.tok.text]
	if p.tok.kind != tokOp || !ok {
		return x, nil
	}
	at := p.advance().pos
	y, err := p.between()
	if err != nil {
		return nil, err
	}
	if _, again := comparisons[p.tok.text]; again && p.tok.kind == tokOp {
		return nil, Refuse(p.tok.pos, "SYNTAX", "comparisons can't be chained").Fix("write a < b AND b < c, or b BETWEEN a AND c")
	}
	return &Binary{op, x, y, at}, nil
}

func (p *parser) between() (Expr, error) {
	x, err := p.sum()
	if err != nil {
		return nil, err
	}
	at, not := p.tok.pos, false
	if p.isWord("not") {
		p.advance()
		if not = true; !p.isWord("between") && !p.isWord("in") {
			return nil, p.unexpected("BETWEEN or IN")
		}
	}
	switch {
	case p.acceptWord("between"):
		if p.isWord("symmetric") || p.isWord("asymmetric") {
			return nil, p.unexpected("a value")
		}
		lo, err := p.sum()
		if err != nil {
			return nil, err
		}
		if err := p.needWord("and"); err != nil {
			return nil, err
		}
		hi, err := p.sum()
		if err != nil {
			return nil, err
		}
		return &Between{x, lo, hi, not, at}, nil
	case p.acceptWord("in"):
		e := &In{X: x, Not: not, At: at}
		if err := p.needOp("("); err != nil {
			return nil, err
		}
		for {
			v, err := p.sum()
			if err != nil {
				return nil, err
			}
			e.List = append(e.List, v)
			if !p.acceptOp(",") {
				return e, p.needOp(")")
			}
		}
	}
	return x, nil
}

func (p *parser) sum() (Expr, error) {
	x, err := p.product()
	for err == nil && (p.isOp("+") || p.isOp("-")) {
		t := p.advance()
		var y Expr
		if y, err = p.product(); err == nil {
			if d := moved(Op(t.text), x, y); d != nil {
				x = d
			} else {
				x = &Binary{Op(t.text), x, y, t.pos}
			}
		}
	}
	return x, err
}

func (p *parser) product() (Expr, error) {
	x, err := p.sign()
	for err == nil && (p.isOp("*") || p.isOp("/")) {
		t := p.advance()
		var y Expr
		if y, err = p.sign(); err == nil {
			x = &Binary{Op(t.text), x, y, t.pos}
		}
	}
	return x, err
}

func (p *parser) sign() (Expr, error) {
	if !p.isOp("-") && !p.isOp("+") {
		return p.casts()
	}
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	t := p.advance()
	x, err := p.sign()
	if err != nil || t.text == "+" {
		return x, err
	}
	return &Unary{Neg, x, t.pos}, nil
}

// casts parses a primary expression and the casts behind it.
func (p *parser) casts() (Expr, error) {
	x, err := p.primary()
	for n := 1; err == nil && p.isOp("::"); n++ {
		if n > MaxDepth {
			return nil, Refuse(p.tok.pos, "TOO_DEEP", "more than %d casts follow each other", MaxDepth).Fix("drop the casts: released numbers are exact")
		}
		at := p.advance().pos
		x, err = p.castTo(x, at)
	}
	return x, err
}

func (p *parser) primary() (Expr, error) {
	t := p.tok
	switch t.kind {
	case tokNumber:
		p.advance()
		return &Literal{Number, t.text, t.pos}, nil
	case tokString:
		p.advance()
		return &Literal{String, t.text, t.pos}, nil
	case tokOp:
		if t.text == "$" {
			return nil, Refuse(t.pos, "UNSUPPORTED", "parameters stand for values that stay secret, and are written PRIVATE($1)").
				Fix("write the value itself, or column = PRIVATE($1)")
		}
		if t.text != "(" {
			break
		}
		p.advance()
		x, err := p.expr()
		if err != nil {
			return nil, err
		}
		if p.isOp(",") {
			return nil, Refuse(p.tok.pos, "UNSUPPORTED", "lists of values in parentheses are only supported after IN").
				Fix("compare column by column, joined by AND")
		}
		return x, p.needOp(")")
	case tokQuoted:
		return p.column()
	case tokWord:
		switch t.text {
		case "null":
			p.advance()
			return &Literal{Null, "", t.pos}, nil
		case "true", "false":
			p.advance()
			return &Literal{Bool, t.text, t.pos}, nil
		case "case":
			p.advance()
			return p.caseExpr(t.pos)
		case "cast":
			p.advance()
			return p.cast(t.pos)
		}
		if _, known := unsupported[t.text]; !known && !reservedWord(t.text) {
			return p.column()
		}
		if _, known := unsupported[t.text]; known && !reservedWord(t.text) {
			return p.softWord()
		}
	}
	return nil, p.unexpected("a column, a number or an aggregate")
}

// column parses a reference to a column, or a call if a parenthesis follows.
func (p *parser) column() (Expr, error) {
	t := p.advance()
	if t.kind == tokWord && p.isOp("(") {
		return p.call(t)
	}
	if len(t.text) > 128 {
		return nil, Refuse(t.pos, "TOO_LONG", "the name has more than 128 bytes").Fix("use a name of the schema: none is that long")
	}
	if !p.acceptOp(".") {
		return &ColumnRef{"", t.text, t.pos}, nil
	}
	if p.isOp("*") {
		return nil, Refuse(t.pos, "UNSUPPORTED", "rows are never released, only aggregates of them").
			Fix("name what to compute, such as COUNT(*) or SUM of a measure")
	}
	name, err := p.name("the name of a column", true)
	return &ColumnRef{t.text, name, t.pos}, err
}

// softWord parses a word that begins an unsupported construct in some places and
// may also be an ordinary name.
func (p *parser) softWord() (Expr, error) {
	t := p.tok
	e, err := p.column()
	if _, isRef := e.(*ColumnRef); err == nil && isRef && p.tok.kind == tokString {
		switch t.text {
		case "date":
			return date(p.advance(), t.pos)
		case "timestamp":
			return timestamp(p.advance(), t.pos)
		case "interval":
			return p.interval(t.pos)
		}
	}
	if _, isRef := e.(*ColumnRef); err == nil && isRef && (p.tok.kind == tokString || p.tok.kind == tokQuoted) {
		u := unsupported[t.text]
		return nil, Refuse(t.pos, "UNSUPPORTED", "%s", u.why).Fix("%s", u.fix)
	}
	return e, err
}
