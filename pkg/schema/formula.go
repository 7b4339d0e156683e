package schema

import (
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/carnet-network/carnet/pkg/query"
)

// Input is a column of the input that is not stored: only formulas use it.
type Input struct {
	Name     string `json:"name"`
	Title    string `json:"title,omitempty"`
	Source   string `json:"source,omitempty"`
	Scale    int    `json:"scale,omitempty"` // decimal digits, 0..MaxScale
	Min      string `json:"min"`             // decimal text, inclusive
	Max      string `json:"max"`             // decimal text, inclusive
	Nullable bool   `json:"nullable,omitempty"`
}

// Input returns the position of an input, -1 if there is none of that name.
func (s *Schema) Input(name string) int {
	return slices.IndexFunc(s.Inputs, func(in Input) bool { return in.Name == name })
}

// Formula returns what measure i is computed from, as a polynomial in measures that
// have no formula, inputs, and dimensions of numbers. ok is false if the measure has
// no formula, or one that Validate refuses.
func (s *Schema) Formula(i int) (p query.Polynomial, ok bool) {
	if i < 0 || i >= len(s.Measures) || s.Measures[i].Formula == "" {
		return query.Polynomial{}, false
	}
	e, err := query.ParseExpr(s.Measures[i].Formula)
	if err != nil {
		return query.Polynomial{}, false
	}
	if p, err = query.PolynomialOf(e, nil); err != nil {
		return query.Polynomial{}, false
	}
	return p.Substitute(func(column string) (query.Polynomial, bool) {
		if j := s.Measure(column); j >= 0 && j < i { // a formula uses measures above it
			return s.Formula(j)
		}
		return query.Polynomial{}, false
	})
}

// Numbers returns the values of a dimension whose codes all are decimal numbers, as
// integers of 10^-scale units. ok is false for other dimensions.
func (d *Dimension) Numbers() (values []int64, scale int, ok bool) {
	for _, c := range d.Codes {
		for ; scale <= MaxScale; scale++ {
			if _, err := ParseDecimal(c.Value, scale); err == nil {
				break
			}
		}
	}
	for _, c := range d.Codes {
		v, err := ParseDecimal(c.Value, scale)
		if err != nil || scale > MaxScale {
			return nil, 0, false
		}
		values = append(values, v)
	}
	return values, scale, len(values) > 0
}

// variable is a column that formulas can use: a place in a row, with bounds.
type variable struct {
	slot     int // measures, then inputs, then dimensions
	scale    int
	lo, hi   int64
	nullable bool
}

// variable finds a column for the formula of measure i.
func (s *Schema) variable(name string, i int) (variable, error) {
	v, err := s.lookup(name, i)
	if err == nil && (v.scale < 0 || v.scale > MaxScale) {
		err = fmt.Errorf("the scale of %s is not 0 to %d", name, MaxScale)
	}
	return v, err
}

func (s *Schema) lookup(name string, i int) (variable, error) {
	if j := s.Measure(name); j >= 0 {
		m := &s.Measures[j]
		if j >= i {
			return variable{}, fmt.Errorf("a formula can use measures above it only; move %s up", name)
		}
		lo, hi := m.Bounds()
		return variable{j, m.Scale, lo, hi, m.Nullable}, nil
	}
	if j := s.Input(name); j >= 0 {
		in := &s.Inputs[j]
		lo, hi := (&Measure{Min: in.Min, Max: in.Max, Scale: in.Scale}).Bounds()
		return variable{len(s.Measures) + j, in.Scale, lo, hi, in.Nullable}, nil
	}
	if j := s.Dimension(name); j >= 0 {
		d := &s.Dimensions[j]
		if d.Buckets != "" {
			return variable{}, fmt.Errorf("dimension %s is computed from %s; use that", name, d.Buckets)
		}
		values, scale, ok := d.Numbers()
		if !ok {
			return variable{}, fmt.Errorf("the codes of dimension %s are not numbers; use a measure or an input", name)
		}
		return variable{len(s.Measures) + len(s.Inputs) + j, scale, slices.Min(values), slices.Max(values), d.Nullable}, nil
	}
	var names []string
	for j := range s.Measures[:i] {
		names = append(names, s.Measures[j].Name)
	}
	for j := range s.Inputs {
		names = append(names, s.Inputs[j].Name)
	}
	return variable{}, fmt.Errorf("there is no measure above it, input or dimension %s%s", quote(name), didYouMean(name, names))
}

// formula computes a measure of a row, exactly: no intermediate value can have more
// than 18 digits, because the bounds of its columns exclude it.
type formula struct {
	root     *step
	slots    []int // columns used, ascending
	nullable bool
}

// step is one operation on integers of 10^-scale units, whose value lies in [lo, hi].
type step struct {
	op     query.Op // "" for a column or a number
	x, y   *step
	slot   int   // of a column; -1 for a number
	number int64 // of a number
	scale  int
	lo, hi *big.Int
}

// compile reads the formula of measure i.
func (s *Schema) compile(i int) (*formula, error) {
	e, err := query.ParseExpr(s.Measures[i].Formula)
	if err != nil {
		return nil, err
	}
	if _, err := query.PolynomialOf(e, nil); err != nil { // columns, numbers, + - * and / by numbers
		return nil, err
	}
	f := &formula{}
	if f.root, err = f.step(s, i, e); err != nil {
		return nil, err
	}
	if len(f.slots) == 0 {
		return nil, errors.New("the formula names no column; use COUNT(*) and multiply the released number")
	}
	slices.Sort(f.slots)
	f.slots = slices.Compact(f.slots)
	return f, nil
}

func (f *formula) step(s *Schema, i int, e query.Expr) (*step, error) {
	switch e := e.(type) {
	case *query.ColumnRef:
		if e.Table != "" {
			return nil, query.Refuse(e.At, "UNSUPPORTED", "columns of a formula have no qualifier").Fix("write %s", e.Name)
		}
		v, err := s.variable(e.Name, i)
		if err != nil {
			return nil, query.Refuse(e.At, "UNKNOWN_COLUMN", "%s", err.Error())
		}
		f.slots, f.nullable = append(f.slots, v.slot), f.nullable || v.nullable
		return &step{slot: v.slot, scale: v.scale, lo: big.NewInt(v.lo), hi: big.NewInt(v.hi)}, nil
	case *query.Unary:
		x, err := f.step(s, i, e.X)
		if err != nil {
			return nil, err
		}
		return &step{op: query.Neg, x: x, scale: x.scale, lo: new(big.Int).Neg(x.hi), hi: new(big.Int).Neg(x.lo)}, nil
	case *query.Binary:
		if p, err := query.PolynomialOf(e, nil); err == nil && p.Constant() != nil {
			return constant(p.Constant(), e.At)
		}
		return f.binary(s, i, e)
	}
	p, err := query.PolynomialOf(e, nil)
	if err != nil {
		return nil, err
	}
	return constant(p.Constant(), e.Position())
}

// constant is a number that is exact in decimal.
func constant(r *big.Rat, at query.Pos) (*step, error) {
	digits, exact := r.FloatPrec()
	if !exact || digits > MaxScale {
		return nil, query.Refuse(at, "UNSUPPORTED", "%s has more than %d digits after the point", r.RatString(), MaxScale).Fix("use fewer digits")
	}
	v := new(big.Int).Quo(new(big.Int).Mul(r.Num(), power10(digits)), r.Denom())
	return (&step{slot: -1, number: v.Int64(), scale: digits, lo: v, hi: v}).bounded(at)
}

func (f *formula) binary(s *Schema, i int, e *query.Binary) (*step, error) {
	x, err := f.step(s, i, e.X)
	if err != nil {
		return nil, err
	}
	if e.Op == query.Div { // PolynomialOf accepts division by numbers only
		p, err := query.PolynomialOf(e.Y, nil)
		if err != nil {
			return nil, err
		}
		y, err := constant(new(big.Rat).Inv(p.Constant()), e.At)
		if err != nil {
			return nil, err
		}
		return product(x, y).bounded(e.At)
	}
	y, err := f.step(s, i, e.Y)
	if err != nil {
		return nil, err
	}
	if e.Op == query.Mul {
		return product(x, y).bounded(e.At)
	}
	scale := max(x.scale, y.scale)
	if x, err = x.raised(scale, e.At); err != nil {
		return nil, err
	}
	if y, err = y.raised(scale, e.At); err != nil {
		return nil, err
	}
	sum := &step{op: e.Op, x: x, y: y, scale: scale}
	if e.Op == query.Add {
		sum.lo, sum.hi = new(big.Int).Add(x.lo, y.lo), new(big.Int).Add(x.hi, y.hi)
	} else {
		sum.lo, sum.hi = new(big.Int).Sub(x.lo, y.hi), new(big.Int).Sub(x.hi, y.lo)
	}
	return sum.bounded(e.At)
}

// product has its extremes at corners of the two intervals; the square of one column
// is not negative.
func product(x, y *step) *step {
	p := &step{op: query.Mul, x: x, y: y, scale: x.scale + y.scale}
	for _, a := range []*big.Int{x.lo, x.hi} {
		for _, b := range []*big.Int{y.lo, y.hi} {
			v := new(big.Int).Mul(a, b)
			if p.lo == nil || v.Cmp(p.lo) < 0 {
				p.lo = v
			}
			if p.hi == nil || v.Cmp(p.hi) > 0 {
				p.hi = v
			}
		}
	}
	if x.op == "" && y.op == "" && x.slot >= 0 && x.slot == y.slot && p.lo.Sign() < 0 {
		p.lo = new(big.Int)
	}
	return p
}

// raised writes a value with more digits after the point.
func (x *step) raised(scale int, at query.Pos) (*step, error) {
	if scale == x.scale {
		return x, nil
	}
	ten := power10(scale - x.scale)
	if !ten.IsInt64() {
		return nil, tooWide(at)
	}
	return product(x, &step{slot: -1, number: ten.Int64(), scale: scale - x.scale, lo: ten, hi: ten}).bounded(at)
}

func (x *step) bounded(at query.Pos) (*step, error) {
	limit := big.NewInt(maxScaled)
	if x.lo.CmpAbs(limit) > 0 || x.hi.CmpAbs(limit) > 0 {
		return nil, tooWide(at)
	}
	return x, nil
}

func tooWide(at query.Pos) error {
	return query.Refuse(at, "UNSUPPORTED", "the value here can have more than 18 digits").Fix("narrow the bounds or the scale of the columns")
}

func power10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// value computes the formula; values are by slot.
func (x *step) value(values []int64) int64 {
	switch x.op {
	case query.Neg:
		return -x.x.value(values)
	case query.Add:
		return x.x.value(values) + x.y.value(values)
	case query.Sub:
		return x.x.value(values) - x.y.value(values)
	case query.Mul:
		return x.x.value(values) * x.y.value(values)
	}
	if x.slot < 0 {
		return x.number
	}
	return values[x.slot]
}
