package flow_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/flow"
	"github.com/carnet-network/carnet/pkg/flow/flowtest"
)

// noisyOwner is a network with one dataset whose budget is for ten numbers.
func noisyOwner(t *testing.T, change func(*carnet.Privacy)) (*flowtest.Network, *flowtest.Table) {
	n := flowtest.New(t)
	table := n.Encrypt(n.Deal("kz", carnet.LayoutCube), "trade", carnet.LayoutCube, rows)
	table.Manifest.Terms.Buyers = []carnet.PartyID{"bank", "other"}
	table.Manifest.Terms.Privacy = &carnet.Privacy{Budget: 1_000_000, PerNumber: 100_000, RowsPerUnit: 1}
	if change != nil {
		change(table.Manifest.Terms.Privacy)
	}
	require.NoError(t, n.Announce(table))
	_, _, err := n.Upload(table, table.Order...)
	require.NoError(t, err)
	return n, table
}

// sets are the seven sets of chapters, as conditions.
func sets() (out []string) {
	for bits := 1; bits < 8; bits++ {
		var in []string
		for c := range 3 {
			if bits>>c&1 == 1 {
				in = append(in, fmt.Sprintf("'0%d'", c+1))
			}
		}
		out = append(out, "chapter IN ("+strings.Join(in, ", ")+")")
	}
	return out
}

func spentOf(t *testing.T, n *flowtest.Network) (spent int64) {
	require.NoError(t, n.Store.View(ctx, func(tx flow.Tx) error {
		s, _, err := tx.Spent("kz/trade", nil)
		spent = s
		return err
	}))
	return spent
}

// A hundred requests of two buyers who work together, at once: what is accepted costs what
// is spent, and never more than the budget. The ledger is one for all buyers.
func TestBudgetUnderConcurrentRequests(t *testing.T) {
	n, table := noisyOwner(t, nil)
	_, err := n.Commit(table)
	require.NoError(t, err)
	n.Product("trade", "kz", "kz/trade")
	var asked []*flowtest.Asked
	for i := range 100 {
		what := []string{"COUNT(*)", "SUM(value)"}[i/7%2]
		q := n.Ask("SELECT "+what+" FROM trade WHERE "+sets()[i%7], "trade", table)
		q.Body.Buyer = []carnet.PartyID{"bank", "other"}[i%2]
		asked = append(asked, q)
	}
	var wg sync.WaitGroup
	errs := make([]error, len(asked))
	start := make(chan struct{})
	for i, q := range asked {
		env := n.Seal(carnet.TypeQuery, q.Body, q.Body.Buyer)
		wg.Go(func() {
			<-start
			_, errs[i] = n.G.SubmitQuery(ctx, n.Parties[q.Body.Buyer], env)
		})
	}
	close(start)
	wg.Wait()
	accepted := map[carnet.Hash]int64{}
	refused := 0
	for i, q := range asked {
		if errs[i] != nil {
			requireReason(t, "BUDGET_SPENT", errs[i])
			require.Equal(t, carnet.Refused, carnet.KindOf(errs[i]), "as carnet explain and keyholders say it")
			refused++
			continue
		}
		for _, s := range q.Plan.Spendings[0].Numbers {
			accepted[q.Plan.Charge(s.Opening, carnet.Hash{})] = s.Cost
		}
	}
	var cost int64
	for _, c := range accepted {
		cost += c
	}
	spent := spentOf(t, n)
	require.Equal(t, cost, spent)
	require.LessOrEqual(t, spent, int64(1_000_000))
	require.Positive(t, refused)
	require.Greater(t, spent, int64(500_000))

	n.Restart()
	require.Equal(t, spent, spentOf(t, n))
	for i, q := range asked {
		if errs[i] != nil {
			continue
		}
		again := n.Ask(q.Body.SQL, "trade", table)
		_, err := n.Submit(again)
		require.NoError(t, err, "what was released before costs nothing")
		break
	}
	require.Equal(t, spent, spentOf(t, n))
}

// Explaining tells everybody the budget and what a question costs, and others only a bound
// of what is spent: neither shows what somebody asked.
func TestAttackExplainShowsWhatOthersSpent(t *testing.T) {
	n, table := noisyOwner(t, nil)
	_, err := n.Commit(table)
	require.NoError(t, err)
	n.Product("trade", "kz", "kz/trade")
	const sql = "SELECT COUNT(*) FROM trade WHERE chapter = '01'"
	tell := func(as carnet.PartyID) flow.Spent {
		ex, err := n.G.ExplainQuery(ctx, n.Parties[as], []carnet.ProductID{"trade"}, sql, "statistics")
		require.NoError(t, err)
		require.Len(t, ex.Spent, 1)
		return ex.Spent[0]
	}
	before := tell("other")
	require.Equal(t, flow.Spent{Dataset: "kz/trade", Budget: 1_000_000, Cost: 100_000, Spent: 62_500}, before)
	require.Zero(t, tell("kz").Spent)
	_, err = n.Submit(n.Ask("SELECT COUNT(*) FROM trade WHERE chapter = '02'", "trade", table))
	require.NoError(t, err)
	between := tell("other")
	_, err = n.Submit(n.Ask(sql, "trade", table))
	require.NoError(t, err)
	require.Equal(t, before.Cost, tell("other").Cost, "though it costs nothing now")
	require.EqualValues(t, 125_000, between.Spent)
	require.EqualValues(t, 200_000, tell("kz").Spent, "the owner sees the sum")
	require.EqualValues(t, 200_000, tell("audit").Spent)

	rec, err := n.G.Dataset(ctx, "kz/trade")
	require.NoError(t, err)
	for as, spent := range map[carnet.PartyID]int64{"kz": 200_000, "audit": 200_000, "other": 250_000} {
		listed, err := n.G.Budgets(ctx, n.Parties[as], []flow.DatasetRecord{rec})
		require.NoError(t, err)
		require.Equal(t, map[carnet.DatasetID]flow.Spent{"kz/trade": {Dataset: "kz/trade", Budget: 1_000_000, Spent: spent}}, listed, as)
	}
}

// Terms that nobody could keep are refused before anything is published under them.
func TestPrivacyTermsAreChecked(t *testing.T) {
	for what, change := range map[string]func(*carnet.Privacy){
		"no budget":        func(p *carnet.Privacy) { p.Budget = 0 },
		"a huge budget":    func(p *carnet.Privacy) { p.Budget = carnet.MaxPrivacyBudget + 1 },
		"more than all":    func(p *carnet.Privacy) { p.PerNumber = p.Budget + 1 },
		"nothing a number": func(p *carnet.Privacy) { p.PerNumber = 0 },
		"no unit":          func(p *carnet.Privacy) { p.RowsPerUnit = 0 },
	} {
		n, table := noisyOwner(t, change)
		_, err := n.Commit(table)
		requireReason(t, "BAD_MANIFEST", err)
		require.ErrorContains(t, err, "privacy", what)
	}
}
