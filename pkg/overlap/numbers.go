package overlap

import (
	"fmt"
	"maps"
	"math/bits"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/cells"
)

// question is what patterns do not answer: sets of owners, in a view, with the numbers that
// have cells in common.
type question struct {
	v    *view
	sets [][]carnet.PartyID
	of   [][]number

	first map[*cells.Space][]int // cell that public counts are reckoned from, if not the first one
}

// questions are those about suspects in each view. They are ordered by what is asked alone.
func (l *linked) questions(suspects []question) []question {
	numbers := gathered(l.numbers, map[carnet.Hash]*cells.Space{})
	for i := range suspects {
		suspects[i].divide(numbers)
	}
	return suspects
}

// work is how many multiplications the questions take.
func (q *question) work(whole int) (sum int) {
	for _, numbers := range q.of {
		sum += work(numbers, len(numbers)+1, len(q.v.columns), whole, len(q.sets))
	}
	return sum
}

// fewByNumbers refuses if a combination of numbers, cell by cell, is about owners of
// one of the sets only, and not zero where that is too few of them. How many rows a file
// has is public, so a number counts for nothing as far as it is a multiple of that.
//
// A number is a polynomial with a variable for each place, quantity and code, and stands as its
// values at random points: one more of them than there are numbers, which is as many
// as the rank can be, and one to tell what is left from zero.
func (a *Audit) fewByNumbers(q *question, l *linked) error {
	for _, numbers := range q.of {
		n, v := len(numbers)+1, q.v
		at := cells.NewPoints(a.prime, n, a.random.Uint64)
		values := make([][][]uint64, len(numbers)) // per number, part and point
		for i := range numbers {
			for j := range numbers[i].parts {
				values[i] = append(values[i], q.value(at, &numbers[i].parts[j], a.prime))
			}
		}
		for _, set := range q.sets {
			weights := a.weights(v, l, at, n, set)
			e := elimination{prime: a.prime, pivots: n - 1}
			for i := range numbers {
				row := newSum(n, a.prime)
				for j, x := range numbers[i].parts {
					row.add(weights[x.place], values[i][j])
				}
				if e.add(row.reduced()) {
					return overlaps(v.demanding(set))
				}
			}
		}
	}
	return nil
}

// value is a part of a number at the points, without its place.
func (q *question) value(at *cells.Points, x *counted, prime uint64) []uint64 {
	quantity := []uint64(nil)
	if q.v.same {
		quantity = at.Says(&x.Part)
	} else {
		quantity = at.Drawn("quantity " + x.Quantity)
	}
	less := cells.Modulo(q.public(x), prime)
	out := make([]uint64, len(quantity))
	for k, f := range at.Of(x.Space, x.Weight) {
		out[k] = cells.Product(quantity[k], (f+prime-less)%prime, prime)
	}
	return out
}

// weights are for each place what it adds to the row of a number, at each point: as much as
// its columns, less what patterns of which everything is released make up for. The last
// point is about what may not be told, all others are about what has to vanish.
func (a *Audit) weights(v *view, l *linked, at *cells.Points, n int, set []carnet.PartyID) map[*place][]uint64 {
	var order []int // of columns: those that have to vanish come first
	zeros := 0
	for _, r := range []role{zero, few, free} {
		for c := range v.columns {
			if v.columns[c].role(set) == r {
				order = append(order, c)
			}
		}
		if r == zero {
			zeros = len(order)
		}
	}
	e := elimination{prime: a.prime, pivots: len(order)}
	for _, key := range slices.Sorted(maps.Keys(l.whole)) {
		row, in := v.row(l.whole[key], a.prime), make([]uint64, len(order))
		for i, c := range order {
			in[i] = row[c]
		}
		e.add(in)
	}
	e.reduce()
	drawn := make([][]uint64, len(order))
	for i, c := range order {
		drawn[i] = at.Drawn(fmt.Sprint("column ", c))
	}
	pivot := map[int]int{}
	for i, c := range e.at {
		pivot[c] = i
	}
	counts := func(i, k int) bool { // whether column number i is looked at, at a point
		r := v.columns[order[i]].role(set)
		return k < n-1 && r == zero || k == n-1 && r == few
	}
	column := map[int][]uint64{}
	for i, c := range order {
		w := make([]uint64, n)
		row, isPivot := pivot[i]
		switch {
		case isPivot && i < zeros:
			for k := range w {
				for j := range order {
					if b := e.basis[row][j]; j != i && b != 0 && counts(j, k) {
						w[k] = (w[k] + a.prime - cells.Product(drawn[j][k], b, a.prime)) % a.prime
					}
				}
			}
		default:
			for k := range w {
				if counts(i, k) {
					w[k] = drawn[i][k]
				}
			}
		}
		column[c] = w
	}
	out := map[*place][]uint64{}
	for _, x := range v.places {
		sum := make([]uint64, n)
		for _, c := range v.of[x] {
			for k := range sum {
				sum[k] = (sum[k] + column[c][k]) % a.prime
			}
		}
		out[x] = sum
	}
	return out
}

// work is how many multiplications comparing numbers takes: at so many points, for so many
// columns, patterns and sets of owners. It depends on what was asked alone, so that all
// judges agree.
func work(numbers []number, points, columns, whole, sets int) int {
	parts, weights := 0, map[*cells.Space][]cells.Weight{}
	for _, n := range numbers {
		parts += len(n.parts)
		for _, x := range n.parts {
			weights[x.Space] = append(weights[x.Space], x.Weight)
		}
	}
	sum := points*parts + sets*points*(len(numbers)*len(numbers)/6+parts+columns*(1+min(whole, columns)))
	for space, list := range weights {
		for d := range space.Schema.Dimensions {
			sum += points * space.Schema.Dimensions[d].Cardinality()
		}
		sum += points * space.Runs(list)
	}
	return sum
}

// sum adds up products modulo a prime of 62 bits, and reduces them at the end.
type sum struct {
	hi, lo []uint64
	prime  uint64
}

func newSum(n int, prime uint64) *sum { return &sum{make([]uint64, n), make([]uint64, n), prime} }

// add adds the products of two vectors.
func (s *sum) add(a, b []uint64) {
	for k := range s.lo {
		s.hi[k], s.lo[k] = cells.AddProduct(s.hi[k], s.lo[k], a[k], b[k], s.prime)
	}
}

// scale adds the product of a vector and a number, from one column on.
func (s *sum) scale(c uint64, b []uint64, from int) {
	hi, lo, b := s.hi[from:len(b)], s.lo[from:len(b)], b[from:]
	for k, v := range b {
		hi[k], lo[k] = cells.AddProduct(hi[k], lo[k], c, v, s.prime)
	}
}

func (s *sum) reduced() []uint64 {
	for k := range s.lo {
		_, s.lo[k] = bits.Div64(s.hi[k], s.lo[k], s.prime)
	}
	return s.lo
}
