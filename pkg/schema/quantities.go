package schema

import "math/big"

// atom is a stored quantity with the bounds of what one row contributes. Zero always
// lies within: empty slots, empty cells and NULL are stored as zero.
type atom struct {
	Atom
	x, y   int // positions of the measures, -1 if none
	lo, hi *big.Int
}

// quantities lists what a layout stores besides indicators, in column order: the row
// count, then for each measure its sum, its not-NULL count, its square and its
// products, each product followed by the count of rows where both are not NULL.
func (s *Schema) quantities() []atom {
	zero, one := new(big.Int), big.NewInt(1)
	list := []atom{{Atom{Kind: Count}, -1, -1, zero, one}}
	for i := range s.Measures {
		m := &s.Measures[i]
		lo, hi := s.rowBounds(i)
		list = append(list, atom{Atom{Kind: Sum, X: m.Name}, i, -1, lo, hi})
		if m.Nullable {
			list = append(list, atom{Atom{Kind: NotNull, X: m.Name}, i, -1, zero, one})
		}
		if m.Squares {
			sqLo, sqHi := new(big.Int).Mul(lo, lo), new(big.Int).Mul(hi, hi)
			list = append(list, atom{Atom{Kind: Square, X: m.Name}, i, i, zero, maxBig(sqLo, sqHi)})
		}
		for _, other := range m.Products {
			j := s.Measure(other)
			x, y := min(i, j), max(i, j)
			name := Atom{Product, s.Measures[x].Name, s.Measures[y].Name}
			pLo, pHi := productBounds(lo, hi, s, j)
			list = append(list, atom{name, x, y, pLo, pHi})
			if s.Measures[x].Nullable && s.Measures[y].Nullable {
				list = append(list, atom{Atom{NotNull, name.X, name.Y}, x, y, zero, one})
			}
		}
	}
	return list
}

// rowBounds are the bounds of a measure, widened to contain zero.
func (s *Schema) rowBounds(i int) (lo, hi *big.Int) {
	a, b := s.Measures[i].Bounds()
	return big.NewInt(min(a, 0)), big.NewInt(max(b, 0))
}

// productBounds: both intervals contain zero, so the extremes are at the corners.
func productBounds(lo, hi *big.Int, s *Schema, j int) (pLo, pHi *big.Int) {
	lo2, hi2 := s.rowBounds(j)
	mul := func(a, b *big.Int) *big.Int { return new(big.Int).Mul(a, b) }
	return minBig(mul(lo, hi2), mul(hi, lo2)), maxBig(mul(lo, lo2), mul(hi, hi2))
}

// canonical puts the measures of an atom into schema order and replaces counts of
// not-NULL rows by the column that holds them. ok is false if it names a measure
// that does not exist.
func (s *Schema) canonical(a Atom) (_ Atom, ok bool) {
	if a.Kind == Count {
		return Atom{Kind: Count}, true
	}
	x, y := s.Measure(a.X), -1
	if a.Y != "" {
		if y = s.Measure(a.Y); y < 0 {
			return a, false
		}
	}
	if x < 0 {
		return a, false
	}
	switch {
	case a.Kind == NotNull && y >= 0:
		if !s.Measures[y].Nullable || x == y {
			return Atom{Kind: NotNull, X: a.X}, true
		}
		if !s.Measures[x].Nullable {
			return Atom{Kind: NotNull, X: a.Y}, true
		}
	case a.Kind == Product && x == y:
		return Atom{Kind: Square, X: a.X}, true
	case a.Kind == Square || a.Kind == Sum:
		return Atom{Kind: a.Kind, X: a.X}, true
	}
	if y >= 0 && y < x {
		a.X, a.Y = a.Y, a.X
	}
	return a, true
}

func minBig(a, b *big.Int) *big.Int {
	if a.Cmp(b) <= 0 {
		return a
	}
	return b
}

func maxBig(a, b *big.Int) *big.Int {
	if a.Cmp(b) >= 0 {
		return a
	}
	return b
}
