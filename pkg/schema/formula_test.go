package schema

import (
	"encoding/json"
	"fmt"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/query"
)

const lines = `
name: lines
version: 1
dimensions:
  - {name: discount, ordered: true, codes: ["0.00", "0.05", "0.10"]}
  - {name: flag, codes: [A, B]}
inputs:
  - {name: tax, source: TAX, scale: 2, min: 0, max: 0.08, nullable: true}
measures:
  - {name: price, scale: 2, min: 900.00, max: 105000.00}
  - {name: disc_price, formula: price * (1 - discount)}
  - {name: charge, formula: disc_price * (1 + tax), nullable: true}
  - {name: half, formula: price / 2, scale: 5, max: 60000}
limits: {rows: 1000, datasets: 2}
layouts: [cube]
`

// What a formula decides is filled in, so that the signed schema says it.
func TestFormulaDerives(t *testing.T) {
	s, err := Parse("lines.yaml", []byte(lines))
	require.NoError(t, err)
	type said struct {
		scale    int
		min, max string
		nullable bool
	}
	var got []said
	for _, m := range s.Measures {
		got = append(got, said{m.Scale, m.Min, m.Max, m.Nullable})
	}
	require.Equal(t, []said{
		{2, "900.00", "105000.00", false},
		{4, "810.0000", "105000.0000", false},
		{6, "810.000000", "113400.000000", true},
		{5, "450.00000", "60000", false},
	}, got)
	text, err := json.Marshal(s)
	require.NoError(t, err)
	var back Schema
	require.NoError(t, json.Unmarshal(text, &back))
	require.NoError(t, back.Validate())
	require.Equal(t, s.Hash(), back.Hash())
}

// A formula over a formula is a polynomial in what is read.
func TestFormulaPolynomial(t *testing.T) {
	s, err := Parse("lines.yaml", []byte(lines))
	require.NoError(t, err)
	p, ok := s.Formula(s.Measure("charge"))
	require.True(t, ok)
	e, err := query.ParseExpr("(1 - discount) * price * (1 + tax)")
	require.NoError(t, err)
	want, err := query.PolynomialOf(e, nil)
	require.NoError(t, err)
	require.True(t, p.Equal(want), p.String())
	_, ok = s.Formula(s.Measure("price"))
	require.False(t, ok)
}

func TestFormulaRows(t *testing.T) {
	s, err := Parse("lines.yaml", []byte(lines))
	require.NoError(t, err)
	b, err := s.Bind("in.csv", []string{"discount", "flag", "price", "TAX", "disc_price"})
	require.NoError(t, err)
	require.Equal(t, []string{"disc_price"}, b.Unused())
	var row Row
	require.NoError(t, b.Row(record(2, "0.05", "A", "1000.01", "0.08", "wrong"), &row))
	require.Equal(t, []int64{100001, 9500095, 1026010260, 50000500}, row.Measures)
	require.Equal(t, []bool{false, false, false, false}, row.Null)
	require.NoError(t, b.Row(record(3, "0.10", "A", "900", "", ""), &row))
	require.Equal(t, []int64{90000, 8100000, 0, 45000000}, row.Measures)
	require.Equal(t, []bool{false, false, true, false}, row.Null)
	for _, c := range []struct{ tax, price, want string }{
		{"0.09", "900", `in.csv:4:12: input tax: "0.09" is outside 0..0.08; correct it, or the bounds in the schema`},
		{"x", "900", `in.csv:4:12: input tax: "x" is not a decimal number such as -1234.50`},
		{"0.08", "1000000", `in.csv:4:8: measure price: "1000000" is above max 105000.00; correct it, or set outside: clip in the schema`},
	} {
		err := b.Row(record(4, "0.05", "A", c.price, c.tax, ""), &row)
		require.Equal(t, "BAD_ROW", carnet.ReasonOf(err))
		require.Equal(t, c.want, violations(err))
	}
	// 105000 / 2 is within the derived bounds; the declared ones are checked.
	s.Measures[3].Max = "50000"
	b, err = s.Bind("in.csv", []string{"discount", "flag", "price", "TAX"})
	require.NoError(t, err)
	err = b.Row(record(5, "0.05", "A", "105000", "0.01"), &row)
	require.Equal(t, "in.csv:5: measure half: 52500.00000, from price / 2, is outside 450.00000..50000; correct the row or the bounds in the schema", violations(err))
	_, err = s.Bind("in.csv", []string{"discount", "flag", "price"})
	require.Contains(t, violations(err), `no header for input "tax"`)
}

// Random formulas are computed exactly, within the bounds derived for them: the
// reference is rational arithmetic on the polynomial.
func TestFormulaAgainstRationals(t *testing.T) {
	names := []string{"x", "y", "z", "d"}
	var draw func(t *rapid.T, depth int) string
	draw = func(t *rapid.T, depth int) string {
		kind := rapid.IntRange(0, 5).Draw(t, "kind")
		switch {
		case depth == 0 || kind == 0:
			return rapid.SampledFrom(names).Draw(t, "column")
		case kind == 1:
			return rapid.SampledFrom([]string{"1", "0.5", "2.25", "100", "-3"}).Draw(t, "number")
		case kind == 2:
			return "-(" + draw(t, depth-1) + ")"
		}
		op := []string{"+", "-", "*"}[kind-3]
		return "(" + draw(t, depth-1) + ") " + op + " (" + draw(t, depth-1) + ")"
	}
	rapid.Check(t, func(t *rapid.T) {
		s := &Schema{Name: "random", Version: 1, Limits: Limits{Rows: 10, Datasets: 1}, Layouts: []carnet.Layout{carnet.LayoutCube},
			Dimensions: []Dimension{{Name: "d", Codes: []Code{{Value: "-0.5"}, {Value: "0"}, {Value: "1.25"}}}},
			Inputs:     []Input{{Name: "z", Scale: 1, Min: "-5", Max: "5.5"}},
			Measures: []Measure{{Name: "x", Scale: 2, Min: "-10", Max: "99.99"}, {Name: "y", Min: "0", Max: "1000"},
				{Name: "f", Formula: draw(t, 4)}}}
		f, err := s.compile(2)
		if err != nil {
			t.Skip(err)
		}
		e, err := query.ParseExpr(s.Measures[2].Formula)
		require.NoError(t, err)
		p, err := query.PolynomialOf(e, nil)
		require.NoError(t, err)
		at := map[string]*big.Rat{}
		values := make([]int64, 5) // x, y, f, z, d
		pick := func(name string, slot int, lo, hi, unit int64) {
			values[slot] = rapid.OneOf(rapid.Just(lo), rapid.Just(hi), rapid.Int64Range(lo, hi)).Draw(t, name)
			at[name] = big.NewRat(values[slot], unit)
		}
		pick("x", 0, -1000, 9999, 100)
		pick("y", 1, 0, 1000, 1)
		pick("z", 3, -50, 55, 10)
		code := rapid.IntRange(0, 2).Draw(t, "d")
		numbers, scale, ok := s.Dimensions[0].Numbers()
		require.True(t, ok)
		require.Equal(t, 2, scale)
		values[4] = numbers[code]
		at["d"] = big.NewRat(numbers[code], 100)
		want := p.Eval(func(c string) *big.Rat { return at[c] })
		got := f.root.value(values)
		require.Zero(t, want.Cmp(new(big.Rat).SetFrac(big.NewInt(got), power10(f.root.scale))), "%s", s.Measures[2].Formula)
		require.LessOrEqual(t, f.root.lo.Cmp(big.NewInt(got)), 0)
		require.GreaterOrEqual(t, f.root.hi.Cmp(big.NewInt(got)), 0)
	})
}

func TestNumbers(t *testing.T) {
	for want, codes := range map[string][]string{
		"[1 20 -3] 0":  {"1", "20", "-3"},
		"[100 5 10] 2": {"1", "0.05", "0.1"},
		"[] 0":         {"1", "x"},
	} {
		d := &Dimension{}
		for _, c := range codes {
			d.Codes = append(d.Codes, Code{Value: c})
		}
		v, scale, _ := d.Numbers()
		require.Equal(t, want, fmt.Sprintf("%v %d", v, scale))
	}
}
