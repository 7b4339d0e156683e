package scan_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/scan"
)

// BenchmarkDegrees is SUM(x) filtered by one to three encrypted indicators, for one
// group and for ten that share all factors but one: what pkg/advise models.
func BenchmarkDegrees(b *testing.B) {
	for _, name := range []string{"records", "records-3", "records-4"} {
		for _, groups := range []uint32{1, 10} {
			r, m := benchmarkRing(b, name)
			for degree := 2; degree <= r.Profile().MaxDegree(); degree++ {
				b.Run(fmt.Sprintf("%s/%d/%d", name, degree, groups), func(b *testing.B) {
					var fs []*functional.Functional
					for g := range groups {
						t := functional.Product{Blocks: benchmarkBlocks}
						for c := range degree - 1 {
							t.Factors = append(t.Factors, functional.Sum(uint32(c)))
						}
						t.Factors = append(t.Factors, functional.Sum(uint32(degree)+g))
						fs = append(fs, &functional.Functional{Degree: degree, Keys: []functional.KeyTerms{{Products: []functional.Product{t}}}})
					}
					for b.Loop() {
						require.NoError(b, scan.Products(ctx, r, fs, m, scan.Options{MaxBytes: 1 << 30}, func(int, []scan.Parts) error { return nil }))
					}
					report(b, r)
				})
			}
		}
	}
}
