package functional

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
)

func validateProducts(ts []Product, degree int) error {
	seen := tuples{at: map[fileColumn][]place{}}
	for i := range ts {
		t := &ts[i]
		if i > 0 && compareProducts(&ts[i-1], t) >= 0 {
			return bad("product terms out of order or repeated")
		}
		if t.Blocks == 0 {
			return bad("a file without blocks")
		}
		if len(t.Factors) != degree {
			return bad("a product of %d factors in degree %d", len(t.Factors), degree)
		}
		if err := validateFactors(t); err != nil {
			return err
		}
		if seen.repeats(t, i) {
			return bad("the same columns of file %s are multiplied twice", t.File)
		}
	}
	return nil
}

func validateFactors(t *Product) error {
	where := map[uint32]int{}
	for i := range t.Factors {
		f := &t.Factors[i]
		if f.Width() == 0 {
			return bad("an empty factor")
		}
		if i > 0 && compareFactors(t.Factors[i-1], *f) > 0 {
			return bad("factors out of order")
		}
		for _, columns := range [][]uint32{f.Plus, f.Minus} {
			for j, c := range columns {
				if j > 0 && columns[j-1] >= c {
					return bad("columns of a factor out of order or repeated")
				}
				// A column in two factors would multiply some pair in both orders,
				// which is weight 2, unless it is all there is in both.
				other, again := where[c]
				if again && (other == i || f.Width() > 1 || t.Factors[other].Width() > 1 || compareFactors(t.Factors[other], *f) != 0) {
					return bad("column %d of file %s is in two factors of a product", c, t.File)
				}
				where[c] = i
			}
		}
	}
	return nil
}

type fileColumn struct {
	file   carnet.Nonce
	column uint32
}

// place is a factor of a product.
type place struct{ product, factor int }

// tuples finds products that multiply the same columns. Tuples of columns are
// compared through the places of each column and never listed: two dimensions of
// 10,000 codes have a hundred million pairs.
type tuples struct{ at map[fileColumn][]place }

// repeats reports whether product i multiplies some columns that an earlier one
// multiplies, in any order, and enters it. Two products do if their factors can be
// matched so that each two have a column in common.
func (s *tuples) repeats(t *Product, i int) bool {
	common := map[int]*[MaxDegree][MaxDegree]bool{}
	for n, m := range s.rarest(t) {
		for _, columns := range [][]uint32{t.Factors[m].Plus, t.Factors[m].Minus} {
			for _, c := range columns {
				for _, p := range s.at[fileColumn{t.File, c}] {
					if common[p.product] == nil {
						if n > 0 { // the first factor has nothing in common with it
							continue
						}
						common[p.product] = new([MaxDegree][MaxDegree]bool)
					}
					common[p.product][m][p.factor] = true
				}
			}
		}
		if len(common) == 0 {
			break
		}
	}
	for _, c := range common {
		if matching(c, len(t.Factors), 0, 0) {
			return true
		}
	}
	for m := range t.Factors {
		for _, columns := range [][]uint32{t.Factors[m].Plus, t.Factors[m].Minus} {
			for _, c := range columns {
				at := fileColumn{t.File, c}
				s.at[at] = append(s.at[at], place{i, m})
			}
		}
	}
	return false
}

// rarest lists the factors of a product, first the one whose columns are in the fewest
// other places: a measure is in every product of a sum, and the indicators are not.
func (s *tuples) rarest(t *Product) []int {
	places := make([]int, len(t.Factors))
	order := make([]int, len(t.Factors))
	for m := range t.Factors {
		order[m] = m
		for _, columns := range [][]uint32{t.Factors[m].Plus, t.Factors[m].Minus} {
			for _, c := range columns {
				places[m] += len(s.at[fileColumn{t.File, c}])
			}
		}
	}
	slices.SortFunc(order, func(a, b int) int { return places[a] - places[b] })
	return order
}

// matching reports whether factors from..degree-1 can each be given another factor
// that is not used and has a column in common.
func matching(common *[MaxDegree][MaxDegree]bool, degree, from int, used uint) bool {
	if from == degree {
		return true
	}
	for other := range degree {
		if common[from][other] && used>>other&1 == 0 && matching(common, degree, from+1, used|1<<other) {
			return true
		}
	}
	return false
}

func compareProducts(x, y *Product) int {
	return cmp.Or(bytes.Compare(x.File[:], y.File[:]), slices.CompareFunc(x.Factors, y.Factors, compareFactors))
}

func compareFactors(x, y Factor) int {
	return cmp.Or(slices.Compare(x.Plus, y.Plus), slices.Compare(x.Minus, y.Minus))
}
