package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/internal/postgres"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/flow"
	"github.com/carnet-network/carnet/pkg/store"
	"github.com/carnet-network/carnet/pkg/store/storetest"
)

func TestMain(m *testing.M) { postgres.Main(m) }

func TestPostgres(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Opener {
		address := postgres.Fresh(t)
		return func() storetest.Closer { return openAt(t, address) }
	})
}

func openAt(t *testing.T, place string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), place)
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

func note(n int) *evidence.Envelope {
	return &evidence.Envelope{PayloadType: carnet.TypeSchema, Payload: fmt.Appendf(nil, `{"n":%d}`, n), Signatures: []evidence.Signature{{KeyID: "k", Sig: []byte{1}}}}
}

func journal(s *store.Store, n int) error {
	return s.Update(context.Background(), func(tx flow.Tx) error { _, err := tx.Append(note(n)); return err })
}

// entries lists the payloads of the journal, and checks that they make its tree.
func entries(t *testing.T, s *store.Store) (out []string) {
	t.Helper()
	require.NoError(t, s.View(t.Context(), func(tx flow.Tx) error {
		list, err := tx.Entries(0, 1<<20)
		require.NoError(t, err)
		var tree evidence.Tree
		for i := range list {
			require.NoError(t, tree.Append(&list[i]))
			out = append(out, string(list[i].Envelope.Payload))
		}
		have, err := tx.Tree()
		require.Equal(t, have, tree)
		return err
	}))
	return out
}

// admin asks the server of a database in another session.
func admin(t *testing.T, address string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", address)
	require.NoError(t, err)
	t.Cleanup(func() { db.Close() })
	return db
}

// TestOneWriter: a second gateway is refused while the first one lives, and welcome after.
func TestOneWriter(t *testing.T) {
	address := postgres.Fresh(t)
	first := openAt(t, address)
	require.NoError(t, journal(first, 0))
	_, err := store.Open(t.Context(), address)
	require.Equal(t, "STORE_IN_USE", carnet.ReasonOf(err), "%v", err)
	require.NoError(t, journal(first, 1), "the first one goes on")
	require.NoError(t, first.Close())
	second := openAt(t, address)
	require.NoError(t, journal(second, 2))
	require.Len(t, entries(t, second), 3)
}

// TestLostConnection: a writer whose connection the server ended, as when it restarts,
// goes on with a new one; but not if another gateway has become the writer meanwhile.
func TestLostConnection(t *testing.T) {
	address := postgres.Fresh(t)
	first := openAt(t, address)
	db := admin(t, address)
	end := func() {
		_, err := db.Exec(`SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`)
		require.NoError(t, err)
	}
	require.NoError(t, journal(first, 0))
	end()
	require.Eventually(t, func() bool { return journal(first, 1) == nil }, time.Minute, 10*time.Millisecond)

	// Ended in the middle of a change: nothing of it is there.
	err := first.Update(t.Context(), func(tx flow.Tx) error {
		_, err := tx.Append(note(2))
		require.NoError(t, err)
		end()
		return nil
	})
	require.Equal(t, "STORE_UNAVAILABLE", carnet.ReasonOf(err), "%v", err)
	require.Len(t, entries(t, first), 2)

	// Another gateway is quicker.
	end()
	var second *store.Store
	require.Eventually(t, func() (ok bool) { second, err = store.Open(t.Context(), address); return err == nil }, time.Minute, 10*time.Millisecond)
	defer second.Close()
	require.NoError(t, journal(second, 3))
	err = journal(first, 4)
	require.Equal(t, carnet.Unavailable, carnet.KindOf(err), "clients of %v try again", err)
	require.ErrorContains(t, err, "another gateway writes to the database")
	require.Equal(t, []string{`{"n":0}`, `{"n":1}`, `{"n":3}`}, entries(t, first), "it still reads")
}

// TestServerCrash kills the server while changes are made: what was acknowledged is there
// when it runs again, in its place.
func TestServerCrash(t *testing.T) {
	server := postgres.New(t)
	address, err := server.Database(t.Context())
	require.NoError(t, err)
	s := openAt(t, address)
	acknowledged := make(chan int, 10000)
	stopped := make(chan struct{})
	for w := range 4 {
		go func() {
			defer func() { stopped <- struct{}{} }()
			for n := w; ; n += 4 {
				if journal(s, n) != nil {
					return
				}
				acknowledged <- n
			}
		}()
	}
	require.Eventually(t, func() bool { return len(acknowledged) > 200 }, time.Minute, time.Millisecond)
	require.NoError(t, server.Kill())
	for range 4 {
		<-stopped
	}
	close(acknowledged)
	require.NoError(t, server.Again(t.Context()))
	require.Eventually(t, func() bool { return journal(s, 1<<30) == nil }, time.Minute, 100*time.Millisecond)
	have := map[string]bool{}
	for _, e := range entries(t, s) {
		require.False(t, have[e], "%s is there twice", e)
		have[e] = true
	}
	for n := range acknowledged {
		require.True(t, have[fmt.Sprintf(`{"n":%d}`, n)], "statement %d was acknowledged", n)
	}
}

// TestUnwatchedFailure: a change that goes on after one of its statements failed is
// refused, and those that share its commit are not.
func TestUnwatchedFailure(t *testing.T) {
	s := openAt(t, postgres.Fresh(t))
	require.NoError(t, journal(s, 0))
	require.Error(t, s.Update(t.Context(), func(tx flow.Tx) error {
		_, err := tx.Append(note(0)) // a statement is journaled once
		require.Error(t, err)
		return nil
	}))
	require.NoError(t, journal(s, 1))
	require.Len(t, entries(t, s), 2)
}

func TestRefusedServers(t *testing.T) {
	open := func(place string) error {
		s, err := store.Open(t.Context(), place)
		if err == nil {
			s.Close()
		}
		return err
	}
	for place, reason := range map[string]string{
		"postgres://u:secret@db.example/carnet":                                "STORE_EXPOSED",
		"postgres://u:secret@db.example/carnet?sslmode=disable":                "STORE_EXPOSED",
		"postgres://u:secret@db.example/carnet?sslmode=require":                "STORE_EXPOSED",
		"postgresql://u:secret@10.0.0.1,127.0.0.1/carnet?sslmode=prefer":       "STORE_EXPOSED",
		"postgres://u:secret@127.0.0.1/carnet?sslmode=wrong":                   "BAD_STORE",
		"postgres://u:secret@127.0.0.1:1/carnet?sslmode=disable":               "STORE_UNUSABLE",
		"postgres://u@127.0.0.1:1/carnet?sslmode=disable&password=secret":      "STORE_UNUSABLE",
		"postgres://u:secret@127.0.0.1:1/carnet?sslmode=verify-full":           "STORE_UNUSABLE",
		"postgres://u:secret@127.0.0.1:nowhere/carnet?sslmode=disable%zz":      "BAD_STORE",
		"postgres://u:se cret@127.0.0.1:1/carnet?sslmode=disable&host=db.exam": "BAD_STORE",
	} {
		err := open(place)
		require.Equal(t, reason, carnet.ReasonOf(err), "%s: %v", place, err)
		require.NotContains(t, err.Error(), "secret")
	}
	require.Equal(t, "carnet.db", store.Redacted("carnet.db"))
	require.NotContains(t, store.Redacted("postgres://u:secret@h/d?password=secret2"), "secret")

	address := postgres.Fresh(t)
	db := admin(t, address)
	_, err := db.Exec(`CREATE DATABASE sorted TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'en' LC_COLLATE 'C' LC_CTYPE 'C'`)
	if err != nil {
		require.ErrorContains(t, err, "ICU", "the server knows other collations")
	} else {
		u, err := url.Parse(address)
		require.NoError(t, err)
		u.Path = "/sorted"
		require.Equal(t, "STORE_COLLATION", carnet.ReasonOf(open(u.String())))
	}
	s := openAt(t, address)
	v, err := s.Version(t.Context())
	require.NoError(t, err)
	require.Positive(t, v)
	require.NoError(t, s.Close())
	_, err = db.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)`)
	require.NoError(t, err)
	require.Equal(t, "STORE_TOO_NEW", carnet.ReasonOf(open(address)))
}

// TestUnsafeServer: one that does not force to disk what it commits is refused, and a
// session setting that says so is overruled.
func TestUnsafeServer(t *testing.T) {
	address := postgres.Fresh(t)
	db := admin(t, address)
	var name string
	require.NoError(t, db.QueryRow(`SELECT current_database()`).Scan(&name))
	_, err := db.Exec(`ALTER DATABASE ` + name + ` SET synchronous_commit = off`)
	require.NoError(t, err)
	s := openAt(t, address)
	require.NoError(t, journal(s, 0))

	if testing.Short() {
		return
	}
	ctx, done := context.WithTimeout(t.Context(), time.Minute)
	defer done()
	unsafe, err := postgres.Start(ctx)
	require.NoError(t, err)
	defer unsafe.Stop()
	address, err = unsafe.Database(ctx)
	require.NoError(t, err)
	_, err = store.Open(ctx, address)
	require.Equal(t, "STORE_UNSAFE", carnet.ReasonOf(err), "%v", err)
	require.True(t, strings.Contains(err.Error(), "fsync"))
}
