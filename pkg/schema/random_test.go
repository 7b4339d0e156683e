package schema

import (
	"fmt"
	"math/big"

	"pgregory.net/rapid"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// tiny are profiles small enough that boundaries of blocks and digits are close.
func tiny(t uint64) []Candidate { return []Candidate{{"tiny", 16, t, 8}} }

// randomSchema draws a small valid schema offering both layouts.
func randomSchema(t *rapid.T) *Schema {
	s := &Schema{Name: "random", Version: 1, Layouts: []carnet.Layout{carnet.LayoutCube, carnet.LayoutRecords}}
	s.Limits = Limits{Rows: int64(rapid.IntRange(40, 1000).Draw(t, "rows")), Datasets: rapid.IntRange(1, 3).Draw(t, "datasets")}
	dims := rapid.IntRange(0, 3).Draw(t, "dims")
	s.Aligned = dims > 0 && rapid.IntRange(0, 2).Draw(t, "aligned") == 0
	for i := range dims {
		d := Dimension{Name: fmt.Sprintf("d%d", i), Nullable: !s.Aligned && rapid.Bool().Draw(t, "nullable")}
		for j := range rapid.IntRange(1, 7).Draw(t, "codes") {
			d.Codes = append(d.Codes, Code{Value: fmt.Sprintf("c%d", j)})
		}
		s.Dimensions = append(s.Dimensions, d)
	}
	randomEncodings(t, s)
	for i := range rapid.IntRange(1, 3).Draw(t, "measures") {
		scale := rapid.IntRange(0, 3).Draw(t, "scale")
		reach := rapid.SampledFrom([]int64{1, 100, 1 << 20, 1 << 40, 1 << 52}).Draw(t, "reach")
		lo := rapid.Int64Range(-reach, reach-1).Draw(t, "min")
		m := Measure{Name: fmt.Sprintf("m%d", i), Scale: scale, Nullable: rapid.Bool().Draw(t, "nullable"), Squares: rapid.Bool().Draw(t, "squares")}
		m.Min, m.Max = formatScaled(lo, scale), formatScaled(rapid.Int64Range(lo+1, reach).Draw(t, "max"), scale)
		for j := range i {
			if rapid.Bool().Draw(t, "product") {
				m.Products = append(m.Products, fmt.Sprintf("m%d", j))
			}
		}
		s.Measures = append(s.Measures, m)
	}
	if rapid.Bool().Draw(t, "partition") {
		s.Partitions = []Partition{{Name: "year"}}
	}
	return s
}

// randomEncodings gives dimensions an encoding, or combines all of them.
func randomEncodings(t *rapid.T, s *Schema) {
	coding := func() Coding {
		return rapid.SampledFrom([]Coding{"", OneHot, Cumulative, TwoDigit}).Draw(t, "encoding")
	}
	if len(s.Dimensions) > 1 && rapid.Bool().Draw(t, "combined") {
		c := Combination{Encoding: coding()}
		for _, i := range rapid.Permutation([]int{0, 1, 2}[:len(s.Dimensions)]).Draw(t, "order")[:rapid.IntRange(2, len(s.Dimensions)).Draw(t, "members")] {
			c.Dimensions = append(c.Dimensions, s.Dimensions[i].Name)
		}
		s.Combine = []Combination{c}
		return
	}
	for i := range s.Dimensions {
		s.Dimensions[i].Encoding = coding()
	}
}

// randomRow draws a row, often at the bounds.
func randomRow(t *rapid.T, s *Schema) *Row {
	r := &Row{}
	for i := range s.Partitions {
		r.Partition = append(r.Partition, fmt.Sprintf("202%d", rapid.IntRange(0, 2).Draw(t, s.Partitions[i].Name)))
	}
	for i := range s.Dimensions {
		d := &s.Dimensions[i]
		code := rapid.IntRange(0, d.Cardinality()-1).Draw(t, d.Name)
		if code == len(d.Codes) {
			code = -1
		}
		r.Dims = append(r.Dims, code)
	}
	for i := range s.Measures {
		m := &s.Measures[i]
		lo, hi := m.Bounds()
		v := rapid.OneOf(rapid.Just(lo), rapid.Just(hi), rapid.Int64Range(lo, hi)).Draw(t, m.Name)
		r.Null = append(r.Null, m.Nullable && rapid.IntRange(0, 3).Draw(t, "null") == 0)
		r.Measures = append(r.Measures, v)
	}
	return r
}

// everyAtom lists the atoms that a layout of s must be able to answer for, with the
// measures in both orders.
func everyAtom(s *Schema) []Atom {
	atoms := []Atom{{Kind: Count}}
	for i := range s.Measures {
		m := &s.Measures[i]
		atoms = append(atoms, Atom{Kind: Sum, X: m.Name})
		if m.Nullable {
			atoms = append(atoms, Atom{Kind: NotNull, X: m.Name})
		}
		if m.Squares {
			atoms = append(atoms, Atom{Kind: Square, X: m.Name})
		}
		for _, y := range m.Products {
			atoms = append(atoms, Atom{Product, m.Name, y}, Atom{Product, y, m.Name})
			if m.Nullable || s.Measures[s.Measure(y)].Nullable {
				atoms = append(atoms, Atom{NotNull, m.Name, y}, Atom{NotNull, y, m.Name})
			}
		}
	}
	return atoms
}

// valueOf is what a row contributes to an atom, computed plainly.
func valueOf(s *Schema, a Atom, r *Row) *big.Int {
	x, y := s.Measure(a.X), s.Measure(a.Y)
	if x >= 0 && r.Null[x] || y >= 0 && r.Null[y] {
		return new(big.Int)
	}
	switch a.Kind {
	case Sum:
		return big.NewInt(r.Measures[x])
	case Square:
		return new(big.Int).Mul(big.NewInt(r.Measures[x]), big.NewInt(r.Measures[x]))
	case Product:
		return new(big.Int).Mul(big.NewInt(r.Measures[x]), big.NewInt(r.Measures[y]))
	}
	return big.NewInt(1)
}

// centred undoes the representation modulo T.
func centred(v, t uint64) *big.Int {
	if v > t/2 {
		return new(big.Int).Sub(new(big.Int).SetUint64(v), new(big.Int).SetUint64(t))
	}
	return new(big.Int).SetUint64(v)
}
