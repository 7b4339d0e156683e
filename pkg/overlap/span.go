package overlap

import (
	"maps"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// span is what patterns span in a view, as a reduced basis. A vector that is zero outside
// some columns is in it exactly if it is orthogonal, in these columns, to
// everything that the basis is orthogonal to: for a set of few owners that is a small question,
// however many patterns and other columns there are.
type span struct {
	v     *view
	prime uint64
	basis [][]uint64
	pivot []int // per column: the row whose pivot is there, -1 if none's is
}

// suspects are those of the sets that a combination of patterns is about. ok is false if
// finding out would take too long.
func (a *Audit) suspects(v *view, patterns map[string]pattern, sets [][]carnet.PartyID) (out [][]carnet.PartyID, ok bool) {
	s, ok := a.spanOf(v, patterns, sets)
	if !ok {
		return nil, false
	}
	for _, set := range sets {
		if s.tells(set) {
			out = append(out, set)
		}
	}
	return out, true
}

// spanOf works the span out. ok is false if that, and looking at so many sets of owners,
// would take too long.
func (a *Audit) spanOf(v *view, patterns map[string]pattern, sets [][]carnet.PartyID) (s *span, ok bool) {
	n := len(v.columns)
	if v.work(len(patterns), sets) > maxWork {
		return nil, false
	}
	e := elimination{prime: a.prime, pivots: n}
	for _, key := range slices.Sorted(maps.Keys(patterns)) {
		e.add(v.row(patterns[key], a.prime))
	}
	e.reduce()
	pivot := slices.Repeat([]int{-1}, n)
	for i, c := range e.at {
		pivot[c] = i
	}
	return &span{v, a.prime, e.basis, pivot}, true
}

// work is how many multiplications a span and looking at sets take, or more than maxWork.
func (v *view) work(patterns int, sets [][]carnet.PartyID) int {
	n := len(v.columns)
	work := patterns * min(n, patterns) * n
	for _, set := range sets {
		inside := 0
		for i := range v.columns {
			if v.columns[i].role(set) != zero {
				inside++
			}
		}
		if work += n * (1 + inside*inside); work > maxWork {
			break
		}
	}
	return work
}

// thin leaves out patterns that are combinations of others, where there are many.
func (a *Audit) thin(l *linked) {
	l.patterns, l.whole = a.spanning(l, l.patterns), a.spanning(l, l.whole)
}

func (a *Audit) spanning(l *linked, patterns map[string]pattern) map[string]pattern {
	if len(patterns) <= maxPatterns {
		return patterns
	}
	v := l.view(false)
	e, kept := elimination{prime: a.prime, pivots: len(v.columns)}, map[string]pattern{}
	for _, key := range slices.Sorted(maps.Keys(patterns)) {
		rank := len(e.basis)
		if e.add(v.row(patterns[key], a.prime)); len(e.basis) > rank {
			kept[key] = patterns[key]
		}
	}
	return kept
}

// tells reports whether a combination of patterns is zero for all others than the owners in
// the set, and not zero where these are too few.
func (s *span) tells(set []carnet.PartyID) bool {
	var asked, others []int
	for i := range s.v.columns {
		switch s.v.columns[i].role(set) {
		case few:
			asked = append(asked, i)
		case free:
			others = append(others, i)
		}
	}
	// Solutions that differ in the few add as many dimensions as these have, less what they
	// add to the rank.
	return len(asked) > s.rank(slices.Concat(asked, others))-s.rank(others)
}

// rank is, in some columns, that of what is orthogonal to the basis: of one vector for each
// column without a pivot, which is 1 there and what makes up for it where pivots are.
func (s *span) rank(columns []int) int {
	e := elimination{prime: s.prime, pivots: len(columns)}
	for open, pivot := range s.pivot {
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
				row[i] = (s.prime - s.basis[at][open]) % s.prime
			case c == open:
				row[i] = 1
			}
		}
		e.add(row)
	}
	return len(e.basis)
}
