package schema

import (
	"slices"
	"strings"

	"github.com/carnet-network/carnet/pkg/query/spelling"
)

// Pseudo-columns that every product has, so that schemas can't define them.
var reservedNames = map[string]string{
	"owner":        "every product has a public column of that name",
	"jurisdiction": "every product has a public column of that name",
}

// Words that can't be column names without quoting them in every query.
var reservedWords = strings.Fields(`all and any as asc between by case cast cross current_date
	desc distinct else end except exists false fetch filter first following for from full group
	having in inner intersect into is join last left like limit natural not null nulls offset on
	or order outer over partition preceding range right row rows select some table then true
	union unique using when where window with within`)

// checkName returns what is wrong with a column name, and "" if nothing is.
func checkName(s string) string {
	if s == "" {
		return "the name is missing"
	}
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || i > 0 && (c >= '0' && c <= '9' || c == '_') {
			continue
		}
		return "the name " + quote(s) + " can't be used in SQL; write " + quote(fixName(s)) +
			": lower-case letters, digits and underscores, starting with a letter"
	}
	if len(s) > 63 {
		return "the name " + quote(s) + " is longer than 63 characters; shorten it"
	}
	if why, ok := reservedNames[s]; ok {
		return "the name " + quote(s) + " is taken: " + why + "; choose another"
	}
	if slices.Contains(reservedWords, s) {
		return "the name " + quote(s) + " is a word of SQL; choose another, such as " + quote(s+"_code")
	}
	return ""
}

// fixName proposes a valid name for an invalid one.
func fixName(s string) string {
	var b strings.Builder
	gap := false
	for _, c := range strings.ToLower(s) {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			if gap && b.Len() > 0 {
				b.WriteByte('_')
			}
			gap = false
			if b.Len() == 0 && c <= '9' {
				b.WriteByte('n')
			}
			b.WriteRune(c)
		} else {
			gap = true
		}
	}
	if b.Len() == 0 {
		return "name"
	}
	return b.String()[:min(b.Len(), 63)]
}

// checkToken returns what is wrong with a partition value, and "" if nothing is.
func checkToken(s string) string {
	ok := len(s) >= 1 && len(s) <= 63
	for i := range len(s) {
		c := s[i]
		alnum := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		ok = ok && (alnum || i > 0 && strings.IndexByte("._-", c) >= 0)
	}
	if ok {
		return ""
	}
	return quote(s) + " is not a partition value; use 1 to 63 of A-Z a-z 0-9 . _ -, starting with a letter or digit"
}

// nearest returns the candidate most like s, and "" if none is close: case and
// separators don't count.
func nearest(s string, candidates []string) string { return spelling.Nearest(s, candidates, simplify) }

// didYouMean is the second half of a message about an unknown name.
func didYouMean(s string, candidates []string) string {
	if n := nearest(s, candidates); n != "" {
		return "; did you mean " + quote(n) + "?"
	}
	if len(candidates) > 0 && len(candidates) <= 12 {
		return "; known are " + strings.Join(candidates, ", ")
	}
	return ""
}

func simplify(s string) string {
	if len(s) > 64 {
		s = s[:64]
	}
	return strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r == ' ' || r == '.' {
			return -1
		}
		return r
	}, strings.ToLower(s))
}
