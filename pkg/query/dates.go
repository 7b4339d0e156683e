package query

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// dateFields are the parts of a date that can be asked for.
var dateFields = []string{"year", "quarter", "month", "week", "day", "dow", "isodow", "doy", "isoyear", "decade", "century", "millennium"}

// truncFields are those that a date can be taken back to the beginning of.
var truncFields = []string{"year", "quarter", "month", "week", "day", "decade"}

// Span is the contents of an interval.
type Span struct{ Months, Days int }

// maxSpan bounds both parts of an interval.
const maxSpan = 1_000_000

// ParseDate reads YYYY-MM-DD.
func ParseDate(text string) (time.Time, bool) {
	t, err := time.Parse("2006-01-02", text)
	return t, err == nil && len(text) == 10 && t.Year() >= 1
}

// Span returns the contents of an Interval literal.
func (e *Literal) Span() Span {
	var s Span
	if _, err := fmt.Sscanf(e.Text, "%d month %d day", &s.Months, &s.Days); err != nil {
		return Span{}
	}
	return s
}

// After moves a date by the span, forwards or, with sign -1, back, as PostgreSQL does:
// months first, the day kept within its month, then days. ok is false outside the
// years 1 to 9999.
func (s Span) After(t time.Time, sign int) (_ time.Time, ok bool) {
	first := time.Date(t.Year(), t.Month()+time.Month(sign*s.Months), 1, 0, 0, 0, 0, time.UTC)
	if first.Year() < -9999 || first.Year() > 99999 {
		return t, false
	}
	last := first.AddDate(0, 1, -1).Day()
	t = first.AddDate(0, 0, min(t.Day(), last)-1+sign*s.Days)
	return t, t.Year() >= 1 && t.Year() <= 9999
}

// moved computes a date literal plus or minus an interval or a number of days, nil if
// it is something else.
func moved(op Op, x, y Expr) Expr {
	d, isDate := x.(*Literal)
	by, is := y.(*Literal)
	if !isDate || !is || d.Kind != Date && d.Kind != Timestamp {
		return nil
	}
	sign := 1
	if op == Sub {
		sign = -1
	}
	s, kind := by.Span(), Timestamp
	switch {
	case by.Kind == Number && d.Kind == Date:
		n, err := strconv.Atoi(by.Text)
		if err != nil || n > 12*maxSpan {
			return nil
		}
		s, kind = Span{Days: n}, Date
	case by.Kind != Interval:
		return nil
	}
	t, _ := ParseDate(d.Text)
	t, ok := s.After(t, sign)
	if !ok {
		return nil
	}
	return &Literal{kind, t.Format("2006-01-02"), d.At}
}

// timestamp makes a Timestamp literal of the text of a string token.
func timestamp(t token, at Pos) (Expr, error) {
	text := strings.TrimSpace(t.text)
	for _, midnight := range []string{" 00:00:00", " 00:00"} {
		text = strings.TrimSuffix(text, midnight)
	}
	if _, ok := ParseDate(text); !ok {
		return nil, Refuse(t.pos, "UNSUPPORTED", "%q is not the midnight of a date, and dates have no other times", shorten(t.text, 24)).Fix("write DATE '2024-01-31'")
	}
	return &Literal{Timestamp, text, at}, nil
}

// date makes a Date literal of the text of a string token.
func date(t token, at Pos) (Expr, error) {
	text := strings.TrimSpace(t.text)
	if _, ok := ParseDate(text); !ok {
		return nil, Refuse(t.pos, "SYNTAX", "%q is not a date of the calendar", shorten(t.text, 24)).Fix("write DATE 'YYYY-MM-DD', such as DATE '2024-01-31'")
	}
	return &Literal{Date, text, at}, nil
}

var spanUnits = map[string]Span{
	"year": {12, 0}, "years": {12, 0}, "month": {1, 0}, "months": {1, 0}, "mon": {1, 0}, "mons": {1, 0},
	"week": {0, 7}, "weeks": {0, 7}, "day": {0, 1}, "days": {0, 1},
}

// interval parses the rest of INTERVAL '90' DAY or INTERVAL '1 year 2 months'.
func (p *parser) interval(at Pos) (Expr, error) {
	t := p.advance()
	words := strings.Fields(strings.ToLower(t.text))
	if len(words) == 1 && p.tok.kind == tokWord {
		if u := p.tok.text; u == "year" || u == "month" || u == "day" {
			p.advance()
			words = append(words, u)
		}
	}
	var s Span
	ok := len(words) > 0 && len(words)%2 == 0
	for i := 0; ok && i < len(words); i += 2 {
		n, err := strconv.Atoi(words[i])
		u, known := spanUnits[words[i+1]]
		ok = err == nil && known && max(n, -n) <= maxSpan
		s.Months, s.Days = s.Months+n*u.Months, s.Days+n*u.Days
		ok = ok && max(s.Months, -s.Months, s.Days, -s.Days) <= 12*maxSpan
	}
	if !ok {
		return nil, Refuse(t.pos, "UNSUPPORTED", "of intervals, whole years, months, weeks and days are supported").
			Fix("write INTERVAL '90' DAY, INTERVAL '3' MONTH or INTERVAL '1 year'")
	}
	return &Literal{Interval, fmt.Sprintf("%d month %d day", s.Months, s.Days), at}, nil
}

// field checks the field of a date function.
func (f DateFunc) field(name string, at Pos) (string, error) {
	name = strings.ToLower(strings.TrimSpace(name))
	known := dateFields
	if f == DateTrunc {
		known = truncFields
	}
	if !slices.Contains(known, name) {
		return "", Refuse(at, "UNSUPPORTED", "%s of a date does not know the field %q", strings.ToUpper(string(f)), shorten(name, 24)).
			Fix("use one of %s", strings.Join(known, ", "))
	}
	return name, nil
}

// datePart parses the arguments of EXTRACT, date_part and date_trunc.
func (p *parser) datePart(f DateFunc, at Pos) (Expr, error) {
	if err := p.needOp("("); err != nil {
		return nil, err
	}
	t := p.tok
	if t.kind != tokString && (f != Extract || t.kind != tokWord && t.kind != tokQuoted) {
		if f == Extract {
			return nil, p.unexpected("the field to extract, such as YEAR")
		}
		return nil, p.unexpected("the field in quotes, such as 'year'")
	}
	p.advance()
	e := &DatePart{Func: f, At: at}
	var err error
	if e.Field, err = f.field(t.text, t.pos); err != nil {
		return nil, err
	}
	if f == Extract {
		err = p.needWord("from")
	} else {
		err = p.needOp(",")
	}
	if err == nil {
		e.X, err = p.expr()
	}
	if err == nil && p.isOp(",") {
		err = Refuse(p.tok.pos, "UNSUPPORTED", "dates have no time zone").Fix("drop the third argument")
	}
	if err != nil {
		return nil, err
	}
	return e, p.needOp(")")
}
