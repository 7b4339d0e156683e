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
				sums, err := scan.Linear(ctx, w.r, fs, s, w, 1, func(d, n int64) { done, total = d, n })
				require.NoError(t, err)
				require.Equal(t, total, done)
				require.Len(t, scan.BlocksNeeded(fs, p.N()), int(total))
				require.EqualValues(t, total, w.reads, "every block is read once")
				for i := range fs {
					w.open(t, fs[i], terms[i], sums[i])
				}
				for workers := 2; workers <= 4; workers++ {
					again, err := scan.Linear(ctx, w.r, fs, s, w, workers, nil)
					require.NoError(t, err)
					require.Equal(t, sums, again)
				}
				// without data only the public part: the rest is that of key zero
				public, err := scan.Linear(ctx, w.r, fs, s, nil, 2, nil)
				require.NoError(t, err)
				zero := map[carnet.KeyID]he.Poly{}
				for k := range s {
					zero[k] = w.r.NewPoly()
				}
				stored, err := scan.Linear(ctx, w.r, fs, zero, w, 2, nil)
				require.NoError(t, err)
				for i := range fs {
					require.Equal(t, sums[i], w.r.ScalarAdd(public[i], stored[i]))
				}
			}
		})
	}
}

// collect runs Products and opens everything with the secrets.
func (w *world) collect(t *testing.T, fs []*functional.Functional, workers int, maxBytes int64) (sums []he.Scalar, hashes [][]carnet.Hash) {
	t.Helper()
	s1, s2 := w.power(1), w.power(2)
	var done, total int64
	err := scan.Products(ctx, w.r, fs, w, workers, maxBytes, func(d, n int64) { done, total = d, n }, func(i int, parts []scan.Parts) error {
		require.Equal(t, len(sums), i, "in order")
		require.Len(t, parts, len(fs[i].Keys))
		var sum he.Scalar
		var hs []carnet.Hash
		for k, part := range parts {
			require.Equal(t, fs[i].Keys[k].Key, part.Key)
			sum = w.r.ScalarAdd(sum, w.r.Const(part.D[0]))
			sum = w.r.ScalarAdd(sum, w.r.InnerConst(part.D[1:], []he.Poly{s1[part.Key], s2[part.Key]}))
			hs = append(hs, scan.HashProduct(w.r, part.D[1], part.D[2]))
		}
		sums, hashes = append(sums, sum), append(hashes, hs)
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, total, done)
	return sums, hashes
}

func TestProductsAgreeWithTwin(t *testing.T) {
	for name, p := range map[string]*he.Profile{
		"55 bits": profile(t, 6, 4, 55, 45, he.Slots),
		"60 bits": profile(t, 6, 4, 60, 54, he.Slots),
		"1024":    profile(t, 10, 4, 52, 42, he.Slots), // several tiles
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(3) {
				const columns = 5
				w := newWorld(t, p, 3, columns, 18, seed)
				var fs []*functional.Functional
				var terms []int64
				for range 6 {
					f, n := w.product(columns)
					fs, terms = append(fs, f), append(terms, n)
				}
				sums, hashes := w.collect(t, fs, 1, 1<<30)
				for i := range fs {
					w.open(t, fs[i], terms[i], sums[i])
				}
				for workers := 1; workers <= 4; workers++ {
					maxBytes := []int64{0, int64(p.BlockBytes()) * 16, 1 << 30}[(workers+int(seed))%3]
					again, h := w.collect(t, fs, workers, maxBytes)
					require.Equal(t, sums, again)
					require.Equal(t, hashes, h)
				}
			}
		})
	}
}

func TestPublicValues(t *testing.T) {
	p := profile(t, 6, 4, 55, 45, he.Slots)
	const columns = 4
	w := newWorld(t, p, 3, columns, 4, 11)
	// a split of the powers of every secret into a public correction and the rest
	corrections, rest := map[carnet.KeyID][]he.Poly{}, map[carnet.KeyID][]he.Poly{}
	for k, seed := range w.seeds {
		for j := 1; j <= 2; j++ {
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
			f, n = w.product(columns)
		}
		fs, terms = append(fs, f), append(terms, n)
	}
	var done, total int64
	z, hashes, err := scan.PublicValues(ctx, w.r, fs, corrections, w, 2, 1<<20, func(d, n int64) { done, total = d, n })
	require.NoError(t, err)
	require.Equal(t, total, done)
	for workers := 1; workers <= 4; workers++ {
		z2, h2, err := scan.PublicValues(ctx, w.r, fs, corrections, w, workers, 1<<30, nil)
		require.NoError(t, err)
		require.Equal(t, z, z2)
		require.Equal(t, hashes, h2)
	}
	for i, f := range fs {
		sum := z[i]
		if f.Degree == 1 {
			require.Nil(t, hashes[i])
			r1 := map[carnet.KeyID]he.Poly{}
			for k := range rest {
				r1[k] = rest[k][0]
			}
			part, err := scan.Linear(ctx, w.r, fs[i:i+1], r1, nil, 1, nil) // a keyholder needs no data
			require.NoError(t, err)
			sum = w.r.ScalarAdd(sum, part[0])
		} else {
			err := scan.Products(ctx, w.r, fs[i:i+1], w, 1, 1<<20, nil, func(_ int, parts []scan.Parts) error {
				for k, x := range parts {
					sum = w.r.ScalarAdd(sum, w.r.InnerConst(x.D[1:], rest[x.Key]))
					require.Equal(t, hashes[i][k], scan.HashProduct(w.r, x.D[1], x.D[2]))
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
	_, _, err = scan.PublicValues(ctx, w.r, fs, corrections, w, 2, 1<<20, nil)
	require.Equal(t, "MISSING_KEY", carnet.ReasonOf(err))
}

func TestScanOnRealProfiles(t *testing.T) {
	for _, name := range []string{"cube", "cube-wide", "records", "records-wide", "records-ifma"} {
		p, err := he.Lookup(name)
		require.NoError(t, err)
		w := newWorld(t, p, 1, 2, 1, 5)
		f, n := w.linear(2)
		sums, err := scan.Linear(ctx, w.r, []*functional.Functional{f}, w.power(1), w, 2, nil)
		require.NoError(t, err)
		w.open(t, f, n, sums[0])
		if p.MaxDegree() == 2 {
			f, n := w.product(2)
			sums, _ := w.collect(t, []*functional.Functional{f}, 2, 1<<28)
			w.open(t, f, n, sums[0])
		}
	}
}
