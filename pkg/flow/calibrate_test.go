package flow_test

import (
	"context"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/flow"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/scan"
)

// Every profile can be calibrated, and the rates of what it does are known. Those that are told
// from two measurements are nothing where other work on the machine makes up the difference.
func TestCalibrate(t *testing.T) {
	for _, name := range []string{"cube", "records"} {
		p, err := he.Lookup(name)
		require.NoError(t, err)
		r, err := flow.Calibrate(context.Background(), p, 3)
		require.NoError(t, err)
		require.Equal(t, 3, r.Cores)
		known, told := []float64{r.Fetch, r.Flood, r.Factor}, []float64{r.Linear}
		if name == "cube" {
			known, told = []float64{r.Fetch, r.Flood, r.Hash}, []float64{r.Setup}
		}
		for _, x := range known {
			require.Positive(t, x)
		}
		v := reflect.ValueOf(r.Products)
		for d := range v.Len() {
			told = append(told, v.Index(d).Float())
		}
		for _, x := range told {
			require.GreaterOrEqual(t, x, 0.0)
		}
	}
}

// halves are stored halves of zeros.
type halves []uint64

func (h halves) Chunk(context.Context, scan.ChunkID, int) ([]uint64, func(), error) {
	return h, func() {}, nil
}

// BenchmarkEstimates evaluates plans and reports how long it took as a multiple of the
// estimate: 1 is right.
func BenchmarkEstimates(b *testing.B) {
	key := carnet.KeyID{1}
	for _, c := range []struct {
		profile string
		degree  int
		blocks  uint32
		columns uint32
		groups  int
	}{
		{"cube", 1, 62, 1, 1}, {"cube", 1, 62, 3, 1000}, {"cube", 1, 16, 5, 5000},
		{"records", 1, 20, 4, 1}, {"records", 2, 20, 1, 1}, {"records", 2, 10, 3, 8}, {"records-3", 3, 10, 1, 4}, {"records-4", 4, 6, 1, 4},
	} {
		p, err := he.Lookup(c.profile)
		require.NoError(b, err)
		r := he.NewRing(p)
		w := r.NewPoly()
		r.PublicBlock(key, he.BlockID{}, w)
		zeros := make(halves, int(c.blocks)*p.N())
		var fs []*functional.Functional
		lists := make([][]uint32, c.groups)
		if p.Encoding() == he.Coefficients {
			for i := range c.blocks * uint32(p.N()) {
				lists[int(i)%c.groups] = append(lists[int(i)%c.groups], i)
			}
		}
		for g := range c.groups {
			for column := range c.columns {
				k := functional.KeyTerms{Key: key}
				if c.degree == 1 {
					k.Linear = []functional.Linear{{Column: column, Blocks: c.blocks, Cells: lists[g]}}
				} else {
					t := functional.Product{Blocks: c.blocks, Factors: []functional.Factor{functional.Sum(column)}}
					for d := 1; d < c.degree; d++ {
						t.Factors = append(t.Factors, functional.Sum(c.columns+uint32(g*c.degree+d)))
					}
					k.Products = []functional.Product{t}
				}
				fs = append(fs, &functional.Functional{Degree: c.degree, Keys: []functional.KeyTerms{k}})
			}
		}
		work := plan.WorkOf(p, fs)
		powers := make([]he.Poly, c.degree)
		for i := range powers {
			powers[i] = w
		}
		b.Run(fmt.Sprintf("%s/degree%d/columns%d/groups%d", c.profile, c.degree, c.columns, c.groups), func(b *testing.B) {
			rates, err := flow.Calibrate(context.Background(), p, 1)
			require.NoError(b, err)
			cubes := scan.NewCubes(0)
			want := work.Estimate(rates, 0).Gateway
			var took time.Duration
			for b.Loop() {
				began := time.Now()
				if p.Encoding() == he.Coefficients {
					_, err = cubes.Linear(context.Background(), r, scan.RolePublic, fs, map[carnet.KeyID]he.Poly{key: w}, zeros, scan.Options{Workers: 1})
				} else {
					_, err = scan.PublicValues(context.Background(), r, fs, map[carnet.KeyID][]he.Poly{key: powers}, zeros, scan.Options{Workers: 1, MaxBytes: 1 << 30})
				}
				require.NoError(b, err)
				if d := time.Since(began); took == 0 || d < took {
					took = d
				}
			}
			b.ReportMetric(float64(took)/float64(want), "x-estimate")
		})
	}
}
