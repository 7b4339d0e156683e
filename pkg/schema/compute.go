package schema

import (
	"errors"
	"math/big"
)

// computed evaluates the formulas of a schema for one row at a time.
type computed struct {
	formulas []*formula // per measure; nil where it is read
	raise    []int64    // per measure: what brings the formula to the measure's scale
	numbers  [][]int64  // per dimension: values of its codes, nil if they are not numbers
	bounds   [][2]int64 // per input
	values   []int64    // of measures, inputs and dimensions, by slot
	null     []bool
}

// prepare compiles the formulas; the schema has passed check.
func (b *Binder) prepare() error {
	s := b.schema
	c := &computed{formulas: make([]*formula, len(s.Measures)), raise: make([]int64, len(s.Measures)), numbers: make([][]int64, len(s.Dimensions))}
	some := false
	for i := range s.Measures {
		if s.Measures[i].Formula == "" {
			continue
		}
		f, err := s.compile(i)
		if err != nil {
			return badSchema([]problem{{s.Measures[i].Name, explainFormula(err)}}, nil)
		}
		c.formulas[i], c.raise[i], some = f, power10(s.Measures[i].Scale-f.root.scale).Int64(), true
	}
	if !some && len(s.Inputs) == 0 {
		return nil
	}
	for i := range s.Inputs {
		in := &s.Inputs[i]
		lo, hi := (&Measure{Min: in.Min, Max: in.Max, Scale: in.Scale}).Bounds()
		c.bounds = append(c.bounds, [2]int64{lo, hi})
	}
	for i := range s.Dimensions {
		c.numbers[i], _, _ = s.Dimensions[i].Numbers()
	}
	slots := len(s.Measures) + len(s.Inputs) + len(s.Dimensions)
	c.values, c.null = make([]int64, slots), make([]bool, slots)
	b.computed = c
	return nil
}

// compute reads the inputs of a record and, if everything else was right, fills in
// the measures that have formulas.
func (b *Binder) compute(rec *Record, row *Row, good bool, fail func(field int, msg string)) {
	c, s := b.computed, b.schema
	for i := range s.Inputs {
		v, null, msg := b.input(i, rec)
		if msg != "" {
			fail(b.inputs[i].field, msg)
			good = false
		}
		c.values[len(s.Measures)+i], c.null[len(s.Measures)+i] = v, null
	}
	if !good {
		return
	}
	copy(c.values, row.Measures)
	copy(c.null, row.Null)
	for i, code := range row.Dims {
		at := len(s.Measures) + len(s.Inputs) + i
		if c.null[at] = code < 0; code >= 0 && c.numbers[i] != nil {
			c.values[at] = c.numbers[i][code]
		}
	}
	for i, f := range c.formulas {
		if f == nil {
			continue
		}
		v, null := int64(0), false
		for _, slot := range f.slots {
			null = null || c.null[slot]
		}
		if m := &s.Measures[i]; !null {
			v = f.root.value(c.values) * c.raise[i]
			if lo, hi := b.bounds[i][0], b.bounds[i][1]; v < lo || v > hi {
				fail(-1, "measure "+m.Name+": "+FormatDecimal(big.NewInt(v), m.Scale)+", from "+m.Formula+", is outside "+m.Min+".."+m.Max+"; correct the row or the bounds in the schema")
			}
		}
		row.Measures[i], row.Null[i] = v, null
		c.values[i], c.null[i] = v, null
	}
}

func (b *Binder) input(i int, rec *Record) (v int64, null bool, msg string) {
	in := &b.schema.Inputs[i]
	text, null := b.text(rec, b.inputs[i])
	if null {
		if !in.Nullable {
			return 0, true, "input " + in.Name + " is NULL and not nullable; fill it in, or set nullable: true in the schema"
		}
		return 0, true, ""
	}
	v, err := ParseDecimal(text, in.Scale)
	var d *decimalError
	switch bounds := b.computed.bounds[i]; {
	case errors.As(err, &d):
		return 0, false, "input " + in.Name + ": " + d.msg
	case v < bounds[0] || v > bounds[1]:
		return 0, false, "input " + in.Name + ": " + quote(text) + " is outside " + in.Min + ".." + in.Max + "; correct it, or the bounds in the schema"
	}
	return v, false, ""
}
