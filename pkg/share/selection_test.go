package share

import (
	"bytes"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
)

// asked is one request with a selection, and what everybody computes for it.
type asked struct {
	s       *system
	sel     *Selection
	seeds   SelectionSeeds
	request carnet.Hash // stands for the hash of the logged request
	fs      []*functional.Functional
	id      carnet.Hash
	bound   *big.Int
	k       int
	codes   []int
}

// ask shares a selection of codes among functionals.
func (s *system) ask(label string, fs []*functional.Functional, codes ...int) *asked {
	id := carnet.Digest("test", []byte(label))
	sel, seeds, err := NewSelection(s.c, id, len(fs), codes, stream(label))
	require.NoError(s.t, err)
	return s.asked(sel, seeds, fs, codes...)
}

func (s *system) asked(sel *Selection, seeds SelectionSeeds, fs []*functional.Functional, codes ...int) *asked {
	a := &asked{s: s, sel: sel, seeds: seeds, fs: fs, codes: codes}
	h := sel.Hash()
	a.request = carnet.Digest("request", h[:])
	var bounds []*big.Int
	var hd [][]carnet.Hash
	for _, f := range fs {
		bounds = append(bounds, NoiseBound(s.p, f.Degree, Terms(f)))
		hd = append(hd, s.contents(f))
	}
	a.bound = SelectionBound(sel.Weight, bounds)
	var err error
	a.k, _, err = FloodBits(s.p, s.c, 0, a.bound)
	require.NoError(s.t, err)
	a.id = SelectionID(s.p, fs, a.k, nil, hd, h)
	return a
}

// responder is keyholder i's, from the bytes it was sent.
func (a *asked) responder(i int) ([]*KeyShare, *SelectedResponder) {
	ks, _ := a.s.keyholder(i)
	view := must(NewSelectionView(a.s.r, a.s.c, a.sel, must(ParseBundle(a.seeds.Bundle(a.s.c, i).Append(nil)))))
	return ks, must(NewSelectedResponder(a.s.r, a.s.c, view, ks))
}

// values are keyholder i's shares of the functionals, which never leave it alone.
func (a *asked) values(ks []*KeyShare) (out []he.Scalar) {
	for _, f := range a.fs {
		out = append(out, a.s.value(ks, f))
	}
	return out
}

func (a *asked) checks() (out []CheckAnswer) {
	for i := 1; i <= a.s.c.N; i++ {
		_, rs := a.responder(i)
		out = append(out, CheckAnswer{i, rs.Check(a.request)})
	}
	return out
}

func (a *asked) answers() (out []Answer) {
	for i := 1; i <= a.s.c.N; i++ {
		ks, rs := a.responder(i)
		out = append(out, Answer{i, rs.Respond(a.id, a.fs[0].Degree, a.k, nil, a.values(ks))})
	}
	return out
}

// open combines answers and adds what the buyer knows of the public values.
func (a *asked) open(answers []Answer) (value uint64, quotient *big.Int) {
	var numbers []int
	var values [][]he.Scalar
	for _, x := range answers {
		numbers, values = append(numbers, x.Number), append(values, []he.Scalar{x.Value})
	}
	sums, liars, _, _, err := CombineSelected(a.s.r, a.s.c, numbers, values)
	require.NoError(a.s.t, err)
	require.Empty(a.s.t, liars)
	var public []he.Scalar
	for _, f := range a.fs {
		public = append(public, a.s.z(f))
	}
	return a.s.r.Decode(a.s.r.ScalarAdd(sums[0], SelectedPublic(a.s.r, a.codes, public)), a.fs[0].Degree)
}

// plainSum is what the selection selects.
func (a *asked) plainSum() (sum uint64) {
	for _, g := range a.codes {
		sum = (sum + a.s.plain(a.fs[g])) % a.s.p.T()
	}
	return sum
}

// choices are functionals to choose from: columns, cells, or products of columns.
func (s *system) choices(degree int) (fs []*functional.Functional) {
	switch {
	case degree == 2:
		return []*functional.Functional{s.product([]uint32{0}, []uint32{1}), s.product([]uint32{0}, []uint32{2}), s.product([]uint32{1}, []uint32{2})}
	case s.p == smallCube:
		for g := range uint32(9) {
			fs = append(fs, s.linear(1, g, 40+g, 64+g))
		}
		return fs
	}
	for column := range uint32(testColumns) {
		fs = append(fs, s.linear(column))
	}
	return fs
}

// selecting are committees that can check selections, with how many scalars must agree.
var selecting = []struct{ n, t, least int }{{1, 1, 0}, {5, 2, 0}, {4, 2, 0}, {8, 3, 0}, {7, 3, 0}, {12, 2, 0}, {5, 3, 5}}

// TestSelection checks, for one owner and unions, both encodings, both degrees and
// several weights, that any scalars enough for the check pass it, and that any 2t-1
// answers open to the plain sum of what is selected, with noise within the certificate.
func TestSelection(t *testing.T) {
	for _, x := range selecting {
		for _, owners := range [][]int{{0}, {0, 0, 0}} {
			t.Run(fmt.Sprintf("%d of %d, %d owners", x.t, x.n, len(owners)), func(t *testing.T) {
				least, err := Committee{x.n, x.t}.AllowsSelections(x.least)
				require.NoError(t, err)
				records, cube := newSystem(t, smallRecords, x.n, x.t, owners...), newSystem(t, smallCube, x.n, x.t, owners...)
				checkSelection(t, records.ask("linear", records.choices(1), 1), least)
				checkSelection(t, records.ask("product", records.choices(2), 0, 2), least)
				checkSelection(t, cube.ask("cells", cube.choices(1), 8), least)
				checkSelection(t, cube.ask("more", cube.choices(1), 5, 0, 3, 1), least)
			})
		}
	}
}

func checkSelection(t *testing.T, a *asked, least int) {
	rng, c := rand.New(stream("subsets")), a.s.c
	checks, answers := a.checks(), a.answers()
	shuffle := func(n int) []int { return rng.Perm(n) }
	for m := least; m <= c.N; m++ {
		var some []CheckAnswer
		for _, i := range shuffle(c.N)[:m] {
			some = append(some, checks[i])
		}
		require.NoError(t, VerifySelection(a.s.r, c, least, some))
	}
	worst := new(big.Int).Lsh(big.NewInt(int64(c.Parts())), uint(a.k))
	worst.Add(worst, a.bound).Add(worst, big.NewInt(int64(c.Parts()+1)))
	for m := 2*c.T - 1; m <= c.N; m++ {
		var some []Answer
		for _, i := range shuffle(c.N)[:m] {
			some = append(some, answers[i])
		}
		got, quotient := a.open(some)
		require.Equal(t, a.plainSum(), got)
		require.LessOrEqual(t, quotient.Cmp(worst), 0)
	}
	require.Equal(t, answers, a.answers(), "the same request has the same answers")
	require.Equal(t, checks, a.checks())
}

// askAtMost is ask with spare entries.
func (s *system) askAtMost(label string, most int, fs []*functional.Functional, codes ...int) *asked {
	sel, seeds, err := NewBoundedSelection(s.c, carnet.Digest("test", []byte(label)), len(fs), most, codes, stream(label))
	require.NoError(s.t, err)
	require.Equal(s.t, len(fs), sel.Choices())
	require.Equal(s.t, most, sel.Weight)
	got, err := sel.Codes(s.c, seeds)
	require.NoError(s.t, err)
	require.ElementsMatch(s.t, codes, got)
	return s.asked(sel, seeds, fs, codes...)
}

// TestBoundedSelection: with spare entries, the check passes and the answer opens for
// every number of codes up to the bound, none included.
func TestBoundedSelection(t *testing.T) {
	records, cube := newSystem(t, smallRecords, 5, 2, 0, 0), newSystem(t, smallCube, 7, 3, 0)
	for most := 1; most <= 3; most++ {
		for count := range most + 1 {
			label := fmt.Sprint(count, " of at most ", most)
			checkSelection(t, cube.askAtMost("cells "+label, most, cube.choices(1), []int{7, 0, 3}[:count]...), 7)
			checkSelection(t, records.askAtMost("products "+label, most, records.choices(2), []int{2, 0, 1}[:count]...), 4)
		}
	}
	for _, codes := range [][]int{{0, 1, 2}, {9}, {-1}, {1, 1}} {
		_, _, err := NewBoundedSelection(cube.c, carnet.Hash{1}, 9, 2, codes, stream("x"))
		requireReason(t, "BAD_SELECTION", err)
	}
	exact, _, err := NewSelection(cube.c, carnet.Hash{1}, 5, []int{1}, stream("x"))
	require.NoError(t, err)
	bounded := *exact
	bounded.Spare = 2
	require.NotEqual(t, exact.Hash(), bounded.Hash(), "how many entries stand for codes is in every functional id")
}

// TestSelectionRealProfile does it once with parameters in use and many codes.
func TestSelectionRealProfile(t *testing.T) {
	s := newSystem(t, must(he.Lookup("cube")), 5, 2, 0)
	var fs []*functional.Functional
	for g := range uint32(6) {
		fs = append(fs, s.linear(1, 7*g, 16384+g))
	}
	checkSelection(t, s.ask("real", fs, 2, 5), 4)
}

// TestSelectedLiars: 3t-2 answers detect t-1 liars, 4t-3 correct and name them.
func TestSelectedLiars(t *testing.T) {
	s := newSystem(t, smallRecords, 9, 3, 0)
	a := s.ask("liars", s.choices(1), 1)
	answers := a.answers()
	answers[2], answers[5] = shift(s.r, answers[2], 5), shift(s.r, answers[5], 9)
	combine := func(m int) ([]int, error) {
		var numbers []int
		var values [][]he.Scalar
		for _, x := range answers[:m] {
			numbers, values = append(numbers, x.Number), append(values, []he.Scalar{x.Value})
		}
		_, liars, detected, corrected, err := CombineSelected(s.r, s.c, numbers, values)
		d, e := s.c.SelectedGuarantees(m)
		require.Equal(t, []int{d, e}, []int{detected, corrected})
		return liars, err
	}
	_, err := combine(4)
	requireReason(t, "TOO_FEW_ANSWERS", err)
	_, err = combine(7)
	requireReason(t, "INCONSISTENT_ANSWERS", err)
	liars, err := combine(9)
	require.NoError(t, err)
	require.Equal(t, []int{3, 6}, liars)
	for m, want := range map[int][2]int{4: {0, 0}, 5: {0, 0}, 6: {1, 0}, 7: {2, 0}, 8: {2, 1}, 9: {2, 2}} {
		d, e := s.c.SelectedGuarantees(m)
		require.Equal(t, want, [2]int{d, e}, m)
	}
}

func TestSelectionRefusals(t *testing.T) {
	c := must(NewCommittee(5, 2))
	id := carnet.Hash{1}
	for name, f := range map[string]func() error{
		"no request":   func() error { _, _, err := NewSelection(c, carnet.Hash{}, 3, []int{0}, stream("x")); return err },
		"no codes":     func() error { _, _, err := NewSelection(c, id, 0, nil, stream("x")); return err },
		"too many":     func() error { _, _, err := NewSelection(c, id, MaxChoices+1, []int{0}, stream("x")); return err },
		"none":         func() error { _, _, err := NewSelection(c, id, 3, nil, stream("x")); return err },
		"out of range": func() error { _, _, err := NewSelection(c, id, 3, []int{3}, stream("x")); return err },
		"negative":     func() error { _, _, err := NewSelection(c, id, 3, []int{-1}, stream("x")); return err },
		"twice":        func() error { _, _, err := NewSelection(c, id, 3, []int{2, 2}, stream("x")); return err },
	} {
		require.Equal(t, "BAD_SELECTION", carnet.ReasonOf(f()), name)
	}
	_, _, err := NewSelection(c, id, 3, []int{1}, bytes.NewReader(make([]byte, 100)))
	require.ErrorContains(t, err, "draw a part seed")

	good, seeds, err := NewSelection(c, id, 3, []int{1}, stream("x"))
	require.NoError(t, err)
	for name, change := range map[string]func(*Selection){
		"no request":             func(s *Selection) { s.Request = carnet.Hash{} },
		"short":                  func(s *Selection) { s.Deltas = s.Deltas[1:] },
		"no weight":              func(s *Selection) { s.Weight = 0 },
		"weight":                 func(s *Selection) { s.Weight = 4 },
		"too few commitments":    func(s *Selection) { s.Commitments = s.Commitments[1:] },
		"no differences":         func(s *Selection) { s.Deltas = nil },
		"too many differences":   func(s *Selection) { s.Deltas = make([]byte, DeltaBytes*(MaxChoices+1)) },
		"commitments of a 5 / 3": func(s *Selection) { s.Commitments = make([]carnet.Hash, 10) },
	} {
		bad := *good
		change(&bad)
		requireReason(t, "BAD_SELECTION", bad.Validate(c))
		require.NotEqual(t, good.Hash(), bad.Hash(), name)
		_, err := NewSelectionView(he.NewRing(smallCube), c, &bad, seeds.Bundle(c, 1))
		requireReason(t, "BAD_SELECTION", err)
	}
	weak := must(he.NewProfile(he.Literal{Name: "weak", LogN: 6, Limbs: 2, LimbBits: 40, TBits: 20, MaxDegree: 1, Encoding: he.Coefficients}))
	_, err = NewSelectionView(he.NewRing(weak), c, good, seeds.Bundle(c, 1))
	requireReason(t, "PRIVATE_PROFILE", err)

	// A home part is in no codeword.
	s := newSystem(t, smallRecords, 5, 2, 2)
	view := must(NewSelectionView(s.r, s.c, good, seeds.Bundle(c, 2)))
	ks, _ := s.keyholder(2)
	_, err = NewSelectedResponder(s.r, s.c, view, ks)
	requireReason(t, "PRIVATE_HOME", err)

	s = newSystem(t, smallRecords, 5, 2, 0)
	one, _ := s.keyholder(1)
	_, err = NewSelectedResponder(s.r, s.c, view, one)
	requireReason(t, "BAD_KEY_SHARES", err)
	_, err = NewSelectedResponder(s.r, s.c, view, nil)
	requireReason(t, "BAD_KEY_SHARES", err)
	cubeView := must(NewSelectionView(he.NewRing(smallCube), c, good, seeds.Bundle(c, 1)))
	_, err = NewSelectedResponder(s.r, s.c, cubeView, one)
	requireReason(t, "BAD_KEY_SHARES", err)
	_, rs := s.ask("panics", s.choices(1), 1).responder(1)
	require.Panics(t, func() { rs.Respond(carnet.Hash{}, 0, 10, nil, make([]he.Scalar, testColumns)) })
	require.Panics(t, func() { rs.Respond(carnet.Hash{}, 1, 0, nil, make([]he.Scalar, testColumns)) })
	require.Panics(t, func() { rs.Respond(carnet.Hash{}, 1, 10, nil, make([]he.Scalar, 2)) })
	rs.view.Zero()
	require.Equal(t, make([]he.Scalar, testColumns), rs.view.w)
	require.Empty(t, rs.view.kappas)
	require.Equal(t, 1, rs.view.Number())
}

func TestAllowsSelections(t *testing.T) {
	for _, x := range []struct {
		n, t, accepted, least int
		reason                string
	}{
		{1, 1, 0, 1, ""}, {5, 2, 0, 4, ""}, {4, 2, 0, 4, ""}, {8, 3, 0, 7, ""}, {7, 3, 0, 7, ""},
		{5, 3, 0, 0, "PRIVATE_COMMITTEE"}, {3, 2, 0, 0, "PRIVATE_COMMITTEE"}, {4, 3, 0, 0, "PRIVATE_COMMITTEE"},
		{5, 3, 5, 5, ""}, {3, 2, 3, 3, ""}, {6, 3, 5, 5, ""}, {5, 2, 3, 3, ""}, {5, 2, 5, 5, ""},
		{5, 3, 4, 0, "BAD_COMMITTEE"}, {5, 3, 6, 0, "BAD_COMMITTEE"}, {4, 3, 5, 0, "BAD_COMMITTEE"}, {5, 2, -1, 0, "BAD_COMMITTEE"},
	} {
		least, err := Committee{x.n, x.t}.AllowsSelections(x.accepted)
		require.Equal(t, x.least, least, x)
		require.Equal(t, x.reason, carnet.ReasonOf(err), x)
	}
}

// TestSelectionHash: H_w depends on every part of the sharing, and with it F.
func TestSelectionID(t *testing.T) {
	s := newSystem(t, smallRecords, 5, 2, 0, 0)
	a := s.ask("id", s.choices(1), 1)
	ids := map[carnet.Hash]bool{a.id: true}
	fresh := func(id carnet.Hash) {
		t.Helper()
		require.False(t, ids[id])
		ids[id] = true
	}
	var hd [][]carnet.Hash
	for _, f := range a.fs {
		hd = append(hd, s.contents(f))
	}
	fresh(SelectionID(s.p, a.fs, a.k+1, nil, hd, a.sel.Hash()))
	fresh(SelectionID(s.p, a.fs, a.k, nil, hd, carnet.Hash{1}))
	fresh(SelectionID(s.p, a.fs[:2], a.k, nil, hd[:2], a.sel.Hash()))
	fs, swapped := slices.Clone(a.fs), slices.Clone(hd)
	fs[0], fs[1], swapped[0], swapped[1] = fs[1], fs[0], swapped[1], swapped[0]
	fresh(SelectionID(s.p, fs, a.k, nil, swapped, a.sel.Hash()))
	fresh(FunctionalID(s.p, a.fs[0], a.k, nil, hd[0]))
	for i := range hd {
		for key := range hd[i] {
			other := slices.Clone(hd[i])
			other[key][0] ^= 1
			changed := slices.Clone(hd)
			changed[i] = other
			fresh(SelectionID(s.p, a.fs, a.k, nil, changed, a.sel.Hash()))
		}
	}
	for _, f := range []func(){
		func() { SelectionID(s.p, nil, a.k, nil, nil, a.sel.Hash()) },
		func() { SelectionID(s.p, a.fs, a.k, nil, hd, carnet.Hash{}) },
		func() { SelectionID(s.p, a.fs, a.k, nil, hd[:2], a.sel.Hash()) },
		func() {
			SelectionID(s.p, []*functional.Functional{a.fs[0], s.choices(2)[0]}, a.k, nil, hd[:2], a.sel.Hash())
		},
		func() {
			SelectionID(s.p, []*functional.Functional{a.fs[0], {Degree: 1, Keys: a.fs[1].Keys[:1]}}, a.k, nil, hd[:2], a.sel.Hash())
		},
	} {
		require.Panics(t, f)
	}
}
