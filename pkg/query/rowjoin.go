package query

// RowJoin is FROM a JOIN b USING (columns): every row of a with every row of b that has
// the same columns.
type RowJoin struct {
	Right Table
	Using []*ColumnRef
	At    Pos
}

// rowJoin parses what follows the first table, if it is a join.
func (p *parser) rowJoin(s *Select) error {
	if !p.isWord("join") && !p.isWord("inner") {
		return nil
	}
	if p.joined {
		return Refuse(p.tok.pos, "UNSUPPORTED", "joins inside joined queries are not supported").Fix("%s", nearestJoin)
	}
	p.acceptWord("inner")
	j := &RowJoin{At: p.tok.pos}
	if err := p.needWord("join"); err != nil {
		return err
	}
	if p.isOp("(") {
		return Refuse(p.tok.pos, "UNSUPPORTED", "a product is joined with a product, and a query with a query").Fix("%s", nearestJoin)
	}
	if err := p.oneTable(&j.Right); err != nil {
		return err
	}
	var err error
	if j.Using, err = p.using(); err != nil {
		return err
	}
	s.Rows = j
	return nil
}

// using parses USING (columns).
func (p *parser) using() (list []*ColumnRef, err error) {
	if p.isWord("on") {
		return nil, Refuse(p.tok.pos, "UNSUPPORTED", "of joins, those with USING are supported").Fix("name the columns that both sides have in common: USING (d)")
	}
	if err := p.needWord("using"); err != nil {
		return nil, err
	}
	if err := p.needOp("("); err != nil {
		return nil, err
	}
	err = p.list(func() error {
		at := p.tok.pos
		name, err := p.name("the name of a column of both sides", false)
		list = append(list, &ColumnRef{"", name, at})
		return err
	})
	if err != nil {
		return nil, err
	}
	return list, p.needOp(")")
}
