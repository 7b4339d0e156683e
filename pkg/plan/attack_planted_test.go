package plan

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/plain"
	"github.com/carnet-network/carnet/pkg/privacy"
	"github.com/carnet-network/carnet/pkg/schema"
)

// planted are two owners' tables of which the second says what it likes: its numbers are
// taken times a factor, as whoever encrypts without asking the schema can do.
type planted struct {
	twoBenches
	factor uint64
}

func (b planted) Values(id he.BlockID) ([]uint64, error) {
	v, err := b.twoBenches.Values(id)
	if _, mine := b.twoBenches[1].files[id.File]; mine {
		for i := range v {
			v[i] *= b.factor
		}
	}
	return v, err
}

// The buyer's friend is the other owner of a product. It publishes the largest value that the
// schema allows in the row of its victim, and nothing in all others, so that the product is
// that row alone. Noise is measured by the bounds of both sides, so it covers what one row can
// be multiplied with, and the attack gets no further than any. Beyond the bounds it works:
// nobody checks ciphertext, and docs/explanation/privacy.md says so.
func TestAttackPlantedValues(t *testing.T) {
	const per, tries = 50_000, 2_000
	secret := func(x int64) planted {
		rows := func(m ...int64) []schema.Row {
			var out []schema.Row
			for cell, v := range m {
				out = append(out, schema.Row{Partition: []string{"2024"}, Dims: []int{cell / 4, cell % 4}, Measures: []int64{v}, Null: []bool{false}})
			}
			return out
		}
		left, right := panel("exports", schema.Measure{Name: "ill", Min: "0", Max: "1"}), panel("prices", schema.Measure{Name: "y", Min: "-100", Max: "300"})
		b := newTwo(newProfileBench(t, left, "records", []owner{{"a", "KZ", rows(1, 0, x, 1)}}),
			newProfileBench(t, right, "records", []owner{{"b", "UZ", rows(0, 0, 300, 0)}}))
		b[0].product.Datasets[0].Manifest.Terms.Privacy = privately(2*per, per, 1)
		return planted{b, 1}
	}
	worlds := [2]planted{secret(0), secret(1)}
	accuracy := func(factor uint64) float64 {
		right := 0
		for x := range worlds {
			b := worlds[x]
			b.factor = factor
			p, err := b.compile("SELECT SUM(a.ill * b.y) FROM trade a JOIN mirror b" + onAll)
			require.NoError(t, err)
			require.Len(t, p.Openings, 2, "rows that are joined, and the sum")
			number := p.Openings[1]
			require.EqualValues(t, 300, number.row.Int64(), "1 times 300")
			require.EqualValues(t, 300*300/2*privacy.Unit/per, number.Variance.Int64())
			v, err := plain.Eval(p.Profile, number.F, b)
			require.NoError(t, err)
			exact := he.Centre(v, p.Profile.T())
			require.EqualValues(t, 300*uint64(x)*factor, exact)
			for i := range tries / 2 {
				key := carnet.Keyed([]byte("planted"), "carnet/test/noise", fmt.Append(nil, i, x, factor))
				seen := exact + privacy.Sample(privacy.NewStream(key), number.Variance).Int64() // of the one part that it does not know
				if (seen > 150*int64(factor)) == (x == 1) {
					right++
				}
			}
		}
		return float64(right) / tries
	}
	got := accuracy(1)
	t.Logf("accuracy %.3f, bound %.3f", got, most(per))
	require.Less(t, got, most(per)+3*0.5/math.Sqrt(tries))
	require.Greater(t, got, 0.5)
	require.Equal(t, 1.0, accuracy(1_000), "beyond the bounds noise hides nothing")
}
