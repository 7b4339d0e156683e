package query

import (
	"strings"
	"unicode/utf8"
)

type tokenKind int

const (
	tokEnd    tokenKind = iota
	tokWord             // unquoted identifier or keyword, text in lower case
	tokQuoted           // "quoted identifier"
	tokNumber
	tokString
	tokOp    // operator or punctuation
	tokError // the refusal is in err; reported when the parser gets there
)

type token struct {
	kind tokenKind
	text string
	pos  Pos
	end  int // byte offset after it
	err  *Refusal
}

// lexer scans the text from left to right; it keeps no tokens.
type lexer struct {
	src    string
	at     int
	line   int
	column int
}

func (l *lexer) pos() Pos { return Pos{l.line, l.column, l.at} }

// skip moves n bytes ahead, all within src.
func (l *lexer) skip(n int) {
	for _, r := range l.src[l.at : l.at+n] {
		if r == '\n' {
			l.line, l.column = l.line+1, 1
		} else {
			l.column++
		}
	}
	l.at += n
}

func (l *lexer) fail(at Pos, reason, format string, args ...any) token {
	l.at = len(l.src)
	return token{kind: tokError, pos: at, end: l.at, err: Refuse(at, reason, format, args...).Fix("correct the text there")}
}

// blank skips white space and comments, which may nest as in PostgreSQL.
func (l *lexer) blank() (token, bool) {
	for l.at < len(l.src) {
		rest := l.src[l.at:]
		switch {
		case strings.IndexByte(" \t\r\n\f\v", rest[0]) >= 0:
			l.skip(1)
		case strings.HasPrefix(rest, "--"):
			n := strings.IndexByte(rest, '\n')
			if n < 0 {
				n = len(rest)
			}
			l.skip(n)
		case strings.HasPrefix(rest, "/*"):
			start := l.pos()
			n := commentEnd(rest)
			if n < 0 {
				return l.fail(start, "SYNTAX", "the comment is not closed"), false
			}
			l.skip(n)
		default:
			return token{}, true
		}
	}
	return token{}, true
}

func commentEnd(s string) int {
	depth := 0
	for i := 0; i+1 < len(s); {
		switch s[i : i+2] {
		case "/*":
			depth++
			i += 2
		case "*/":
			depth--
			i += 2
			if depth == 0 {
				return i
			}
		default:
			i++
		}
	}
	return -1
}

func (l *lexer) next() token {
	if t, ok := l.blank(); !ok {
		return t
	}
	start := l.pos()
	if l.at >= len(l.src) {
		return token{kind: tokEnd, pos: start, end: l.at}
	}
	c := l.src[l.at]
	switch {
	case c == '\'':
		return l.quoted('\'', tokString, "string")
	case c == '"':
		return l.quoted('"', tokQuoted, "quoted name")
	case isDigit(c) || c == '.' && l.at+1 < len(l.src) && isDigit(l.src[l.at+1]):
		return l.number()
	case c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
		n := wordLength(l.src[l.at:])
		word := l.src[l.at : l.at+n]
		if strings.ContainsFunc(word, func(r rune) bool { return r >= 0x80 }) {
			t := l.fail(start, "SYNTAX", "names are written in ASCII letters, digits and underscores")
			return t
		}
		l.skip(n)
		if l.at < len(l.src) && l.src[l.at] == '\'' {
			return l.prefixed(start, word)
		}
		return token{tokWord, strings.ToLower(word), start, l.at, nil}
	}
	return l.operator(start)
}

func (l *lexer) prefixed(start Pos, word string) token {
	t := l.fail(start, "UNSUPPORTED", "strings with the prefix %s are not supported", shorten(word, 16))
	t.err.Remedy = "write a plain string in single quotes, a quote inside as two"
	return t
}

func (l *lexer) quoted(q byte, kind tokenKind, what string) token {
	start := l.pos()
	var b strings.Builder
	for i := l.at + 1; i < len(l.src); i++ {
		if l.src[i] != q {
			b.WriteByte(l.src[i])
			continue
		}
		if i+1 < len(l.src) && l.src[i+1] == q {
			b.WriteByte(q)
			i++
			continue
		}
		l.skip(i + 1 - l.at)
		if kind == tokQuoted && b.Len() == 0 {
			return l.fail(start, "SYNTAX", "a quoted name can't be empty")
		}
		return token{kind, b.String(), start, l.at, nil}
	}
	return l.fail(start, "SYNTAX", "the %s is not closed", what)
}

// number scans digits[.digits][e[sign]digits].
func (l *lexer) number() token {
	start, s := l.pos(), l.src[l.at:]
	digits := func(i int) int {
		for i < len(s) && isDigit(s[i]) {
			i++
		}
		return i
	}
	n := digits(0)
	if n < len(s) && s[n] == '.' {
		n = digits(n + 1)
	}
	if n < len(s) && (s[n] == 'e' || s[n] == 'E') {
		e := n + 1
		if e < len(s) && (s[e] == '+' || s[e] == '-') {
			e++
		}
		if end := digits(e); end > e {
			if end-e > 2 {
				return l.fail(start, "SYNTAX", "the exponent of the number has more than two digits")
			}
			n = end
		}
	}
	if n > 100 {
		return l.fail(start, "SYNTAX", "the number has more than 100 characters")
	}
	if n < len(s) && (wordLength(s[n:]) > 0 || s[n] == '.') {
		return l.fail(start, "SYNTAX", "%q is neither a number nor a name", shorten(s[:n]+wordAt(s, n), 24))
	}
	l.skip(n)
	return token{tokNumber, strings.ToLower(s[:n]), start, l.at, nil}
}

var operators = []string{"<>", "!=", "<=", ">=", "||", "::", "->", "=>", "<", ">", "=", "+", "-", "*", "/", "(", ")", ",", ".", ";",
	"%", "^", "|", "&", "~", "!", "@", "#", "?", "$", "[", "]", ":", "{", "}", "`", "\\"}

func (l *lexer) operator(start Pos) token {
	for _, op := range operators {
		if strings.HasPrefix(l.src[l.at:], op) {
			l.skip(len(op))
			return token{tokOp, op, start, l.at, nil}
		}
	}
	r, _ := utf8.DecodeRuneInString(l.src[l.at:])
	return l.fail(start, "SYNTAX", "the character %q has no meaning here", r)
}

// productName scans a bare product name from a token's start: letters, digits and
// . _ - / without spaces between them. The result is empty if there is none.
func (l *lexer) productName(from Pos) (string, Pos) {
	l.at, l.line, l.column = from.offset, from.Line, from.Column
	n := 0
	for n < len(l.src)-l.at {
		c := l.src[l.at+n]
		ok := isDigit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || n > 0 && strings.IndexByte("._-/", c) >= 0
		rest := l.src[l.at+n:]
		if !ok || strings.HasPrefix(rest, "--") || strings.HasPrefix(rest, "/*") {
			break
		}
		n++
	}
	name := strings.ToLower(l.src[l.at : l.at+n])
	l.skip(n)
	return name, from
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func wordLength(s string) int {
	n := strings.IndexFunc(s, func(r rune) bool { return !isWord(r) })
	if n < 0 {
		return len(s)
	}
	return n
}
