package keyholder

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

func openTestLedger(t *testing.T, path string) *Ledger {
	t.Helper()
	l, err := OpenLedger(t.Context(), path, "kh1", []byte("registrar"))
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	return l
}

func TestLedgerFlushesEveryTransaction(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := openTestLedger(t, path)
	var sync int
	require.NoError(t, l.db.QueryRow(`PRAGMA synchronous`).Scan(&sync))
	require.Equal(t, 2, sync, "FULL")
	files, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	for _, f := range files {
		i, err := f.Info()
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), i.Mode().Perm(), f.Name())
	}
}

func TestLedgerBelongsToOneKeyholder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	openTestLedger(t, path).Close()
	_, err := OpenLedger(t.Context(), path, "kh2", []byte("registrar"))
	require.Equal(t, "FOREIGN_LEDGER", carnet.ReasonOf(err))
	_, err = OpenLedger(t.Context(), path, "kh1", []byte("another"))
	require.Equal(t, "FOREIGN_LEDGER", carnet.ReasonOf(err))
	_, err = ReadLedger(path + ".none")
	require.Equal(t, "NO_LEDGER", carnet.ReasonOf(err))
}

func TestDamagedLedgerIsNoticed(t *testing.T) {
	w := cubeWorld(t)
	dir := t.TempDir()
	g := newGateway(t, w)
	h := g.prepare(t, 1, dir).start(t)
	h.reached(t, g.tree.Size())
	require.NoError(t, h.stop())
	_, err := h.ledger.db.Exec(`UPDATE entry SET envelope = (SELECT envelope FROM entry WHERE seq = 0) WHERE seq = 3`)
	require.NoError(t, err)
	_, err = New(t.Context(), h.cfg)
	require.Equal(t, "LEDGER_DAMAGED", carnet.ReasonOf(err))

	path := filepath.Join(t.TempDir(), "ledger.db")
	require.NoError(t, os.WriteFile(path, []byte("this is no database, not even a little one"), 0o600))
	_, err = OpenLedger(t.Context(), path, "kh1", nil)
	require.Equal(t, "LEDGER_UNUSABLE", carnet.ReasonOf(err))
}

func TestOutcomeIsWrittenOnce(t *testing.T) {
	l := openTestLedger(t, filepath.Join(t.TempDir(), "ledger.db"))
	o := &Outcome{Query: carnet.Hash{1}, Kind: kindAnswer, Sealed: []byte("first"), Statement: &evidence.Envelope{}}
	got, err := l.decide(t.Context(), o)
	require.NoError(t, err)
	require.Equal(t, "first", string(got.Sealed))
	o.Sealed = []byte("second")
	got, err = l.decide(t.Context(), o)
	require.NoError(t, err)
	require.Equal(t, "first", string(got.Sealed))
}

func TestStatusReadsWhileRunning(t *testing.T) {
	w := cubeWorld(t)
	g := newGateway(t, w)
	h := g.run(t, 1)
	query := w.ask(t, monthly)
	g.journal(t, query)
	g.answered(t, query, 1)
	read := func() *Status {
		l, err := ReadLedger(filepath.Join(h.dir, "ledger.db"))
		require.NoError(t, err)
		defer l.Close()
		st, err := l.Status(t.Context())
		require.NoError(t, err)
		return st
	}
	for _, stopped := range []bool{false, true} {
		if stopped {
			require.NoError(t, h.stop())
			require.NoError(t, h.ledger.Close())
		}
		st := read()
		require.EqualValues(t, "kh1", st.Party)
		require.Equal(t, g.tree.Size(), st.Size)
		require.EqualValues(t, 1, st.Outcomes[kindAnswer])
		require.Len(t, st.Keys, 2)
		require.Equal(t, SeedsHeld, st.Keys[0].State)
		require.Positive(t, st.Keys[0].Charged)
		require.NotNil(t, st.LastQuorum)
	}
}

func TestLRU(t *testing.T) {
	l := newLRU[int, string](10)
	l.put(1, "a", 4)
	l.put(2, "b", 4)
	l.get(1)
	l.put(3, "c", 4)
	_, ok := l.get(2)
	require.False(t, ok, "least recently used goes first")
	v, ok := l.get(1)
	require.True(t, ok)
	require.Equal(t, "a", v)
	l.put(1, "huge", 11)
	_, ok = l.get(1)
	require.False(t, ok)
	require.EqualValues(t, 4, l.used)
}
