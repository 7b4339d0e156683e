package monitor_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/history/historytest"
	"github.com/carnet-network/carnet/pkg/monitor"
)

// again saves a monitor and goes on with another one.
func again(t *testing.T, m *monitor.Monitor, o monitor.Options, now time.Time) *monitor.Monitor {
	t.Helper()
	data, err := m.Save(now).Encode()
	require.NoError(t, err)
	s, err := monitor.ReadSaved(data)
	require.NoError(t, err)
	out := monitor.New(o)
	require.NoError(t, out.Resume(s))
	require.Equal(t, m.Checkpoint(), out.Checkpoint())
	return out
}

// Whatever is forged is found by a monitor that was stopped and went on, at any entry, with
// nothing read again: the same findings as without.
func TestAMonitorThatGoesOnFindsTheSame(t *testing.T) {
	for name, f := range forgeries {
		t.Run(name, func(t *testing.T) {
			w, o := historytest.New(t), options()
			if f.make != nil {
				f.make(t, w)
			}
			if f.options != nil {
				f.options(&o)
			}
			_, want := follow(w, o)
			n := len(w.Entries) // the rest of a forgery adds more, and may change keys
			cp := w.Checkpoint(int64(n), historytest.Keyholders...)
			for stop := n; stop >= 0 && stop > n-6; stop-- {
				m := monitor.New(o)
				var out []monitor.Finding
				for i, e := range w.Entries[:n] {
					if i == stop {
						m = again(t, m, o, w.Now())
					}
					out = append(out, m.Entry(e)...)
				}
				if stop == n {
					m = again(t, m, o, w.Now())
				}
				size := int64(n)
				out = append(out, m.Served(size, "gateway")...)
				out = append(out, m.Noted(cp, "gateway")...)
				out = append(out, m.Settle()...)
				require.Equal(t, want, out, "stopped at %d of %d", stop, n)
				if f.then != nil && stop == n {
					require.NotEmpty(t, f.then(t, w, m))
				}
			}
		})
	}
}

// What is over is forgotten, and what still comes about it is not judged but told; an id that
// was used stays used, a statement that was there stays there.
func TestWhatIsOverIsForgotten(t *testing.T) {
	w := historytest.New(t)
	q := w.Release(historytest.SQL, 2)
	var body carnet.Query
	require.NoError(t, q.Decode(carnet.TypeQuery, &body))
	m, out := follow(w, options())
	require.Empty(t, out)
	w.Pass(72 * time.Hour)
	long, err := m.Save(w.Now()).Encode()
	require.NoError(t, err)
	require.NotContains(t, string(long), carnet.TypeAnswer, "what was said about it is not kept")
	require.Contains(t, string(long), carnet.TypeQuery, "it is, as what later ones are judged by")
	m = again(t, m, options(), w.Now())

	w.Append(carnet.TypeAnswer, w.Answer(q, 3), "k3")
	f := m.Entry(w.Entries[m.Size()])
	require.Len(t, f, 1)
	require.Equal(t, [3]string{"QUERY_OVER", string(monitor.Suspect), ""}, [3]string{f[0].Reason, string(f[0].Weight), string(f[0].By)})
	other := body
	other.SQL = "SELECT COUNT(*) FROM trade"
	w.Append(carnet.TypeQuery, other, historytest.Buyer)
	used := m.Entry(w.Entries[m.Size()])
	require.Equal(t, "QUERY_ID_USED", used[0].Reason)
	require.Empty(t, used[0].By, "anybody could have written the buyer's name")
	w.Put(q)
	require.Equal(t, "STATEMENT_REPEATED", m.Entry(w.Entries[m.Size()])[0].Reason)
	fresh := w.Ask(historytest.SQL)
	require.Empty(t, m.Entry(w.Entries[m.Size()]), "new ones are judged as always")
	require.NotEmpty(t, fresh)
}

// A log that does not go on from the saved state is found at its next checkpoint.
func TestAForkBeforeTheSavedState(t *testing.T) {
	w := historytest.New(t)
	m, _ := follow(w, options())
	m = again(t, m, options(), w.Now())
	fork := historytest.New(t) // as many entries, others
	fork.Entries[3].Salt[0] ^= 1
	size := m.Size()
	require.Equal(t, "SPLIT_VIEW", m.Noted(fork.Checkpoint(size, "k1"), "gateway")[0].Reason)
	fork.Release(historytest.SQL, 1)
	for _, e := range fork.Entries[size:] {
		m.Entry(e)
	}
	require.Equal(t, "SPLIT_VIEW", m.Noted(fork.Checkpoint(m.Size(), "k1"), "gateway")[0].Reason)
}

// A state of another log, or one that was damaged, is not gone on from.
func TestDamagedStates(t *testing.T) {
	w := historytest.New(t)
	w.Release(historytest.SQL, 2)
	m, _ := follow(w, options())
	data, err := m.Save(w.Now()).Encode()
	require.NoError(t, err)
	for i := 0; i < len(data)-1; i += 97 {
		bad := slices.Clone(data)
		bad[i] ^= 1
		_, err := monitor.ReadSaved(bad)
		require.Equal(t, "BAD_MONITOR_STATE", carnet.ReasonOf(err), "byte %d", i)
	}
	s, err := monitor.ReadSaved(data)
	require.NoError(t, err)
	short := monitor.New(options())
	require.NoError(t, short.Resume(s))
	require.Equal(t, "JOURNAL_SHORTER", short.Served(s.State.Size-1, "gateway")[0].Reason)

	forged := strings.Replace(string(data), `"size":`, `"size":1`, 1) // and a digest that fits
	_, err = monitor.ReadSaved([]byte(forged))
	require.Error(t, err)
	for what, change := range map[string]func(*monitor.Saved){
		"another state":                     func(s *monitor.Saved) { s.State.Head[0] ^= 1 },
		"another size":                      func(s *monitor.Saved) { s.State.Size++ },
		"another root":                      func(s *monitor.Saved) { s.Snapshot.Roots[len(s.Snapshot.Roots)-1] ^= 1 },
		"another statement, rightly signed": func(s *monitor.Saved) { s.Snapshot.Kept[1].Statement = s.Snapshot.Kept[0].Statement },
		"a member of the committee less":    func(s *monitor.Saved) { s.Snapshot.Kept = slices.Delete(s.Snapshot.Kept, 2, 3) },
		"another entry":                     func(s *monitor.Saved) { s.Snapshot.Kept[1].Statement.Payload[0] ^= 1 },
	} {
		s, err := monitor.ReadSaved(data)
		require.NoError(t, err)
		change(s)
		require.Equal(t, "BAD_MONITOR_STATE", carnet.ReasonOf(monitor.New(options()).Resume(s)), what)
	}
	for what, change := range map[string]func(){"another log": func() { s.Origin = "x" }, "another form": func() { s.Format = "x" }} {
		change()
		require.Equal(t, "OTHER_LOG", carnet.ReasonOf(monitor.New(options()).Resume(s)), what)
	}
	_, err = monitor.ReadSaved([]byte("{"))
	require.Equal(t, "BAD_MONITOR_STATE", carnet.ReasonOf(err))
}
