package query

// Join is FROM (SELECT ...) p JOIN (SELECT ...) q USING (columns).
type Join struct {
	Sides [2]Side
	Using []*ColumnRef
	At    Pos
}

// Side is a query that is joined.
type Side struct {
	Query *Select // without ORDER BY, LIMIT and a Join of its own
	Alias string
	At    Pos
}

// Tables are the products that the query names, in the order of its text.
func (s *Select) Tables() []Table {
	if s.Rows != nil {
		return []Table{s.From, s.Rows.Right}
	}
	if s.Join == nil {
		return []Table{s.From}
	}
	var out []Table
	for i := range s.Join.Sides {
		out = append(out, s.Join.Sides[i].Query.From)
	}
	return out
}

// nearestJoin is the form of a join that runs.
const nearestJoin = "join two grouped queries: FROM (SELECT d, SUM(x) AS x FROM a GROUP BY d) AS p JOIN (SELECT d, SUM(y) AS y FROM b GROUP BY d) AS q USING (d)"

// join parses what FROM ( begins.
func (p *parser) join(s *Select) error {
	if p.joined {
		return Refuse(p.tok.pos, "UNSUPPORTED", "queries inside joined queries are not supported").Fix("%s", nearestJoin)
	}
	p.joined = true
	j := &Join{}
	var err error
	if j.Sides[0], err = p.side(); err != nil {
		return err
	}
	inner := p.acceptWord("inner")
	j.At = p.tok.pos
	if !p.isWord("join") {
		if inner {
			return p.unexpected("JOIN")
		}
		return Refuse(p.tok.pos, "UNSUPPORTED", "a query inside a query stands for one of two that are joined").Fix("write one SELECT over one product; or %s", nearestJoin)
	}
	p.advance()
	if !p.isOp("(") {
		return Refuse(p.tok.pos, "UNSUPPORTED", "rows are not joined, only sums of groups").Fix("%s", nearestJoin)
	}
	if j.Sides[1], err = p.side(); err != nil {
		return err
	}
	if j.Using, err = p.using(); err != nil {
		return err
	}
	s.Join, s.From = j, j.Sides[0].Query.From
	s.From.Alias = ""
	return nil
}

// side parses (SELECT ...) [AS] alias.
func (p *parser) side() (Side, error) {
	out := Side{Query: &Select{}, At: p.tok.pos}
	if err := p.needOp("("); err != nil {
		return out, err
	}
	if err := p.body(out.Query); err != nil {
		return out, err
	}
	if p.isWord("order") || p.isWord("limit") || p.isWord("offset") {
		return out, Refuse(p.tok.pos, "UNSUPPORTED", "joined queries are sets of groups").Fix("write ORDER BY and LIMIT behind the join")
	}
	if err := p.needOp(")"); err != nil {
		return out, err
	}
	if !p.acceptWord("as") && !p.startsName() {
		return out, Refuse(out.At, "UNSUPPORTED", "a query inside a query stands for one of two that are joined, and has a name").Fix("write one SELECT over one product; or %s", nearestJoin)
	}
	var err error
	out.Alias, err = p.name("a name for the query in parentheses", false)
	return out, err
}
