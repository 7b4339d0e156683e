package query

import "strconv"

// MaxPrivate bounds the parameters of a query.
const MaxPrivate = 1000

// private parses ($n) after the word PRIVATE.
func (p *parser) private(at Pos) (Expr, error) {
	if err := p.needOp("("); err != nil {
		return nil, err
	}
	bad := Refuse(p.tok.pos, "SYNTAX", "PRIVATE takes a parameter, whose value is given beside the query").
		Fix("write PRIVATE($1), with $1 to $%d for several", MaxPrivate)
	if !p.isOp("$") {
		return nil, bad
	}
	sign := p.advance()
	n := p.tok
	if n.kind != tokNumber || n.pos.offset != sign.end {
		return nil, bad
	}
	param, err := strconv.Atoi(n.text)
	if err != nil || param < 1 || param > MaxPrivate || n.text != strconv.Itoa(param) {
		return nil, bad
	}
	p.advance()
	return &Private{Param: param, At: at}, p.needOp(")")
}
