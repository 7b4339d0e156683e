package overlap

import (
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// span is what the patterns of linked places span, as a reduced basis. A vector that is
// zero outside some places is in it exactly if it is orthogonal, in these places, to
// everything that the basis is orthogonal to: for a set of few owners that is a small question,
// however many patterns and other places there are.
type span struct {
	l     *linked
	prime uint64
	basis [][]uint64 // one column for each of l.places
	pivot []int      // per column: the row whose pivot is there, -1 if none's is
}

// spanOf works the span out. ok is false if that, and looking at so many sets of owners,
// would take too long.
func (a *Audit) spanOf(l *linked, sets [][]carnet.PartyID) (s *span, ok bool) {
	places, rank := len(l.places), min(len(l.places), len(l.patterns))
	work := len(l.patterns) * rank * places
	for _, set := range sets {
		n := 0
		for _, x := range l.places {
			if x.among(set) {
				n++
			}
		}
		work += places * (1 + n*n)
		if work > maxWork {
			return nil, false
		}
	}
	column := map[*place]int{}
	for i, x := range l.places {
		column[x] = i
	}
	e := elimination{prime: a.prime, pivots: places}
	for _, p := range l.patterns {
		row := make([]uint64, places)
		for _, x := range p {
			row[column[x.place]] = modulo(x.value, a.prime)
		}
		e.add(row)
	}
	e.reduce()
	pivot := slices.Repeat([]int{-1}, places)
	for i, c := range e.at {
		pivot[c] = i
	}
	return &span{l, a.prime, e.basis, pivot}, true
}

// reduce makes every row zero in the columns of the others' pivots.
func (e *elimination) reduce() {
	for i := len(e.basis) - 1; i >= 0; i-- {
		for j := i + 1; j < len(e.basis); j++ {
			e.less(e.basis[i], e.basis[j], e.at[j])
		}
	}
}

// tells reports whether a combination of patterns is zero but for places of the owners in the
// set, and not zero where that is too few of them.
func (s *span) tells(set []carnet.PartyID) bool {
	var few, enough []int
	for i, x := range s.l.places {
		switch {
		case !x.among(set):
		case x.need > len(set):
			few = append(few, i)
		default:
			enough = append(enough, i)
		}
	}
	// Solutions that differ in the few add as many dimensions as these have, less what they
	// add to the rank.
	return len(few) > s.rank(slices.Concat(few, enough))-s.rank(enough)
}

// rank is, in some columns, that of what is orthogonal to the basis: of one vector for each
// column without a pivot, which is 1 there and what makes up for it where pivots are.
func (s *span) rank(columns []int) int {
	e := elimination{prime: s.prime, pivots: len(columns)}
	for free, pivot := range s.pivot {
		if pivot >= 0 {
			continue
		}
		if len(e.basis) == len(columns) {
			break
		}
		row := make([]uint64, len(columns))
		for i, c := range columns {
			switch at := s.pivot[c]; {
			case at >= 0:
				row[i] = (s.prime - s.basis[at][free]) % s.prime
			case c == free:
				row[i] = 1
			}
		}
		e.add(row)
	}
	return len(e.basis)
}
