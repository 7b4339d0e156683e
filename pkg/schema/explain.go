package schema

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Explain tells in plain words which profile and digits were chosen and why. The
// text is for the owner; nothing reads it back.
func (e *Encoding) Explain() string {
	var b strings.Builder
	s := e.schema
	unit, what := "record", "one slot per record"
	if e.Layout == carnet.LayoutCube {
		unit, what = "cell", fmt.Sprintf("one coefficient per cell, %s cells (%s)", group(big.NewInt(int64(e.Cells))), s.cellFormula())
	}
	if e.Aligned() {
		unit, what = "slot", fmt.Sprintf("one slot per combination of codes, %s slots (%s)", group(big.NewInt(int64(e.Cells))), s.cellFormula())
	}
	fmt.Fprintf(&b, "Layout %s of %s: %s.\n", e.Layout, s.ID(), what)
	fmt.Fprintf(&b, "Profile %s: totals up to %s either way, over %s rows x %d datasets.\n", e.Profile, group(e.half()), group(big.NewInt(s.Limits.Rows)), s.Limits.Datasets)
	fmt.Fprintf(&b, "%s columns, %s bytes per %s.\n", group(big.NewInt(int64(len(e.Columns)))), group(big.NewInt(int64(e.BytesPerRow))), unit)
	for _, c := range e.choices {
		if c.Name != e.Profile {
			fmt.Fprintf(&b, "Profile %s was not chosen: %d columns, %d bytes per %s%s.\n", c.Name, c.columns, c.bytes, unit, tie(c.bytes == e.BytesPerRow))
		}
	}
	if e.Layout == carnet.LayoutRecords {
		for i := range e.Axes {
			fmt.Fprintf(&b, "%s.\n", e.explainAxis(&e.Axes[i]))
		}
	}
	for i := range s.Dimensions {
		if d := &s.Dimensions[i]; d.Buckets != "" {
			fmt.Fprintf(&b, "%s: computed from each row as the bucket of %s, named after where it begins.\n", d.Name, d.Buckets)
		}
	}
	for i := range s.Measures {
		if m := &s.Measures[i]; m.Formula != "" {
			fmt.Fprintf(&b, "%s: computed from each row as %s, exactly, with %d digits after the point.\n", m.Name, m.Formula, m.Scale)
		}
	}
	for i := range e.atoms {
		e.explainAtom(&b, &e.atoms[i])
	}
	return b.String()
}

func (e *Encoding) explainAtom(b *strings.Builder, a *atom) {
	cols := e.digits[a.Atom]
	lo, hi := new(big.Int).Mul(a.lo, big.NewInt(e.schema.MaxRowsTotal())), new(big.Int).Mul(a.hi, big.NewInt(e.schema.MaxRowsTotal()))
	if len(cols) == 1 {
		fmt.Fprintf(b, "%s: 1 column; totals lie in %s..%s.\n", a, group(lo), group(hi))
		return
	}
	names := make([]string, len(cols))
	for i, c := range cols {
		names[i] = fmt.Sprintf("%s x 2^%d", c.Name, c.Shift)
	}
	if e.Aligned() && a.Kind == Sum {
		fmt.Fprintf(b, "%s: products with another owner's numbers like it would wrap, so it is split: %s.\n", a, strings.Join(names, " + "))
		return
	}
	fmt.Fprintf(b, "%s: totals lie in %s..%s, which would wrap, so it is split: %s.\n", a, group(lo), group(hi), strings.Join(names, " + "))
}

func (e *Encoding) explainAxis(a *Axis) string {
	var names []string
	for _, d := range a.Dimensions {
		names = append(names, e.schema.Dimensions[d].Name)
	}
	text := fmt.Sprintf("%s: %d indicator columns, ", strings.Join(names, " with "), a.Width())
	switch {
	case a.Coding == Cumulative:
		return text + fmt.Sprintf("one for each of %d codes but the last, 1 for it and those before", a.Size)
	case a.Coding == TwoDigit:
		return text + fmt.Sprintf("%d and %d for the two digits of %d codes", a.Highs(), a.Radix, a.Size)
	case len(names) > 1:
		return text + "one per combination of codes"
	}
	return text + "one per code" + nullNote(e.schema.Dimensions[a.Dimensions[0]].Nullable)
}

func (e *Encoding) half() *big.Int { return new(big.Int).SetUint64((e.T - 1) / 2) }

func tie(same bool) string {
	if same {
		return ", the same, with a larger modulus"
	}
	return ""
}

func nullNote(nullable bool) string {
	if nullable {
		return " and one for NULL"
	}
	return ""
}

// group writes an integer with a comma before every third digit.
func group(v *big.Int) string {
	s := new(big.Int).Abs(v).String()
	var b strings.Builder
	if v.Sign() < 0 {
		b.WriteByte('-')
	}
	for i, c := range s {
		if i > 0 && (len(s)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(c)
	}
	return b.String()
}
