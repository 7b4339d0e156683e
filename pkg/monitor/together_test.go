package monitor_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/history/historytest"
	"github.com/carnet-network/carnet/pkg/monitor"
)

const (
	ofAll   = "SELECT SUM(value) FROM trade"
	without = "SELECT SUM(value) FROM trade WHERE owner <> 'acme'"
	mixed   = "SELECT SUM(value) FROM trade WHERE owner <> 'acme' OR month = '01'"
)

// company has acme demand that numbers are of two owners at least.
func company(t *testing.T) *historytest.World {
	w := historytest.New(t)
	w.Publish("acme", func(d *carnet.Dataset) { d.Terms.MinOwners = 2 })
	return w
}

// goOn has a monitor read what is new, and stop and go on before each entry.
func goOn(t *testing.T, w *historytest.World, m *monitor.Monitor) (*monitor.Monitor, []monitor.Finding) {
	var out []monitor.Finding
	for _, e := range w.Entries[m.Size():] {
		m = again(t, m, options(), w.Now())
		out = append(out, m.Entry(e)...)
	}
	return m, out
}

// What was asked is known when a query that is answered comes long after, to a monitor that was
// stopped and forgot the query itself.
func TestOverlapsWithQueriesThatAreOver(t *testing.T) {
	w := company(t)
	w.Release(ofAll, 2)
	w.Release(ofAll, 2) // asked again, nothing new
	m, out := follow(w, options())
	require.Empty(t, out)
	w.Pass(72 * time.Hour)
	m = again(t, m, options(), w.Now())
	w.Ask(mixed) // refused by everybody, and not remembered
	answer(w, w.Ask(mixed), func(*carnet.Answer) {})
	_, out = goOn(t, w, m)
	require.Len(t, out, 1)
	require.Equal(t, [3]string{monitor.Company, "OVERLAPS_RELEASED", string(monitor.Breach)}, [3]string{out[0].Invariant, out[0].Reason, string(out[0].Weight)})
	require.EqualValues(t, len(w.Entries)-1, out[0].Entry)
}

// Keyholders count every query that its buyer signed, also one that is in the log again and is
// about other datasets by then, or under an id that was used; so does the monitor.
func TestOverlapsWithQueriesWithoutEffect(t *testing.T) {
	for what, put := range map[string]func(w *historytest.World, first *evidence.Envelope){
		"again": func(w *historytest.World, first *evidence.Envelope) { w.Put(first) },
		"an id that was used": func(w *historytest.World, first *evidence.Envelope) {
			var q carnet.Query
			require.NoError(w.T, first.Decode(carnet.TypeQuery, &q))
			other := w.Query(ofAll)
			other.ID = q.ID
			w.Append(carnet.TypeQuery, other, historytest.Buyer)
		},
	} {
		for _, days := range []int{0, 3} {
			w := historytest.New(t)
			first := w.Ask(ofAll)
			w.Publish("acme", func(d *carnet.Dataset) { d.Terms.MinOwners = 2 })
			m, out := follow(w, options())
			require.Empty(t, out)
			w.Pass(time.Duration(days) * 24 * time.Hour)
			m = again(t, m, options(), w.Now())
			put(w, first)
			answer(w, w.Ask(mixed), func(*carnet.Answer) {})
			_, out = goOn(t, w, m)
			require.Len(t, out, 2, what)
			require.Equal(t, "OVERLAPS_RELEASED", out[1].Reason, "%s, %d days", what, days)
		}
	}
}

// A monitor that keeps as many questions as it may forgets the oldest, and accuses nobody for
// what it can't know.
func TestForgottenQuestions(t *testing.T) {
	w := company(t)
	w.Release("SELECT COUNT(*) FROM trade", 2)
	w.Release(ofAll, 2)
	m := monitor.New(options())
	m.Keep(1)
	for _, e := range w.Entries {
		require.Empty(t, m.Entry(e))
	}
	m = again(t, m, options(), w.Now())
	answer(w, w.Ask(without), func(*carnet.Answer) {})
	_, out := goOn(t, w, m)
	require.Len(t, out, 1)
	require.Equal(t, monitor.Suspect, out[0].Weight)
	require.Contains(t, out[0].Message, "carnet verify --log")
}
