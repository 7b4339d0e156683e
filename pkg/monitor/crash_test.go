package monitor_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/history/historytest"
	"github.com/carnet-network/carnet/pkg/monitor"
)

// A gateway that crashed between any two steps and lost what it had published (it came back
// from a backup) is found out when it shows less than before, and, once it has grown again,
// by its next checkpoint; also by a monitor that was itself stopped meanwhile. One that lost
// nothing is not blamed.
func TestACrashThatLostEntriesIsFound(t *testing.T) {
	w := historytest.New(t)
	first := len(w.Entries)
	w.Release(historytest.SQL, 3)
	n := int64(len(w.Entries))
	for kept := first; kept < len(w.Entries); kept++ {
		after := historytest.New(t)
		after.Entries = slices.Clone(w.Entries[:kept])
		m, out := follow(w, options())
		require.Empty(t, out)
		m = again(t, m, options(), w.Now())
		require.Equal(t, "JOURNAL_SHORTER", m.Served(int64(kept), "gateway")[0].Reason, "%d of %d entries left", kept, n)

		var tree evidence.Tree
		for _, e := range after.Entries {
			require.NoError(t, tree.Append(e))
		}
		for i := range n - int64(kept) + 1 { // other things happen
			e := &evidence.Entry{Seq: tree.Size(), Salt: carnet.Hash{byte(i + 1)}, Envelope: w.Seal(carnet.TypeDeferral, carnet.Deferral{By: "k1"}, "k1")}
			require.NoError(t, tree.Append(e))
			after.Entries = append(after.Entries, e)
		}
		cp := after.Checkpoint(n, historytest.Keyholders...)
		found := m.Noted(cp, "gateway")
		require.Equal(t, "SPLIT_VIEW", found[0].Reason)
		require.Len(t, m.Splits(), 1, "and proved to others")
	}
	m, _ := follow(w, options())
	m = again(t, m, options(), w.Now())
	require.Empty(t, m.Served(n, "gateway"))
	require.Empty(t, m.Noted(w.Checkpoint(n, historytest.Keyholders...), "gateway"))
	require.Empty(t, m.Settle())
	require.Empty(t, m.Splits())
}

// A monitor that is killed between any two of its own steps goes on from what it saved last:
// what it reads twice is no repetition, and nothing is passed over.
func TestAMonitorThatIsKilled(t *testing.T) {
	w := historytest.New(t)
	q := w.Ask(historytest.SQL)
	answer(w, q, func(a *carnet.Answer) { a.Openings++ })
	_, want := follow(w, options())
	for saved := range len(w.Entries) {
		m := monitor.New(options())
		for _, e := range w.Entries[:saved] {
			m.Entry(e)
		}
		data, err := m.Save(w.Now()).Encode()
		require.NoError(t, err)
		for _, e := range w.Entries[saved:] {
			m.Entry(e) // and then it is killed
		}
		s, err := monitor.ReadSaved(data)
		require.NoError(t, err)
		next := monitor.New(options())
		require.NoError(t, next.Resume(s))
		var out []monitor.Finding
		for _, e := range w.Entries[next.Size():] {
			out = append(out, next.Entry(e)...)
		}
		size := int64(len(w.Entries))
		out = append(out, next.Noted(w.Checkpoint(size, historytest.Keyholders...), "gateway")...)
		require.Equal(t, want, append(out, next.Settle()...), "saved after %d entries", saved)
	}
}
