package verify_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/history/historytest"
	"github.com/carnet-network/carnet/pkg/verify"
)

// whole reads the log of a world.
type whole struct{ *historytest.World }

func (w whole) ReadLog(_ context.Context, size int64, do func(*evidence.Entry) error) (carnet.Checkpoint, error) {
	var tree evidence.Tree
	for _, e := range w.Entries[:size] {
		if err := tree.Append(e); err != nil {
			return carnet.Checkpoint{}, err
		}
		if err := do(e); err != nil {
			return carnet.Checkpoint{}, err
		}
	}
	return tree.Checkpoint(), nil
}

// private has acme's numbers released with noise, 10 each, from a budget.
func private(w *historytest.World, budget int64) {
	w.Publish("acme", func(d *carnet.Dataset) {
		d.Terms.Privacy = &carnet.Privacy{Budget: budget, PerNumber: 10, RowsPerUnit: 1}
	})
}

// A query that its budget can't pay for alone is found in its bundle; one that others left
// nothing for, in the whole log only.
func TestPrivacyBudgets(t *testing.T) {
	for what, c := range map[string]struct {
		budget       int64
		before       string
		bundle, full verify.Status
	}{
		"enough for both": {20, "SELECT COUNT(*) FROM trade", verify.Passed, verify.Passed},
		"spent by others": {15, "SELECT COUNT(*) FROM trade", verify.Passed, verify.Failed},
		"released before": {10, "SELECT SUM(value) FROM trade", verify.Passed, verify.Passed},
		"never enough":    {10, "SELECT COUNT(*) FROM trade", verify.Passed, verify.Failed},
	} {
		t.Run(what, func(t *testing.T) {
			w := historytest.New(t)
			private(w, c.budget)
			w.Release(c.before, 2)
			q := w.Release("SELECT SUM(value) FROM trade", 2)
			o := options()
			r := run(t, w.Bundle(q.Hash()), o)
			require.Equal(t, c.bundle, r.Check(verify.CheckBudget).Status, "%v", r.Failures())
			require.Equal(t, verify.NotNeeded, r.Check(verify.CheckWhole).Status)
			o.Log = whole{w}
			r = run(t, w.Bundle(q.Hash()), o)
			require.Equal(t, c.full, r.Check(verify.CheckWhole).Status, "%v", r.Failures())
			if c.full == verify.Failed {
				require.Equal(t, "BUDGET_SPENT", r.Failures()[0].Reason)
			}
		})
	}
	w := historytest.New(t)
	private(w, 15)
	q := w.Release("SELECT SUM(value), COUNT(*) FROM trade", 2)
	require.Equal(t, "BUDGET_SPENT", run(t, w.Bundle(q.Hash()), options()).Check(verify.CheckBudget).Faults[0].Reason, "its own cost is too much")
	q = w.Ask("SELECT SUM(value), COUNT(*) FROM trade")
	require.Equal(t, verify.Passed, run(t, w.Bundle(q.Hash()), options()).Check(verify.CheckBudget).Status, "nobody answered it")
}

// What nobody should have answered for what it tells together with queries before is found in the
// whole log, and costs no budget.
func TestOverlapsInTheWholeLog(t *testing.T) {
	w := historytest.New(t)
	w.Publish("acme", func(d *carnet.Dataset) {
		d.Terms.MinOwners = 2
		d.Terms.Privacy = &carnet.Privacy{Budget: 25, PerNumber: 10, RowsPerUnit: 1}
	})
	w.Release("SELECT SUM(value) FROM trade", 2)
	other := w.Release("SELECT SUM(value) FROM trade WHERE owner <> 'acme'", 2)
	mixed := w.Release("SELECT SUM(value) FROM trade WHERE owner <> 'acme' OR month = '01'", 2)
	last := w.Release("SELECT COUNT(*) FROM trade", 2)
	o := options()
	o.Log = whole{w}
	for q, reason := range map[*evidence.Envelope]string{other: "OVERLAPS_RELEASED", mixed: "OVERLAPS_RELEASED", last: ""} {
		got := ""
		if f := run(t, w.Bundle(q.Hash()), o).Check(verify.CheckWhole).Faults; len(f) > 0 {
			got = f[0].Reason
		}
		require.Equal(t, reason, got)
	}
}

// The numbers of a key are those of all queries, and of dealings before.
func TestReleasesOfTheWholeLog(t *testing.T) {
	w := historytest.New(t)
	w.Release(historytest.SQL, 2)
	key, next := carnet.KeyID(w.Dealings["acme"].Hash()), w.Deal("acme")
	plan := w.Plan(w.Query("SELECT COUNT(*) FROM trade"))
	w.Append(carnet.TypeRedealing, carnet.Redealing{Key: key, Dealing: next, Owner: "acme", Released: plan.Cost.MaxReleases - 4, Created: w.Now()}, "acme")
	first := w.Release(historytest.SQL, 2) // another dealing, other numbers
	last := w.Release("SELECT COUNT(*) FROM trade", 2)
	o := options()
	o.Log = whole{w}
	require.Empty(t, run(t, w.Bundle(first.Hash()), o).Failures())
	r := run(t, w.Bundle(last.Hash()), o)
	require.Empty(t, r.Check(verify.CheckReleases).Faults, "by itself it is within")
	require.Equal(t, "RELEASES_EXHAUSTED", r.Check(verify.CheckWhole).Faults[0].Reason)
}

// A log that is not the bundle's is noticed.
func TestTheWholeLogIsTheBundles(t *testing.T) {
	w, other := historytest.New(t), historytest.New(t)
	q := w.Release(historytest.SQL, 2)
	other.Release("SELECT COUNT(*) FROM trade", 2)
	o := options()
	o.Log = whole{other}
	require.Equal(t, "SPLIT_VIEW", run(t, w.Bundle(q.Hash()), o).Check(verify.CheckWhole).Faults[0].Reason)
}
