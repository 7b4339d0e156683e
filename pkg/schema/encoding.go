package schema

import (
	"math/big"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Digits returns the columns of an atom, least significant first: the atom's total
// is the sum over them of total(column) x 2^Shift. The order of X and Y does not
// matter, and the not-NULL count of a pair is found where it is kept. The result is
// nil if the atom is not stored; the count of rows where a measure without NULLs is
// not NULL is Count, and is not stored again. The slice must not be changed.
func (e *Encoding) Digits(a Atom) []Column {
	c, ok := e.schema.canonical(a)
	if !ok {
		return nil
	}
	return e.digits[c]
}

// AxisOf returns the position in Axes of the axis that a dimension belongs to, for the
// records layout.
func (e *Encoding) AxisOf(dim int) int { return e.axisOf[dim] }

// SumBounds bounds any sum over column c of files that hold rows rows together. It
// is never wider than TotalMin..TotalMax as long as rows is within the limits.
func (e *Encoding) SumBounds(c Column, rows int64) (lo, hi *big.Int) {
	if c.Kind == Indicator {
		return new(big.Int), big.NewInt(rows)
	}
	for i := range e.atoms {
		if e.atoms[i].Atom == c.Atom {
			return e.frame(e.T).sum(&e.atoms[i], part{c.Shift, c.Width}, rows)
		}
	}
	return new(big.Int).Set(c.TotalMin), new(big.Int).Set(c.TotalMax)
}

// Cell returns the number of the cell of a combination of codes, one per dimension
// in schema order: mixed radix, the first dimension outermost. NULL is -1 or
// len(Codes). The codes must exist.
func (e *Encoding) Cell(codes []int) uint32 {
	cell := 0
	for i := range e.schema.Dimensions {
		d := &e.schema.Dimensions[i]
		code := codes[i]
		if code < 0 {
			code = len(d.Codes)
		}
		cell = cell*d.Cardinality() + code
	}
	return uint32(cell)
}

// CodesOf is the inverse of Cell. NULL comes back as len(Codes).
func (e *Encoding) CodesOf(cell uint32) []int {
	codes := make([]int, len(e.schema.Dimensions))
	rest := int(cell)
	for i := len(codes) - 1; i >= 0; i-- {
		n := e.schema.Dimensions[i].Cardinality()
		codes[i], rest = rest%n, rest/n
	}
	return codes
}

// Aligned reports whether slots are combinations of codes, so that files of other
// products with the same dimensions belong together slot by slot.
func (e *Encoding) Aligned() bool { return e.Layout == carnet.LayoutRecords && e.schema.Aligned }

// Values is the number of values of each column of a file with that many rows: rows
// in the records layout, cells in the cube layout and in aligned records.
func (e *Encoding) Values(rows int64) int64 {
	if e.Cells > 0 {
		return int64(e.Cells)
	}
	return rows
}

// Blocks is the number of blocks of each column of a file with that many rows. A
// file has at least one block.
func (e *Encoding) Blocks(rows int64) int {
	n := int64(e.N)
	return int(max(1, (e.Values(rows)+n-1)/n))
}
