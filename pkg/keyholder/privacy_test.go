package keyholder

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/history"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/privacy"
)

const unit = privacy.Unit

func noisyWorld(t *testing.T, layout carnet.Layout) *world {
	return theWorld(t, options{layout: layout, owners: 2, budget: 1 * unit})
}

// spentOf is what a keyholder's ledger says of the first dataset.
func (h *holder) spentOf(t *testing.T, w *world) int64 {
	t.Helper()
	n, err := h.ledger.Spent(t.Context(), w.product.Datasets[0].Manifest.ID)
	require.NoError(t, err)
	return n
}

// Keyholders add noise that the owners' terms ask for: the result is off by what its
// standard deviation says, is the same for a repeat, and costs what the plan says, once.
func TestAnswersHaveNoise(t *testing.T) {
	for _, layout := range []carnet.Layout{carnet.LayoutCube, carnet.LayoutRecords} {
		t.Run(string(layout), func(t *testing.T) {
			w := noisyWorld(t, layout)
			g := newGateway(t, w)
			for n := range holders {
				g.live[n+1] = true
			}
			var hs []*holder
			for n := range holders {
				hs = append(hs, g.run(t, n+1, func(c *Config) { c.Attest = AttestAlways }))
			}
			q1, q2 := w.ask(t, monthly), w.ask(t, monthly)
			g.journal(t, q1, q2)
			first := w.open(t, q1, g.answered(t, q1, holders))
			second := w.open(t, q2, g.answered(t, q2, holders))
			require.Equal(t, rowsOf(first), rowsOf(second), "the same functional has the same noise")

			p, err := w.compile(monthly)
			require.NoError(t, err)
			require.Len(t, first.Rows, 3)
			off, squares := 0, 0.0
			for i, row := range first.Rows {
				var count, sum int64
				_, err := fmt.Sscanf(w.totals()[i], "["+row[0].String()+" %d %d]", &count, &sum)
				require.NoError(t, err)
				for j, exact := range []int64{count, sum} {
					d := new(big.Rat).Sub(row[j+1].Rat(), big.NewRat(exact, 1))
					d.Quo(d, first.Deviations[i][j+1].Rat())
					f, _ := d.Float64()
					if f != 0 {
						off++
					}
					squares += f * f
				}
			}
			require.GreaterOrEqual(t, off, 5, "almost no number is exact")
			require.Less(t, squares, 30.0, "of six numbers, in squares of their standard deviations")
			for _, h := range hs {
				require.EqualValues(t, p.Spendings[0].Cost(func(int) bool { return false }), h.spentOf(t, w))
			}
		})
	}
}

// replayed is the account of all budgets as an auditor makes it, from what is published.
func (g *gateway) replayed(t *testing.T) *history.Budgets {
	t.Helper()
	s := history.New(g.w.registrar.Public())
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, e := range g.entries {
		_, _ = s.Apply(e.Seq, e.Envelope) // what has no effect is paid for, too
	}
	return s.Budgets()
}

// questions are different queries that cost the same, more of them than the budget of a
// hundred numbers holds.
func (w *world) questions(t *testing.T, n int) (out []*evidence.Envelope) {
	for i := range n {
		out = append(out, w.ask(t, question(i)))
	}
	return out
}

// question i of 189 is a sum over its own set of a cube's cells.
func question(i int) string {
	var cells []string
	for c := range 6 {
		if (i%63+1)>>c&1 == 1 {
			cells = append(cells, fmt.Sprintf("(month = '0%d' AND partner = 'X%c')", c/2+1, 'A'+c%2))
		}
	}
	where := cells[0]
	for _, c := range cells[1:] {
		where += " OR " + c
	}
	what := []string{"COUNT(*)", "SUM(value)", "SUM(value) - COUNT(*)"}[i/63%3]
	return "SELECT " + what + " FROM trade WHERE " + where
}

// costOf works out what queries cost one after another, as far as they fit: by the plans
// alone, so that it checks the ledger.
func (w *world) costOf(t *testing.T, queries []*evidence.Envelope) (spent int64, fits []bool) {
	known := map[carnet.Hash]bool{}
	for _, env := range queries {
		var q carnet.Query
		require.NoError(t, env.Decode(carnet.TypeQuery, &q))
		p, err := w.compile(q.SQL)
		require.NoError(t, err)
		s := &p.Spendings[0]
		cost := s.Cost(func(i int) bool { return known[p.Charge(i, carnet.Hash{})] })
		ok := spent+cost <= s.Terms.Budget
		fits = append(fits, ok)
		if !ok {
			continue
		}
		spent += cost
		for _, n := range s.Numbers {
			known[p.Charge(n.Opening, carnet.Hash{})] = true
		}
	}
	return spent, fits
}

// TestBudgetIsNeverOverspent: a gateway that journals more than fits, all at once, has
// nothing answered beyond the budget, by any keyholder; the order of the journal decides.
func TestBudgetIsNeverOverspent(t *testing.T) {
	w := noisyWorld(t, carnet.LayoutCube)
	queries := w.questions(t, 130)
	want, fits := w.costOf(t, queries)
	require.Contains(t, fits, false)
	require.LessOrEqual(t, want, int64(unit))
	for _, number := range []int{1, 2} {
		g := newGateway(t, w)
		h := g.run(t, number)
		g.journal(t, queries...)
		for i, q := range queries {
			if fits[i] {
				g.answered(t, q, 1)
			} else {
				require.Equal(t, "BUDGET_SPENT", g.refused(t, q).Reason)
			}
		}
		require.Equal(t, want, h.spentOf(t, w))
		require.Equal(t, want, g.replayed(t).Spent(w.product.Datasets[0].Manifest.ID), "whoever reads the log alone comes to the same")
		st, err := h.ledger.Status(t.Context())
		require.NoError(t, err)
		refused := int64(len(fits) - len(slices.DeleteFunc(slices.Clone(fits), func(ok bool) bool { return !ok })))
		require.Equal(t, BudgetStatus{w.product.Datasets[0].Manifest.ID, privacy.Format(want), "1", refused}, st.Privacy[0])
		require.Len(t, st.Privacy, 2, "a dataset of each owner")
		// What was released before is released again, for nothing.
		again := w.ask(t, question(3))
		g.journal(t, again)
		g.answered(t, again, 1)
		require.Equal(t, want, h.spentOf(t, w))
	}
}

// TestBudgetSurvives: neither a crash between charge and share, nor a restart, nor a clock
// that was set back, nor a lost ledger that is made anew from the journal gives anything back.
func TestBudgetSurvives(t *testing.T) {
	w := noisyWorld(t, carnet.LayoutCube)
	queries := w.questions(t, 110)
	want, fits := w.costOf(t, queries)
	last := slices.Index(fits, false)
	g := newGateway(t, w)
	g.journal(t, queries[:last]...)
	h := g.prepare(t, 1, t.TempDir())
	died := errors.New("power cut")
	h.crash = func(now string) error {
		if now == "cosigned" { // charged, and nothing answered
			return died
		}
		return nil
	}
	h.start(t)
	require.Eventually(t, func() bool { return errors.Is(h.stopIfDead(), died) }, waitLimit, waitStep)
	h.stop()
	spent := h.spentOf(t, w)
	require.Positive(t, spent)
	require.Empty(t, g.got(queries[0].Hash()))

	back := func(c *Config) { c.Now = func() time.Time { return testTime.Add(-24 * time.Hour) } }
	require.NoError(t, h.ledger.Resume(t.Context())) // else it decides nothing with such a clock
	h = h.again(t, back).start(t)
	for _, q := range queries[:last] {
		g.answered(t, q, 1)
	}
	before, _ := w.costOf(t, queries[:last])
	require.Equal(t, before, h.spentOf(t, w))
	require.NoError(t, h.stop())
	h = h.again(t, back).start(t)
	g.journal(t, queries[last:]...)
	require.Equal(t, "BUDGET_SPENT", g.refused(t, queries[last]).Reason)
	require.Eventually(t, func() bool { return h.spentOf(t, w) == want }, waitLimit, waitStep)

	lost := g.run(t, 1) // with an empty ledger, which the journal fills
	require.Eventually(t, func() bool { return lost.spentOf(t, w) == want }, waitLimit, waitStep)
}

// TestBudgetOutlivesVersions: a dataset that is published again, with files of its own,
// goes on with what it has spent.
func TestBudgetOutlivesVersions(t *testing.T) {
	l := openTestLedger(t, t.TempDir()+"/ledger.db")
	pay := func(seq int64, budget, cost int64, numbers ...carnet.Hash) bool {
		s := plan.Spending{Dataset: "kz/trade", Terms: carnet.Privacy{Budget: budget}}
		for i := range numbers {
			s.Numbers = append(s.Numbers, plan.Spent{Opening: i, Family: i, Cost: cost})
		}
		env := &evidence.Envelope{PayloadType: carnet.TypeQuery}
		require.NoError(t, l.append(t.Context(), []record{{entry: &evidence.Entry{Seq: seq, Envelope: env}, spends: []plan.Spending{s}, numbers: numbers}}))
		paid, err := l.paid(t.Context(), seq)
		require.NoError(t, err)
		return paid["kz/trade"].fits
	}
	spent := func() int64 {
		n, err := l.Spent(t.Context(), "kz/trade")
		require.NoError(t, err)
		return n
	}
	require.True(t, pay(0, 10, 4, carnet.Hash{1}))
	require.True(t, pay(1, 10, 4, carnet.Hash{1}, carnet.Hash{2}), "one of them is known")
	require.EqualValues(t, 8, spent())
	require.False(t, pay(2, 10, 4, carnet.Hash{3}))
	require.EqualValues(t, 8, spent(), "what is refused by everybody costs nothing")
	require.False(t, pay(3, 10, 4, carnet.Hash{3}), "and is not known by having been asked")
	require.True(t, pay(4, 10, 4, carnet.Hash{2}), "what was released before")
	require.False(t, pay(5, 7, 1, carnet.Hash{4}), "a smaller budget is spent already")
	require.True(t, pay(6, 12, 4, carnet.Hash{3}), "a larger one has room")
	require.False(t, pay(7, 1<<40, 1<<62, carnet.Hash{5}, carnet.Hash{6}, carnet.Hash{7}), "amounts do not run over")
	require.EqualValues(t, 12, spent())
}

// A query over two datasets of which one can't pay is refused for that one, and the refusal,
// which its buyer is told, has no exact account of what others asked.
func TestTheOneThatCantPayIsNamed(t *testing.T) {
	w := noisyWorld(t, carnet.LayoutCube)
	g := newGateway(t, w)
	g.run(t, 1)
	ask := func(sql string) *evidence.Envelope { return w.ask(t, sql) }
	var alone []*evidence.Envelope
	for i := range 99 {
		alone = append(alone, ask(strings.Replace(question(i), " WHERE ", " WHERE owner = 'owner2' AND (", 1)+")"))
	}
	g.journal(t, alone...)
	for _, q := range alone {
		g.answered(t, q, 1)
	}
	both := ask("SELECT SUM(value), COUNT(*), SUM(value) - COUNT(*) FROM trade")
	g.journal(t, both)
	d := g.refused(t, both)
	require.Equal(t, "BUDGET_SPENT", d.Reason)
	require.Contains(t, d.Message, "owner2/trade")
	require.NotContains(t, d.Message, "0.01", "what is left")
}
