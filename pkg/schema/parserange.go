package schema

import (
	"math/big"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// span reads range: [first, last] or [first, last, step], a short way of writing a code
// list of all days or of all decimal numbers of as many digits between two, or of
// the numbers that are a step apart. The signed schema has the list.
func (r *reader) span(n *yaml.Node, path string, d *Dimension) {
	var ends []string
	before := len(r.problems)
	r.texts(&ends)(n, path)
	if len(r.problems) > before {
		return
	}
	if len(d.Codes) > 0 {
		r.add(path, "codes and range exclude each other; keep one")
		return
	}
	values, msg := []string(nil), "a range is written [first, last], two dates such as 2024-01-31 or two numbers with as many digits after the point, or [first, last, step] of such numbers"
	if len(ends) == 2 || len(ends) == 3 {
		var ok bool
		if values, ok = days(ends[0], ends[1]); !ok {
			values, ok = numbers(ends)
		} else if len(ends) == 3 {
			ok = false
		}
		switch {
		case !ok:
		case len(values) == 0:
			msg = quote(ends[0]) + " comes after " + quote(ends[1]) + "; swap them"
		case len(values) > MaxCodes:
			msg = "the range has too many values, the limit is 10000; use coarser codes"
		default:
			msg = ""
		}
	}
	if msg != "" {
		r.add(path, "%s", msg)
		return
	}
	for _, v := range values {
		d.Codes = append(d.Codes, Code{Value: v})
	}
}

// days lists the days of a range, one more than MaxCodes at most.
func days(first, last string) (list []string, ok bool) {
	a, err := time.Parse(time.DateOnly, first)
	if err != nil {
		return nil, false
	}
	b, err := time.Parse(time.DateOnly, last)
	if err != nil {
		return nil, false
	}
	for ; !a.After(b) && len(list) <= MaxCodes; a = a.AddDate(0, 0, 1) {
		list = append(list, a.Format(time.DateOnly))
	}
	return list, true
}

// numbers lists the numbers of a range, one more than MaxCodes at most.
func numbers(ends []string) (list []string, ok bool) {
	_, digits, _ := strings.Cut(ends[0], ".")
	scale := len(digits)
	if scale > MaxScale {
		return nil, false
	}
	values := []int64{0, 0, 1} // first, last, step
	for i, text := range ends {
		if _, other, _ := strings.Cut(text, "."); len(other) != scale {
			return nil, false
		}
		var err error
		if values[i], err = ParseDecimal(text, scale); err != nil {
			return nil, false
		}
	}
	if values[2] < 1 {
		return nil, false
	}
	for v := values[0]; v <= values[1] && len(list) <= MaxCodes; v += values[2] {
		list = append(list, FormatDecimal(big.NewInt(v), scale))
	}
	return list, true
}
