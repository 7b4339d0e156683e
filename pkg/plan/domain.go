package plan

import (
	"cmp"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// order says how the values of a column compare.
type order int

const (
	byBytes  order = iota // as text, byte by byte
	byNumber              // as numbers: every value of the list is one
	byList                // in the order of the code list
)

// domain is the list of values a column can have. A position is an index into
// values; NULL, if the column has it, is position len(values).
type domain struct {
	name     string
	values   []string
	nullable bool
	closed   bool // a value outside the list is a mistake, not just absent
	order    order
	padded   bool // byNumber: some numbers have leading zeros and print as text
	scale    int  // byNumber: digits after the point
	unit     dateUnit
	ints     []int64 // byNumber: in units of 10^-scale
	index    map[string]int
	byInt    map[int64]int
	rank     []int // per position, NULL last
}

// newDomain makes the domain of a closed list: its values compare as numbers if all
// of them are, else in list order if that is declared to mean something, else as
// text.
func newDomain(name string, values []string, nullable, ordered bool) *domain {
	d := &domain{name: name, values: values, nullable: nullable, closed: true}
	switch {
	case d.numbers():
		d.order = byNumber
	case ordered:
		d.order = byList
	}
	d.finish()
	return d
}

// dateUnit is what one value of a date dimension stands for, "" for other columns.
type dateUnit string

const (
	unitDay   dateUnit = "day"
	unitMonth dateUnit = "month"
	unitYear  dateUnit = "year"
)

// dateDomain makes the domain of a dimension of dates. A month or a year stands for
// its first day, as in a DATE column that was truncated.
func dateDomain(name string, codes []string, nullable bool) *domain {
	d := &domain{name: name, nullable: nullable, closed: true, unit: unitDay}
	for _, c := range codes {
		switch len(c) {
		case len("2006"):
			d.unit, c = unitYear, c+"-01-01"
		case len("2006-01"):
			d.unit, c = unitMonth, c+"-01"
		}
		d.values = append(d.values, c)
	}
	d.finish()
	return d
}

// openDomain makes the domain of a public column without a list. Its values always
// compare as text, so that the meaning of a query does not change when a dataset
// with another sort of value joins the product.
func openDomain(name string, values []string) *domain {
	d := &domain{name: name, values: values}
	d.finish()
	return d
}

// numbers fills ints if every value is a different number, without an exponent, of at
// most 18 digits at the scale of the most precise one.
func (d *domain) numbers() bool {
	for _, s := range d.values {
		whole, fraction, point := strings.Cut(strings.TrimPrefix(s, "-"), ".")
		if whole == "" || strings.Trim(whole+fraction, "0123456789") != "" || point && fraction == "" {
			return false
		}
		d.scale = max(d.scale, len(fraction))
	}
	d.byInt = map[int64]int{}
	for i, s := range d.values {
		whole, fraction, _ := strings.Cut(strings.TrimPrefix(s, "-"), ".")
		if len(whole)+d.scale > 18 {
			return false
		}
		n, err := strconv.ParseInt(whole+fraction+strings.Repeat("0", d.scale-len(fraction)), 10, 64)
		if strings.HasPrefix(s, "-") {
			n = -n
		}
		if _, twice := d.byInt[n]; twice || err != nil {
			return false
		}
		d.byInt[n] = i
		d.ints = append(d.ints, n)
		d.padded = d.padded || len(whole) > 1 && whole[0] == '0'
	}
	return len(d.values) > 0
}

// number is the value at a position.
func (d *domain) number(at int) *big.Rat { return scaled(big.NewInt(d.ints[at]), d.scale) }

func (d *domain) finish() {
	d.index = make(map[string]int, len(d.values))
	for i, s := range d.values {
		d.index[s] = i
	}
	sorted := make([]int, len(d.values))
	for i := range sorted {
		sorted[i] = i
	}
	slices.SortFunc(sorted, func(a, b int) int {
		switch d.order {
		case byNumber:
			return cmp.Compare(d.ints[a], d.ints[b])
		case byList:
			return cmp.Compare(a, b)
		}
		return strings.Compare(d.values[a], d.values[b])
	})
	d.rank = make([]int, d.size())
	for r, i := range sorted {
		d.rank[i] = r
	}
	if d.nullable {
		d.rank[len(d.values)] = len(d.values)
	}
}

// size is the number of positions, NULL included.
func (d *domain) size() int {
	if d.nullable {
		return len(d.values) + 1
	}
	return len(d.values)
}

func (d *domain) isNull(at int) bool { return at == len(d.values) }

// numeric reports whether values are numbers in results and arithmetic.
func (d *domain) numeric() bool { return d.order == byNumber && !d.padded }

// static is the type of its values in results.
func (d *domain) static() static {
	switch {
	case d.unit != "":
		return static{kind: dateNode}
	case d.numeric() && d.scale > 0:
		return static{kind: numberNode, num: numericType, scale: d.scale}
	case d.numeric():
		return static{kind: numberNode}
	case d.order != byBytes:
		return static{kind: textNode, list: d.name}
	}
	return static{kind: textNode}
}

// value is the position as it appears in results.
func (d *domain) value(at int) Value {
	switch {
	case d.isNull(at):
		return Value{}
	case d.numeric():
		return NumberValue(d.number(at), d.scale)
	}
	return TextValue(d.values[at])
}
