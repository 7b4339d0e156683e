package scan_test

import (
	"context"
	"errors"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/scan"
)

// Whole columns are summed once: what was kept gives the same bits, in any combination,
// and reads no block.
func TestSumsOfWholeColumnsAreKept(t *testing.T) {
	const columns = 4
	w := newWorld(t, profile(t, 6, 4, 55, 45, he.Slots), 3, columns, 70, 1)
	cubes := scan.NewCubes(1 << 20)
	delta, secret := w.power(1), w.power(2) // any two polynomials
	var all []*functional.Functional
	for range 20 {
		f, _ := w.linear(columns)
		all = append(all, f)
	}
	want, err := scan.Linear(ctx, w.r, all, delta, w, scan.Options{})
	require.NoError(t, err)
	share, err := scan.Linear(ctx, w.r, all, secret, nil, scan.Options{})
	require.NoError(t, err)
	for round := range 3 {
		clear(w.reads)
		var done, total int64
		opt := scan.Options{Workers: 1 + round, Progress: func(d, n int64) { done, total = d, n }}
		sums, err := cubes.Linear(ctx, w.r, scan.RolePublic, all, delta, w, opt)
		require.NoError(t, err)
		require.Equal(t, want, sums)
		require.Equal(t, total, done)
		require.Equal(t, round == 0, w.total() > 0)
		require.Equal(t, round == 0, done > 0)
		sums, err = cubes.Linear(ctx, w.r, scan.RoleShare, all, secret, nil, opt)
		require.NoError(t, err)
		require.Equal(t, share, sums, "a role has sums of its own")
	}
	one, err := cubes.Linear(ctx, w.r, scan.RolePublic, all[7:8], delta, w, scan.Options{})
	require.NoError(t, err)
	require.Equal(t, want[7:8], one)
	require.Zero(t, w.total())
	_, err = cubes.Linear(ctx, w.r, scan.RolePublic, all, nil, w, scan.Options{})
	require.Equal(t, "MISSING_KEY", carnet.ReasonOf(err), "also if nothing has to be read")
	cubes.Zero()
	_, err = cubes.Linear(ctx, w.r, scan.RolePublic, all, delta, w, scan.Options{})
	require.NoError(t, err)
	require.NotZero(t, w.total())
}

// summed offers the sums of columns' words beside the words.
type summed struct {
	*world
	asked int
	spoil bool
}

func (s *summed) Constants(_ context.Context, file carnet.Nonce, column uint32) ([]uint64, error) {
	s.asked++
	out := make([]uint64, s.r.Profile().Limbs())
	for l := range out {
		q := new(big.Int).SetUint64(s.r.Profile().Prime(l))
		sum := new(big.Int)
		for id, c0 := range s.c0 {
			if id.File == file && id.Column == column {
				for _, w := range c0[l] {
					sum.Add(sum, new(big.Int).SetUint64(w))
				}
			}
		}
		out[l] = sum.Mod(sum, q).Uint64()
		if s.spoil {
			out[l] = q.Uint64()
		}
	}
	return out, nil
}

// Stored sums of columns give the same bits, and no word is read.
func TestStoredSumsOfColumns(t *testing.T) {
	const columns = 4
	w := newWorld(t, profile(t, 6, 4, 55, 45, he.Slots), 3, columns, 70, 1)
	delta := w.power(1)
	var all []*functional.Functional
	for range 20 {
		f, _ := w.linear(columns)
		all = append(all, f)
	}
	want, err := scan.Linear(ctx, w.r, all, delta, w, scan.Options{})
	require.NoError(t, err)
	corrections := map[carnet.KeyID][]he.Poly{}
	for key, d := range delta {
		corrections[key] = []he.Poly{d}
	}
	s := &summed{world: w}
	clear(w.reads)
	got, err := scan.PublicValues(ctx, w.r, all, corrections, s, scan.Options{Workers: 2})
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.Zero(t, w.total())
	require.NotZero(t, s.asked)
	s.spoil = true
	_, err = scan.PublicValues(ctx, w.r, all, corrections, s, scan.Options{})
	require.ErrorContains(t, err, "no residue")
}

// A buyer's values of sums and of products come from one call, with the same bits.
func TestPublicValuesWithKeptColumns(t *testing.T) {
	const columns = 4
	w := newWorld(t, profile(t, 6, 5, 55, 42, he.Slots), 2, columns, 5, 2)
	corrections := map[carnet.KeyID][]he.Poly{}
	for j := 1; j <= 3; j++ {
		for k, p := range w.power(j) {
			corrections[k] = append(corrections[k], p)
		}
	}
	var fs []*functional.Functional
	for i := range 9 {
		f, _ := w.linear(columns)
		if i%3 != 0 {
			f, _ = w.product(columns, 1+i%3)
		}
		fs = append(fs, f)
	}
	want, err := scan.PublicValues(ctx, w.r, fs, corrections, w, scan.Options{Workers: 2})
	require.NoError(t, err)
	cubes := scan.NewCubes(1 << 20)
	var reads []int64
	for range 2 {
		clear(w.reads)
		var done, total int64
		z, err := cubes.PublicValues(ctx, w.r, fs, corrections, w, scan.Options{Workers: 2, MaxBytes: 1 << 30, Progress: func(d, n int64) { done, total = d, n }})
		require.NoError(t, err)
		require.Equal(t, want, z)
		require.Equal(t, total, done)
		reads = append(reads, total)
	}
	require.Less(t, reads[1], reads[0])
}

// Kept sums stay within their bound, what gives way and what Zero forgets is overwritten,
// and a scan that fails leaves nothing.
func TestAttackKeptSumsAreOverwritten(t *testing.T) {
	const columns, room = 6, 3
	w := newWorld(t, profile(t, 6, 4, 55, 45, he.Slots), 1, columns, 3, 3)
	cubes := scan.NewCubes(room * scan.ColumnBytes * 16)
	sum := func(c uint32) error {
		f := &functional.Functional{Degree: 1, Keys: []functional.KeyTerms{{Key: w.files[0].key, Linear: []functional.Linear{{File: w.files[0].nonce, Column: c, Blocks: w.files[0].blocks}}}}}
		_, err := cubes.Linear(ctx, w.r, scan.RoleShare, []*functional.Functional{f}, w.power(1), nil, scan.Options{})
		return err
	}
	seen := map[*he.Scalar]bool{}
	for c := range uint32(columns) {
		require.NoError(t, sum(c))
		kept := cubes.ColumnSums()
		require.Len(t, kept, min(int(c)+1, room))
		for _, s := range kept {
			require.NotZero(t, *s)
			seen[s] = true
		}
	}
	require.Len(t, seen, columns)
	cubes.Zero()
	require.Empty(t, cubes.ColumnSums())
	for s := range seen {
		require.Zero(t, *s)
	}
	w.fail = errors.New("the disk is gone")
	f, _ := w.linear(columns)
	_, err := cubes.Linear(ctx, w.r, scan.RolePublic, []*functional.Functional{f}, w.power(1), w, scan.Options{})
	require.ErrorIs(t, err, w.fail)
	require.Empty(t, cubes.ColumnSums())
	none := scan.NewCubes(-1)
	w.fail = nil
	_, err = none.Linear(ctx, w.r, scan.RolePublic, []*functional.Functional{f}, w.power(1), w, scan.Options{})
	require.NoError(t, err)
	require.Empty(t, none.ColumnSums())
}
