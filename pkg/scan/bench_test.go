package scan_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/scan"
)

// memory holds the limbs of some chunks, the same for every chunk: the arithmetic takes
// the same time for any residues.
type memory [][]uint64

func (m memory) Chunk(_ context.Context, id scan.ChunkID, limb int) ([]uint64, func(), error) {
	return m[(int(id.Column)*7+limb)%len(m)], func() {}, nil
}

func benchmarkRing(b *testing.B, name string) (*he.Ring, memory) {
	p, err := he.Lookup(name)
	require.NoError(b, err)
	r := he.NewRing(p)
	m := make(memory, 14)
	for i := range m {
		m[i] = make([]uint64, p.N()*benchmarkBlocks)
		r.ExpandColumn(carnet.KeyID{byte(i)}, he.BlockID{}, benchmarkBlocks).Words(0, 0, m[i], nil)
	}
	return r, m
}

const benchmarkBlocks = scan.ChunkBlocks

func report(b *testing.B, r *he.Ring) {
	rows := float64(benchmarkBlocks*r.Profile().N()) * float64(b.N)
	b.ReportMetric(rows/b.Elapsed().Seconds()/1e6, "Mrows/s")
}

// BenchmarkProducts is SUM(x) filtered by an encrypted indicator, for one and for
// several groups over the same measure.
func BenchmarkProducts(b *testing.B) {
	for _, name := range []string{"records", "records-wide", "records-ifma"} {
		for _, groups := range []uint32{1, 10} {
			b.Run(fmt.Sprintf("%s/%d", name, groups), func(b *testing.B) {
				r, m := benchmarkRing(b, name)
				var fs []*functional.Functional
				for g := range groups {
					fs = append(fs, &functional.Functional{Degree: 2, Keys: []functional.KeyTerms{{
						Products: []functional.Product{{Blocks: benchmarkBlocks, Factors: []functional.Factor{functional.Sum(0), functional.Sum(1 + g)}}},
					}}})
				}
				for b.Loop() {
					require.NoError(b, scan.Products(ctx, r, fs, m, scan.Options{MaxBytes: 1 << 30}, func(int, []scan.Parts) error { return nil }))
				}
				report(b, r)
			})
		}
	}
}

// BenchmarkDegree is SUM(x) by ten groups of two and three encrypted indicators, or of
// x*x: terms of degree 3 and 4 that have a pair in common.
func BenchmarkDegree(b *testing.B) {
	for name, degree := range map[string]int{"records-3": 3, "records-4": 4} {
		for _, groups := range []uint32{1, 10} {
			b.Run(fmt.Sprintf("%s/%d", name, groups), func(b *testing.B) {
				r, m := benchmarkRing(b, name)
				var fs []*functional.Functional
				for g := range groups {
					var factors []functional.Factor
					for c := range uint32(degree - 1) {
						factors = append(factors, functional.Sum(c))
					}
					factors = append(factors, functional.Sum(uint32(degree)+g))
					fs = append(fs, &functional.Functional{Degree: degree, Keys: []functional.KeyTerms{{
						Products: []functional.Product{{Blocks: benchmarkBlocks, Factors: factors}},
					}}})
				}
				for b.Loop() {
					require.NoError(b, scan.Products(ctx, r, fs, m, scan.Options{MaxBytes: 1 << 30}, func(int, []scan.Parts) error { return nil }))
				}
				report(b, r)
			})
		}
	}
}

// BenchmarkLinear is SUM(x) of one column, and in coefficient encoding a GROUP BY
// with every cell in one of several groups.
func BenchmarkLinear(b *testing.B) {
	for _, name := range []string{"records", "cube"} {
		for _, groups := range []uint32{1, 100} {
			b.Run(fmt.Sprintf("%s/%d", name, groups), func(b *testing.B) {
				r, m := benchmarkRing(b, name)
				var fs []*functional.Functional
				for g := range groups {
					t := functional.Linear{Blocks: benchmarkBlocks}
					if r.Profile().Encoding() == he.Coefficients {
						for c := g; c < benchmarkBlocks*uint32(r.Profile().N()); c += groups {
							t.Cells = append(t.Cells, c)
						}
					}
					fs = append(fs, &functional.Functional{Degree: 1, Keys: []functional.KeyTerms{{Linear: []functional.Linear{t}}}})
				}
				key := r.NewPoly()
				r.Uniform([32]byte{1}, key)
				w := map[carnet.KeyID]he.Poly{{}: key}
				for b.Loop() {
					_, err := scan.Linear(ctx, r, fs, w, m, scan.Options{})
					require.NoError(b, err)
				}
				report(b, r)
			})
		}
	}
}
