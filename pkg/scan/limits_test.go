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

// With limbs of 60 bits sums must be relieved with every chunk. The stored halves are
// made of the largest residues there are, and of as many as it takes.
func TestProductsRelieveSums(t *testing.T) {
	p := profile(t, 4, 4, 60, 45, he.Slots)
	r := he.NewRing(p)
	const blocks = 400
	top := worst{p}
	f := &functional.Functional{Degree: 2, Keys: []functional.KeyTerms{{Key: carnet.KeyID{1}, Products: []functional.Product{
		{File: carnet.Nonce{1}, Blocks: blocks, Factors: []functional.Factor{functional.Sum(0), functional.Sum(1)}},
		{File: carnet.Nonce{1}, Blocks: blocks, Factors: []functional.Factor{functional.Sum(2, 3, 4), functional.Sum(5)}},
	}}}}
	var want []he.Poly
	for range 3 {
		want = append(want, r.NewPoly())
	}
	c0 := r.NewPoly()
	for l := range c0 {
		for i := range c0[l] {
			c0[l][i] = p.Prime(l) - 1
		}
	}
	term := func(b uint32, a []uint32, c uint32) {
		x0, x1, y1, tmp := r.NewPoly(), r.NewPoly(), r.NewPoly(), r.NewPoly()
		for _, col := range a {
			r.Add(x0, c0, x0)
			r.PublicBlock(carnet.KeyID{1}, he.BlockID{File: carnet.Nonce{1}, Column: col, Block: b}, tmp)
			r.Add(x1, tmp, x1)
		}
		r.PublicBlock(carnet.KeyID{1}, he.BlockID{File: carnet.Nonce{1}, Column: c, Block: b}, y1)
		r.MulAdd(x0, c0, want[0])
		r.MulAdd(x0, y1, want[1])
		r.MulAdd(x1, c0, want[1])
		r.MulAdd(x1, y1, want[2])
	}
	for b := range uint32(blocks) {
		term(b, []uint32{0}, 1)
		term(b, []uint32{2, 3, 4}, 5)
	}
	for _, kernel := range scan.Kernels(p) {
		err := scan.Products(ctx, r, []*functional.Functional{f}, top, scan.Options{Workers: 2, MaxBytes: 1 << 20, Kernel: kernel}, func(_ int, parts []scan.Parts) error {
			require.Equal(t, want, parts[0].D)
			return nil
		})
		require.NoError(t, err)
	}
}

// worst has a file of 400 blocks of the largest residues.
type worst struct{ p *he.Profile }

func (w worst) Chunk(_ context.Context, id scan.ChunkID, limb int) ([]uint64, func(), error) {
	words := make([]uint64, min(scan.ChunkBlocks, 400-int(id.Chunk)*scan.ChunkBlocks)*w.p.N())
	for i := range words {
		words[i] = w.p.Prime(limb) - 1
	}
	return words, func() {}, nil
}

func TestScanRefuses(t *testing.T) {
	p := profile(t, 5, 4, 55, 45, he.Slots)
	w := newWorld(t, p, 1, 3, 3, 1)
	lin, _ := w.linear(3)
	prod, _ := w.product(3, 2)
	s := w.power(1)
	opt := scan.Options{Workers: 3}
	never := func(int, []scan.Parts) error { t.Fatal("emitted"); return nil }
	one := func(f *functional.Functional) []*functional.Functional { return []*functional.Functional{f} }

	for name, f := range map[string]*functional.Functional{
		"empty":   {Degree: 1},
		"degree":  prod,
		"cells":   {Degree: 1, Keys: []functional.KeyTerms{{Key: lin.Keys[0].Key, Linear: []functional.Linear{{Blocks: 1, Cells: []uint32{1}}}}}},
		"outside": {Degree: 1, Keys: []functional.KeyTerms{{Key: lin.Keys[0].Key, Linear: []functional.Linear{{Blocks: 0}}}}},
	} {
		_, err := scan.Linear(ctx, w.r, one(f), s, w, opt)
		require.Equal(t, "BAD_FUNCTIONAL", carnet.ReasonOf(err), name)
	}
	require.Equal(t, "BAD_FUNCTIONAL", carnet.ReasonOf(scan.Products(ctx, w.r, one(lin), w, opt, never)))
	cells := he.NewRing(profile(t, 5, 3, 55, 45, he.Coefficients))
	require.Equal(t, "BAD_FUNCTIONAL", carnet.ReasonOf(scan.Products(ctx, cells, one(prod), w, opt, never)))
	_, err := scan.Linear(ctx, cells, one(lin), s, w, opt)
	require.Equal(t, "BAD_FUNCTIONAL", carnet.ReasonOf(err))
	other := *prod
	other.Keys = slices.Clone(prod.Keys)
	other.Keys[0].Products = slices.Clone(prod.Keys[0].Products)
	other.Keys[0].Products[0].Blocks++
	err = scan.Products(ctx, w.r, []*functional.Functional{prod, &other}, w, scan.Options{MaxBytes: 1 << 30}, never)
	require.Equal(t, "BAD_FUNCTIONAL", carnet.ReasonOf(err), "two block counts of one file")

	err = scan.Products(ctx, w.r, one(prod), w, scan.Options{Kernel: "none"}, never)
	require.Equal(t, "BAD_KERNEL", carnet.ReasonOf(err))
	err = scan.Products(ctx, w.r, one(prod), short{w}, opt, never)
	require.ErrorContains(t, err, "words")
	require.Zero(t, w.held)

	_, err = scan.Linear(ctx, w.r, one(lin), nil, w, opt)
	require.Equal(t, "MISSING_KEY", carnet.ReasonOf(err))

	stop := errors.New("stop")
	err = scan.Products(ctx, w.r, one(prod), w, opt, func(int, []scan.Parts) error { return stop })
	require.ErrorIs(t, err, stop)
	w.fail = stop
	_, err = scan.Linear(ctx, w.r, one(lin), s, w, opt)
	require.ErrorIs(t, err, stop)
	require.ErrorIs(t, scan.Products(ctx, w.r, one(prod), w, opt, never), stop)
	w.fail = nil
	ended, cancel := context.WithCancel(ctx)
	cancel()
	_, err = scan.Linear(ended, w.r, one(lin), s, w, opt)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, scan.Products(ended, w.r, one(prod), w, opt, never), context.Canceled)

	none, err := scan.Linear(ctx, w.r, nil, nil, w, opt)
	require.NoError(t, err)
	require.Empty(t, none)
}

// short leaves out words.
type short struct{ *world }

func (s short) Chunk(ctx context.Context, id scan.ChunkID, limb int) ([]uint64, func(), error) {
	words, release, err := s.world.Chunk(ctx, id, limb)
	return words[1:], release, err
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
