package schema

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/carnet-network/carnet/pkg/query"
)

// derive fills in what a formula decides and the author did not write: scale, bounds
// and whether it can be NULL, of which the last also holds for buckets. Measures come
// one after another, as later formulas use earlier ones. Formulas that can't be read are left to check.
func (r *reader) derive(s *Schema) {
	written := func(i int, field string) bool {
		_, ok := r.at[fmt.Sprintf("measures[%d].%s", i, field)]
		return ok
	}
	for i := range s.Measures {
		m := &s.Measures[i]
		if m.Formula == "" || len(m.Formula) > MaxFormula {
			continue
		}
		f, err := s.compile(i)
		if err != nil {
			continue
		}
		if !written(i, "scale") {
			m.Scale = f.root.scale
		}
		if !written(i, "nullable") {
			m.Nullable = f.nullable
		}
		lo, hi := f.bounds(m.Scale)
		if !written(i, "min") {
			m.Min = FormatDecimal(lo, m.Scale)
		}
		if !written(i, "max") {
			m.Max = FormatDecimal(hi, m.Scale)
		}
	}
	for i := range s.Dimensions {
		d := &s.Dimensions[i]
		if _, ok := r.at[fmt.Sprintf("dimensions[%d].nullable", i)]; !ok && d.Buckets != "" {
			if j := s.Measure(d.Buckets); j >= 0 {
				d.Nullable = s.Measures[j].Nullable
			}
		}
	}
}

// bounds are those that follow from the columns, as integers of 10^-scale units.
func (f *formula) bounds(scale int) (lo, hi *big.Int) {
	ten := power10(max(0, scale-f.root.scale))
	return new(big.Int).Mul(f.root.lo, ten), new(big.Int).Mul(f.root.hi, ten)
}

// checkFormula checks what the formula of a measure says. It returns false if there is
// no use in looking at the measure's bounds.
func (s *Schema) checkFormula(c *checker, i int) bool {
	m := &s.Measures[i]
	path := fmt.Sprintf("measures[%d]", i)
	if len(m.Formula) > MaxFormula || !printable(m.Formula, false) {
		c.add(path+".formula", "a formula has at most %d bytes of printable text; shorten it", MaxFormula)
		return false
	}
	if m.Source != "" {
		c.add(path+".source", "a measure with a formula is computed, not read; remove source or formula")
	}
	if m.Clips() {
		c.add(path+".outside", "a computed value can't be clipped, it would no longer be what the formula says; remove outside, or clip the columns it uses")
	}
	f, err := s.compile(i)
	if err != nil {
		c.add(path+".formula", "%s", explainFormula(err))
		return false
	}
	if f.root.scale > m.Scale {
		c.add(path+".scale", "the formula has values with %d digits after the point; write scale: %d", f.root.scale, f.root.scale)
		return false
	}
	if lo, hi := f.bounds(m.Scale); lo.CmpAbs(big.NewInt(maxScaled)) > 0 || hi.CmpAbs(big.NewInt(maxScaled)) > 0 {
		c.add(path+".scale", "the formula has values of more than 18 digits at scale %d; write scale: %d", m.Scale, f.root.scale)
		return false
	}
	switch {
	case f.nullable && !m.Nullable:
		c.add(path+".nullable", "a column of the formula is nullable, so it can be NULL; write nullable: true")
	case m.Nullable && !f.nullable:
		c.add(path+".nullable", "no column of the formula is nullable, so it can't be NULL; remove nullable")
	}
	return true
}

// explainFormula shows a refusal of the formula with its place in the text.
func explainFormula(err error) string {
	var r *query.Refusal
	if !errors.As(err, &r) {
		return err.Error()
	}
	msg := r.Msg
	if r.Pos.Column > 0 {
		msg = fmt.Sprintf("at character %d: %s", r.Pos.Column, msg)
	}
	if r.Remedy != "" {
		msg += "; " + r.Remedy
	}
	return msg
}
