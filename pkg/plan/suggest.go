package plan

import (
	"fmt"
	"strings"
)

// suggest ends a message about an unknown name: the likely one, or all if few.
func suggest(s string, known []string) string {
	a := plainForm(s)
	best, least := "", len(a)/3+1 // short names have to agree but for case and separators
	for _, k := range known {
		b := plainForm(k)
		if gap := len(a) - len(b); max(gap, -gap) >= least {
			continue
		}
		if d := distance(a, b); d < least {
			best, least = k, d
		}
	}
	switch {
	case best != "":
		return fmt.Sprintf("did you mean %s?", best)
	case len(known) == 0:
		return ""
	case len(known) <= 12:
		return "known are " + strings.Join(known, ", ")
	}
	return fmt.Sprintf("known are %s and %d more", strings.Join(known[:8], ", "), len(known)-8)
}

// plainForm is what names are compared by: without case, separators and leading
// zeros, and of bounded length.
func plainForm(s string) string {
	s = strings.Map(func(r rune) rune {
		if strings.ContainsRune("_-. /", r) {
			return -1
		}
		return r
	}, strings.ToLower(s[:min(len(s), 64)]))
	if t := strings.TrimLeft(s, "0"); t != "" {
		return t
	}
	return s
}

// distance counts the insertions, deletions and replacements that turn a into b.
func distance(a, b string) int {
	prev, cur := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := range len(a) {
		cur[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			cur[j+1] = min(prev[j+1]+1, cur[j]+1, prev[j]+cost)
		}
		prev, cur = cur, prev
	}
	return prev[len(b)]
}
