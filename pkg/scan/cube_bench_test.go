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

// anything is stored halves of zeros.
type anything []uint64

func (a anything) Chunk(context.Context, scan.ChunkID, int) ([]uint64, func(), error) {
	return a, func() {}, nil
}

// BenchmarkCube is GROUP BY 1,000 groups over a cube of 1M cells of the profile cube:
// groups interleaved as those of an inner dimension are, or in runs as those of an
// outer one.
func BenchmarkCube(b *testing.B) {
	p, err := he.Lookup("cube")
	require.NoError(b, err)
	r := he.NewRing(p)
	key, w := carnet.KeyID{1}, r.NewPoly()
	r.PublicBlock(key, he.BlockID{}, w)
	zeros := make(anything, 62*p.N())
	const cells, groups = 1_000_000, 1000
	for name, group := range map[string]func(c uint32) uint32{
		"inner": func(c uint32) uint32 { return c % groups },
		"outer": func(c uint32) uint32 { return c / (cells / groups) },
	} {
		lists := make([][]uint32, groups)
		for c := range uint32(cells) {
			lists[group(c)] = append(lists[group(c)], c)
		}
		var fs []*functional.Functional
		for _, l := range lists {
			fs = append(fs, &functional.Functional{Degree: 1, Keys: []functional.KeyTerms{{Key: key, Linear: []functional.Linear{{Column: 1, Blocks: 62, Cells: l}}}}})
		}
		weights := map[carnet.KeyID]he.Poly{key: w}
		for _, kept := range []bool{false, true} {
			limit, what := int64(0), "/set up anew"
			if kept {
				limit, what = 1<<30, "/set up before"
			}
			b.Run(name+what, func(b *testing.B) {
				cubes := scan.NewCubes(limit)
				for b.Loop() {
					_, err := cubes.Linear(context.Background(), r, scan.RolePublic, fs, weights, zeros, scan.Options{Workers: 1})
					require.NoError(b, err)
				}
			})
		}
	}
}
