package flow_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/flow"
)

// chargedOf is what ExplainQuery tells a party about the releases that are used.
func chargedOf(t *testing.T, g *flow.Gateway, as *carnet.Party, sql string) (list []int64) {
	ex, err := g.ExplainQuery(ctx, as, []carnet.ProductID{"trade"}, sql, "statistics")
	require.NoError(t, err)
	require.NotNil(t, ex.Plan)
	for _, k := range ex.Plan.Cost.Keys() {
		list = append(list, ex.Charged[k])
	}
	return list
}

// The gateway counts as keyholders charge, and refuses before anything is journaled what
// they would not release.
func TestReleasesLeft(t *testing.T) {
	n, tables := twoOwners(t)
	n.Config.MaxReleases = 8
	n.Restart()
	ask := func(sql string) error { _, err := n.Submit(n.Ask(sql, "trade", tables...)); return err }
	size := func() int64 {
		var size int64
		require.NoError(t, n.Store.View(ctx, func(tx flow.Tx) error {
			tree, err := tx.Tree()
			size = tree.Size()
			return err
		}))
		return size
	}
	gateway := n.Parties["gateway"]
	require.Equal(t, []int64{0, 0}, chargedOf(t, n.G, gateway, sumSQL))
	require.NoError(t, ask(sumSQL))                                                               // a sum and a count of three chapters
	require.NoError(t, ask(sumSQL))                                                               // opens nothing new
	require.NoError(t, ask("SELECT SUM(value) FROM trade WHERE owner = 'kz' AND chapter = '01'")) // two numbers of one key
	require.ElementsMatch(t, []int64{6, 8}, chargedOf(t, n.G, gateway, sumSQL))

	before := size()
	more := "SELECT SUM(value) FROM trade WHERE chapter IN ('01', '02')"
	for range 2 {
		err := ask(more)
		requireReason(t, "RELEASES_EXHAUSTED", err)
		require.Equal(t, carnet.Refused, carnet.KindOf(err), "as carnet explain and keyholders say it")
		require.ErrorContains(t, err, "opens 2 numbers under the key of kz/trade; keyholders release 8 in all, and 0 are left")
		var e *carnet.Error
		require.ErrorAs(t, err, &e)
		require.Contains(t, e.Remedy, "kz has to deal a new key")
	}
	require.Equal(t, before, size(), "nothing was journaled")
	require.ElementsMatch(t, []int64{6, 8}, chargedOf(t, n.G, gateway, sumSQL))
	ex, err := n.G.ExplainQuery(ctx, n.Parties["bank"], []carnet.ProductID{"trade"}, more, "statistics")
	require.NoError(t, err)
	require.Equal(t, "RELEASES_EXHAUSTED", ex.Refusals[0].Reason)
	require.NoError(t, ask(sumSQL), "what was asked before can be asked again")

	requireReason(t, "RELEASES_EXHAUSTED", ask("SELECT chapter, SUM(value) FROM trade WHERE owner = 'hk' AND chapter <> '03' GROUP BY chapter"))
	require.NoError(t, ask("SELECT SUM(value) FROM trade WHERE owner = 'hk' AND chapter = '03'"))
	n.Restart()
	require.ElementsMatch(t, []int64{8, 8}, chargedOf(t, n.G, gateway, sumSQL), "the count survives a restart")
}

// What ExplainQuery tells a buyer is the same whatever others have asked: neither the
// estimate, though the cubes they asked about are kept, nor the releases used.
func TestAttackExplainShowsWhatOthersAsked(t *testing.T) {
	n, tables := twoOwners(t)
	n.Restart() // the clock stands still, so compiling takes no time
	run(t, n.G)
	tell := func() string {
		text := ""
		for _, sql := range []string{sumSQL, "SELECT SUM(value) FROM trade"} {
			ex, err := n.G.ExplainQuery(ctx, n.Parties["other"], []carnet.ProductID{"trade"}, sql, "statistics")
			require.NoError(t, err)
			require.Positive(t, ex.Estimate.Total)
			require.Less(t, ex.Estimate.Kept, ex.Estimate.Total)
			text += fmt.Sprintln(ex.Estimate, ex.Refusals, chargedOf(t, n.G, n.Parties["other"], sql))
		}
		return text
	}
	before := tell()
	ref, err := n.Submit(n.Ask(sumSQL, "trade", tables...))
	require.NoError(t, err)
	waitFor(t, n, ref.Hash, flow.QueryReleasing)
	require.Equal(t, before, tell())
	// Those who follow the journal, and the owner of a key, see the number.
	require.Equal(t, []int64{6, 6}, chargedOf(t, n.G, n.Parties["audit"], sumSQL))
	require.Contains(t, chargedOf(t, n.G, n.Parties["kz"], sumSQL), int64(6))
}

// What a refusal tells a buyer about the releases left is a bound, too: a question that is
// too large for anybody would show how many numbers others have opened.
func TestAttackRefusalShowsWhatIsLeft(t *testing.T) {
	n, tables := twoOwners(t)
	n.Config.MaxReleases = 17
	n.Restart()
	ask := func(sql string) {
		_, err := n.Submit(n.Ask(sql, "trade", tables...))
		require.NoError(t, err, sql)
	}
	told := func(as carnet.PartyID) string {
		ex, err := n.G.ExplainQuery(ctx, n.Parties[as], []carnet.ProductID{"trade"}, sumSQL, "statistics") // of six numbers
		require.NoError(t, err)
		r := ex.Refusals[len(ex.Refusals)-1] // terms refuse others as well
		require.Equal(t, "RELEASES_EXHAUSTED", r.Reason)
		return r.Message + "; " + r.Remedy
	}
	for _, chapters := range []string{"'01', '02'", "'01', '03'", "'02', '03'", "'01', '02', '03'"} {
		ask("SELECT SUM(value) FROM trade WHERE chapter IN (" + chapters + ")")
	}
	ask("SELECT SUM(value) FROM trade WHERE owner = 'kz' AND chapter IN ('01', '02')")
	ask("SELECT SUM(value) FROM trade WHERE owner = 'kz' AND chapter IN ('01', '03')")
	before := told("other")
	require.Contains(t, before, "at least 3 are left; ask for 3 numbers at most")
	require.Contains(t, told("gateway"), "and 5 are left")
	require.Contains(t, told("kz"), "and 5 are left", "the owner of the key")
	ask("SELECT COUNT(*) FROM trade WHERE owner = 'kz' AND chapter IN ('02', '03')")
	require.Equal(t, before, told("other"))
	require.Contains(t, told("gateway"), "and 4 are left")
}
