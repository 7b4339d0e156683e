package engine

import (
	"fmt"
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/share"
)

// product answers a product of chosen polynomials, as somebody with token and policy key
// has it answered.
func (a *attacker) product(salt byte) error {
	r := a.net.Ask(`SELECT SUM(value) FROM trade WHERE month = '01'`)
	_, err := a.net.Answer(a.t, a.sharer, r, salt)
	return err
}

func (a *attacker) configure(values map[string]any) error {
	_, err := a.engine.Write(a.t.Context(), "config", values)
	return err
}

// Whoever has token, policy key and a buyer chooses polynomials. It gets as many answers as
// a person allowed, few if nobody did, over restarts; sums of columns go on.
func TestAttackChosenPolynomials(t *testing.T) {
	a := newAttacker(t, carnet.LayoutRecords)
	per := products(a.net.Ask(january))
	require.Positive(t, per)
	config, err := a.engine.Read(t.Context(), "config")
	require.NoError(t, err)
	require.Equal(t, "64", fmt.Sprint(config["max_product_releases"]))

	require.NoError(t, a.configure(map[string]any{"max_product_releases": 2 * per}))
	require.NoError(t, a.product(1))
	require.NoError(t, a.product(2))
	require.NoError(t, a.product(2), "a repetition gives the same numbers")
	a.engine = newEngine(t, a.storage)
	a.sharer = sharer(t, a.engine)
	before := a.released()
	err = a.product(3)
	require.Equal(t, "PRODUCTS_EXHAUSTED", carnet.ReasonOf(err))
	require.Equal(t, carnet.Forbidden, carnet.KindOf(err), "the query waits for a person")
	require.Equal(t, before, a.released(), "nothing is counted")
	_, err = a.net.Answer(t, a.sharer, a.net.Ask(`SELECT SUM(value) FROM trade`), 0)
	require.NoError(t, err, "a sum of a column has polynomials of the engine's own")

	require.NoError(t, a.configure(map[string]any{"max_product_releases": 3 * per}))
	require.NoError(t, a.product(3))
	require.NoError(t, a.configure(map[string]any{"max_product_releases": 0}))
	require.Equal(t, "PRODUCTS_EXHAUSTED", carnet.ReasonOf(a.product(4)))
	require.Equal(t, "BAD_REQUEST", carnet.ReasonOf(a.configure(map[string]any{"max_product_releases": -1})))

	// A private parameter chooses between products: one number, counted as one.
	require.NoError(t, a.configure(map[string]any{"max_product_releases": 3 * per}))
	change, _ := a.net.Select(a.sharer.SealingKey(), 1)
	_, err = a.net.Answer(t, a.sharer, a.net.Ask(secretMonth, change), 5)
	require.Equal(t, "PRODUCTS_EXHAUSTED", carnet.ReasonOf(err))
}

// The default, in figures: an answer to chosen polynomials tells the bits of Q above the
// flood of one part, log2(3) of which are a coefficient of the ternary secret, when the
// other parts are known. What is left of the dimension keeps 128 bits, in the proportion of
// the published tables (16384 for 430 bits of Q), with half as many answers again.
func TestDefaultOfProductsLeavesTheKey(t *testing.T) {
	few := math.Inf(1)
	for _, p := range he.Profiles() {
		if p.MaxDegree() < 2 {
			continue
		}
		for _, size := range [][2]int{{3, 2}, {5, 3}, {8, 3}, {10, 6}, {10, 5}} {
			c, err := share.NewCommittee(size[0], size[1])
			require.NoError(t, err)
			for degree := 2; degree <= p.MaxDegree(); degree++ {
				k, _, err := share.FloodBits(p, c, 0, share.NoiseBound(p, degree, 1))
				require.NoError(t, err)
				told := logBits(p.Q()) - float64(k+1)
				coefficients := math.Ceil(told / math.Log2(3))
				needed := float64(p.N()) * logBits(p.Q()) / 430
				most := (float64(p.N()) - needed) / coefficients
				require.Greater(t, most, 1.5*defaultProducts, "%s, %v, degree %d: %.0f bits an answer", p.Name(), size, degree, told)
				few = min(few, most)
			}
		}
	}
	require.Less(t, few, 1e3, "the bound is about something")
	t.Logf("the profile that allows least allows %.0f", few)
}

func logBits(q *big.Int) float64 {
	f, _ := new(big.Float).SetInt(q).Float64()
	return math.Log2(f)
}
