package history_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/history"
	"github.com/carnet-network/carnet/pkg/history/historytest"
)

// noisy makes a world in which the first owner's numbers are released with noise.
func noisy(t *testing.T, budget int64) *historytest.World {
	w := historytest.New(t)
	w.Publish(historytest.Owners[0], func(d *carnet.Dataset) {
		d.Terms.Privacy = &carnet.Privacy{Budget: budget, PerNumber: 10, RowsPerUnit: 1}
	})
	return w
}

// paid is what the last entry of the log took.
func paid(t *testing.T, w *historytest.World) []history.Payment {
	t.Helper()
	s := history.New(historytest.KeyOf(historytest.Registrar).Public())
	var last *history.Event
	for _, e := range w.Entries {
		last, _ = s.Apply(e.Seq, e.Envelope)
	}
	require.NotNil(t, last.Case)
	return last.Case.Payments
}

// A dataset's budget is charged for what is new, in the order of the log, and not at all by a
// query that one of its datasets can't pay.
func TestBudgets(t *testing.T) {
	w := noisy(t, 25)
	const acme = carnet.DatasetID("acme/trade")
	count, sum := "SELECT month, COUNT(*) FROM trade GROUP BY month", "SELECT month, SUM(value) FROM trade GROUP BY month"
	for _, c := range []struct {
		what, sql          string
		cost, before, left int64
		fits               bool
	}{
		{"a number for each of two groups", count, 10, 0, 15, true},
		{"the same again", count, 0, 10, 15, true},
		{"one of its groups", "SELECT COUNT(*) FROM trade WHERE month = '1'", 0, 10, 15, true},
		{"another, beside what is known", "SELECT month, SUM(value), COUNT(*) FROM trade GROUP BY month", 10, 10, 5, true},
		{"too much", "SELECT SUM(value) - 2 * COUNT(*) FROM trade WHERE month = '1'", 0, 20, 5, true},
		{"a total", "SELECT SUM(value) FROM trade", 10, 20, 5, false},
		{"what was refused is not known", "SELECT SUM(value) FROM trade", 10, 20, 5, false},
		{"what was released is", sum, 0, 20, 5, true},
	} {
		w.Ask(c.sql)
		require.Equal(t, []history.Payment{{Dataset: acme, Cost: c.cost, Before: c.before, Budget: 25, Fits: c.fits}}, paid(t, w), c.what)
		require.Equal(t, 25-c.left, w.State().Budgets().Spent(acme), c.what)
	}
	require.Equal(t, []carnet.DatasetID{acme}, w.State().Budgets().Datasets(), "the other owner asks for no noise")
	w.Publish(historytest.Owners[0], func(d *carnet.Dataset) {
		d.Terms.Privacy = &carnet.Privacy{Budget: 30, PerNumber: 10, RowsPerUnit: 1}
	})
	w.Ask("SELECT SUM(value) FROM trade")
	require.Equal(t, []history.Payment{{Dataset: acme, Cost: 10, Before: 20, Budget: 30, Fits: true}}, paid(t, w),
		"another version goes on with what was spent, under its own terms")
}

// Keyholders charge every query that its buyer signed and that compiles, also one that has no
// effect; so does the account.
func TestBudgetsOfQueriesWithoutEffect(t *testing.T) {
	w := noisy(t, 1000)
	var first carnet.Query
	require.NoError(t, w.Ask("SELECT COUNT(*) FROM trade").Decode(carnet.TypeQuery, &first))
	spent := func() int64 { return w.State().Budgets().Spent("acme/trade") }
	require.EqualValues(t, 10, spent())

	q := w.Query("SELECT SUM(value) FROM trade")
	q.ID = first.ID
	w.Append(carnet.TypeQuery, q, historytest.Buyer)
	require.EqualValues(t, 20, spent(), "an id that was used")
	q = w.Query("SELECT COUNT(*) FROM trade WHERE month = '1'")
	q.Inputs = q.Inputs[:1]
	w.Append(carnet.TypeQuery, q, historytest.Buyer)
	require.EqualValues(t, 30, spent(), "other inputs")

	q = w.Query("SELECT COUNT(*) FROM trade WHERE month = '2'")
	w.Append(carnet.TypeQuery, q, historytest.Owners[0])
	require.EqualValues(t, 30, spent(), "not signed by its buyer")
	q.SQL = "SELECT"
	w.Append(carnet.TypeQuery, q, historytest.Buyer)
	require.EqualValues(t, 30, spent(), "does not compile")
	q = w.Query("SELECT COUNT(*) FROM trade WHERE month = '2'")
	q.With = []carnet.ProductID{"nothing"}
	w.Append(carnet.TypeQuery, q, historytest.Buyer)
	require.EqualValues(t, 30, spent(), "a product that there is none of")
}
