package schema

import (
	"fmt"
	"math/big"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Candidate is a parameter profile as the choice of encoding sees it.
type Candidate struct {
	Name       string
	N          int    // values per block
	T          uint64 // plaintext modulus
	ValueBytes int    // ciphertext bytes per value
}

// choice is what one candidate would lead to.
type choice struct {
	Candidate
	columns int
	bytes   int // per row or cell
}

// Encode returns the encoding of the schema in a layout: for each profile meant for
// the layout the fewest digits that hold every total over Limits.Rows x
// Limits.Datasets rows, then the profile with the fewest bytes per row or cell, the
// smaller plaintext modulus in case of a tie. The result depends on schema and
// layout only.
//
// Errors are of kind Invalid: LAYOUT_NOT_OFFERED, BAD_SCHEMA, TOO_MANY_COLUMNS,
// TOO_MANY_CELLS, VALUES_TOO_WIDE.
func (s *Schema) Encode(l carnet.Layout) (*Encoding, error) {
	cs, err := s.candidates(l)
	if err != nil {
		return nil, err
	}
	return s.EncodeWith(l, cs)
}

// EncodeWith is Encode among other profiles than the compiled-in ones, for tests on
// small rings and for comparing costs. Candidates come in order of preference.
func (s *Schema) EncodeWith(l carnet.Layout, among []Candidate) (*Encoding, error) {
	if problems := s.check(); len(problems) > 0 {
		return nil, badSchema(problems, nil)
	}
	if !s.Offers(l) {
		return nil, carnet.E(carnet.Invalid, "LAYOUT_NOT_OFFERED", "schema %s does not offer the layout %s", s.ID(), quote(string(l))).
			Fix("add it to layouts, or use one of %v", s.Layouts)
	}
	return s.encode(l, among)
}

// encode is EncodeWith for a schema that passed check.
func (s *Schema) encode(l carnet.Layout, among []Candidate) (*Encoding, error) {
	e := &Encoding{Layout: l, schema: s, atoms: s.quantities()}
	if l == carnet.LayoutRecords {
		e.Axes = s.axes()
	}
	if err := s.fits(e); err != nil {
		return nil, err
	}
	var best []Column
	for _, c := range among {
		cols := s.columns(e, c.T)
		if cols == nil {
			continue
		}
		e.choices = append(e.choices, choice{c, len(cols), len(cols) * c.ValueBytes})
		if best == nil || len(cols)*c.ValueBytes < e.BytesPerRow {
			best = cols
			e.Profile, e.N, e.T, e.BytesPerRow = c.Name, c.N, c.T, len(cols)*c.ValueBytes
		}
	}
	if best == nil {
		return nil, carnet.E(carnet.Invalid, "VALUES_TOO_WIDE", "no profile holds the totals of schema %s over %d rows", s.ID(), s.MaxRowsTotal()).
			Fix("lower limits.rows or limits.datasets")
	}
	if len(best) > MaxColumns {
		return nil, carnet.E(carnet.Invalid, "TOO_MANY_COLUMNS", "the %s layout of schema %s needs %d columns, the limit is %d", l, s.ID(), len(best), MaxColumns).
			Fix("set encoding: digits for dimensions with long code lists, use the cube layout, or shorten code lists")
	}
	e.Columns = best
	e.index()
	return e, nil
}

// fits checks the sizes that do not depend on a profile and sets e.Cells.
func (s *Schema) fits(e *Encoding) error {
	if e.Layout != carnet.LayoutCube && !e.Aligned() {
		return nil
	}
	what, instead := "the cube of schema", "use the records layout"
	if e.Aligned() {
		what, instead = "an aligned file of schema", "leave aligned out"
	}
	cells := int64(1)
	for i := range s.Dimensions {
		if cells *= int64(s.Dimensions[i].Cardinality()); cells > MaxCells {
			return carnet.E(carnet.Invalid, "TOO_MANY_CELLS", "%s %s has more than %d cells: %s", what, s.ID(), MaxCells, s.cellFormula()).
				Fix("leave out a dimension, use coarser codes, or %s", instead)
		}
	}
	if total := cells * int64(s.Limits.Datasets); total > MaxTotal {
		return carnet.E(carnet.Invalid, "TOO_MANY_CELLS", "%d cells x %d datasets are %d, the limit is %d", cells, s.Limits.Datasets, total, MaxTotal).
			Fix("lower limits.datasets to %d, or use coarser codes", MaxTotal/cells)
	}
	rows := big.NewInt(s.Limits.Rows)
	for _, a := range e.atoms {
		lo, hi := new(big.Int).Mul(a.lo, rows), new(big.Int).Mul(a.hi, rows)
		if lo.BitLen() > 126 || hi.BitLen() > 126 {
			return carnet.E(carnet.Invalid, "VALUES_TOO_WIDE", "the sum of %s over %d rows of one cell can exceed 126 bits", a, s.Limits.Rows).
				Fix("narrow the bounds of the measure, lower its scale or limits.rows, or leave it out of squares and products")
		}
	}
	e.Cells = int(cells)
	return nil
}

func (s *Schema) cellFormula() string {
	f := ""
	for i := range s.Dimensions {
		if i > 0 {
			f += " x "
		}
		f += fmt.Sprintf("%s %d", s.Dimensions[i].Name, s.Dimensions[i].Cardinality())
	}
	return f
}

// columns lists the columns for plaintext modulus t, nil if some quantity can't be
// split into digits that fit.
func (s *Schema) columns(e *Encoding, t uint64) []Column {
	f := e.frame(t)
	var cols []Column
	add := func(c Column) {
		c.ID = uint32(len(cols))
		cols = append(cols, c)
	}
	digits := func(a *atom) bool {
		parts := f.split(a)
		for i, p := range parts {
			c := Column{Name: digitName(a.Atom, i, len(parts)), Kind: Digit, Atom: a.Atom, Digit: i, Shift: p.shift, Width: p.width}
			c.Min, c.Max = f.one(a, p)
			c.TotalMin, c.TotalMax = f.sum(a, p, f.total)
			add(c)
		}
		return parts != nil
	}
	if !digits(&e.atoms[0]) { // the row count comes first
		return nil
	}
	if e.Layout == carnet.LayoutRecords {
		zero, one, total := new(big.Int), big.NewInt(1), big.NewInt(f.total)
		for i := range e.Axes {
			for _, c := range e.Axes[i].indicators() {
				c.Name, c.Kind, c.Axis = s.indicatorName(&e.Axes[i], &c), Indicator, i
				c.Min, c.Max, c.TotalMin, c.TotalMax = zero, one, zero, total
				add(c)
			}
		}
	}
	for i := range e.atoms[1:] {
		if !digits(&e.atoms[i+1]) {
			return nil
		}
	}
	return cols
}

func (e *Encoding) frame(t uint64) *frame {
	return &frame{e.Layout, e.schema.Limits.Rows, e.schema.MaxRowsTotal(), new(big.Int).SetUint64((t - 1) / 2), e.Aligned()}
}

func digitName(a Atom, i, n int) string {
	switch n {
	case 1:
		return a.String()
	case 2:
		return a.String() + [...]string{".lo", ".hi"}[i]
	}
	return fmt.Sprintf("%s.%d", a, i)
}

// index fills the look-up tables of Digits and AxisOf.
func (e *Encoding) index() {
	e.digits = map[Atom][]Column{}
	e.axisOf = make([]int, len(e.schema.Dimensions))
	for i := len(e.Columns) - 1; i >= 0; i-- {
		if c := &e.Columns[i]; c.Kind == Indicator {
			e.Axes[c.Axis].First = c.ID
		}
	}
	for _, c := range e.Columns {
		if c.Kind == Digit {
			e.digits[c.Atom] = append(e.digits[c.Atom], c)
		}
	}
	for i := range e.Axes {
		for _, d := range e.Axes[i].Dimensions {
			e.axisOf[d] = i
		}
	}
}
