package functional

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// across is a term of a column of key x and a column of key y; files are called like keys.
func across(x, y byte, left, right uint32) Cross {
	return Cross{Left: CrossFactor{carnet.KeyID{x}, nonce(x), Sum(left)}, Right: CrossFactor{carnet.KeyID{y}, nonce(y), Sum(right)}, Blocks: 2, Weight: 1}
}

// squaredDifferences is x^2*1 + 1*y^2 - 2*x*y: columns 0 are 1, columns 1 the numbers and
// columns 2 their squares.
func squaredDifferences(x, y byte) []Cross {
	mixed := across(x, y, 1, 1)
	mixed.Weight = -2
	return []Cross{across(x, y, 2, 0), mixed, across(x, y, 0, 2)}
}

func TestValidateAcceptsTermsAcrossKeys(t *testing.T) {
	parts := across(1, 2, 0, 0)
	parts.Left.File, parts.Right.File = nonce(3), nonce(4)
	wide := across(1, 2, 0, 0)
	wide.Left.Factor, wide.Right.Factor = Factor{Plus: []uint32{1, 4}, Minus: []uint32{2}}, Sum(0, 1)
	for name, f := range map[string]*Functional{
		"one product":         Across(across(1, 2, 3, 5)),
		"sides turned":        Across(across(2, 1, 3, 5)),
		"several files":       Across(across(1, 2, 0, 0), parts),
		"three owners":        Across(across(1, 2, 0, 0), across(1, 3, 0, 0), across(2, 3, 0, 0)),
		"same numbers":        Across(across(1, 2, 0, 1), across(1, 2, 1, 0)),
		"sums":                Across(wide),
		"squared differences": Across(squaredDifferences(1, 2)...),
		"of several owners":   Across(append(squaredDifferences(1, 2), squaredDifferences(1, 3)...)...),
	} {
		require.NoError(t, f.Validate(n), name)
	}
}

// Hard rule: nothing counts twice, and across keys nothing but the mixed term of a squared
// difference has another weight than one.
func TestAttackWeightsAcrossKeys(t *testing.T) {
	change := func(f func(t *Cross)) *Functional {
		x := across(1, 2, 0, 0)
		f(&x)
		return Across(x)
	}
	weight := func(w int) *Functional { return change(func(t *Cross) { t.Weight = w }) }
	wide := across(1, 2, 0, 0)
	wide.Left.Factor, wide.Right.Factor = Sum(0, 1), Sum(0, 3)
	shared := squaredDifferences(1, 2)
	shared[2].Right.Factor = Sum(1)
	sums := squaredDifferences(1, 2)
	sums[0].Left.Factor = Sum(2, 3)
	less := squaredDifferences(1, 2)
	less[0].Left.Factor = Factor{Minus: []uint32{2}}
	for name, f := range map[string]*Functional{
		"weight 0":                    weight(0),
		"weight 2":                    weight(2),
		"weight -1":                   weight(-1),
		"weight -2 alone":             weight(-2),
		"repeated":                    Across(across(1, 2, 0, 0), across(1, 2, 0, 0)),
		"repeated in a sum":           Across(across(1, 2, 1, 3), wide),
		"a column twice":              change(func(t *Cross) { t.Left.Factor = Sum(1, 1) }),
		"added and subtracted":        change(func(t *Cross) { t.Left.Factor = Factor{Plus: []uint32{1}, Minus: []uint32{1}} }),
		"half a squared difference":   Across(squaredDifferences(1, 2)[:2]...),
		"more than a square":          Across(append(squaredDifferences(1, 2), across(1, 2, 4, 4))...),
		"a square and a product":      Across(append(squaredDifferences(1, 2), across(1, 3, 4, 4))...),
		"columns shared by its terms": Across(shared...),
		"sums in a square":            Across(sums...),
		"a subtracted square":         Across(less...),
	} {
		require.Equal(t, "BAD_FUNCTIONAL", carnet.ReasonOf(f.Validate(n)), name)
	}
}

func TestValidateRefusesTheRestAcrossKeys(t *testing.T) {
	change := func(change func(f *Functional)) *Functional {
		f := Across(across(1, 2, 0, 0))
		change(f)
		return f
	}
	var crowd []Cross
	for x := byte(1); x <= MaxCrossKeys; x++ {
		crowd = append(crowd, across(0, x, 0, 0))
	}
	var many []Cross
	for x := range uint32(MaxCrossTerms + 1) {
		many = append(many, across(1, 2, x, x))
	}
	blocks := across(1, 3, 0, 0)
	blocks.Blocks = 3
	for name, f := range map[string]*Functional{
		"one key":          Across(across(1, 1, 0, 0)),
		"linear":           change(func(f *Functional) { f.Degree = 1 }),
		"degree 3":         change(func(f *Functional) { f.Degree = 3 }),
		"key not listed":   change(func(f *Functional) { f.Keys[1].Key = carnet.KeyID{3} }),
		"key without term": change(func(f *Functional) { f.Keys = append(f.Keys, KeyTerms{Key: carnet.KeyID{3}}) }),
		"key twice":        change(func(f *Functional) { f.Keys = append(f.Keys, f.Keys[1]) }),
		"sides turned":     change(func(f *Functional) { f.Cross[0].Left, f.Cross[0].Right = f.Cross[0].Right, f.Cross[0].Left }),
		"terms out of order": change(func(f *Functional) {
			f.Cross = []Cross{across(1, 2, 1, 1), across(1, 2, 0, 0)}
		}),
		"products beside": change(func(f *Functional) {
			f.Keys[0].Products = []Product{{File: nonce(1), Blocks: 1, Factors: []Factor{Sum(1), Sum(2)}}}
		}),
		"no blocks":       change(func(f *Functional) { f.Cross[0].Blocks = 0 }),
		"empty factor":    change(func(f *Functional) { f.Cross[0].Right.Factor = Factor{} }),
		"unsorted":        change(func(f *Functional) { f.Cross[0].Right.Factor = Factor{Plus: []uint32{2, 1}} }),
		"numbers differ":  Across(across(1, 2, 0, 0), blocks),
		"too many keys":   Across(crowd...),
		"too many terms":  Across(many...),
		"terms elsewhere": {Degree: 2, Keys: Across(across(1, 2, 0, 0)).Keys},
	} {
		require.Equal(t, "BAD_FUNCTIONAL", carnet.ReasonOf(f.Validate(n)), name)
	}
}

// The check agrees with counting products of columns one by one.
func TestRepeatedTermsAcrossKeysAreFoundLikeByCounting(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	factor := func() (f Factor) {
		for _, c := range rng.Perm(4)[:1+rng.IntN(3)] {
			if rng.IntN(3) == 0 {
				f.Minus = append(f.Minus, uint32(c))
			} else {
				f.Plus = append(f.Plus, uint32(c))
			}
		}
		return f
	}
	refused := 0
	for range 3000 {
		var terms []Cross
		for range 1 + rng.IntN(3) {
			x := across(1, 2+byte(rng.IntN(2)), 0, 0)
			x.Left.Factor, x.Right.Factor = factor(), factor()
			terms = append(terms, x)
		}
		f := Across(terms...)
		seen, twice := map[string]bool{}, false
		for _, x := range f.Cross {
			for _, l := range slices.Concat(x.Left.Factor.Plus, x.Left.Factor.Minus) {
				for _, r := range slices.Concat(x.Right.Factor.Plus, x.Right.Factor.Minus) {
					name := fmt.Sprint(x.Left.File, x.Right.File, l, r)
					twice = twice || seen[name]
					seen[name] = true
				}
			}
		}
		require.Equal(t, twice, f.Validate(n) != nil, "%v", f.Cross)
		if twice {
			refused++
		}
	}
	require.Greater(t, refused, 100)
	require.Less(t, refused, 2900)
}

func TestOrderAcrossKeysIsIrrelevant(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	terms := append(squaredDifferences(1, 2), squaredDifferences(3, 2)...)
	want := Across(slices.Clone(terms)...).Digest(n)
	for range 20 {
		rng.Shuffle(len(terms), func(i, j int) { terms[i], terms[j] = terms[j], terms[i] })
		for i := range terms {
			if rng.IntN(2) == 0 {
				terms[i].Left, terms[i].Right = terms[i].Right, terms[i].Left
			}
		}
		f := Across(slices.Clone(terms)...)
		require.NoError(t, f.Validate(n))
		require.Equal(t, want, f.Digest(n))
	}
}

func TestDigestAcrossKeysBindsEveryInput(t *testing.T) {
	seen := map[carnet.Hash]string{}
	for name, change := range map[string]func(t *Cross){
		"base":         func(*Cross) {},
		"left key":     func(t *Cross) { t.Left.Key[5] = 1 },
		"right key":    func(t *Cross) { t.Right.Key[5] = 1 },
		"left file":    func(t *Cross) { t.Left.File[5] = 1 },
		"right file":   func(t *Cross) { t.Right.File[5] = 1 },
		"left column":  func(t *Cross) { t.Left.Factor = Sum(1) },
		"right column": func(t *Cross) { t.Right.Factor = Sum(1) },
		"more columns": func(t *Cross) { t.Right.Factor = Sum(0, 1) },
		"sign":         func(t *Cross) { t.Right.Factor = Factor{Minus: []uint32{0}} },
		"blocks":       func(t *Cross) { t.Blocks = 3 },
		"weight":       func(t *Cross) { t.Weight = -2 },
	} {
		x := across(1, 2, 0, 0)
		change(&x)
		h := Across(x).Digest(n)
		require.Empty(t, seen[h], "%s equals %s", name, seen[h])
		seen[h] = name
	}
	h := product(Product{File: nonce(1), Blocks: 1, Factors: []Factor{Sum(1, 2), Sum(5)}}).Digest(n)
	require.Empty(t, seen[h])
}

func TestProductsOfATermAreCutOff(t *testing.T) {
	x := across(1, 2, 0, 0)
	require.EqualValues(t, 2, x.Products())
	x.Weight, x.Left.Factor = -2, Sum(1, 2, 3)
	require.EqualValues(t, 12, x.Products())
	x.Blocks = math.MaxUint32
	x.Left.Factor, x.Right.Factor = Factor{Plus: make([]uint32, 1<<16)}, Factor{Plus: make([]uint32, 1<<16)}
	require.EqualValues(t, int64(1)<<62, x.Products())
}
