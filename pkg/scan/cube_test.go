package scan_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/scan"
)

// grouping makes what a GROUP BY opens: the lists of cells of some groups, used by
// several columns and files, some of them overlapping, some subtracted.
func (w *world) grouping(columns, groups int) (fs []*functional.Functional) {
	n := w.r.Profile().N()
	byFile := make([][][]uint32, len(w.files))
	for i, x := range w.files {
		cells := int(x.blocks) * n
		lists := make([][]uint32, groups+1)
		for c := range cells {
			if g := w.rnd.IntN(groups + 1); g < groups {
				lists[g] = append(lists[g], uint32(c))
			}
			if c%3 != 0 {
				lists[groups] = append(lists[groups], uint32(c)) // overlaps the groups
			}
		}
		if i > 0 && w.files[i-1].blocks == x.blocks {
			lists = byFile[i-1] // files of one shape share them
		}
		byFile[i] = lists
	}
	for column := range uint32(columns) {
		for g := range groups + 1 {
			byKey := map[carnet.KeyID]*functional.KeyTerms{}
			for i, x := range w.files {
				if len(byFile[i][g]) == 0 {
					continue
				}
				if byKey[x.key] == nil {
					byKey[x.key] = &functional.KeyTerms{Key: x.key}
				}
				k := byKey[x.key]
				k.Linear = append(k.Linear, functional.Linear{File: x.nonce, Column: column, Blocks: x.blocks, Cells: byFile[i][g], Minus: g%3 == 2})
			}
			if len(byKey) > 0 {
				fs = append(fs, assemble(1, byKey))
			}
		}
	}
	return fs
}

// total is how many limbs of chunks were read.
func (w *world) total() (n int) {
	for _, times := range w.reads {
		n += times
	}
	return n
}

// Cubes give the same scalars as Linear whatever is kept, for any number of workers,
// the first time and later.
func TestCubesAgreeWithLinear(t *testing.T) {
	for seed := range uint64(6) {
		p := profile(t, 4, 3+int(seed%2), 55, 40, he.Coefficients)
		w := newWorld(t, p, 2, 3, 5, seed)
		var fs []*functional.Functional
		for range 6 {
			f, _ := w.linear(3)
			fs = append(fs, f)
		}
		fs = append(fs, w.grouping(3, 7)...)
		delta, secret := w.power(1), w.power(2)
		ctx := context.Background()
		public, err := scan.Linear(ctx, w.r, fs, delta, w, scan.Options{Workers: 2})
		require.NoError(t, err)
		share, err := scan.Linear(ctx, w.r, fs, secret, nil, scan.Options{Workers: 2})
		require.NoError(t, err)
		block := int64(8 * p.N() * p.Limbs())
		for _, limit := range []int64{0, block, 3 * block, 1 << 20} {
			cubes := scan.NewCubes(limit)
			for round := range 3 {
				got, err := cubes.Linear(ctx, w.r, scan.RolePublic, fs, delta, w, scan.Options{Workers: 1 + round})
				require.NoError(t, err)
				require.Equal(t, public, got)
				got, err = cubes.Linear(ctx, w.r, scan.RoleShare, fs, secret, nil, scan.Options{Workers: 1 + round})
				require.NoError(t, err)
				require.Equal(t, share, got)
			}
			used, secrets := cubes.Kept()
			require.LessOrEqual(t, used, limit)
			require.Equal(t, limit == 1<<20, secrets > 0 && used > 3*block)
		}
	}
}

// What is kept is read once: the second query reads no block.
func TestCubesReadOnce(t *testing.T) {
	w := newWorld(t, profile(t, 4, 3, 55, 40, he.Coefficients), 2, 2, 4, 1)
	fs := w.grouping(2, 5)
	cubes := scan.NewCubes(1 << 20)
	var steps []int64
	progress := func(done, total int64) { steps = append(steps, done, total) }
	ctx := context.Background()
	first, err := cubes.Linear(ctx, w.r, scan.RolePublic, fs, w.power(1), w, scan.Options{Workers: 2, Progress: progress})
	require.NoError(t, err)
	reads := w.total()
	require.Equal(t, steps[len(steps)-1], steps[len(steps)-2])
	again, err := cubes.Linear(ctx, w.r, scan.RolePublic, fs, w.power(1), w, scan.Options{Workers: 2})
	require.NoError(t, err)
	require.Equal(t, first, again)
	require.Equal(t, reads, w.total())
	cubes.Zero()
	_, err = cubes.Linear(ctx, w.r, scan.RolePublic, fs, w.power(1), w, scan.Options{Workers: 2})
	require.NoError(t, err)
	require.Equal(t, 2*reads, w.total())
}

// Many queries at a time make every set-up once, and a failed one does not stay.
func TestCubesTogether(t *testing.T) {
	w := newWorld(t, profile(t, 4, 3, 55, 40, he.Coefficients), 2, 2, 4, 2)
	fs := w.grouping(2, 5)
	cubes := scan.NewCubes(1 << 20)
	ctx := context.Background()
	w.fail = errors.New("the disk is gone")
	_, err := cubes.Linear(ctx, w.r, scan.RolePublic, fs, w.power(1), w, scan.Options{Workers: 2})
	require.ErrorIs(t, err, w.fail)
	w.fail = nil
	clear(w.reads)
	want, err := scan.Linear(ctx, w.r, fs, w.power(1), w, scan.Options{Workers: 2})
	require.NoError(t, err)
	reads := w.total()
	clear(w.reads)
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			got, err := cubes.Linear(ctx, w.r, scan.RolePublic, fs, w.power(1), w, scan.Options{Workers: 2})
			require.NoError(t, err)
			require.Equal(t, want, got)
		})
	}
	wg.Wait()
	require.Equal(t, reads, w.total())
}

// Rule: what depends on a keyholder's secret is overwritten when it is dropped and at
// the end; what is in use by then when its user is done.
func TestAttackSecretSetUpsAreOverwritten(t *testing.T) {
	w := newWorld(t, profile(t, 4, 3, 55, 40, he.Coefficients), 1, 2, 4, 3)
	fs := w.grouping(2, 5)
	ctx := context.Background()
	size := int64(8 * w.r.Profile().N() * w.r.Profile().Limbs())
	cubes := scan.NewCubes(2 * size)
	words := func() [][]uint64 { return cubes.Words(scan.RoleShare) }
	var old [][]uint64
	for i := range fs {
		_, err := cubes.Linear(ctx, w.r, scan.RoleShare, fs[i:i+1], w.power(1), nil, scan.Options{Workers: 1})
		require.NoError(t, err)
		now := words()
		require.NotEmpty(t, now)
		for _, x := range now {
			require.NotZero(t, x[0]|x[1]|x[2])
		}
		old = append(old, now...)
	}
	cubes.Zero()
	require.Empty(t, words())
	zero := make([]uint64, len(old[0]))
	for _, x := range old {
		require.Equal(t, zero, x)
	}
	used, _ := cubes.Kept()
	require.Zero(t, used)
}

func TestCubesRefuse(t *testing.T) {
	w := newWorld(t, profile(t, 4, 3, 55, 40, he.Coefficients), 1, 2, 2, 4)
	f, _ := w.linear(2)
	cubes := scan.NewCubes(1 << 20)
	ctx := context.Background()
	_, err := cubes.Linear(ctx, w.r, scan.RoleShare, []*functional.Functional{f}, nil, nil, scan.Options{Workers: 1})
	require.Equal(t, "MISSING_KEY", carnet.ReasonOf(err))
	require.Panics(t, func() { _, _ = cubes.Linear(ctx, w.r, scan.RoleShare, nil, nil, w, scan.Options{Workers: 1}) })
	require.Panics(t, func() { _, _ = cubes.Linear(ctx, w.r, scan.RolePublic, nil, nil, nil, scan.Options{Workers: 1}) })
	bad := *f
	bad.Degree = 2
	_, err = cubes.Linear(ctx, w.r, scan.RoleShare, []*functional.Functional{&bad}, w.power(1), nil, scan.Options{Workers: 1})
	require.Equal(t, "BAD_FUNCTIONAL", carnet.ReasonOf(err))
	stopped, stop := context.WithCancel(ctx)
	stop()
	_, err = cubes.Linear(stopped, w.r, scan.RoleShare, []*functional.Functional{f}, w.power(1), nil, scan.Options{Workers: 1})
	require.ErrorIs(t, err, context.Canceled)
}
