package plan

import (
	"fmt"
	"strings"

	"github.com/carnet-network/carnet/pkg/query/spelling"
)

// suggest ends a message about an unknown name: the likely one, or all if few.
func suggest(s string, known []string) string {
	best := spelling.Nearest(s, known, plainForm)
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
