package overlap

import (
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// together judges what a plan adds to what is linked with it.
func (a *Audit) together(f *asked) error {
	l := f.merged()
	f.after = l
	needs := l.needs()
	if len(needs) == 0 {
		a.thin(l)
		return a.fit(l, f, nil, nil)
	}
	if f.diverse() {
		return notCompared("it makes too many different selections of owners and partitions")
	}
	sets, ok := subsets(l.owners(), needs)
	if !ok {
		return notCompared("too many owners are combined")
	}
	if !l.split && f.addsNoPattern() {
		return a.fit(l, f, sets, nil)
	}
	var open []question // that patterns do not answer
	for _, v := range l.views() {
		suspect, ok := a.suspects(v, l.patterns, sets)
		if !ok {
			return notCompared("too many different selections of too many files were asked for")
		}
		if len(suspect) > 0 {
			open = append(open, question{v: v, sets: suspect})
		}
	}
	l.split = len(open) > 0
	a.thin(l)
	if err := a.fit(l, f, sets, open); err != nil || !l.split {
		return err
	}
	for i := range open {
		if err := a.fewByNumbers(&open[i], l); err != nil {
			return err
		}
	}
	return nil
}

// addsNoPattern reports whether the places were linked with each other before, and their
// selections of files asked for, so that what was found out about them still holds.
func (f *asked) addsNoPattern() bool {
	l := f.places[0].table.linked
	for _, x := range f.places {
		if x.table.linked != l {
			return false
		}
	}
	for k := range f.patterns {
		if _, known := l.patterns[k]; !known {
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
