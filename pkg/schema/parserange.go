package schema

import (
	"math/big"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// span reads range: [first, last], a short way of writing a code list of all days or
// of all decimal numbers of as many digits between two. The signed schema has the
// list.
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
	values, msg := []string(nil), "a range is written [first, last], two dates such as 2024-01-31 or two numbers with as many digits after the point"
	if len(ends) == 2 {
		var ok bool
		if values, ok = days(ends[0], ends[1]); !ok {
			values, ok = numbers(ends[0], ends[1])
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
func numbers(first, last string) (list []string, ok bool) {
	_, digits, _ := strings.Cut(first, ".")
	scale := len(digits)
	if _, other, _ := strings.Cut(last, "."); scale > MaxScale || len(other) != scale {
		return nil, false
	}
	a, err := ParseDecimal(first, scale)
	if err != nil {
		return nil, false
	}
	b, err := ParseDecimal(last, scale)
	if err != nil {
		return nil, false
	}
	for ; a <= b && len(list) <= MaxCodes; a++ {
		list = append(list, FormatDecimal(big.NewInt(a), scale))
	}
	return list, true
}
