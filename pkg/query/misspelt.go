package query

import (
	"errors"
	"strings"

	"github.com/carnet-network/carnet/pkg/query/spelling"
)

// keywords are the words of the subset that a misspelt word is compared with.
var keywords = strings.Fields(`select from where group by having order limit offset between and or not in is as asc desc
	case when then else end filter within join on using nulls first last`)

// misspelt looks for a misspelt keyword where p stopped. A word that is no keyword is read as a
// name, so that the word behind it is refused: "FORM trade" at "trade". With the right word in its
// place the query has to be read further than before. Otherwise err is returned as it is.
func (p *parser) misspelt(err error) error {
	var r *Refusal
	if !errors.As(err, &r) || r.Reason != "SYNTAX" && r.Reason != "UNSUPPORTED" || r.Pos.Line == 0 || r.Pos != p.tok.pos {
		return err
	}
	for _, t := range []token{p.tok, p.last} {
		if t.kind != tokWord || reservedWord(t.text) {
			continue
		}
		best, furthest := "", r.Pos.offset
		for _, k := range keywords {
			if !misspells(t.text, k) {
				continue
			}
			if at := readTo(p.lex.src, t, k); at > furthest {
				best, furthest = strings.ToUpper(k), at
			}
		}
		if best != "" {
			return Refuse(t.pos, "SYNTAX", "%s is no word of SQL", strings.ToUpper(t.text)).Fix("write %s if that is meant", best)
		}
	}
	return err
}

// readTo is how far the text is read with a keyword in a word's place, as an offset in the text as it is.
func readTo(src string, t token, keyword string) int {
	start, end := t.pos.offset, t.end
	p, err := newParser(src[:start] + keyword + src[end:])
	if err == nil {
		_, err = p.statement()
	}
	var r *Refusal
	if errors.As(err, &r) {
		return r.Pos.offset - len(keyword) + end - start
	}
	return len(src) + 1
}

// misspells reports whether a word can be a keyword with a letter left out, added, changed, or two
// neighbours swapped; twice in keywords of six letters or more. In those of two letters they are swapped.
func misspells(word, keyword string) bool {
	most := 1
	if len(keyword) >= 6 {
		most = 2
	}
	if word == keyword || len(word) > len(keyword)+most || len(keyword) > len(word)+most {
		return false
	}
	if len(keyword) == 2 {
		return word == keyword[1:]+keyword[:1]
	}
	return spelling.Distance(word, keyword) <= most
}
