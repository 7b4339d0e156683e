package carnettest

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/internal/postgres"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/store"
)

// Rule: with its metadata in PostgreSQL the gateway does what it does with SQLite, also
// after restarts, and leaves no file of SQLite in its folder.
func TestStoreInPostgres(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{Store: postgres.Fresh(t)})
	publishTrade(t, n, carnet.LayoutCube)
	want := Rows(n.Ask(t, "buyer", "cube", linearQuery).Result)
	require.NotEmpty(t, want)
	waiting := n.Submit(t, "buyer", "cube", "SELECT chapter, COUNT(*) FROM cube GROUP BY chapter ORDER BY chapter")
	n.Gateway.Restart(t)
	_, err := n.Open(t, waiting)
	require.NoError(t, err)
	require.Equal(t, want, Rows(n.Ask(t, "second", "cube", linearQuery).Result))

	// What is in the log is what is in the database.
	Eventually(t, "a published checkpoint of everything", time.Minute, func() bool {
		entries, newest, err := n.Gateway.Flow.Journal(Context(t))
		require.NoError(t, err)
		return newest != nil && newest.Size == entries
	})
	require.NoFileExists(t, filepath.Join(n.Gateway.Dir, "gateway.db"))
}

// Rule: a gateway whose metadata was moved while it was stopped goes on where it was, there and
// back: old answers open, charges and log go on.
func TestMovedStore(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{})
	publishTrade(t, n, carnet.LayoutCube)
	want := Rows(n.Ask(t, "buyer", "cube", linearQuery).Result)
	waiting := n.Submit(t, "buyer", "cube", "SELECT chapter, COUNT(*) FROM cube GROUP BY chapter ORDER BY chapter")
	for i, to := range []string{postgres.Fresh(t), ""} {
		n.Gateway.Stop(t)
		from := n.Gateway.Database()
		if n.Store = to; to == "" {
			require.NoError(t, os.Remove(n.Gateway.Database()), "of the first move")
		}
		moved, err := store.Move(Context(t), from, n.Gateway.Database(), nil)
		require.NoError(t, err)
		require.NotEmpty(t, moved)
		n.Gateway.Start(t)
		_, err = n.Open(t, waiting)
		require.NoError(t, err)
		require.Equal(t, want, Rows(n.Ask(t, []carnet.PartyID{"second", "buyer"}[i], "cube", linearQuery).Result))
	}
	require.Empty(t, n.monitor(t))
}

// Rule: what TestKill9 says of kill -9 holds with PostgreSQL; and a gateway with a folder of its
// own is refused while another one uses the database.
func TestKill9WithPostgres(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	t.Parallel()
	r := startRealAt(t, Options{Store: postgres.Fresh(t)}, nil)
	s := ParseSchema(t, tradeYAML)
	var tables []map[string][2]int64
	var sets []*Dataset
	for i, owner := range []carnet.PartyID{"kz", "uz"} {
		text, totals := bigTrade(uint64(i + 1))
		sets = append(sets, r.Publish(t, Publication{Owner: owner, Name: "big", Schema: s, Layout: carnet.LayoutRecords, CSV: text}))
		tables = append(tables, totals)
	}
	r.Product(t, "big", sets...)
	want := expected(tables...)
	charges := map[carnet.KeyID]int64{}
	for round := range 4 {
		a := r.Submit(t, "buyer", "big", bigQuery)
		for _, d := range sets {
			charges[d.Key.Key] = int64(len(a.Plan.Openings))
		}
		if round > 0 {
			time.Sleep(time.Duration(round*120) * time.Millisecond)
			r.gateway.kill(t)
			r.startGateway(t)
		}
		got, err := r.openReal(t, a)
		require.NoError(t, err)
		require.Equal(t, want, Rows(got.Result))
	}
	r.nothingDoubled(t, charges)

	out, err := exec.Command(filepath.Join(r.bin, "carnet-gateway"), "migrate", "--data", r.file("another"), "--store", r.Store).CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "STORE_IN_USE")
	_, err = os.Stat(filepath.Join(r.Gateway.Dir, "gateway.db"))
	require.ErrorIs(t, err, os.ErrNotExist)
}
