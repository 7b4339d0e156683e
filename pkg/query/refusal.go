package query

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Pos is a place in the SQL text. Line and Column start at 1, columns count
// characters; the zero Pos means that no place applies.
type Pos struct {
	Line, Column int
	offset       int // bytes before it
}

func (p Pos) String() string { return fmt.Sprintf("line %d, column %d", p.Line, p.Column) }

// Refusal says why a query does not run, where, and what would run instead. It is
// decided on the text, the schema and signed manifests alone, so it can be shown to
// anyone who may see those. Unwrap gives the *carnet.Error that travels.
type Refusal struct {
	Pos    Pos
	Kind   carnet.Kind
	Reason string // stable identifier, UPPER_SNAKE_CASE
	Msg    string // one sentence without a full stop
	Remedy string // the nearest form that runs; may be empty
	Near   string // the word at Pos
}

// Refuse makes a Refusal of kind Invalid.
func Refuse(at Pos, reason, format string, args ...any) *Refusal {
	return &Refusal{Pos: at, Kind: carnet.Invalid, Reason: reason, Msg: fmt.Sprintf(format, args...)}
}

// Fix sets the remedy.
func (r *Refusal) Fix(format string, args ...any) *Refusal {
	r.Remedy = fmt.Sprintf(format, args...)
	return r
}

// OfKind sets the kind.
func (r *Refusal) OfKind(k carnet.Kind) *Refusal {
	r.Kind = k
	return r
}

func (r *Refusal) Error() string {
	if r.Pos.Line == 0 {
		return r.Msg
	}
	if r.Near == "" {
		return fmt.Sprintf("%s: %s", r.Pos, r.Msg)
	}
	return fmt.Sprintf("%s, at %q: %s", r.Pos, r.Near, r.Msg)
}

// Unwrap returns the refusal as a *carnet.Error. The place is a violation of the
// field "sql:line:column".
func (r *Refusal) Unwrap() error {
	e := carnet.E(r.Kind, r.Reason, "%s", r.Msg)
	e.Remedy = r.Remedy
	if r.Pos.Line == 0 {
		return e
	}
	at := "here"
	if r.Near != "" {
		at = fmt.Sprintf("at %q", r.Near)
	}
	return e.With(fmt.Sprintf("sql:%d:%d", r.Pos.Line, r.Pos.Column), "%s", at)
}

// Locate fills in Near from the text the query was parsed from, if err is a Refusal
// that has a place and no Near yet. It returns err.
func Locate(sql string, err error) error {
	var r *Refusal
	if errors.As(err, &r) && r.Pos.Line > 0 && r.Near == "" {
		r.Near = wordAt(sql, r.Pos.offset)
	}
	return err
}

// wordAt returns the word, number or quoted text that starts at the offset, at most
// 24 characters.
func wordAt(sql string, offset int) string {
	if offset < 0 || offset >= len(sql) {
		return ""
	}
	s := sql[offset:]
	end := strings.IndexFunc(s, func(r rune) bool { return !isWord(r) && (r != '.' || !isDigit(s[0])) })
	if q := s[0]; q == '\'' || q == '"' {
		end = strings.IndexByte(s[1:], q) + 2
		if end == 1 {
			end = len(s)
		}
	}
	switch {
	case end < 0:
		end = len(s)
	case end == 0:
		_, end = utf8.DecodeRuneInString(s)
	}
	return shorten(s[:end], 24)
}

// shorten keeps text from outside at a bearable, printable length in messages.
func shorten(s string, limit int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return string([]rune(s)[:limit]) + "..."
}

func isWord(r rune) bool {
	return r == '_' || r == '$' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= 0x80
}
