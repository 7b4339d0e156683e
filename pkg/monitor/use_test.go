package monitor_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/history/historytest"
	"github.com/carnet-network/carnet/pkg/meter"
	"github.com/carnet-network/carnet/pkg/monitor"
)

// used is a log with two buyers' worth of use: released, refused and open queries, priced.
func used(t *testing.T) *historytest.World {
	w := historytest.New(t)
	w.Publish("acme", func(d *carnet.Dataset) {
		d.Terms.Price = &carnet.Price{Currency: "CNY", Query: 1000, Group: 30, Month: 5000, Subscribers: []carnet.PartyID{"nobody"}}
	})
	w.Release(historytest.SQL, 3)
	denied := w.Ask(historytest.SQL)
	w.Append(carnet.TypeDecision, carnet.Decision{Query: denied.Hash(), By: historytest.Operator, Reason: "POLICY_DENIED"}, historytest.Operator)
	w.Append(carnet.TypeDecision, carnet.Decision{Query: denied.Hash(), By: "k1", Reason: "TERMS_EXPIRED"}, "k1")
	w.Release("SELECT COUNT(*) FROM trade", 1)
	w.Pass(time.Hour)
	w.Release("SELECT COUNT(*) FROM trade", 2)
	return w
}

// usage is what a gateway certifies of a log of a size.
func usage(t *testing.T, w *historytest.World, id carnet.DatasetID, size int64) carnet.Usage {
	t.Helper()
	b := meter.NewBook(options().Registrar)
	for _, e := range w.Entries[:size] {
		require.NoError(t, b.Add(e.Seq, e.Envelope))
	}
	u, err := b.Usage(id, historytest.Start, w.Now())
	require.NoError(t, err)
	u.Owner, u.Operator, u.Size, u.Head, u.Created = b.Owner(id), historytest.Operator, size, w.Checkpoint(size).Head, w.Now()
	return *u
}

// Statements about any state of the log that are true are not objected to, at once or late, by a
// monitor that goes on or one that reads everything.
func TestTrueFigures(t *testing.T) {
	w := used(t)
	n := int64(len(w.Entries))
	whole := usage(t, w, "acme/trade", n)
	require.EqualValues(t, 2, whole.Queries)
	require.EqualValues(t, 2, whole.Unreleased)
	require.Len(t, whole.Refused, 2)
	require.NotEmpty(t, whole.Income)
	for size := n; size > n-12; size-- {
		for _, id := range []carnet.DatasetID{"acme/trade", "bolt/trade"} {
			w.Append(carnet.TypeUsage, usage(t, w, id, size), historytest.Operator)
		}
	}
	m, out := follow(w, options())
	require.Empty(t, out)
	w.Pass(72 * time.Hour)
	m = again(t, m, options(), w.Now())
	w.Append(carnet.TypeUsage, usage(t, w, "acme/trade", m.Size()), historytest.Operator)
	_, out = goOn(t, w, m)
	require.Empty(t, out, "queries that are over are still counted")
}

// Every figure that is not the log's is a breach by the operator, also one that was right for
// another state.
func TestForgedFigures(t *testing.T) {
	for what, forge := range map[string]func(u *carnet.Usage){
		"queries":    func(u *carnet.Usage) { u.Queries++ },
		"groups":     func(u *carnet.Usage) { u.Groups-- },
		"numbers":    func(u *carnet.Usage) { u.Numbers++ },
		"rows":       func(u *carnet.Usage) { u.Rows = 0 },
		"budget":     func(u *carnet.Usage) { u.Budget = 1 },
		"unreleased": func(u *carnet.Usage) { u.Unreleased = 0 },
		"refused":    func(u *carnet.Usage) { u.Refused = u.Refused[:1] },
		"buyers":     func(u *carnet.Usage) { u.Buyers[0].Queries++ },
		"income":     func(u *carnet.Usage) { u.Income[0].Amount-- },
		"owner":      func(u *carnet.Usage) { u.Owner = "bolt" },
		"period":     func(u *carnet.Usage) { u.Until = u.Until.Add(-90 * time.Minute) },
		"another":    func(u *carnet.Usage) { u.Dataset = "bolt/trade" },
		"head":       func(u *carnet.Usage) { u.Head[0] ^= 1 },
		"size":       func(u *carnet.Usage) { u.Size = 1 << 40 },
	} {
		t.Run(what, func(t *testing.T) {
			w := used(t)
			u := usage(t, w, "acme/trade", int64(len(w.Entries)))
			forge(&u)
			w.Append(carnet.TypeUsage, u, historytest.Operator)
			_, out := follow(w, options())
			require.Len(t, out, 1)
			require.Equal(t, [4]string{monitor.AsCounted, "RECOMPUTED_DIFFERS", string(monitor.Breach), string(historytest.Operator)},
				[4]string{out[0].Invariant, out[0].Reason, string(out[0].Weight), string(out[0].By)}, out[0].Message)
			require.EqualValues(t, len(w.Entries)-1, out[0].Entry)
		})
	}
	w := used(t)
	u := usage(t, w, "acme/trade", int64(len(w.Entries)))
	w.Release("SELECT COUNT(*) FROM trade", 2)
	now := usage(t, w, "acme/trade", int64(len(w.Entries)))
	u.Size, u.Head, u.Until = now.Size, now.Head, now.Until
	w.Append(carnet.TypeUsage, u, historytest.Operator)
	_, out := follow(w, options())
	require.Len(t, out, 1, "a query left out")
	require.Contains(t, out[0].Message, "queries is 3, said is 2")
	u.Operator = "k1"
	w.Append(carnet.TypeUsage, u, historytest.Operator)
	_, out = follow(w, options())
	require.Equal(t, "BAD_SIGNATURE", out[1].Reason)
}

// Where the monitor did not judge what came about a query after it was over, it accuses nobody.
func TestFiguresOfWhatWasOver(t *testing.T) {
	w := historytest.New(t)
	q := w.Release(historytest.SQL, 1)
	m, out := follow(w, options())
	require.Empty(t, out)
	w.Pass(72 * time.Hour)
	m = again(t, m, options(), w.Now())
	w.Append(carnet.TypeAnswer, w.Answer(q, 2), "k2")
	w.Append(carnet.TypeUsage, usage(t, w, "acme/trade", int64(len(w.Entries))), historytest.Operator)
	_, out = goOn(t, w, m)
	require.Len(t, out, 2)
	require.Equal(t, [2]string{"QUERY_OVER", "RECOMPUTED_DIFFERS"}, [2]string{out[0].Reason, out[1].Reason})
	require.Equal(t, monitor.Suspect, out[1].Weight)
}

// A statement about a state before a query was released counts the refusals of that state, also
// one that was taken back since.
func TestFiguresOfBeforeARefusalWasTakenBack(t *testing.T) {
	w := historytest.New(t)
	q := w.Ask(historytest.SQL)
	w.Append(carnet.TypeDecision, carnet.Decision{Query: q.Hash(), By: historytest.Operator, Reason: "POLICY_DENIED"}, historytest.Operator)
	early := usage(t, w, "acme/trade", int64(len(w.Entries)))
	require.Len(t, early.Refused, 1)
	w.Append(carnet.TypeDecision, carnet.Decision{Query: q.Hash(), By: historytest.Operator, Allow: true}, historytest.Operator)
	for n := range 2 {
		w.Append(carnet.TypeAnswer, w.Answer(q, n+1), historytest.Keyholders[n])
	}
	w.Append(carnet.TypeUsage, early, historytest.Operator)
	_, out := follow(w, options())
	require.Empty(t, out)
}
