package overlap

import (
	"cmp"
	"maps"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/cells"
)

// linked are tables that numbers link with each other, and what was released over them.
type linked struct {
	places   []*place
	patterns map[string]pattern
	numbers  []number
	// whole are patterns of which everything counts as released, whatever was: so numbers that
	// have no others need not be kept.
	whole   map[string]pattern
	split   bool                         // patterns alone do not show that nothing is told; numbers do
	spaces  map[carnet.Hash]*cells.Space // of the functions of the numbers, by schema
	dropped bool                         // of these some are not needed any more
}

// merged is what is linked once the plan is admitted.
func (f *asked) merged() *linked {
	out := &linked{patterns: map[string]pattern{}, whole: map[string]pattern{}, spaces: map[carnet.Hash]*cells.Space{}}
	seen := map[*linked]bool{}
	for _, x := range f.places {
		l := x.table.linked
		if seen[l] {
			continue
		}
		seen[l] = true
		out.places = append(out.places, l.places...)
		maps.Copy(out.patterns, l.patterns)
		maps.Copy(out.whole, l.whole)
		out.numbers = append(out.numbers, l.numbers...)
		out.split = out.split || l.split
		if len(seen) == 1 {
			out.spaces = l.spaces
		} else {
			out.dropped = true // those of several are put into new ones
		}
	}
	out.places = append(out.places, f.made...)
	maps.Copy(out.patterns, f.patterns)
	maps.Copy(out.whole, f.whole)
	for _, name := range slices.Sorted(maps.Keys(f.kinds)) {
		if k := f.kinds[name]; !out.covers(k.patterns) {
			out.numbers = append(out.numbers, k.numbers...)
		}
	}
	return out
}

// covers reports whether all of the patterns count as released for all that has them.
func (l *linked) covers(patterns map[string]pattern) bool {
	for key := range patterns {
		if _, ok := l.whole[key]; !ok {
			return false
		}
	}
	return true
}

// owners lists those of the places, ascending.
func (l *linked) owners() (out []carnet.PartyID) {
	for _, x := range l.places {
		out = append(out, x.owners...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// needs are the numbers of owners that some place demands.
func (l *linked) needs() map[int]bool {
	out := map[int]bool{}
	for _, x := range l.places {
		if x.need > 1 {
			out[x.need] = true
		}
	}
	return out
}

// wide reports whether the functions of the numbers take more room than there is. What was
// made of all functions is looked at first, since that is known.
func (l *linked) wide() bool {
	spaces, sum := map[*cells.Space]bool{}, 0
	for _, n := range l.numbers {
		for i := range n.parts {
			if s := n.parts[i].Space; !spaces[s] {
				spaces[s] = true
				sum += s.Used()
			}
		}
	}
	return sum > maxRuns && l.runs() > maxRuns
}

// runs is what the functions of the numbers take.
func (l *linked) runs() (sum int) {
	weights := map[*cells.Space][]cells.Weight{}
	for _, n := range l.numbers {
		for _, x := range n.parts {
			weights[x.Space] = append(weights[x.Space], x.Weight)
		}
	}
	for space, list := range weights {
		sum += space.Runs(list)
	}
	return sum
}

// tooMany reports whether there are more numbers than are kept. Every kind of the plan has to be
// here with all of its numbers.
func (l *linked) tooMany(f *asked) bool {
	if len(l.numbers) > f.most {
		return true
	}
	for _, k := range f.kinds {
		if k.count > len(k.numbers) && !l.covers(k.patterns) {
			return true
		}
	}
	return false
}

// crowded reports whether there are too many numbers, or more than can be compared for
// the open questions, which get the numbers that they are about.
func (l *linked) crowded(f *asked, open []question) bool {
	if l.tooMany(f) || l.wide() {
		return true
	}
	if len(open) == 0 {
		return false
	}
	work := 0
	for _, q := range l.questions(open) {
		work += q.work(len(l.whole))
	}
	return work > f.work
}

// fit makes room: of the kinds with the most numbers everything counts as released, as long
// as that by itself tells nothing. The order is the same for everybody, and so is what it may
// take.
func (a *Audit) fit(l *linked, f *asked, sets [][]carnet.PartyID, open []question) error {
	if !l.crowded(f, open) {
		return nil
	}
	count, patterns := map[string]int{}, map[string]map[string]pattern{}
	for _, n := range l.numbers {
		if count[n.kind]++; patterns[n.kind] == nil {
			patterns[n.kind] = map[string]pattern{}
			addPatterns(n.parts, patterns[n.kind])
		}
	}
	for name, k := range f.kinds {
		if count[name] > 0 {
			count[name] += k.count - len(k.numbers)
		}
	}
	kinds := slices.SortedFunc(maps.Keys(count), func(x, y string) int { return cmp.Or(count[y]-count[x], cmp.Compare(x, y)) })
	views, left := l.views(), f.room
	looked := len(l.numbers) // when it was found out last whether there is room
	for i, name := range kinds {
		whole := maps.Clone(l.whole)
		maps.Copy(whole, patterns[name])
		if left -= len(l.numbers) + len(whole); left < 0 {
			break
		}
		tells, ok := a.anyTold(views, whole, sets, &left)
		if !ok {
			break
		}
		if !tells {
			l.whole = whole
			kept := l.numbers[:0:0]
			for _, n := range l.numbers {
				if !l.covers(patterns[n.kind]) {
					kept = append(kept, n)
				}
			}
			l.numbers, l.dropped = kept, true
		}
		// To find out takes long, so a quarter of the numbers goes first.
		if l.tooMany(f) || len(l.numbers) == looked || len(l.numbers) > looked-looked/4 && i < len(kinds)-1 {
			continue
		}
		if looked = len(l.numbers); !l.crowded(f, open) {
			return nil
		}
	}
	return notCompared("too many numbers were released that differ in what they select of whom")
}

// anyTold reports whether everything that has these patterns tells about one of the sets. ok
// is false if finding out would take more than what is left, from which it is taken.
func (a *Audit) anyTold(views []*view, patterns map[string]pattern, sets [][]carnet.PartyID, left *int) (tells, ok bool) {
	if len(sets) == 0 {
		return false, true // nobody demands company
	}
	for _, v := range views {
		if *left -= v.work(len(patterns), sets); *left < 0 {
			return false, false
		}
		told, ok := a.suspects(v, patterns, sets)
		if !ok || len(told) > 0 {
			return len(told) > 0, ok
		}
	}
	return false, true
}
