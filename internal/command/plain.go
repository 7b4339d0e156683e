package command

import (
	"io"
	"strings"
	"unicode"
)

// Plain replaces control characters other than line feed and tab, and characters that
// turn the direction of text. Names, titles and reasons come from others: with escape
// sequences in them a gateway could overwrite what a terminal shows, such as that a
// keyholder lied.
func Plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || !unicode.Is(unicode.C, r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}

// Line is Plain on one line, for what stands in a line among other things: with a line feed
// or a tab in it, a purpose could look like what is said below it.
func Line(s string) string { return Plain(strings.Join(strings.Fields(s), " ")) }

// PlainWriter writes what it is given through Plain. It expects whole characters in
// every Write, as fmt's functions give them.
type PlainWriter struct{ W io.Writer }

func (p PlainWriter) Write(b []byte) (int, error) {
	if _, err := io.WriteString(p.W, Plain(string(b))); err != nil {
		return 0, err
	}
	return len(b), nil
}
