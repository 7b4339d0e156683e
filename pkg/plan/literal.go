package plan

import (
	"math/big"
	"strings"
	"time"

	"github.com/carnet-network/carnet/pkg/query"
)

// scalar is a literal: NULL if neither number nor text.
type scalar struct {
	num    *big.Rat
	text   string // String: contents; Number: as written, with its sign
	isText bool
	isDate bool // isText, and the text is a date
	stamp  bool // isDate, and PostgreSQL would have a timestamp
	scale  int  // Number: digits after the point
	at     query.Pos
}

func (s scalar) isNull() bool { return s.num == nil && !s.isText }

// asScalar reads a literal, possibly with a sign. ok is false for anything else.
func asScalar(e query.Expr) (s scalar, ok bool) {
	if u, is := e.(*query.Unary); is && u.Op == query.Neg {
		s, ok = asScalar(u.X)
		if !ok || s.num == nil {
			return s, false
		}
		s.num = new(big.Rat).Neg(s.num)
		if s.text = "-" + s.text; strings.HasPrefix(s.text, "--") {
			s.text = s.text[2:]
		}
		s.at = u.At
		return s, true
	}
	l, is := e.(*query.Literal)
	if !is || l.Kind == query.Bool || l.Kind == query.Interval {
		return s, false
	}
	s.at = l.At
	switch l.Kind {
	case query.String:
		s.text, s.isText = l.Text, true
	case query.Date, query.Timestamp:
		s.text, s.isText, s.isDate, s.stamp = l.Text, true, true, l.Kind == query.Timestamp
	case query.Number:
		s.text = l.Text
		s.num, ok = new(big.Rat).SetString(l.Text)
		if !ok {
			return s, false
		}
		s.scale = decimals(l.Text)
	}
	return s, true
}

// static is the type of the literal.
func (s scalar) static() static {
	switch {
	case s.isDate:
		return static{kind: dateNode, stamp: s.stamp}
	case s.isText:
		return static{kind: textNode}
	case s.num == nil:
		return static{}
	}
	t := static{kind: numberNode, num: numericType, scale: s.scale}
	if strings.Trim(s.text, "-0123456789") == "" {
		t.num = integerType
	}
	return t
}

// value is the literal as a value.
func (s scalar) value() Value {
	switch {
	case s.isText:
		return TextValue(s.text)
	case s.num != nil:
		return NumberValue(s.num, s.scale)
	}
	return Value{}
}

// date reads the literal as a date, as PostgreSQL does with quoted literals.
func (s scalar) date() (time.Time, error) {
	t, ok := query.ParseDate(strings.TrimSpace(s.text))
	if s.isText && ok {
		return t, nil
	}
	return t, typeMismatch(s.at, "%s is not a date, and is compared with one", s).Fix("write DATE 'YYYY-MM-DD', such as DATE '2024-01-31'")
}

// decimals counts the digits after the point of a number as written.
func decimals(text string) int {
	mantissa, exponent, _ := strings.Cut(text, "e")
	n := 0
	if _, after, ok := strings.Cut(mantissa, "."); ok {
		n = len(after)
	}
	e := 0
	for _, c := range strings.TrimLeft(exponent, "+-") {
		e = e*10 + int(c-'0')
	}
	if !strings.HasPrefix(exponent, "-") {
		e = -e
	}
	return max(0, n+e)
}

// String is how messages show the literal.
func (s scalar) String() string {
	switch {
	case s.isDate:
		return "DATE '" + s.text + "'"
	case s.isText:
		return "'" + strings.ReplaceAll(shown(s.text), "'", "''") + "'"
	case s.num != nil:
		return s.text
	}
	return "NULL"
}

// shown keeps text from outside short in messages.
func shown(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "..."
	}
	return s
}

// number reads the literal as a number for a column of numbers, as PostgreSQL does
// with quoted literals.
func (s scalar) number(d *domain) (*big.Rat, error) {
	if s.num != nil {
		return s.num, nil
	}
	t := strings.TrimSpace(s.text)
	digits := strings.TrimLeft(t, "+-")
	whole, fraction, point := strings.Cut(digits, ".")
	if len(t)-len(digits) > 1 || whole == "" || len(digits) > 100 || strings.Trim(whole+fraction, "0123456789") != "" || point && d.scale == 0 {
		kind := "integers"
		if d.scale > 0 {
			kind = "numbers"
		}
		return nil, query.Refuse(s.at, "TYPE_MISMATCH", "the values of %s are %s, and %s is not one", d.name, kind, s).
			Fix("%s", suggest(s.text, d.values))
	}
	r, _ := new(big.Rat).SetString(strings.TrimSuffix(t, "."))
	return r, nil
}

// find returns the position of a literal that is compared for equality, -1 if the
// column has no such value and that is not a mistake.
func (d *domain) find(s scalar) (int, error) {
	at, ok := -1, false
	if err := d.fits(s); err != nil {
		return 0, err
	}
	if d.unit != "" {
		t, err := s.date()
		if err != nil {
			return 0, err
		}
		at, ok = d.lookupText(t.Format("2006-01-02"))
	} else if d.order == byNumber {
		n, err := s.number(d)
		if err != nil {
			return 0, err
		}
		n = new(big.Rat).Mul(n, new(big.Rat).SetInt(power10(d.scale)))
		if n.IsInt() && n.Num().IsInt64() {
			at, ok = d.lookup(n.Num().Int64())
		}
	} else {
		at, ok = d.lookupText(s.text)
	}
	if ok {
		return at, nil
	}
	if d.closed {
		return 0, query.Refuse(s.at, "UNKNOWN_CODE", "%s is not a code of %s", s, d.name).Fix("%s", suggest(s.text, d.values))
	}
	return -1, nil
}

// fits refuses a date beside a column that holds none.
func (d *domain) fits(s scalar) error {
	if s.isDate && d.unit == "" {
		return typeMismatch(s.at, "%s is not declared a date, and is compared with %s", d.name, s).
			Fix("%s; a new version of the schema can declare it with type: date", suggest(s.text, d.values))
	}
	return nil
}

// boundary reads a date that a column of months or years is compared with: inside one
// of them the rows on both sides of it could not be told apart.
func (d *domain) boundary(s scalar) (string, error) {
	t, err := s.date()
	if err != nil {
		return "", err
	}
	next := t.AddDate(0, 0, 1)
	inside := false
	switch d.unit {
	case unitMonth:
		inside = t.Day() > 1 && next.Day() > 1
	case unitYear:
		inside = t.YearDay() > 1 && next.YearDay() > 1
	}
	if inside {
		return "", query.Refuse(s.at, "UNKNOWN_CODE", "%s lies inside a %s, and %s holds whole %ss", s, d.unit, d.name, d.unit).
			Fix("compare with the first or the last day of a %s", d.unit)
	}
	return t.Format("2006-01-02"), nil
}

func (d *domain) lookup(n int64) (int, bool) {
	at, ok := d.byInt[n]
	return at, ok
}

func (d *domain) lookupText(s string) (int, bool) {
	at, ok := d.index[s]
	return at, ok
}

// compareWith returns a function that compares the value at a position with the
// literal: negative, zero or positive.
func (d *domain) compareWith(s scalar) (func(at int) int, error) {
	if err := d.fits(s); err != nil {
		return nil, err
	}
	if d.unit != "" {
		t, err := d.boundary(s)
		return func(at int) int { return strings.Compare(d.values[at], t) }, err
	}
	switch d.order {
	case byNumber:
		n, err := s.number(d)
		if err != nil {
			return nil, err
		}
		return func(at int) int { return d.number(at).Cmp(n) }, nil
	case byList:
		want, err := d.find(s)
		if err != nil {
			return nil, err
		}
		return func(at int) int { return at - want }, nil
	}
	if !s.isText {
		return nil, query.Refuse(s.at, "TYPE_MISMATCH", "the values of %s are text, which does not compare with the number %s", d.name, s).
			Fix("write '%s' to compare byte by byte", s.text)
	}
	return func(at int) int { return strings.Compare(d.values[at], s.text) }, nil
}

// compare evaluates column OP literal for each position.
func (d *domain) compare(op query.Op, s scalar) ([]tri, error) {
	out := make([]tri, d.size())
	for i := range out {
		out[i] = unknown
	}
	if s.isNull() {
		return out, nil
	}
	if op == query.Eq || op == query.Ne {
		want, err := d.find(s)
		if err != nil {
			return nil, err
		}
		for i := range d.values {
			out[i] = truth((i == want) == (op == query.Eq))
		}
		return out, nil
	}
	c, err := d.compareWith(s)
	if err != nil {
		return nil, err
	}
	for i := range d.values {
		out[i] = truth(holds(op, c(i)))
	}
	return out, nil
}

// holds tells whether a comparison holds between values that compare as c.
func holds(op query.Op, c int) bool {
	switch op {
	case query.Eq:
		return c == 0
	case query.Ne:
		return c != 0
	case query.Lt:
		return c < 0
	case query.Le:
		return c <= 0
	case query.Gt:
		return c > 0
	}
	return c >= 0
}

// among evaluates column IN (list) for each position.
func (d *domain) among(list []scalar) ([]tri, error) {
	out := make([]tri, d.size())
	for _, s := range list {
		if s.isNull() {
			for i := range out {
				out[i] = max(out[i], unknown)
			}
			continue
		}
		at, err := d.find(s)
		if err != nil {
			return nil, err
		}
		if at >= 0 {
			out[at] = isTrue
		}
	}
	if d.nullable {
		out[len(d.values)] = unknown
	}
	return out, nil
}
