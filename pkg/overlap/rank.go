package overlap

import (
	"math/big"
	"math/bits"
	"math/rand/v2"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/cells"
)

// drawPrime draws a prime of 62 bits.
func drawPrime(r *rand.ChaCha8) uint64 {
	for {
		n := r.Uint64()>>2 | 1<<61 | 1
		if new(big.Int).SetUint64(n).ProbablyPrime(32) {
			return n
		}
	}
}

// together judges what a plan adds to what is linked with it.
func (a *Audit) together(f *asked) error {
	l := f.merged()
	f.after = l
	needs := map[int]bool{}
	for _, x := range l.places {
		if x.need > 1 {
			needs[x.need] = true
		}
	}
	if len(needs) == 0 {
		return nil
	}
	if l.diverse {
		return notCompared("too many different selections of owners and partitions were asked for")
	}
	if !l.split && f.addsNoPattern() {
		return nil
	}
	sets, ok := subsets(l.owners(), needs)
	if !ok {
		return notCompared("too many owners are combined")
	}
	patterns, ok := a.spanOf(l, sets)
	if !ok {
		return notCompared("too many different selections of too many files were asked for")
	}
	suspect := sets[:0:0]
	for _, s := range sets {
		if patterns.tells(s) {
			suspect = append(suspect, s)
		}
	}
	if len(suspect) == 0 {
		return nil
	}
	l.split = true
	if !l.many {
		return a.fewByNumbers(l.places, l.numbers, suspect)
	}
	// Some of them can still show that it is so, but not that it is not.
	old := l.numbers[:min(f.before, someNumbers)]
	some := append(old[:len(old):len(old)], f.numbers[:min(len(f.numbers), someNumbers)]...)
	if err := a.fewByNumbers(l.places, some, suspect); err != nil {
		return err
	}
	return notCompared("too many numbers were released")
}

// addsNoPattern reports whether the places were linked with each other before, and their
// selections of files asked for, so that what was found out about them still holds.
func (f *asked) addsNoPattern() bool {
	for _, x := range f.places {
		if x.linked != f.places[0].linked {
			return false
		}
	}
	for k := range f.patterns {
		if _, known := f.places[0].linked.patterns[k]; !known {
			return false
		}
	}
	return true
}

// subsets lists the sets of owners that are one smaller than some terms demand: what holds
// for them holds for smaller ones. ok is false if there are too many.
func subsets(owners []carnet.PartyID, needs map[int]bool) (sets [][]carnet.PartyID, ok bool) {
	for need := range needs {
		size := min(need-1, len(owners))
		ok := true
		var pick func(from int, chosen []carnet.PartyID)
		pick = func(from int, chosen []carnet.PartyID) {
			if len(chosen) == size {
				sets = append(sets, slices.Clone(chosen))
				ok = len(sets) <= maxSets
				return
			}
			for i := from; ok && i <= len(owners)-(size-len(chosen)); i++ {
				pick(i+1, append(chosen, owners[i]))
			}
		}
		if pick(0, nil); !ok {
			return nil, false
		}
	}
	return sets, true
}

// among reports whether all owners of the place are in the set.
func (x *place) among(set []carnet.PartyID) bool {
	return !slices.ContainsFunc(x.owners, func(o carnet.PartyID) bool { return !slices.Contains(set, o) })
}

// fewByNumbers is an error if a combination of numbers, cell by cell, is about owners of
// one of the sets only, and not zero where that is too few of them. How many rows a file
// has is public, so a number counts for nothing as far as it is a multiple of that.
func (a *Audit) fewByNumbers(places []*place, numbers []number, sets [][]carnet.PartyID) error {
	type group struct {
		owners []carnet.PartyID
		need   int
	}
	var groups []group
	of := map[*place]int{}
	for _, x := range places {
		g := group{x.owners, x.need}
		i := slices.IndexFunc(groups, func(o group) bool { return names(o.owners) == names(g.owners) && o.need == g.need })
		if i < 0 {
			i = len(groups)
			groups = append(groups, g)
		}
		of[x] = i
	}
	points := len(numbers) + 1 // as many as the rank can be, and one to tell what is left from zero
	if work(numbers, points, len(sets)) > maxWork {
		return notCompared("too many numbers of too many owners were released")
	}
	values := make([][][]uint64, len(numbers)) // per number and group: at each point
	for i := range values {
		values[i] = make([][]uint64, len(groups))
		for g := range groups {
			values[i][g] = make([]uint64, points)
		}
	}
	type factor struct {
		place    *place
		quantity string
	}
	for k := range points {
		at := map[*cells.Space]*cells.Eval{}
		factors := map[factor]uint64{}
		for i, n := range numbers {
			for _, x := range n {
				e := at[x.Space]
				if e == nil {
					e = x.Space.Eval(a.prime, a.random.Uint64)
					at[x.Space] = e
				}
				c, ok := factors[factor{x.place, x.Quantity}]
				if !ok {
					c = a.random.Uint64() % a.prime
					factors[factor{x.place, x.Quantity}] = c
				}
				v := e.Of(x.Weight)
				if x.Quantity == "" && x.Place[1] == (carnet.Nonce{}) {
					first := x.Space.Of(x.Weight, make([]int, len(x.Space.Schema.Dimensions)))
					all := product(modulo(first, a.prime), e.Of(x.Space.Constant(1)), a.prime)
					v = (v + a.prime - all) % a.prime
				}
				to := values[i][of[x.place]]
				to[k] = (to[k] + product(c, v, a.prime)) % a.prime
			}
		}
	}
	for _, set := range sets {
		e := elimination{prime: a.prime, pivots: points - 1}
		for i := range numbers {
			row := make([]uint64, points)
			for g := range groups {
				switch x := (&place{owners: groups[g].owners}); {
				case !x.among(set):
					for k := range points - 1 {
						row[k] = (row[k] + values[i][g][k]) % a.prime
					}
				case groups[g].need > len(set):
					row[points-1] = (row[points-1] + values[i][g][points-1]) % a.prime
				}
			}
			if e.add(row) {
				return overlaps(demanding(places, set))
			}
		}
	}
	return nil
}

// work is how many multiplications comparing numbers takes: at so many points, for so many
// sets of owners. It depends on what was asked alone, so that all judges agree.
func work(numbers []number, points, sets int) int {
	sum, weights := len(numbers)*len(numbers)/2*points*sets, map[*cells.Space][]cells.Weight{}
	for _, n := range numbers {
		sum += points * len(n)
		for _, x := range n {
			weights[x.Space] = append(weights[x.Space], x.Weight)
		}
	}
	for space, list := range weights {
		for d := range space.Schema.Dimensions {
			sum += points * space.Schema.Dimensions[d].Cardinality()
		}
		sum += points * space.Runs(list)
	}
	return sum
}

// demanding is a place of the set's owners whose terms demand more of them.
func demanding(places []*place, set []carnet.PartyID) *place {
	at := slices.IndexFunc(places, func(x *place) bool { return x.among(set) && x.need > len(set) })
	return places[max(0, at)]
}

// elimination brings rows into echelon form, in the order in which they come.
type elimination struct {
	prime  uint64
	pivots int // columns that are eliminated; what is beyond is left
	basis  [][]uint64
	at     []int // column of the pivot of each
}

// add reports whether the row, less a combination of those before, is zero in the first
// columns and not zero in those beyond.
func (e *elimination) add(row []uint64) bool {
	for i, b := range e.basis {
		e.less(row, b, e.at[i])
	}
	first := slices.IndexFunc(row, func(v uint64) bool { return v != 0 })
	if first < 0 {
		return false
	}
	if first >= e.pivots {
		return true
	}
	inverse := new(big.Int).ModInverse(new(big.Int).SetUint64(row[first]), new(big.Int).SetUint64(e.prime)).Uint64()
	for k := range row {
		row[k] = product(row[k], inverse, e.prime)
	}
	e.basis, e.at = append(e.basis, row), append(e.at, first)
	return false
}

// less takes from a row what makes it zero in the column of a basis row's pivot.
func (e *elimination) less(row, b []uint64, at int) {
	c := row[at]
	if c == 0 {
		return
	}
	for k := range row {
		if b[k] != 0 {
			row[k] = (row[k] + e.prime - product(c, b[k], e.prime)) % e.prime
		}
	}
}

// product is modulo the prime, as are its factors.
func product(a, b, prime uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	_, r := bits.Div64(hi, lo, prime)
	return r
}

// modulo is v modulo the prime.
func modulo(v int64, prime uint64) uint64 {
	if v < 0 {
		return (prime - uint64(-v)%prime) % prime
	}
	return uint64(v) % prime
}
