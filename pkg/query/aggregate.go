package query

import "strings"

// aggregate parses an aggregate whose name has been read: arguments, WITHIN GROUP
// and FILTER.
func (p *parser) aggregate(f Func, name token) (Expr, error) {
	if err := p.needOp("("); err != nil {
		return nil, err
	}
	a := &Aggregate{Func: f, Name: name.text, At: name.pos}
	var err error
	switch {
	case f == Mode:
		err = p.needOp(")")
	case p.isOp("*"):
		err = p.star(f, name)
	default:
		err = p.arguments(a)
	}
	if err == nil && f.Within() {
		err = p.within(a)
	}
	if err == nil && p.isWord("filter") {
		err = p.filter(a)
	}
	if err != nil {
		return nil, err
	}
	if p.isWord("over") || p.isWord("within") {
		return nil, p.unexpected("an operator")
	}
	return a, nil
}

func (p *parser) star(f Func, name token) error {
	star := p.advance()
	if f != Count {
		return Refuse(star.pos, "SYNTAX", "%s needs a measure", strings.ToUpper(name.text)).
			Fix("write %s(measure), or COUNT(*)", strings.ToUpper(name.text))
	}
	return p.needOp(")")
}

// arguments parses what stands in the parentheses, and the closing one.
func (p *parser) arguments(a *Aggregate) error {
	if p.isWord("distinct") {
		return Refuse(p.tok.pos, "UNSUPPORTED", "DISTINCT inside an aggregate would need every value to be told apart").
			Fix("group by a dimension and count the rows of the result, or drop DISTINCT")
	}
	p.acceptWord("all")
	if p.isOp(")") {
		return p.unexpected("what to aggregate")
	}
	x, err := p.expr()
	if err != nil {
		return err
	}
	name := strings.ToUpper(a.Name)
	if a.Func == PercentileDisc || a.Func == PercentileCont {
		if a.Fraction = x; p.isOp(",") {
			return Refuse(p.tok.pos, "SYNTAX", "%s takes one fraction", name).Fix("write %s(0.5) WITHIN GROUP (ORDER BY dimension)", name)
		}
		return p.needOp(")")
	}
	a.Arg = x
	if a.Func.Pairs() {
		if !p.acceptOp(",") {
			return Refuse(p.tok.pos, "SYNTAX", "%s takes two arguments", name).Fix("write %s(y, x)", name)
		}
		if a.Arg2, err = p.expr(); err != nil {
			return err
		}
	}
	if p.isOp(",") {
		count := "one argument"
		if a.Func.Pairs() {
			count = "two arguments"
		}
		return Refuse(p.tok.pos, "SYNTAX", "%s takes %s", name, count).Fix("give it so many, separated by commas")
	}
	if p.isWord("order") {
		return Refuse(p.tok.pos, "UNSUPPORTED", "the order of rows has no influence on an aggregate").Fix("drop ORDER BY inside the parentheses")
	}
	return p.needOp(")")
}

// within parses WITHIN GROUP (ORDER BY x [DESC]).
func (p *parser) within(a *Aggregate) error {
	name := strings.ToUpper(a.Name)
	if !p.isWord("within") {
		return Refuse(p.tok.pos, "SYNTAX", "%s needs to be told what to order", name).Fix("write %s WITHIN GROUP (ORDER BY dimension)", name+map[bool]string{true: "()", false: "(0.5)"}[a.Func == Mode])
	}
	p.advance()
	steps := []func() error{
		func() error { return p.needWord("group") },
		func() error { return p.needOp("(") },
		func() error { return p.needWord("order") },
		func() error { return p.needWord("by") },
		func() (err error) { a.Arg, err = p.expr(); return err },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	if a.Desc = p.acceptWord("desc"); !a.Desc {
		p.acceptWord("asc")
	}
	if p.isWord("nulls") {
		return Refuse(p.tok.pos, "UNSUPPORTED", "rows with NULL are left out here").Fix("drop NULLS FIRST or NULLS LAST")
	}
	if p.isOp(",") {
		return Refuse(p.tok.pos, "SYNTAX", "%s orders by one dimension", name).Fix("name one dimension")
	}
	return p.needOp(")")
}

// filter parses FILTER (WHERE condition).
func (p *parser) filter(a *Aggregate) error {
	p.advance()
	if err := p.needOp("("); err != nil {
		return err
	}
	if err := p.needWord("where"); err != nil {
		return err
	}
	var err error
	if a.Filter, err = p.expr(); err != nil {
		return err
	}
	return p.needOp(")")
}
