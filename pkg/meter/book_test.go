package meter_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/history/historytest"
	"github.com/carnet-network/carnet/pkg/meter"
)

// priced is a world whose first owner asks 10 a query and 1 a group.
func priced(t *testing.T) *historytest.World {
	w := historytest.New(t)
	w.Pass(1)
	w.Publish("acme", func(d *carnet.Dataset) {
		d.Terms.Price = &carnet.Price{Currency: "EUR", Query: 10_000_000, Group: 1_000_000}
	})
	return w
}

func read(t *testing.T, w *historytest.World) *meter.Book {
	b := meter.NewBook(historytest.KeyOf(historytest.Registrar).Public())
	for _, e := range w.Entries {
		require.NoError(t, b.Add(e.Seq, e.Envelope))
	}
	return b
}

func total(t *testing.T, b *meter.Book) carnet.Amount {
	sums, err := meter.Totals(b.Lines())
	require.NoError(t, err)
	return sums["EUR"]
}

// TestOnlyReleasesAreOwed: an answer that opens nothing alone, a second one of the same
// keyholder and one by somebody else do not release; enough do, once.
func TestOnlyReleasesAreOwed(t *testing.T) {
	w := priced(t)
	q := w.Ask(historytest.SQL)
	first := w.Answer(q, 1)
	w.Append(carnet.TypeAnswer, first, "k1")
	again := first
	again.Created = w.Now()
	w.Append(carnet.TypeAnswer, again, "k1")
	w.Append(carnet.TypeAnswer, w.Answer(q, 2), "k3") // not k2's signature
	b := read(t, w)
	require.Empty(t, b.Lines())
	require.Len(t, b.Attempts(), 1)

	second := w.Append(carnet.TypeAnswer, w.Answer(q, 2), "k2")
	w.Append(carnet.TypeAnswer, w.Answer(q, 3), "k3")
	b = read(t, w)
	require.EqualValues(t, 12_000_000, total(t, b), "one query and two groups")
	require.Empty(t, b.Attempts())
	require.Len(t, b.Releases(), 1)
	r := b.Releases()[0]
	require.Equal(t, second.Hash(), w.Entries[r.Entry].Envelope.Hash())
	require.Len(t, r.Uses, 2, "the other owner's data is used for nothing")
	for _, l := range b.Lines() {
		require.Equal(t, carnet.PartyID("acme"), l.Payee)
		require.Equal(t, w.Manifests["acme"].Hash(), l.Manifest)
	}
}

// TestTermsThatCountAreThoseOfTheQuery: a later price does not change what was asked before.
func TestTermsThatCountAreThoseOfTheQuery(t *testing.T) {
	w := priced(t)
	q := w.Ask(historytest.SQL)
	w.Publish("acme", func(d *carnet.Dataset) {
		d.Terms.Price = &carnet.Price{Currency: "EUR", Query: 99_000_000}
	})
	for i := range 2 {
		w.Append(carnet.TypeAnswer, w.Answer(q, i+1), historytest.Keyholders[i])
	}
	require.EqualValues(t, 12_000_000, total(t, read(t, w)))
}

// TestKeyholdersDateReleasesWithinTheQuery: whoever completes a release writes its time, and
// could have it owed in a month that was settled, or in no month at all.
func TestKeyholdersDateReleasesWithinTheQuery(t *testing.T) {
	for _, wrong := range []time.Time{{}, time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)} {
		w := priced(t)
		q := w.Ask(historytest.SQL)
		w.Append(carnet.TypeAnswer, w.Answer(q, 1), "k1")
		a := w.Answer(q, 2)
		a.Created = wrong
		w.Append(carnet.TypeAnswer, a, "k2")
		b := read(t, w)
		require.Len(t, b.Releases(), 1)
		require.WithinDuration(t, w.Now(), b.Releases()[0].At, carnet.MaxQueryLife)
		v, err := b.Value("acme/trade", "9999-12", meter.Assumptions{Currency: "EUR", Rate: 500, Years: 1})
		require.NoError(t, err)
		require.Len(t, v.Income.Months, 1)
	}
}

func TestRefusalsAreCountedAndCostNothing(t *testing.T) {
	w := priced(t)
	q := w.Ask(historytest.SQL)
	for _, k := range historytest.Keyholders[:2] {
		w.Append(carnet.TypeDecision, carnet.Decision{Query: q.Hash(), By: k, Reason: "TERMS_EXPIRED", Message: "m", Remedy: "r", Created: w.Now()}, k)
	}
	b := read(t, w)
	require.Empty(t, b.Lines())
	require.Equal(t, []string{"TERMS_EXPIRED"}, b.Attempts()[0].Reasons)
	u, err := b.Usage("acme/trade", historytest.Start, w.Now())
	require.NoError(t, err)
	require.EqualValues(t, 1, u.Unreleased)
	require.Equal(t, []carnet.ReasonCount{{Reason: "TERMS_EXPIRED", Queries: 1}}, u.Refused)
	require.Zero(t, u.Queries)
}

// TestUsageStatementsOfOthersAreNotRemembered: only an operator certifies.
func TestUsageStatementsOfOthersAreNotRemembered(t *testing.T) {
	w := priced(t)
	from, until := historytest.Start, w.Now()
	u := carnet.Usage{Dataset: "acme/trade", Owner: "acme", From: from, Until: until, Queries: 1000, Operator: historytest.Operator, Created: w.Now()}
	w.Append(carnet.TypeUsage, u, "acme")
	require.Nil(t, read(t, w).LastUsage("acme/trade", from, until))
	u.Operator = "acme"
	w.Append(carnet.TypeUsage, u, "acme")
	require.Nil(t, read(t, w).LastUsage("acme/trade", from, until))
	u.Operator = historytest.Operator
	good := w.Append(carnet.TypeUsage, u, historytest.Operator)
	require.Equal(t, good.Hash(), read(t, w).LastUsage("acme/trade", from, until).Hash())
}

func TestWorthNeedsADataset(t *testing.T) {
	b := read(t, priced(t))
	as := meter.Assumptions{Currency: "EUR", Rate: 1, Years: 1}
	_, err := b.Value("acme/nothing", "2026-05", as)
	require.Equal(t, "NOT_FOUND", carnet.ReasonOf(err))
	v, err := b.Value("acme/trade", "2026-05", as)
	require.NoError(t, err)
	require.Positive(t, v.Cost.Bytes)
}
