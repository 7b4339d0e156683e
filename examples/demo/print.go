package main

import (
	"fmt"
	"strings"
)

func section(title string) {
	fmt.Printf("\n=== %s ===\n\n", title)
}

// indent sets lines off from what the demo says itself.
func indent(s string) string {
	s = strings.TrimRight(s, "\n")
	return "    " + strings.ReplaceAll(s, "\n", "\n    ") + "\n"
}

// megabytes prints a size.
func megabytes(n int64) string {
	if n < 1<<20 {
		return fmt.Sprintf("%.0f KB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.0f MB", float64(n)/1e6)
}
