package store

import (
	"context"
	"database/sql"
	"net/url"
	"os"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver
)

// openSQLite: a write-ahead log, forced to disk at every commit (synchronous FULL).
func openSQLite(ctx context.Context, file string) (*Store, error) {
	const remedy = "check that the folder exists, is writable, has free space and is used by one gateway only"
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o600) // so that its mode is right from the first byte on
	if err != nil {
		return nil, unusable(file, err, remedy)
	}
	f.Close()
	s := &Store{view: sql.TxOptions{ReadOnly: true}}
	if s.write, err = sqlite(file, url.Values{"_txlock": {"immediate"}}); err == nil {
		s.write.SetMaxOpenConns(1)
		if err = migrate(ctx, goose.DialectSQLite3, s.write); err == nil {
			// Reading transactions are deferred: they never wait for the writer.
			if s.read, err = sqlite(file, url.Values{"_txlock": {"deferred"}}); err == nil {
				s.read.SetMaxOpenConns(readers)
				return s, nil
			}
		}
	}
	s.Close()
	return nil, unusable(file, err, remedy)
}

// readers is how many may read at a time.
const readers = 8

func sqlite(file string, q url.Values) (*sql.DB, error) {
	q["_pragma"] = []string{"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"}
	return sql.Open("sqlite", "file:"+(&url.URL{Path: file}).EscapedPath()+"?"+q.Encode())
}
