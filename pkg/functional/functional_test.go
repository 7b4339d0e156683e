package functional

import (
	"math/rand/v2"
	"runtime"
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
		"products": product(Product{File: nonce(1), Blocks: 1, A: []uint32{1, 2}, B: []uint32{5}}, Product{File: nonce(2), Blocks: 1, A: []uint32{1}, B: []uint32{5}}),
		"square":   product(Product{File: nonce(1), Blocks: 1, A: []uint32{1}, B: []uint32{1}}),
		"two keys": {Degree: 1, Keys: []KeyTerms{{Key: carnet.KeyID{1}, Linear: []Linear{{File: nonce(1), Blocks: 1}}}, {Key: carnet.KeyID{2}, Linear: []Linear{{File: nonce(2), Blocks: 1}}}}},
	} {
		require.NoError(t, f.Validate(n), name)
	}
}

// Hard rule: weights are 0 or 1 after collecting equal terms. A dataset listed
// twice has weight 2, and a count of 3 would pass for 6.
func TestAttackRepeatedTermsAreRefused(t *testing.T) {
	l := Linear{File: nonce(1), Column: 0, Blocks: 2, Cells: []uint32{4}}
	p := Product{File: nonce(1), Blocks: 1, A: []uint32{1}, B: []uint32{5}}
	for name, f := range map[string]*Functional{
		"column twice":           linear(l, l),
		"cell twice":             linear(Linear{File: nonce(1), Blocks: 2, Cells: []uint32{4, 4}}),
		"key twice":              {Degree: 1, Keys: []KeyTerms{{Key: carnet.KeyID{1}, Linear: []Linear{l}}, {Key: carnet.KeyID{1}, Linear: []Linear{l}}}},
		"product twice":          product(p, p),
		"pair in two products":   product(p, Product{File: nonce(1), Blocks: 1, A: []uint32{1, 2}, B: []uint32{5}}),
		"pair mirrored":          product(p, Product{File: nonce(1), Blocks: 1, A: []uint32{5}, B: []uint32{1}}),
		"pair twice within one":  product(Product{File: nonce(1), Blocks: 1, A: []uint32{1, 2}, B: []uint32{1, 2}}),
		"column twice in factor": product(Product{File: nonce(1), Blocks: 1, A: []uint32{1, 1}, B: []uint32{5}}),
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
		Product{File: nonce(1), Blocks: 1, A: columns(0, 5000), B: columns(10000, 20000)},
		Product{File: nonce(1), Blocks: 1, A: columns(5000, 10000), B: columns(10000, 20000)})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	require.NoError(t, f.Validate(n))
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(32<<20))
	f.Keys[0].Products[1].A[0] = 4999
	require.Equal(t, "BAD_FUNCTIONAL", carnet.ReasonOf(f.Validate(n)))
}

// The check agrees with counting pairs one by one.
func TestRepeatedPairsAreFoundLikeByCounting(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	some := func() (out []uint32) {
		for c := range uint32(6) {
			if rng.IntN(3) == 0 {
				out = append(out, c)
			}
		}
		if len(out) == 0 {
			return []uint32{rng.Uint32N(6)}
		}
		return out
	}
	refused := 0
	for range 5000 {
		var ts []Product
		for range 1 + rng.IntN(3) {
			ts = append(ts, Product{File: nonce(byte(rng.IntN(2))), Blocks: 1, A: some(), B: some()})
		}
		f := product(ts...)
		f.Sort()
		type pair struct {
			file carnet.Nonce
			a, b uint32
		}
		seen, twice := map[pair]bool{}, false
		for _, p := range ts {
			for _, a := range p.A {
				for _, b := range p.B {
					k := pair{p.File, min(a, b), max(a, b)}
					twice = twice || seen[k]
					seen[k] = true
				}
			}
		}
		require.Equal(t, twice, f.Validate(n) != nil, "%v", ts)
		if twice {
			refused++
		}
	}
	require.Greater(t, refused, 100)
	require.Less(t, refused, 4900)
}

func TestValidateRefusesTheRest(t *testing.T) {
	for name, f := range map[string]*Functional{
		"degree 0":        {Degree: 0, Keys: linear(Linear{Blocks: 1}).Keys},
		"degree 3":        {Degree: 3, Keys: linear(Linear{Blocks: 1}).Keys},
		"no keys":         {Degree: 1},
		"no terms":        linear(),
		"mixed degrees":   {Degree: 1, Keys: product(Product{Blocks: 1, A: []uint32{1}, B: []uint32{2}}).Keys},
		"unsorted keys":   {Degree: 1, Keys: []KeyTerms{{Key: carnet.KeyID{2}, Linear: []Linear{{Blocks: 1}}}, {Key: carnet.KeyID{1}, Linear: []Linear{{Blocks: 1}}}}},
		"no blocks":       linear(Linear{File: nonce(1)}),
		"empty cells":     linear(Linear{File: nonce(1), Blocks: 1, Cells: []uint32{}}),
		"cell outside":    linear(Linear{File: nonce(1), Blocks: 1, Cells: []uint32{16}}),
		"unsorted cells":  linear(Linear{File: nonce(1), Blocks: 1, Cells: []uint32{2, 1}}),
		"unsorted column": linear(Linear{File: nonce(1), Column: 2, Blocks: 1}, Linear{File: nonce(1), Column: 1, Blocks: 1}),
		"empty factor":    product(Product{File: nonce(1), Blocks: 1, A: []uint32{1}}),
		"block-less":      product(Product{File: nonce(1), A: []uint32{1}, B: []uint32{2}}),
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
		"all slots": {File: nonce(1), Column: 1, Blocks: 2},
		"one block": {File: nonce(1), Column: 1, Blocks: 1},
	} {
		k := KeyTerms{Linear: []Linear{l}}
		add(name, k.LinearHash(n))
	}
	pbase := product(Product{File: nonce(1), Blocks: 1, A: []uint32{1, 2}, B: []uint32{5}})
	add("product", pbase.Digest(n))
	add("product moved column", product(Product{File: nonce(1), Blocks: 1, A: []uint32{1}, B: []uint32{2, 5}}).Digest(n))
	add("product blocks", product(Product{File: nonce(1), Blocks: 2, A: []uint32{1, 2}, B: []uint32{5}}).Digest(n))
}
