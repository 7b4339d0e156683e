package scan_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/scan"
)

var ctx = context.Background()

func TestLinearAgreesWithTwin(t *testing.T) {
	for name, p := range map[string]*he.Profile{
		"slots":             profile(t, 6, 4, 55, 45, he.Slots),
		"coefficients":      profile(t, 6, 3, 55, 45, he.Coefficients),
		"wide coefficients": profile(t, 6, 3, 60, 54, he.Coefficients),
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(5) {
				const columns = 4
				w := newWorld(t, p, 3, columns, 5, seed)
				var fs []*functional.Functional
				var terms []int64
				for range 9 {
					f, n := w.linear(columns)
					fs, terms = append(fs, f), append(terms, n)
				}
				s := w.power(1)
				var done, total int64
				sums, err := scan.Linear(ctx, w.r, fs, s, w, scan.Options{Progress: func(d, n int64) { done, total = d, n }})
				require.NoError(t, err)
				require.Equal(t, total, done)
				require.Len(t, scan.BlocksNeeded(fs, p.N()), int(total))
				for id, n := range w.reads {
					require.Equal(t, 1, n, "%v is read once", id)
				}
				for i := range fs {
					w.open(t, fs[i], terms[i], sums[i])
				}
				for workers := 2; workers <= 4; workers++ {
					again, err := scan.Linear(ctx, w.r, fs, s, w, scan.Options{Workers: workers})
					require.NoError(t, err)
					require.Equal(t, sums, again)
				}
				// without data only the public part: the rest is that of key zero
				public, err := scan.Linear(ctx, w.r, fs, s, nil, scan.Options{Workers: 2})
				require.NoError(t, err)
				zero := map[carnet.KeyID]he.Poly{}
				for k := range s {
					zero[k] = w.r.NewPoly()
				}
				stored, err := scan.Linear(ctx, w.r, fs, zero, w, scan.Options{Workers: 2})
				require.NoError(t, err)
				for i := range fs {
					require.Equal(t, sums[i], w.r.ScalarAdd(public[i], stored[i]))
				}
				portable, err := scan.Linear(ctx, w.r.Portable(), fs, s, w, scan.Options{Workers: 2})
				require.NoError(t, err)
				require.Equal(t, sums, portable)
				require.Zero(t, w.held)
			}
		})
	}
}

// collect runs Products and opens everything with the secrets.
func (w *world) collect(t *testing.T, r *he.Ring, fs []*functional.Functional, opt scan.Options) (sums []he.Scalar, hashes [][]carnet.Hash) {
	t.Helper()
	powers := map[carnet.KeyID][]he.Poly{}
	for k, seed := range w.seeds {
		s := w.r.DeriveSecret(seed)
		for j := 1; j <= w.r.Profile().MaxDegree(); j++ {
			powers[k] = append(powers[k], s.Power(j))
		}
	}
	var done, total int64
	opt.Progress = func(d, n int64) { done, total = d, n }
	err := scan.Products(ctx, r, fs, w, opt, func(i int, parts []scan.Parts) error {
		require.Equal(t, len(sums), i, "in order")
		require.Len(t, parts, len(fs[i].Keys))
		var sum he.Scalar
		var hs []carnet.Hash
		for k, part := range parts {
			require.Equal(t, fs[i].Keys[k].Key, part.Key)
			require.Len(t, part.D, fs[i].Degree+1)
			sum = w.r.ScalarAdd(sum, w.r.Const(part.D[0]))
			sum = w.r.ScalarAdd(sum, w.r.InnerConst(part.D[1:], powers[part.Key][:fs[i].Degree]))
			hs = append(hs, scan.HashProduct(w.r, part.D...))
		}
		sums, hashes = append(sums, sum), append(hashes, hs)
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, total, done)
	require.Zero(t, w.held)
	return sums, hashes
}

// All kernels, any number of workers, any memory, with and without kept public halves:
// the same polynomials, and they open to what the plaintext says.
func TestProductsAgreeWithTwin(t *testing.T) {
	for name, p := range map[string]*he.Profile{
		"55 bits":  profile(t, 6, 4, 55, 45, he.Slots),
		"60 bits":  profile(t, 6, 4, 60, 54, he.Slots),
		"1024":     profile(t, 10, 4, 52, 42, he.Slots), // several tiles
		"degree 3": profile(t, 6, 5, 55, 42, he.Slots),
		"degree 4": profile(t, 5, 6, 55, 40, he.Slots),
		"16 slots": profile(t, 4, 6, 60, 40, he.Slots), // smaller than a tile
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(2) {
				const columns = 14
				blocks := 18
				if p.N() < 100 && seed == 1 {
					blocks = 150 // three chunks
				}
				w := newWorld(t, p, 2, columns, blocks, seed)
				var fs []*functional.Functional
				var terms []int64
				for i := range 7 {
					f, n := w.product(columns, 2+i%(p.MaxDegree()-1))
					fs, terms = append(fs, f), append(terms, n)
				}
				sums, hashes := w.collect(t, w.r, fs, scan.Options{MaxBytes: 1 << 30})
				for i := range fs {
					w.open(t, fs[i], terms[i], sums[i])
				}
				again := func(r *he.Ring, opt scan.Options) {
					t.Helper()
					s, h := w.collect(t, r, fs, opt)
					require.Equal(t, sums, s)
					require.Equal(t, hashes, h)
				}
				again(w.r.Portable(), scan.Options{Workers: 2, MaxBytes: 1 << 30})
				for _, kernel := range scan.Kernels(p) {
					again(w.r, scan.Options{Workers: 2, MaxBytes: 1 << 30, Kernel: kernel})
				}
				cache := scan.NewPublicCache(int64(p.N()) * 8 * 40)
				for workers := 1; workers <= 4; workers++ {
					maxBytes := []int64{0, int64(p.BlockBytes()) * 16, 1 << 30}[(workers+int(seed))%3]
					again(w.r, scan.Options{Workers: workers, MaxBytes: maxBytes})
					again(w.r, scan.Options{Workers: workers, MaxBytes: maxBytes, Public: cache})
				}
			}
		})
	}
}

func TestPublicValues(t *testing.T) {
	p := profile(t, 6, 5, 55, 42, he.Slots)
	const columns = 5
	w := newWorld(t, p, 3, columns, 4, 11)
	// a split of the powers of every secret into a public correction and the rest
	corrections, rest := map[carnet.KeyID][]he.Poly{}, map[carnet.KeyID][]he.Poly{}
	for k, seed := range w.seeds {
		for j := 1; j <= 3; j++ {
			delta, x := w.r.NewPoly(), w.r.NewPoly()
			w.r.Uniform([32]byte{byte(j), k[0]}, delta)
			w.r.Sub(w.r.DeriveSecret(seed).Power(j), delta, x)
			corrections[k], rest[k] = append(corrections[k], delta), append(rest[k], x)
		}
	}
	var fs []*functional.Functional
	var terms []int64
	for i := range 8 {
		f, n := w.linear(columns)
		if i%3 != 0 {
			f, n = w.product(columns, 1+i%3)
		}
		fs, terms = append(fs, f), append(terms, n)
	}
	var done, total int64
	z, err := scan.PublicValues(ctx, w.r, fs, corrections, w, scan.Options{Workers: 2, MaxBytes: 1 << 20, Progress: func(d, n int64) { done, total = d, n }})
	require.NoError(t, err)
	require.Equal(t, total, done)
	for workers := 1; workers <= 4; workers++ {
		z2, err := scan.PublicValues(ctx, w.r, fs, corrections, w, scan.Options{Workers: workers, MaxBytes: 1 << 30})
		require.NoError(t, err)
		require.Equal(t, z, z2)
	}
	for i, f := range fs {
		sum := z[i]
		if f.Degree == 1 {
			r1 := map[carnet.KeyID]he.Poly{}
			for k := range rest {
				r1[k] = rest[k][0]
			}
			part, err := scan.Linear(ctx, w.r, fs[i:i+1], r1, nil, scan.Options{}) // a keyholder needs no data
			require.NoError(t, err)
			sum = w.r.ScalarAdd(sum, part[0])
		} else {
			err := scan.Products(ctx, w.r, fs[i:i+1], w, scan.Options{MaxBytes: 1 << 20}, func(_ int, parts []scan.Parts) error {
				for _, x := range parts {
					sum = w.r.ScalarAdd(sum, w.r.InnerConst(x.D[1:], rest[x.Key][:f.Degree]))
				}
				return nil
			})
			require.NoError(t, err)
		}
		w.open(t, f, terms[i], sum)
	}

	for k := range corrections {
		corrections[k] = corrections[k][:1]
	}
	_, err = scan.PublicValues(ctx, w.r, fs, corrections, w, scan.Options{Workers: 2, MaxBytes: 1 << 20})
	require.Equal(t, "MISSING_KEY", carnet.ReasonOf(err))
}

func TestScanOnRealProfiles(t *testing.T) {
	for _, name := range []string{"cube", "cube-wide", "records", "records-wide", "records-ifma", "records-3", "records-4"} {
		p, err := he.Lookup(name)
		require.NoError(t, err)
		w := newWorld(t, p, 1, p.MaxDegree()+1, 1, 5)
		f, n := w.linear(2)
		sums, err := scan.Linear(ctx, w.r, []*functional.Functional{f}, w.power(1), w, scan.Options{Workers: 2})
		require.NoError(t, err)
		w.open(t, f, n, sums[0])
		if p.MaxDegree() > 1 {
			f, n := w.product(p.MaxDegree()+1, p.MaxDegree())
			sums, _ := w.collect(t, w.r, []*functional.Functional{f}, scan.Options{Workers: 2, MaxBytes: 1 << 28})
			w.open(t, f, n, sums[0])
		}
	}
}
