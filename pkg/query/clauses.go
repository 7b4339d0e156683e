package query

import "strconv"

func (p *parser) table(s *Select) error {
	if p.isOp("(") {
		return p.join(s)
	}
	if err := p.oneTable(&s.From); err != nil {
		return err
	}
	if p.isOp(",") {
		return Refuse(p.tok.pos, "UNSUPPORTED", "a query reads one product").
			Fix("a product is already the union of its owners' datasets; ask about each product separately")
	}
	switch p.tok.text {
	case "left", "right", "full", "cross", "natural":
		if p.tok.kind == tokWord {
			return Refuse(p.tok.pos, "UNSUPPORTED", "rows without a partner are not joined").Fix("write JOIN ... USING; or %s", nearestJoin)
		}
	}
	return p.rowJoin(s)
}

// oneTable parses the name of a product and its alias.
func (p *parser) oneTable(t *Table) error {
	t.Pos = p.tok.pos
	switch {
	case p.tok.kind == tokQuoted:
		t.Name = p.advance().text
	case p.tok.kind == tokNumber, p.tok.kind == tokError, p.startsName():
		broken := p.tok
		t.Name, _ = p.lex.productName(p.tok.pos)
		if t.Name == "" {
			p.tok = broken
			return p.unexpected("the name of a product")
		}
		p.tok = p.lex.next()
	default:
		return p.unexpected("the name of a product")
	}
	if p.acceptWord("as") || p.startsName() {
		var err error
		if t.Alias, err = p.name("a short name for the product", false); err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) where(s *Select) (err error) {
	if p.acceptWord("where") {
		s.Where, err = p.expr()
	}
	return err
}

func (p *parser) groupBy(s *Select) error {
	if !p.acceptWord("group") {
		return nil
	}
	if err := p.needWord("by"); err != nil {
		return err
	}
	return p.list(func() error {
		e, err := p.expr()
		s.GroupBy = append(s.GroupBy, e)
		return err
	})
}

func (p *parser) having(s *Select) (err error) {
	if p.acceptWord("having") {
		s.Having, err = p.expr()
	}
	return err
}

func (p *parser) orderBy(s *Select) error {
	if !p.acceptWord("order") {
		return nil
	}
	if err := p.needWord("by"); err != nil {
		return err
	}
	return p.list(func() error {
		e, err := p.expr()
		if err != nil {
			return err
		}
		o := Order{Expr: e}
		if p.acceptWord("desc") {
			o.Desc = true
		} else {
			p.acceptWord("asc")
		}
		o.NullsFirst = o.Desc
		if p.acceptWord("nulls") {
			switch {
			case p.acceptWord("first"):
				o.NullsFirst = true
			case p.acceptWord("last"):
				o.NullsFirst = false
			default:
				return p.unexpected("FIRST or LAST")
			}
		}
		s.OrderBy = append(s.OrderBy, o)
		return nil
	})
}

// limit parses LIMIT and OFFSET, in either order.
func (p *parser) limit(s *Select) error {
	offset := false
	for {
		switch {
		case s.Limit == nil && p.acceptWord("limit"):
			n, err := p.natural()
			if err != nil {
				return err
			}
			s.Limit = &n
		case !offset && p.acceptWord("offset"):
			n, err := p.natural()
			if err != nil {
				return err
			}
			s.Offset, offset = n, true
			_ = p.acceptWord("rows") || p.acceptWord("row")
		default:
			return nil
		}
	}
}

func (p *parser) natural() (int64, error) {
	if p.tok.kind != tokNumber {
		return 0, p.unexpected("a whole number")
	}
	n, err := strconv.ParseInt(p.tok.text, 10, 64)
	if err != nil {
		return 0, p.unexpected("a whole number")
	}
	p.advance()
	return n, nil
}
