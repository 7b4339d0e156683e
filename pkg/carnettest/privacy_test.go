package carnettest

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
	"github.com/carnet-network/carnet/pkg/plan"
)

// noisy publishes as usual, with privacy terms of all owners.
func noisy(t *testing.T, n *Network, layout carnet.Layout, budget, number int64) []*Dataset {
	return publishTrade(t, n, layout, func(_ int, p *Publication) {
		terms := OpenTerms()
		terms.Privacy = &carnet.Privacy{Budget: budget, PerNumber: number, RowsPerUnit: 1}
		p.Terms = &terms
	})
}

// off is the sum of the squares by which numbers differ from the exact ones, each in its
// standard deviation, and how many there are. Groups are matched by the first column.
func off(t *testing.T, exact, got *plan.Result, columns ...int) (sum float64, n int) {
	for _, want := range exact.Rows {
		for i, row := range got.Rows {
			if row[0].String() != want[0].String() {
				continue
			}
			for _, c := range columns {
				require.False(t, got.Deviations[i][c].IsNull())
				d := new(big.Rat).Sub(row[c].Rat(), want[c].Rat())
				f, _ := d.Quo(d, got.Deviations[i][c].Rat()).Float64()
				sum, n = sum+f*f, n+1
			}
		}
	}
	return sum, n
}

// Rule (scheme §10): with privacy terms every number that is released has noise of the
// size that the result says, for sums of cells and for products of columns. A repeat has the same answer, and the budget ends it.
func TestNoise(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{})
	const sqlOf = " GROUP BY chapter ORDER BY chapter"
	for _, layout := range []carnet.Layout{carnet.LayoutCube, carnet.LayoutRecords} {
		sql := "SELECT chapter, COUNT(*), SUM(value) FROM " + string(layout) + sqlOf
		sets := noisy(t, n, layout, 1_000_000, 100_000)
		first := n.Ask(t, "buyer", carnet.ProductID(layout), sql)
		again := n.Ask(t, "buyer", carnet.ProductID(layout), sql)
		require.Equal(t, Rows(first.Result), Rows(again.Result))
		_, p, err := n.Client(t, "buyer").Explain(Context(t), carnet.ProductID(layout), sql)
		require.NoError(t, err)
		exact := Twin(t, p, PlainOf(sets...))
		require.Len(t, first.Result.Deviations, len(first.Result.Rows))
		sum, count := off(t, exact, first.Result, 1, 2)
		require.Positive(t, count)
		require.Greater(t, sum, 0.0)
		require.Less(t, sum, 4*float64(count)+10)
	}
	c := n.Client(t, "buyer")
	assessed, err := c.Assess(Context(t), "cube", "SELECT COUNT(*) FROM cube", Purpose)
	require.NoError(t, err)
	require.Empty(t, assessed.Refusals)
	require.Len(t, assessed.Privacy, len(n.Owners))
	require.Equal(t, "1", assessed.Privacy[0].Budget)

	spent := 0
	for _, sql := range []string{
		"SELECT COUNT(*) FROM cube",
		"SELECT COUNT(*) FROM cube WHERE chapter <> '84'",
		"SELECT SUM(value) FROM cube",
		"SELECT SUM(weight) FROM cube",
		"SELECT AVG(value) FROM cube WHERE month = '01'",
		"SELECT VAR_POP(value) FROM cube",
		"SELECT SUM(value), SUM(weight) FROM cube WHERE chapter <> '84'",
	} {
		if _, err := c.Ask(Context(t), n.Identity("buyer"), "cube", sql, Purpose, 0); err != nil {
			require.Equal(t, "BUDGET_SPENT", carnet.ReasonOf(err), sql)
			spent++
		}
	}
	require.Positive(t, spent)

	// Owners see what was spent, and others a bound.
	owner := n.Owners[0].ID
	for as, want := range map[carnet.PartyID]client.PrivacyBudget{owner: {Spent: "0.3", Budget: "1"}, "buyer": {Spent: "0.3125", Budget: "1"}} {
		list, err := n.Client(t, as).Datasets(Context(t), owner, "")
		require.NoError(t, err)
		require.Len(t, list, 2)
		require.Equal(t, carnet.LayoutRecords, list[1].Manifest.Layout)
		require.Equal(t, &want, list[1].Privacy)
	}
}
