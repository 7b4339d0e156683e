package overlap

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/cells"
	"github.com/carnet-network/carnet/pkg/schema"
)

// many are places of so many owners with so many files each, and selections of three owners
// or more that a buyer drew. Every dataset demands three owners.
func many(owners, files, selections int, r *rand.Rand) *linked {
	l := &linked{patterns: map[string]pattern{}}
	for o := range owners {
		for range files {
			l.places = append(l.places, &place{name: fmt.Sprintf("%04d", len(l.places)), table: &table{}, owners: []carnet.PartyID{carnet.PartyID(fmt.Sprintf("o%02d", o))}, need: 3})
		}
	}
	for range selections {
		var p pattern
		for _, x := range l.places {
			if r.IntN(2) == 0 {
				p = append(p, entry{x, int64(1 + r.IntN(2))})
			}
		}
		if len(p) > 0 {
			l.patterns[p.key()] = p
		}
	}
	return l
}

func among(x *place, set []carnet.PartyID) bool {
	return !slices.ContainsFunc(x.owners, func(o carnet.PartyID) bool { return !slices.Contains(set, o) })
}

// plainly is span.tells by elimination for each set, as the question is put.
func plainly(a *Audit, l *linked, set []carnet.PartyID) bool {
	column := map[*place]int{}
	var few []*place
	for _, x := range l.places {
		switch {
		case !among(x, set):
			column[x] = len(column)
		case x.need > len(set):
			few = append(few, x)
		}
	}
	if len(few) == 0 {
		return false
	}
	pivots := len(column)
	for _, x := range few {
		column[x] = len(column)
	}
	e := elimination{prime: a.prime, pivots: pivots}
	for _, p := range l.patterns {
		row := make([]uint64, len(column))
		for _, x := range p {
			if c, ok := column[x.place]; ok {
				row[c] = cells.Modulo(x.value, a.prime)
			}
		}
		if e.add(row) {
			return true
		}
	}
	return false
}

// What a set of owners is told is the same by what is orthogonal to the patterns.
func TestSpan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewPCG(1, rapid.Uint64().Draw(t, "seed")))
		l := many(rapid.IntRange(2, 6).Draw(t, "owners"), rapid.IntRange(1, 3).Draw(t, "files"), rapid.IntRange(0, 12).Draw(t, "selections"), r)
		for _, x := range l.places {
			x.need = rapid.IntRange(1, 4).Draw(t, "need")
		}
		a := New([32]byte{1})
		sets, ok := subsets(l.owners(), map[int]bool{2: true, 3: true, 4: true})
		require.True(t, ok)
		s, ok := a.spanOf(l.view(false), l.patterns, sets)
		require.True(t, ok)
		for _, set := range sets {
			require.Equal(t, plainly(a, l, set), s.tells(set), "%v", set)
		}
	})
}

// A buyer who asks about many different selections of many owners' files holds nobody up:
// every query after them has a bound on what it takes, or is refused.
func TestManySelections(t *testing.T) {
	r, a := rand.New(rand.NewPCG(1, 2)), New([32]byte{1})
	l := many(40, 5, 160, r)
	sets, ok := subsets(l.owners(), map[int]bool{3: true})
	require.True(t, ok)
	s, ok := a.spanOf(l.view(false), l.patterns, sets)
	require.True(t, ok)
	for _, set := range sets { // elimination for each of them would be 8 billion multiplications
		require.False(t, s.tells(set))
	}
	l = many(40, 25, maxPatterns, r)
	_, ok = a.spanOf(l.view(false), l.patterns, sets)
	require.False(t, ok)
}

// Numbers whose selections are complex take longer to compare, and count as that.
func TestWorkOfComplexSelections(t *testing.T) {
	space := &cells.Space{Weights: cells.NewWeights([]int{100, 100}), Schema: &schema.Schema{}}
	r := rand.New(rand.NewPCG(1, 2))
	var numbers []number
	for range MaxNumbers {
		var list []uint32
		for c := range uint32(10_000) {
			if r.IntN(2) == 0 {
				list = append(list, c)
			}
		}
		numbers = append(numbers, number{parts: []counted{{Part: cells.Part{Space: space, Weight: space.Cells(list)}}}})
		if len(numbers)%64 == 0 && work(numbers, len(numbers)+1, 1, 0, 1) > maxWork {
			require.Less(t, len(numbers), MaxNumbers, "each has 5000 runs")
			return
		}
	}
	t.Fatal("numbers of 5000 runs are evaluated at as many points")
}

// Numbers that have no cell in common are compared apart, so that the groups of a query are no
// large question; what has cells in common is not torn apart.
func TestGroupsAreComparedApart(t *testing.T) {
	p, a := union(t, carnet.LayoutCube, everyone(2)), New([32]byte{1})
	require.Empty(t, admit(t, a, p, "SELECT month, mode, SUM(value) FROM trade WHERE month < 3 OR owner <> 'uz' AND month = 3 GROUP BY month, mode"))
	l := a.anyLinked()
	require.True(t, l.split)
	q := l.questions([]question{{v: l.view(false), sets: [][]carnet.PartyID{{"uz"}}}})
	require.Equal(t, 18, len(q[0].of), "3 months x 3 modes, each a sum and its count") //nolint:testifylint // Len prints all of it
	require.Empty(t, admit(t, a, p, "SELECT SUM(value) FROM trade WHERE month = 1"))
	l = a.anyLinked()
	q = l.questions([]question{{v: l.view(false), sets: [][]carnet.PartyID{{"uz"}}}})
	require.Equal(t, 14, len(q[0].of), "the first month's are linked") //nolint:testifylint // as above
	require.Equal(t, "OVERLAPS_RELEASED", admit(t, a, p, "SELECT SUM(value) FROM trade WHERE month = 3"))
	require.Equal(t, "OVERLAPS_RELEASED", admit(t, a, p, "SELECT SUM(value) FROM trade WHERE month < 3 AND owner <> 'uz'"))
}

// Where comparing takes more than there is time for, room is made as for too many numbers.
func TestWorkMakesRoom(t *testing.T) {
	p, a := union(t, carnet.LayoutCube, everyone(2)), New([32]byte{1})
	require.Empty(t, admit(t, a, p, "SELECT SUM(value) FROM trade WHERE month = 1 AND owner IN ('kz', 'kg')"))
	require.Empty(t, admit(t, a, p, "SELECT SUM(value) FROM trade WHERE month = 1 AND owner IN ('kg', 'uz')"))
	require.Empty(t, admit(t, a, p, "SELECT month, SUM(value) FROM trade GROUP BY month"))
	require.Empty(t, admit(t, a, p, "SELECT SUM(value) FROM trade WHERE month = 2 AND owner IN ('kz', 'uz')"))
	l := a.anyLinked()
	require.True(t, l.split)
	sets, _ := subsets(l.owners(), l.needs())
	open := []question{{v: l.view(false), sets: sets}}
	before := l.questions(open)[0].work(0)
	f := &asked{most: a.most, work: before - 1, room: maxRoom}
	require.True(t, l.crowded(f, open))

	// Making room is work, too: thousands of kinds are not tried one after the other.
	few := *l
	require.Equal(t, "OVERLAP_NOT_COMPARED", carnet.ReasonOf(a.fit(&few, &asked{most: a.most, work: before - 1, room: 100}, sets, open)))
	require.NoError(t, a.fit(l, f, sets, open))
	require.NotEmpty(t, l.whole)
	require.Less(t, open[0].work(0), before)
}
