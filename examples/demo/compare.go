package main

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"unicode/utf8"
)

// compare prints answer and truth side by side, a mark for every value.
func (d *demo) compare(q question, a *answer, want [][]string) error {
	var lines [][]string
	head := []string{}
	for i, c := range a.Result.Columns {
		head = append(head, c.Name)
		if q.scale[i] != text {
			head = append(head, "in the clear", "")
		}
	}
	lines = append(lines, head)
	different := 0
	if len(a.Result.Rows) != len(want) {
		different++
		fmt.Printf("    ✗ %d rows, in the clear there are %d\n", len(a.Result.Rows), len(want))
	}
	for r := range min(len(a.Result.Rows), len(want)) {
		var line []string
		wrong := 0
		for c, v := range a.Result.Rows[r] {
			got := valueText(v)
			expected := scaled(want[r][c], q.scale[c])
			ok := same(got, expected)
			d.cells++
			mark := "✓"
			if !ok {
				mark = "✗"
				wrong++
			}
			if q.scale[c] == text {
				if !ok {
					got += " ✗ " + expected
				}
				line = append(line, got)
				continue
			}
			line = append(line, short(got), short(expected), mark)
		}
		different += wrong
		if q.shown == 0 || r < q.shown || wrong > 0 {
			lines = append(lines, line)
		}
	}
	printTable(lines)
	if rest := len(a.Result.Rows) - (len(lines) - 1); rest > 0 {
		fmt.Printf("    … and %d more rows, every value compared ✓\n", rest)
	}
	d.different += different
	return nil
}

func valueText(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case json.Number:
		return v.String()
	default:
		return fmt.Sprint(v)
	}
}

// scaled divides SQLite's number; a text is left alone.
func scaled(s string, scale float64) string {
	if s == "" || scale == text {
		return s
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return s
	}
	r.Quo(r, new(big.Rat).SetFloat64(scale))
	if r.IsInt() {
		return r.Num().String()
	}
	return strings.TrimRight(r.FloatString(20), "0")
}

// same compares texts exactly and whole numbers of cents exactly. Averages, variances
// and roots may differ by SQLite's floating-point rounding, at most 1 in 10^12.
func same(got, want string) bool {
	if got == want {
		return true
	}
	x, ok1 := new(big.Rat).SetString(got)
	y, ok2 := new(big.Rat).SetString(want)
	if !ok1 || !ok2 {
		return false
	}
	if x.Cmp(y) == 0 {
		return true
	}
	hundred := big.NewRat(100, 1)
	if new(big.Rat).Mul(x, hundred).IsInt() && new(big.Rat).Mul(y, hundred).IsInt() {
		return false // both exact, and not the same
	}
	diff := new(big.Rat).Sub(x, y)
	limit := new(big.Rat).Quo(new(big.Rat).Abs(y), big.NewRat(1_000_000_000_000, 1))
	return diff.Abs(diff).Cmp(limit) <= 0
}

// short rounds long fractions for printing only.
func short(s string) string {
	if s == "" {
		return "NULL"
	}
	r, ok := new(big.Rat).SetString(s)
	if i := strings.IndexByte(s, '.'); !ok || i < 0 || len(s)-i <= 7 {
		return s
	}
	return r.FloatString(6)
}

func printTable(lines [][]string) {
	width := map[int]int{}
	for _, l := range lines {
		for i, s := range l {
			width[i] = max(width[i], utf8.RuneCountInString(s))
		}
	}
	for _, l := range lines {
		fmt.Print("   ")
		for i, s := range l {
			fmt.Printf(" %s%s", strings.Repeat(" ", width[i]-utf8.RuneCountInString(s)), s)
		}
		fmt.Println()
	}
}
