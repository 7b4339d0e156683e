package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/internal/postgres"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/store"
)

// move moves a store that is nobody's, and returns what was copied of every table.
func move(t *testing.T, from, to string) []store.Moved {
	t.Helper()
	out, err := store.Move(context.Background(), from, to, nil)
	require.NoError(t, err)
	return out
}

// everything makes a file with three rows in every table that there is. Values are the same
// in all columns of one kind, so that rows refer to rows.
func everything(t *testing.T) (file string, tables int) {
	file = filled(t, 0)
	db, err := sql.Open("sqlite", file)
	require.NoError(t, err)
	defer db.Close()
	list := func(query string) (out [][3]string) {
		rows, err := db.Query(query)
		require.NoError(t, err)
		defer rows.Close()
		for rows.Next() {
			var x [3]string
			require.NoError(t, rows.Scan(&x[0], &x[1], &x[2]))
			out = append(out, x)
		}
		return out
	}
	for _, name := range list(`SELECT name, '', '' FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'goose_db_version'`) {
		tables++
		columns := list(`SELECT name, type, "notnull" + pk FROM pragma_table_info('` + name[0] + `')`)
		for row := range 3 {
			var names, marks []string
			var values []any
			for i, c := range columns {
				var v any
				switch {
				case row == 1 && c[2] == "0":
				case c[1] == "BYTEA":
					v = bytes.Repeat([]byte{0, byte(row), 0xff}, 20*row)
				case c[1] == "TEXT":
					v = []string{"", "a 'name'", "海关\n\U0001F6C3"}[row]
				default:
					v = []int64{math.MinInt64, 0, math.MaxInt64}[row]
					if c[1] == "INTEGER" {
						v = row - 1
					}
				}
				names, marks, values = append(names, c[0]), append(marks, fmt.Sprintf("$%d", i+1)), append(values, v)
			}
			_, err := db.Exec(`INSERT INTO `+name[0]+` (`+strings.Join(names, ", ")+`) VALUES (`+strings.Join(marks, ", ")+`)`, values...)
			require.NoError(t, err, name[0])
		}
	}
	return file, tables
}

// TestEveryTableIsMoved: all there is arrives, there and back.
func TestEveryTableIsMoved(t *testing.T) {
	file, tables := everything(t)
	address := postgres.Fresh(t)
	there := move(t, file, address)
	require.Len(t, there, tables)
	for _, m := range there {
		require.EqualValues(t, 3, m.Rows, m.Table)
	}
	require.Equal(t, there, move(t, address, filepath.Join(t.TempDir(), "back.db")))
}

// TestAMovedStoreGoesOn: a store that is moved whenever it is closed is one as every other.
func TestAMovedStoreGoesOn(t *testing.T) {
	place := filled(t, 2)
	for n, to := range []string{postgres.Fresh(t), filepath.Join(t.TempDir(), "back.db")} {
		move(t, place, to)
		place = to
		s := openAt(t, place)
		require.NoError(t, journal(s, 2+n))
		require.Len(t, entries(t, s), 3+n)
		require.NoError(t, s.Close())
	}
}

// filled makes a file with a journal.
func filled(t *testing.T, entries int) (file string) {
	file = filepath.Join(t.TempDir(), "gateway.db")
	s := openAt(t, file)
	for n := range entries {
		require.NoError(t, journal(s, n))
	}
	require.NoError(t, s.Close())
	return file
}

// TestMoveStopsAnywhere: whatever ends the command, the target is empty, the source as it was,
// and the next try moves all.
func TestMoveStopsAnywhere(t *testing.T) {
	t.Parallel()
	file, address := filled(t, 2000), postgres.Fresh(t)
	back := filepath.Join(t.TempDir(), "back.db")
	db := admin(t, address)
	end := func() {
		_, err := db.Exec(`SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`)
		require.NoError(t, err)
	}
	try := func(from, to string, stop func(cancel func())) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		steps := 0
		_, err := store.Move(ctx, from, to, func(done, total int64) {
			require.EqualValues(t, 2000, total)
			require.LessOrEqual(t, done, total)
			if steps++; steps == 1 {
				stop(cancel)
			}
		})
		require.Error(t, err)
		require.Positive(t, steps)
		s := openAt(t, to)
		require.Empty(t, entries(t, s), "nothing of it is there")
		require.NoError(t, s.Close())
	}
	try(file, address, func(cancel func()) { cancel() })
	try(file, address, func(func()) { end() })
	first := move(t, file, address)
	try(address, back, func(cancel func()) { cancel() })
	try(address, back, func(func()) { end() })
	require.Equal(t, first, move(t, address, back))
	require.Len(t, entries(t, openAt(t, back)), 2000)
}

// TestMoveRefuses: nothing is written over, nobody else may write, and what does not arrive as
// it left is not kept.
func TestMoveRefuses(t *testing.T) {
	t.Parallel() // it waits for locks
	file, address := filled(t, 3), postgres.Fresh(t)
	reason := func(from, to string) string {
		_, err := store.Move(t.Context(), from, to, nil)
		require.Error(t, err)
		return carnet.ReasonOf(err)
	}
	require.Equal(t, "BAD_STORE", reason(file, filepath.Join(t.TempDir(), "x.db")))
	require.Equal(t, "BAD_STORE", reason(address, address))
	require.Equal(t, "NOT_FOUND", reason(filepath.Join(t.TempDir(), "absent.db"), address))
	require.Equal(t, "STORE_UNUSABLE", reason(address, filepath.Join(t.TempDir(), "x.db")), "no gateway has used the database")

	busy := openAt(t, address)
	require.Equal(t, "STORE_IN_USE", reason(file, address))
	require.NoError(t, busy.Close())

	writer, err := sql.Open("sqlite", "file:"+file+"?_txlock=immediate")
	require.NoError(t, err)
	tx, err := writer.Begin()
	require.NoError(t, err)
	require.Equal(t, "STORE_UNUSABLE", reason(file, address), "somebody writes to the file")
	require.NoError(t, tx.Rollback())

	// The server changes what it is given.
	db := admin(t, address)
	_, err = db.Exec(`CREATE FUNCTION other() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.type := ''other''; RETURN NEW; END'`)
	require.NoError(t, err)
	_, err = db.Exec(`CREATE TRIGGER other BEFORE INSERT ON journal FOR EACH ROW WHEN (NEW.seq = 1) EXECUTE FUNCTION other()`)
	require.NoError(t, err)
	require.Equal(t, "STORE_DIFFERS", reason(file, address))
	_, err = db.Exec(`DROP TRIGGER other ON journal`)
	require.NoError(t, err)

	before, err := os.ReadFile(file)
	require.NoError(t, err)
	move(t, file, address)
	after, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, before, after, "the source is as it was")
	require.Equal(t, "STORE_NOT_EMPTY", reason(file, address), "it is there already")
	require.Equal(t, "STORE_NOT_EMPTY", reason(address, file))

	for version, want := range map[int]string{-1: "STORE_OTHER_VERSION", 99999: "STORE_OTHER_VERSION"} {
		old := filled(t, 1)
		raw, err := sql.Open("sqlite", old)
		require.NoError(t, err)
		if version > 0 {
			_, err = raw.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)`)
		} else {
			_, err = raw.Exec(`DELETE FROM goose_db_version WHERE version_id = (SELECT max(version_id) FROM goose_db_version)`)
		}
		require.NoError(t, err)
		require.NoError(t, raw.Close())
		require.Equal(t, want, reason(old, postgres.Fresh(t)))
	}
}
