package scan_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/scan"
)

// newAligned makes keys whose files all have the given number of blocks.
func newAligned(t testing.TB, p *he.Profile, keys, columns, blocks int, seed uint64) *world {
	return makeWorld(t, p, keys, columns, seed, func(*rand.Rand) uint32 { return uint32(blocks) })
}

// across makes a random functional across all keys, and returns how many products of
// blocks it counts as.
func (w *world) across(columns int) (*functional.Functional, int64) {
	var ts []functional.Cross
	var terms int64
	for i, x := range w.files {
		for _, y := range w.files[i+1:] {
			if x.key == y.key || len(ts) > 0 && w.rnd.IntN(2) == 0 {
				continue
			}
			add := func(weight int, left, right functional.Factor) {
				ts = append(ts, functional.Cross{Left: functional.CrossFactor{Key: x.key, File: x.nonce, Factor: left},
					Right: functional.CrossFactor{Key: y.key, File: y.nonce, Factor: right}, Blocks: x.blocks, Weight: weight})
				terms += ts[len(ts)-1].Products()
			}
			some := func() []uint32 { return w.subset(columns) }
			add(1, w.factor(some()), w.factor(some()))
		}
	}
	return functional.Across(ts...), terms
}

// squares makes a sum of squared differences of two files of different keys: columns 0
// are taken for ones and 2 for squares, whatever is in them.
func (w *world) squares() (*functional.Functional, int64) {
	x := w.files[0]
	y := w.files[slices.IndexFunc(w.files, func(f file) bool { return f.key != x.key })]
	var ts []functional.Cross
	for _, t := range []struct {
		weight      int
		left, right uint32
	}{{1, 2, 0}, {-2, 1, 1}, {1, 0, 2}} {
		ts = append(ts, functional.Cross{Left: functional.CrossFactor{Key: x.key, File: x.nonce, Factor: functional.Sum(t.left)},
			Right: functional.CrossFactor{Key: y.key, File: y.nonce, Factor: functional.Sum(t.right)}, Blocks: x.blocks, Weight: t.weight})
	}
	return functional.Across(ts...), 4 * int64(x.blocks)
}

// collectCross runs Cross and opens everything with the secrets.
func (w *world) collectCross(t *testing.T, r *he.Ring, fs []*functional.Functional, opt scan.Options) (sums []he.Scalar, contents [][]carnet.Hash) {
	t.Helper()
	s := w.power(1)
	var done, total int64
	opt.Progress = func(d, n int64) { done, total = d, n }
	err := scan.Cross(ctx, r, fs, w, opt, func(i int, parts *scan.CrossParts) error {
		require.Equal(t, len(sums), i, "in order")
		require.Len(t, parts.Keys, len(fs[i].Keys))
		sums, contents = append(sums, parts.Value(w.r, s)), append(contents, parts.Contents(w.r))
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, total, done)
	require.Zero(t, w.held)
	return sums, contents
}

// All kernels, any number of workers, any memory: the same polynomials, and they open to
// what the plaintext says.
func TestCrossAgreesWithTwin(t *testing.T) {
	for name, p := range map[string]*he.Profile{
		"55 bits":  profile(t, 6, 4, 55, 45, he.Slots),
		"60 bits":  profile(t, 6, 4, 60, 54, he.Slots),
		"1024":     profile(t, 10, 4, 52, 42, he.Slots),
		"16 slots": profile(t, 4, 5, 60, 40, he.Slots),
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(2) {
				blocks := 3
				if p.N() < 100 && seed == 1 {
					blocks = 70 // two chunks
				}
				w := newAligned(t, p, 3, 4, blocks, seed)
				f, n := w.squares()
				fs, terms := []*functional.Functional{f}, []int64{n}
				for range 3 {
					f, n := w.across(4)
					fs, terms = append(fs, f), append(terms, n)
				}
				sums, contents := w.collectCross(t, w.r, fs, scan.Options{MaxBytes: 1 << 30})
				for i := range fs {
					w.open(t, fs[i], terms[i], sums[i])
				}
				again := func(r *he.Ring, opt scan.Options) {
					t.Helper()
					s, h := w.collectCross(t, r, fs, opt)
					require.Equal(t, sums, s)
					require.Equal(t, contents, h)
				}
				again(w.r.Portable(), scan.Options{Workers: 2, MaxBytes: 1 << 30})
				for _, kernel := range scan.Kernels(p) {
					again(w.r, scan.Options{Workers: 2, MaxBytes: 1 << 30, Kernel: kernel})
				}
				for workers := 3; workers <= 4; workers++ {
					again(w.r, scan.Options{Workers: workers, MaxBytes: int64(p.BlockBytes()) * 40})
				}
				var want []he.BlockID
				for id := range w.c0 {
					if slices.ContainsFunc(fs, func(f *functional.Functional) bool {
						return slices.ContainsFunc(f.Cross, func(t functional.Cross) bool {
							has := func(x *functional.CrossFactor) bool {
								return x.File == id.File && (slices.Contains(x.Factor.Plus, id.Column) || slices.Contains(x.Factor.Minus, id.Column))
							}
							return has(&t.Left) || has(&t.Right)
						})
					}) {
						want = append(want, id)
					}
				}
				require.ElementsMatch(t, want, scan.BlocksNeeded(fs, p.N()))
			}
		})
	}
}

// The polynomials are the sums that their definition says, and with shares and
// corrections in place of the secrets they add up to the same.
func TestCrossPartsByDefinition(t *testing.T) {
	p := profile(t, 6, 4, 55, 45, he.Slots)
	w := newAligned(t, p, 2, 3, 2, 9)
	f, _ := w.squares()
	err := scan.Cross(ctx, w.r, []*functional.Functional{f}, w, scan.Options{}, func(_ int, parts *scan.CrossParts) error {
		want := map[string]he.Poly{}
		for _, name := range []string{"00", "10", "01", "11"} {
			want[name] = w.r.NewPoly()
		}
		for i := range f.Cross {
			x := &f.Cross[i]
			for b := range x.Blocks {
				half := func(side *functional.CrossFactor) (c0, a he.Poly) {
					id := he.BlockID{File: side.File, Column: side.Factor.Plus[0], Block: b}
					a = w.r.NewPoly()
					w.r.PublicBlock(side.Key, id, a)
					return w.c0[id], a
				}
				x0, x1 := half(&x.Left)
				y0, y1 := half(&x.Right)
				for name, pair := range map[string][2]he.Poly{"00": {x0, y0}, "10": {x1, y0}, "01": {x0, y1}, "11": {x1, y1}} {
					for range max(x.Weight, -x.Weight) {
						product := w.r.NewPoly()
						w.r.Mul(pair[0], pair[1], product)
						if x.Weight < 0 {
							w.r.Sub(want[name], product, want[name])
						} else {
							w.r.Add(want[name], product, want[name])
						}
					}
				}
			}
		}
		require.Equal(t, want["00"], parts.Stored)
		require.Equal(t, []he.Poly{want["10"], want["01"]}, parts.Own)
		require.Equal(t, []scan.CrossPair{{A: 0, B: 1, E: want["11"]}}, parts.Pairs)

		secrets, delta, rest := w.power(1), map[carnet.KeyID]he.Poly{}, map[carnet.KeyID]he.Poly{}
		for k := range secrets {
			delta[k], rest[k] = w.r.NewPoly(), w.r.NewPoly()
			w.r.Uniform([32]byte{k[0]}, delta[k])
			w.r.Sub(secrets[k], delta[k], rest[k])
		}
		whole := w.r.ScalarAdd(parts.Value(w.r, delta), parts.Share(w.r, rest, delta))
		require.Equal(t, parts.Value(w.r, secrets), whole)

		// Everything a share is made of is in some content, and Stored is in none.
		contents, share := parts.Contents(w.r), parts.Share(w.r, rest, delta)
		parts.Stored[0][0] ^= 1
		require.Equal(t, contents, parts.Contents(w.r))
		require.Equal(t, share, parts.Share(w.r, rest, delta))
		for _, poly := range []he.Poly{parts.Own[0], parts.Own[1], parts.Pairs[0].E} {
			poly[1][7] ^= 1
			require.NotEqual(t, contents, parts.Contents(w.r))
			require.NotEqual(t, share, parts.Share(w.r, rest, delta))
			poly[1][7] ^= 1
		}
		return nil
	})
	require.NoError(t, err)
}

// With limbs of 60 bits and the largest residues there are, sums stay exact.
func TestCrossRelievesSums(t *testing.T) {
	p := profile(t, 4, 4, 60, 45, he.Slots)
	r := he.NewRing(p)
	const blocks = 400
	f := functional.Across(functional.Cross{Blocks: blocks, Weight: 1,
		Left:  functional.CrossFactor{Key: carnet.KeyID{1}, File: carnet.Nonce{1}, Factor: functional.Sum(0)},
		Right: functional.CrossFactor{Key: carnet.KeyID{2}, File: carnet.Nonce{2}, Factor: functional.Sum(0)}})
	for _, kernel := range scan.Kernels(p) {
		err := scan.Cross(ctx, r, []*functional.Functional{f}, worst{p}, scan.Options{Workers: 2, Kernel: kernel}, func(_ int, parts *scan.CrossParts) error {
			for l := range parts.Stored {
				for _, v := range parts.Stored[l] { // blocks * (q-1)^2
					require.EqualValues(t, blocks, v)
				}
			}
			return nil
		})
		require.NoError(t, err)
	}
}

// A functional across keys has no D_1 and D_2 of one key: whoever took it for one would
// open something else.
func TestCrossIsNoProduct(t *testing.T) {
	p := profile(t, 5, 4, 55, 45, he.Slots)
	w := newAligned(t, p, 2, 3, 2, 1)
	f, _ := w.across(3)
	prod, _ := w.product(3, 2)
	lin, _ := w.linear(3)
	none := func(int, []scan.Parts) error { return errors.New("called") }
	opt := scan.Options{MaxBytes: 1 << 20}
	fs := []*functional.Functional{f}
	corrections := map[carnet.KeyID][]he.Poly{}
	for k, s := range w.power(1) {
		corrections[k] = []he.Poly{s, s}
	}
	refused := func(err error) {
		t.Helper()
		require.Equal(t, "BAD_FUNCTIONAL", carnet.ReasonOf(err))
	}
	refused(scan.Products(ctx, w.r, fs, w, opt, none))
	_, err := scan.Linear(ctx, w.r, fs, w.power(1), w, opt)
	refused(err)
	_, err = scan.PublicValues(ctx, w.r, fs, corrections, w, opt)
	refused(err)
	cross := func(r *he.Ring, f *functional.Functional) error {
		return scan.Cross(ctx, r, []*functional.Functional{f}, w, opt, func(int, *scan.CrossParts) error { return errors.New("called") })
	}
	refused(cross(w.r, prod))
	refused(cross(w.r, lin))
	refused(cross(he.NewRing(profile(t, 5, 3, 55, 45, he.Coefficients)), f))
	broken := *f
	broken.Cross = append(slices.Clone(f.Cross), f.Cross[0])
	refused(cross(w.r, &broken))
	require.EqualError(t, cross(w.r, f), "called")
	w.fail = errors.New("no disk")
	require.EqualError(t, cross(w.r, f), "no disk")
	require.Zero(t, w.held)
}
