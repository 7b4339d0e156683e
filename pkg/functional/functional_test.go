package functional

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
)

const n = 16

func nonce(b byte) carnet.Nonce { return carnet.Nonce{b} }

func linear(ts ...Linear) *Functional {
	return &Functional{Degree: 1, Keys: []KeyTerms{{Key: carnet.KeyID{1}, Linear: ts}}}
}

func product(ts ...Product) *Functional {
	return &Functional{Degree: 2, Keys: []KeyTerms{{Key: carnet.KeyID{1}, Products: ts}}}
}

func TestValidateAcceptsCanonicalDescriptions(t *testing.T) {
	for name, f := range map[string]*Functional{
		"slots":    linear(Linear{File: nonce(1), Column: 0, Blocks: 2}, Linear{File: nonce(1), Column: 1, Blocks: 2}),
		"cells":    linear(Linear{File: nonce(1), Column: 3, Blocks: 2, Cells: []uint32{0, 15, 16, 31}}),
		"products": product(Product{File: nonce(1), Blocks: 1, Factors: []Factor{Sum(1, 2), Sum(5)}}, Product{File: nonce(2), Blocks: 1, Factors: []Factor{Sum(1), Sum(5)}}),
		"signs":    product(Product{File: nonce(1), Blocks: 1, Factors: []Factor{{Plus: []uint32{1, 4}, Minus: []uint32{2}}, {Plus: []uint32{3}}}}),
		"four":     {Degree: 4, Keys: product(Product{File: nonce(1), Blocks: 1, Factors: []Factor{Sum(1), Sum(1), Sum(2), Sum(3)}}).Keys},
		"minus":    linear(Linear{File: nonce(1), Column: 0, Blocks: 2, Minus: true}),
		"square":   product(Product{File: nonce(1), Blocks: 1, Factors: []Factor{Sum(1), Sum(1)}}),
		"two keys": {Degree: 1, Keys: []KeyTerms{{Key: carnet.KeyID{1}, Linear: []Linear{{File: nonce(1), Blocks: 1}}}, {Key: carnet.KeyID{2}, Linear: []Linear{{File: nonce(2), Blocks: 1}}}}},
	} {
		require.NoError(t, f.Validate(n), name)
	}
}

// Hard rule: weights are 0 or 1 after collecting equal terms. A dataset listed
// twice has weight 2, and a count of 3 would pass for 6.
func TestAttackRepeatedTermsAreRefused(t *testing.T) {
	l := Linear{File: nonce(1), Column: 0, Blocks: 2, Cells: []uint32{4}}
	p := Product{File: nonce(1), Blocks: 1, Factors: []Factor{Sum(1), Sum(5)}}
	for name, f := range map[string]*Functional{
		"column twice":           linear(l, l),
		"cell twice":             linear(Linear{File: nonce(1), Blocks: 2, Cells: []uint32{4, 4}}),
		"key twice":              {Degree: 1, Keys: []KeyTerms{{Key: carnet.KeyID{1}, Linear: []Linear{l}}, {Key: carnet.KeyID{1}, Linear: []Linear{l}}}},
		"product twice":          product(p, p),
		"pair in two products":   product(p, Product{File: nonce(1), Blocks: 1, Factors: []Factor{Sum(1, 2), Sum(5)}}),
		"pair mirrored":          product(p, Product{File: nonce(1), Blocks: 1, Factors: []Factor{Sum(5), Sum(1)}}),
		"pair twice within one":  product(Product{File: nonce(1), Blocks: 1, Factors: []Factor{Sum(1, 2), Sum(1, 2)}}),
		"column twice in factor": product(Product{File: nonce(1), Blocks: 1, Factors: []Factor{Sum(1, 1), Sum(5)}}),
	} {
		require.Equal(t, "BAD_FUNCTIONAL", carnet.ReasonOf(f.Validate(n)), name)
	}
}

// Two dimensions with all their codes are a hundred million pairs: checking must not
// list them, or one query would take the memory of everybody who compiles it.
func TestAttackWideFactorsAreCheckedCheaply(t *testing.T) {
	columns := func(from, to uint32) (out []uint32) {
		for c := from; c < to; c++ {
			out = append(out, c)
		}
		return out
	}
	f := product(
		Product{File: nonce(1), Blocks: 1, Factors: []Factor{{Plus: columns(0, 5000)}, {Plus: columns(10000, 20000)}}},
		Product{File: nonce(1), Blocks: 1, Factors: []Factor{{Plus: columns(5000, 10000)}, {Plus: columns(10000, 20000)}}})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	require.NoError(t, f.Validate(n))
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(32<<20))
	f.Keys[0].Products[1].Factors[0].Plus[0] = 4999
	require.Equal(t, "BAD_FUNCTIONAL", carnet.ReasonOf(f.Validate(n)))
}

// The check agrees with counting the products of columns one by one.
func TestRepeatedProductsAreFoundLikeByCounting(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	// factors deals some of eight columns out, or makes a power of one column.
	factors := func(degree int) []Factor {
		fs := make([]Factor, degree)
		columns := rng.Perm(8)
		if rng.IntN(6) == 0 {
			for i := range fs {
				fs[i] = Sum(uint32(columns[0]))
			}
			return fs
		}
		for i, c := range columns[:degree+rng.IntN(9-degree)] {
			at := &fs[i%degree]
			if rng.IntN(3) == 0 {
				at.Minus = append(at.Minus, uint32(c))
			} else {
				at.Plus = append(at.Plus, uint32(c))
			}
		}
		return fs
	}
	refused := 0
	for range 6000 {
		degree := 2 + rng.IntN(3)
		f := &Functional{Degree: degree, Keys: []KeyTerms{{Key: carnet.KeyID{1}}}}
		for range 1 + rng.IntN(3) {
			f.Keys[0].Products = append(f.Keys[0].Products, Product{File: nonce(byte(rng.IntN(2))), Blocks: 1, Factors: factors(degree)})
		}
		f.Sort()
		seen, twice := map[string]bool{}, false
		for _, p := range f.Keys[0].Products {
			for _, columns := range tuplesOf(p.Factors) {
				slices.Sort(columns)
				name := fmt.Sprint(p.File, columns)
				twice = twice || seen[name]
				seen[name] = true
			}
		}
		require.Equal(t, twice, f.Validate(n) != nil, "%v", f.Keys[0].Products)
		if twice {
			refused++
		}
	}
	require.Greater(t, refused, 100)
	require.Less(t, refused, 5900)
}

// tuplesOf lists every choice of one column from each factor.
func tuplesOf(fs []Factor) (out [][]uint32) {
	if len(fs) == 0 {
		return [][]uint32{nil}
	}
	for _, rest := range tuplesOf(fs[1:]) {
		for _, c := range slices.Concat(fs[0].Plus, fs[0].Minus) {
			out = append(out, append(slices.Clone(rest), c))
		}
	}
	return out
}

func TestValidateRefusesTheRest(t *testing.T) {
	for name, f := range map[string]*Functional{
		"degree 0":        {Degree: 0, Keys: linear(Linear{Blocks: 1}).Keys},
		"degree 5":        {Degree: 5, Keys: product(Product{Blocks: 1, Factors: []Factor{Sum(1), Sum(2), Sum(3), Sum(4), Sum(5)}}).Keys},
		"linear degree 3": {Degree: 3, Keys: linear(Linear{Blocks: 1}).Keys},
		"two of three":    {Degree: 3, Keys: product(Product{Blocks: 1, Factors: []Factor{Sum(1), Sum(2)}}).Keys},
		"factor order":    product(Product{File: nonce(1), Blocks: 1, Factors: []Factor{Sum(2), Sum(1)}}),
		"plus and minus":  product(Product{File: nonce(1), Blocks: 1, Factors: []Factor{{Plus: []uint32{1}, Minus: []uint32{1}}, Sum(2)}}),
		"square of sum":   product(Product{File: nonce(1), Blocks: 1, Factors: []Factor{Sum(1, 2), Sum(1, 2)}}),
		"both signs":      product(Product{File: nonce(1), Blocks: 1, Factors: []Factor{{Minus: []uint32{1}}, {Plus: []uint32{1}}}}),
		"no keys":         {Degree: 1},
		"no terms":        linear(),
		"mixed degrees":   {Degree: 1, Keys: product(Product{Blocks: 1, Factors: []Factor{Sum(1), Sum(2)}}).Keys},
		"unsorted keys":   {Degree: 1, Keys: []KeyTerms{{Key: carnet.KeyID{2}, Linear: []Linear{{Blocks: 1}}}, {Key: carnet.KeyID{1}, Linear: []Linear{{Blocks: 1}}}}},
		"no blocks":       linear(Linear{File: nonce(1)}),
		"empty cells":     linear(Linear{File: nonce(1), Blocks: 1, Cells: []uint32{}}),
		"cell outside":    linear(Linear{File: nonce(1), Blocks: 1, Cells: []uint32{16}}),
		"unsorted cells":  linear(Linear{File: nonce(1), Blocks: 1, Cells: []uint32{2, 1}}),
		"unsorted column": linear(Linear{File: nonce(1), Column: 2, Blocks: 1}, Linear{File: nonce(1), Column: 1, Blocks: 1}),
		"empty factor":    product(Product{File: nonce(1), Blocks: 1, Factors: []Factor{Sum(), Sum(1)}}),
		"block-less":      product(Product{File: nonce(1), Factors: []Factor{Sum(1), Sum(2)}}),
	} {
		require.Equal(t, "BAD_FUNCTIONAL", carnet.ReasonOf(f.Validate(n)), name)
	}
}

func TestSortMakesOrderIrrelevant(t *testing.T) {
	make_ := func() *Functional {
		return &Functional{Degree: 1, Keys: []KeyTerms{
			{Key: carnet.KeyID{1}, Linear: []Linear{{File: nonce(1), Column: 1, Blocks: 2, Cells: []uint32{1, 5, 17}}, {File: nonce(1), Column: 2, Blocks: 2}, {File: nonce(3), Column: 0, Blocks: 1}}},
			{Key: carnet.KeyID{2}, Linear: []Linear{{File: nonce(4), Column: 1, Blocks: 1}}},
		}}
	}
	want := make_().Digest(n)
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		f := make_()
		rng.Shuffle(len(f.Keys), func(i, j int) { f.Keys[i], f.Keys[j] = f.Keys[j], f.Keys[i] })
		for k := range f.Keys {
			l := f.Keys[k].Linear
			rng.Shuffle(len(l), func(i, j int) { l[i], l[j] = l[j], l[i] })
			for i := range l {
				c := l[i].Cells
				rng.Shuffle(len(c), func(i, j int) { c[i], c[j] = c[j], c[i] })
			}
		}
		f.Sort()
		require.NoError(t, f.Validate(n))
		require.Equal(t, want, f.Digest(n))
	}
}

// Every input of the hash changes it: otherwise two different sums would share one
// flooding, and their difference would be exact.
func TestHashesBindEveryInput(t *testing.T) {
	base := Linear{File: nonce(1), Column: 1, Blocks: 2, Cells: []uint32{1, 17}}
	seen := map[carnet.Hash]string{}
	add := func(name string, h carnet.Hash) {
		require.Empty(t, seen[h], "%s equals %s", name, seen[h])
		seen[h] = name
	}
	for name, l := range map[string]Linear{
		"base":      base,
		"file":      {File: nonce(2), Column: 1, Blocks: 2, Cells: []uint32{1, 17}},
		"column":    {File: nonce(1), Column: 2, Blocks: 2, Cells: []uint32{1, 17}},
		"cell":      {File: nonce(1), Column: 1, Blocks: 2, Cells: []uint32{2, 17}},
		"block":     {File: nonce(1), Column: 1, Blocks: 2, Cells: []uint32{1}},
		"sign":      {File: nonce(1), Column: 1, Blocks: 2, Cells: []uint32{1, 17}, Minus: true},
		"run":       {File: nonce(1), Column: 1, Blocks: 2, Cells: []uint32{1, 2, 17}},
		"two runs":  {File: nonce(1), Column: 1, Blocks: 2, Cells: []uint32{1, 3, 17}},
		"all cells": {File: nonce(1), Column: 1, Blocks: 2, Cells: every(0, 32)},
		"minus all": {File: nonce(1), Column: 1, Blocks: 2, Minus: true},
		"all slots": {File: nonce(1), Column: 1, Blocks: 2},
		"one block": {File: nonce(1), Column: 1, Blocks: 1},
	} {
		k := KeyTerms{Linear: []Linear{l}}
		add(name, k.LinearHash(n))
	}
	pbase := product(Product{File: nonce(1), Blocks: 1, Factors: []Factor{Sum(1, 2), Sum(5)}})
	add("product", pbase.Digest(n))
	add("product moved column", product(Product{File: nonce(1), Blocks: 1, Factors: []Factor{Sum(1), Sum(2, 5)}}).Digest(n))
	add("product blocks", product(Product{File: nonce(1), Blocks: 2, Factors: []Factor{Sum(1, 2), Sum(5)}}).Digest(n))
}
