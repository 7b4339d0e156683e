package query

import (
	"strings"
	"unicode/utf8"
)

// Bounds of what Parse reads.
const (
	MaxBytes = 64 << 10 // bytes of text
	MaxDepth = 100      // nesting of parentheses, NOT and signs
	MaxItems = 1000     // result columns, GROUP BY and ORDER BY keys each
)

// Parse reads one SELECT statement. Errors are *Refusal.
func Parse(sql string) (*Select, error) {
	p, err := newParser(sql)
	if err != nil {
		return nil, err
	}
	s, err := p.statement()
	if err != nil {
		return nil, Locate(sql, p.misspelt(err))
	}
	return s, nil
}

func newParser(sql string) (*parser, error) {
	if len(sql) > MaxBytes {
		return nil, Refuse(Pos{}, "TOO_LONG", "the query has %d bytes, at most %d are read", len(sql), MaxBytes).
			Fix("shorten lists with BETWEEN or NOT IN")
	}
	if !utf8.ValidString(sql) || strings.IndexByte(sql, 0) >= 0 {
		return nil, Refuse(Pos{}, "SYNTAX", "the query is not UTF-8 text").Fix("save it as UTF-8 and send it again")
	}
	p := &parser{lex: lexer{src: sql, line: 1, column: 1}}
	p.advance()
	return p, nil
}

// ParseExpr reads one expression, such as the formula of a measure. Errors are *Refusal.
func ParseExpr(text string) (Expr, error) {
	p, err := newParser(text)
	if err != nil {
		return nil, err
	}
	e, err := p.expr()
	if err == nil && p.tok.kind != tokEnd {
		err = p.unexpected("the end of the expression")
	}
	if err != nil {
		return nil, Locate(text, err)
	}
	return e, nil
}

type parser struct {
	lex   lexer
	tok   token // the next token, not consumed yet
	last  token // the one before it, if it was advanced over
	depth int
	// joined: a join has been begun, and there is no other in it.
	joined bool
}

func (p *parser) advance() token {
	t := p.tok
	p.last, p.tok = t, p.lex.next()
	return t
}

func (p *parser) isWord(w string) bool { return p.tok.kind == tokWord && p.tok.text == w }
func (p *parser) isOp(op string) bool  { return p.tok.kind == tokOp && p.tok.text == op }

func (p *parser) acceptWord(w string) bool {
	if p.isWord(w) {
		p.advance()
		return true
	}
	return false
}

func (p *parser) acceptOp(op string) bool {
	if p.isOp(op) {
		p.advance()
		return true
	}
	return false
}

// unexpected refuses the next token, with the reason if it is SQL that is known and
// not supported.
func (p *parser) unexpected(want string) error {
	switch t := p.tok; t.kind {
	case tokError:
		return t.err
	case tokEnd:
		return Refuse(t.pos, "SYNTAX", "the query ends where %s is expected", want).Fix("complete the query; docs/reference/sql.md has what is answered")
	case tokWord, tokOp:
		if u, ok := unsupported[t.text]; ok {
			return Refuse(t.pos, "UNSUPPORTED", "%s", u.why).Fix("%s", u.fix)
		}
		if t.kind == tokWord && taken[t.text] {
			return Refuse(t.pos, "SYNTAX", "%s is a word of SQL where %s is expected", strings.ToUpper(t.text), want).
				Fix("write \"%s\" in double quotes if a column has this name", t.text)
		}
	}
	return Refuse(p.tok.pos, "SYNTAX", "%s is expected here", want).Fix("correct the query there; docs/reference/sql.md has what is answered")
}

func (p *parser) needWord(w string) error {
	if !p.acceptWord(w) {
		return p.unexpected(strings.ToUpper(w))
	}
	return nil
}

func (p *parser) needOp(op string) error {
	if !p.acceptOp(op) {
		return p.unexpected("\"" + op + "\"")
	}
	return nil
}

func (p *parser) statement() (*Select, error) {
	s := &Select{}
	if err := p.body(s); err != nil {
		return nil, err
	}
	for _, step := range []func(*Select) error{p.orderBy, p.limit} {
		if err := step(s); err != nil {
			return nil, err
		}
	}
	if p.acceptOp(";") && p.tok.kind != tokEnd {
		u := unsupported[";"]
		return nil, Refuse(p.tok.pos, "UNSUPPORTED", "%s", u.why).Fix("%s", u.fix)
	}
	if p.tok.kind != tokEnd {
		return nil, p.unexpected("the end of the query")
	}
	return s, nil
}

// body parses a query up to HAVING.
func (p *parser) body(s *Select) error {
	if err := p.needWord("select"); err != nil {
		return err
	}
	p.acceptWord("all")
	if err := p.list(func() error { return p.item(s) }); err != nil {
		return err
	}
	if !p.isWord("from") {
		return p.unexpected("FROM with the name of a product")
	}
	p.advance()
	for _, step := range []func(*Select) error{p.table, p.where, p.groupBy, p.having} {
		if err := step(s); err != nil {
			return err
		}
	}
	return nil
}

// list parses one or more elements separated by commas.
func (p *parser) list(element func() error) error {
	for n := 1; ; n++ {
		if n > MaxItems {
			return Refuse(p.tok.pos, "TOO_LONG", "the list has more than %d elements", MaxItems).Fix("use BETWEEN or NOT IN, or split the query")
		}
		if err := element(); err != nil {
			return err
		}
		if !p.acceptOp(",") {
			return nil
		}
	}
}

func (p *parser) item(s *Select) error {
	if p.isOp("*") {
		return Refuse(p.tok.pos, "UNSUPPORTED", "rows are never released, only aggregates of them").
			Fix("name what to compute, such as COUNT(*) or SUM of a measure")
	}
	e, err := p.expr()
	if err != nil {
		return err
	}
	it := Item{Expr: e}
	if p.acceptWord("as") {
		if it.Alias, err = p.name("a name for the result column", true); err != nil {
			return err
		}
	} else if p.startsName() {
		if t := p.tok; t.kind == tokWord && needsAs[t.text] {
			return Refuse(t.pos, "SYNTAX", "%s names a column of the result only behind AS", t.text).Fix("write AS %s", t.text)
		}
		if it.Alias, err = p.name("a name", false); err != nil {
			return err
		}
	}
	s.Items = append(s.Items, it)
	return nil
}

// startsName reports whether the next token can be a name without AS.
func (p *parser) startsName() bool {
	return p.tok.kind == tokQuoted || p.tok.kind == tokWord && !reservedWord(p.tok.text)
}

// name parses a name; after AS any word will do.
func (p *parser) name(want string, any bool) (string, error) {
	if p.startsName() || any && p.tok.kind == tokWord {
		if len(p.tok.text) > 128 {
			return "", Refuse(p.tok.pos, "TOO_LONG", "the name has more than 128 bytes").Fix("use a name of the schema: none is that long")
		}
		return p.advance().text, nil
	}
	return "", p.unexpected(want)
}
