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
	byNumber              // as integers: every value of the list is one
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
	padded   bool // byNumber: some integers have leading zeros and print as text
	ints     []int64
	index    map[string]int
	byInt    map[int64]int
	rank     []int // per position, NULL last
}

// newDomain makes the domain of a closed list: its values compare as integers if all
// of them are, else in list order if that is declared to mean something, else as
// text.
func newDomain(name string, values []string, nullable, ordered bool) *domain {
	d := &domain{name: name, values: values, nullable: nullable, closed: true}
	switch {
	case d.integers():
		d.order = byNumber
	case ordered:
		d.order = byList
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

// integers fills ints if every value is a different integer of at most 18 digits.
func (d *domain) integers() bool {
	d.byInt = map[int64]int{}
	for i, s := range d.values {
		digits := strings.TrimPrefix(s, "-")
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || len(digits) > 18 || digits == "" || digits[0] < '0' || digits[0] > '9' {
			return false
		}
		if _, twice := d.byInt[n]; twice {
			return false
		}
		d.byInt[n] = i
		d.ints = append(d.ints, n)
		d.padded = d.padded || strconv.FormatInt(n, 10) != s
	}
	return len(d.values) > 0
}

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

// value is the position as it appears in results.
func (d *domain) value(at int) Value {
	switch {
	case d.isNull(at):
		return Value{}
	case d.numeric():
		return NumberValue(new(big.Rat).SetInt64(d.ints[at]), 0)
	}
	return TextValue(d.values[at])
}
