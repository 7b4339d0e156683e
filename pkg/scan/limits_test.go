package scan_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/scan"
)

// With limbs of 60 bits an accumulator must be relieved every 120 blocks. The
// stored halves are made of the largest residues there are.
func TestProductsRelieveAccumulators(t *testing.T) {
	p := profile(t, 4, 2, 60, 45, he.Slots)
	r := he.NewRing(p)
	const blocks = 400
	top := worst{p.Primes()}
	f := &functional.Functional{Degree: 2, Keys: []functional.KeyTerms{{Key: carnet.KeyID{1}, Products: []functional.Product{
		{File: carnet.Nonce{1}, Blocks: blocks, Factors: []functional.Factor{functional.Sum(0), functional.Sum(1)}},
		{File: carnet.Nonce{1}, Blocks: blocks, Factors: []functional.Factor{functional.Sum(2, 3, 4), functional.Sum(5)}},
	}}}}
	var want [3]he.Poly
	for j := range want {
		want[j] = r.NewPoly()
	}
	term := func(b uint32, a []uint32, c uint32) {
		x0, x1, y0, y1, tmp := r.NewPoly(), r.NewPoly(), r.NewPoly(), r.NewPoly(), r.NewPoly()
		for _, col := range a {
			_ = top.Block(ctx, he.BlockID{}, tmp)
			r.Add(x0, tmp, x0)
			r.PublicBlock(carnet.KeyID{1}, he.BlockID{File: carnet.Nonce{1}, Column: col, Block: b}, tmp)
			r.Add(x1, tmp, x1)
		}
		_ = top.Block(ctx, he.BlockID{}, y0)
		r.PublicBlock(carnet.KeyID{1}, he.BlockID{File: carnet.Nonce{1}, Column: c, Block: b}, y1)
		r.MulAdd(x0, y0, want[0])
		r.MulAdd(x0, y1, want[1])
		r.MulAdd(x1, y0, want[1])
		r.MulAdd(x1, y1, want[2])
	}
	for b := range uint32(blocks) {
		term(b, []uint32{0}, 1)
		term(b, []uint32{2, 3, 4}, 5)
	}
	err := scan.Products(ctx, r, []*functional.Functional{f}, top, 2, 1<<20, nil, func(_ int, parts []scan.Parts) error {
		require.Equal(t, want, parts[0].D)
		return nil
	})
	require.NoError(t, err)
}

type worst struct{ primes []uint64 }

func (w worst) Block(_ context.Context, _ he.BlockID, out he.Poly) error {
	for l, q := range w.primes {
		for i := range out[l] {
			out[l][i] = q - 1
		}
	}
	return nil
}

func TestScanRefuses(t *testing.T) {
	p := profile(t, 5, 4, 55, 45, he.Slots)
	w := newWorld(t, p, 1, 3, 3, 1)
	lin, _ := w.linear(3)
	prod, _ := w.product(3)
	s := w.power(1)
	never := func(int, []scan.Parts) error { t.Fatal("emitted"); return nil }
	one := func(f *functional.Functional) []*functional.Functional { return []*functional.Functional{f} }

	for name, f := range map[string]*functional.Functional{
		"empty":   {Degree: 1},
		"degree":  prod,
		"cells":   {Degree: 1, Keys: []functional.KeyTerms{{Key: lin.Keys[0].Key, Linear: []functional.Linear{{Blocks: 1, Cells: []uint32{1}}}}}},
		"outside": {Degree: 1, Keys: []functional.KeyTerms{{Key: lin.Keys[0].Key, Linear: []functional.Linear{{Blocks: 0}}}}},
	} {
		_, err := scan.Linear(ctx, w.r, one(f), s, w, 1, nil)
		require.Equal(t, "BAD_FUNCTIONAL", carnet.ReasonOf(err), name)
	}
	require.Equal(t, "BAD_FUNCTIONAL", carnet.ReasonOf(scan.Products(ctx, w.r, one(lin), w, 1, 0, nil, never)))
	cells := he.NewRing(profile(t, 5, 3, 55, 45, he.Coefficients))
	require.Equal(t, "BAD_FUNCTIONAL", carnet.ReasonOf(scan.Products(ctx, cells, one(prod), w, 1, 0, nil, never)))
	_, err := scan.Linear(ctx, cells, one(lin), s, w, 1, nil)
	require.Equal(t, "BAD_FUNCTIONAL", carnet.ReasonOf(err))
	other := *prod
	other.Keys = slices.Clone(prod.Keys)
	other.Keys[0].Products = slices.Clone(prod.Keys[0].Products)
	other.Keys[0].Products[0].Blocks++
	err = scan.Products(ctx, w.r, []*functional.Functional{prod, &other}, w, 1, 1<<30, nil, never)
	require.Equal(t, "BAD_FUNCTIONAL", carnet.ReasonOf(err), "two block counts of one file")

	_, err = scan.Linear(ctx, w.r, one(lin), nil, w, 1, nil)
	require.Equal(t, "MISSING_KEY", carnet.ReasonOf(err))

	stop := errors.New("stop")
	err = scan.Products(ctx, w.r, one(prod), w, 1, 0, nil, func(int, []scan.Parts) error { return stop })
	require.ErrorIs(t, err, stop)
	w.fail = stop
	_, err = scan.Linear(ctx, w.r, one(lin), s, w, 3, nil)
	require.ErrorIs(t, err, stop)
	require.ErrorIs(t, scan.Products(ctx, w.r, one(prod), w, 3, 0, nil, never), stop)
	w.fail = nil
	ended, cancel := context.WithCancel(ctx)
	cancel()
	_, err = scan.Linear(ended, w.r, one(lin), s, w, 2, nil)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, scan.Products(ended, w.r, one(prod), w, 2, 0, nil, never), context.Canceled)

	none, err := scan.Linear(ctx, w.r, nil, nil, w, 2, nil)
	require.NoError(t, err)
	require.Empty(t, none)
}

func TestBlocksNeeded(t *testing.T) {
	a, b := carnet.Nonce{1}, carnet.Nonce{2}
	fs := []*functional.Functional{
		{Degree: 1, Keys: []functional.KeyTerms{{Linear: []functional.Linear{{File: b, Column: 1, Blocks: 3, Cells: []uint32{0, 15, 32}}, {File: b, Column: 2, Blocks: 1}}}}},
		{Degree: 2, Keys: []functional.KeyTerms{{Products: []functional.Product{{File: a, Blocks: 2, Factors: []functional.Factor{functional.Sum(5), functional.Sum(4, 5)}}}}}},
		{Degree: 1, Keys: []functional.KeyTerms{{Linear: []functional.Linear{{File: b, Column: 1, Blocks: 3, Cells: []uint32{1}}}}}},
	}
	id := func(f carnet.Nonce, c, b uint32) he.BlockID { return he.BlockID{File: f, Column: c, Block: b} }
	require.Equal(t, []he.BlockID{
		id(a, 4, 0), id(a, 4, 1), id(a, 5, 0), id(a, 5, 1), id(b, 1, 0), id(b, 1, 2), id(b, 2, 0),
	}, scan.BlocksNeeded(fs, 16))
}
