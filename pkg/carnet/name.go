package carnet

import (
	"strings"
	"unicode"
)

// maxName is how many characters a short identifier has at most.
const maxName = 63

// ValidName reports whether s is a short identifier: 1 to 63 characters of
// [a-z0-9._-], starting with a letter or digit.
func ValidName(s string) bool {
	if len(s) == 0 || len(s) > maxName {
		return false
	}
	for i, c := range s {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
		case i > 0 && (c == '.' || c == '_' || c == '-'):
		default:
			return false
		}
	}
	return true
}

// BadName is the error of a name that is no short identifier, with one near it that is. what
// says what was to be named, with its article: "a party".
func BadName(what, name string) *Error {
	e := E(Invalid, "BAD_NAME", "%q can't be the identifier of %s", name, what)
	const rule = "use 1 to 63 of a-z, 0-9, '.', '_' and '-', starting with a letter or digit"
	if near := nearName(name); near != "" {
		return e.Fix(rule+", such as %s", near)
	}
	return e.Fix(rule)
}

// nearName makes a name of what can stand in one; empty if nothing can.
func nearName(s string) string {
	near := strings.Map(func(r rune) rune {
		switch r = unicode.ToLower(r); {
		case ValidName(string(r)), r == '.', r == '_':
			return r
		}
		return '-'
	}, s)
	near = strings.TrimLeft(near, "-._")
	near = strings.TrimRight(near[:min(len(near), maxName)], "-._")
	for strings.Contains(near, "--") {
		near = strings.ReplaceAll(near, "--", "-")
	}
	return near
}
