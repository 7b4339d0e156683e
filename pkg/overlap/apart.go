package overlap

import (
	"maps"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/cells"
)

// maxMeeting bounds what is done to find out which numbers have cells in common. Where it is
// too little, all have.
const maxMeeting = 1 << 22

// gathered are numbers with their functions in one space for each schema.
func gathered(numbers []number, spaces map[carnet.Hash]*cells.Space) []number {
	done := map[*cells.Space]map[cells.Weight]cells.Weight{}
	out := slices.Clone(numbers)
	for i := range out {
		if !slices.ContainsFunc(out[i].parts, func(x counted) bool { return x.Space != spaces[x.Space.Hash] }) {
			continue
		}
		out[i].parts = slices.Clone(out[i].parts)
		for j := range out[i].parts {
			x := &out[i].parts[j]
			to := spaces[x.Space.Hash]
			if to == nil {
				to = cells.NewSpace(x.Space.Schema, x.Space.Hash)
				to.Unbounded()
				spaces[x.Space.Hash] = to
			}
			if x.Space == to {
				continue
			}
			if done[x.Space] == nil {
				done[x.Space] = map[cells.Weight]cells.Weight{}
			}
			x.Space, x.Weight = to, to.Import(x.Space.Weights, x.Weight, done[x.Space])
		}
	}
	return out
}

// coordinate is what functions are compared in.
type coordinate struct {
	space    *cells.Space
	quantity string
}

// divide divides gathered numbers into sets that have no cell of a quantity in common. A
// combination that is about few owners is the sum of one in each set, and one of these is not zero, so
// each set can be looked at by itself: the groups of a GROUP BY are many small questions
// instead of a large one.
func (q *question) divide(numbers []number) {
	q.of, q.first = [][]number{numbers}, map[*cells.Space][]int{}
	functions := map[coordinate]map[cells.Weight]int{} // and a number that has each
	counts := map[*cells.Space][]cells.Weight{}        // functions of counts
	spaces := map[*cells.Space]bool{}
	sets := newSets(len(numbers))
	for i, n := range numbers {
		for j := range n.parts {
			x := &n.parts[j]
			spaces[x.Space] = true
			c := coordinate{x.Space, x.Quantity}
			if x.Quantity == "" {
				counts[x.Space] = append(counts[x.Space], x.Weight)
			}
			if q.v.same {
				c.quantity = "" // other columns can say the same of rows
			}
			if functions[c] == nil {
				functions[c] = map[cells.Weight]int{}
			}
			if first, ok := functions[c][x.Weight]; ok {
				sets.link(first, i)
			} else {
				functions[c][x.Weight] = i
			}
		}
	}
	if q.v.same && len(spaces) > 1 {
		return // of several schemas: their cells are not compared here
	}
	// A count is known but for one cell of it, whichever that is: best one that no number
	// counts, else those that do become numbers of all other cells.
	for s, list := range counts {
		slices.Sort(list)
		if codes, ok := s.Uncovered(slices.Compact(list), maxMeeting); ok {
			q.first[s] = codes
		}
	}
	for i, n := range numbers {
		for j := range n.parts {
			if x := &n.parts[j]; q.public(x) != 0 {
				for _, other := range functions[coordinate{x.Space, ""}] {
					sets.link(i, other)
				}
			}
		}
	}
	for c, of := range functions {
		list := slices.Sorted(maps.Keys(of))
		groups, ok := c.space.Meeting(list, maxMeeting)
		if !ok {
			return
		}
		for i, g := range groups {
			sets.link(of[list[i]], of[list[g]])
		}
	}
	by := map[int][]number{}
	for i, n := range numbers {
		r := sets.root(i)
		by[r] = append(by[r], n)
	}
	q.of = nil
	for _, r := range slices.Sorted(maps.Keys(by)) {
		q.of = append(q.of, by[r])
	}
}

// public is what a count has of all rows of its file, whose number is public: as much as of
// one of its cells, which is the same one for all numbers.
func (q *question) public(x *counted) int64 {
	if x.Quantity != "" || x.Place[1] != (carnet.Nonce{}) {
		return 0
	}
	codes := q.first[x.Space]
	if codes == nil {
		codes = make([]int, len(x.Space.Schema.Dimensions))
	}
	return x.Space.Of(x.Weight, codes)
}

// sets are disjoint sets of numbers.
type sets []int

func newSets(n int) sets {
	s := make(sets, n)
	for i := range s {
		s[i] = i
	}
	return s
}

func (s sets) root(i int) int {
	for s[i] != i {
		s[i] = s[s[i]]
		i = s[i]
	}
	return i
}

func (s sets) link(a, b int) {
	a, b = s.root(a), s.root(b)
	s[max(a, b)] = min(a, b)
}
