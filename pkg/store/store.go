// Package store keeps the gateway's metadata in SQLite: registry, catalogue,
// uploads, queries, and the journal that every statement lives in. It implements
// flow.Store and is the only importer of the database driver.
//
// The life of a change: Update waits for its turn in a write transaction, which SQLite
// serialises with all others; the use case reads, decides, writes its rows and appends its
// statement to the journal; commit makes all of it durable (write-ahead log,
// synchronous FULL) or, on any error, none. Changes that come at the same time share a
// commit. The tables beside the journal are
// indexes into it and can be rebuilt from it, except uploads, block hashes, sealed
// seeds, progress and co-signatures.
//
// SQL uses $1 placeholders and types that PostgreSQL has as well. What a store must
// do is written down as a test in package storetest.
package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"time"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the driver

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/flow"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Store is an open database. It is safe for concurrent use.
type Store struct {
	write  *sql.DB // one connection: writers wait in line here, not on SQLite's lock
	read   *sql.DB
	groups groups
}

var _ flow.Store = (*Store)(nil)

// Open opens or creates the database file and applies outstanding migrations. A
// database written by a newer version is refused.
func Open(ctx context.Context, file string) (*Store, error) {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o600) // so that its mode is right from the first byte on
	if err != nil {
		return nil, unusable(file, err)
	}
	f.Close()
	s := &Store{}
	if s.write, err = open(file, url.Values{"_txlock": {"immediate"}}); err == nil {
		s.write.SetMaxOpenConns(1)
		if err = migrate(ctx, s.write); err == nil {
			// Reading transactions are deferred: they never wait for the writer.
			if s.read, err = open(file, url.Values{"_txlock": {"deferred"}}); err == nil {
				s.read.SetMaxOpenConns(8)
				return s, nil
			}
		}
	}
	s.Close()
	return nil, unusable(file, err)
}

func unusable(file string, err error) error {
	var e *carnet.Error
	if errors.As(err, &e) {
		return err
	}
	return carnet.E(carnet.Precondition, "STORE_UNUSABLE", "the database %s can't be used", file).Because(err).
		Fix("check that the folder exists, is writable, has free space and is used by one gateway only")
}

func open(file string, q url.Values) (*sql.DB, error) {
	q["_pragma"] = []string{"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"}
	return sql.Open("sqlite", "file:"+(&url.URL{Path: file}).EscapedPath()+"?"+q.Encode())
}

func migrate(ctx context.Context, db *sql.DB) error {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, dir, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	have, err := p.GetDBVersion(ctx)
	if err != nil {
		return err
	}
	all := p.ListSources()
	if newest := all[len(all)-1].Version; have > newest {
		return carnet.E(carnet.Precondition, "STORE_TOO_NEW", "the database has version %d, this program knows up to %d", have, newest).
			Fix("run the newer program, or restore a copy made before the upgrade")
	}
	_, err = p.Up(ctx)
	return err
}

// Version is the number of the newest migration that has been applied.
func (s *Store) Version(ctx context.Context) (v int64, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT max(version_id) FROM goose_db_version`).Scan(&v)
	return v, err
}

// Close waits for running transactions and closes the file.
func (s *Store) Close() error {
	var errs []error
	for _, db := range []*sql.DB{s.read, s.write} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

// View runs do on one consistent state.
func (s *Store) View(ctx context.Context, do func(flow.Tx) error) error {
	return run(ctx, s.read, &sql.TxOptions{ReadOnly: true}, do)
}

// Update runs do alone among writers, all or nothing.
func (s *Store) Update(ctx context.Context, do func(flow.Tx) error) error {
	return s.update(ctx, do)
}

func run(ctx context.Context, db *sql.DB, opts *sql.TxOptions, do func(flow.Tx) error) error {
	t, err := db.BeginTx(ctx, opts)
	if err != nil {
		return err
	}
	defer t.Rollback() // after Commit it does nothing
	if err := do(&tx{ctx, t}); err != nil {
		return err
	}
	if err := t.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// tx is one transaction; its methods are in the files named after the interfaces
// of package flow.
type tx struct {
	ctx context.Context
	*sql.Tx
}

func (t *tx) exec(query string, args ...any) error {
	_, err := t.ExecContext(t.ctx, query, args...)
	return err
}

// one scans the only row of a query; no row is an error of kind NotFound.
func (t *tx) one(what, query string, args []any, dest ...any) error {
	err := t.QueryRowContext(t.ctx, query, args...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return notFound(what)
	}
	return err
}

// all calls scan for every row.
func (t *tx) all(query string, args []any, scan func(*sql.Rows) error) error {
	rows, err := t.QueryContext(t.ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func notFound(what string) error {
	return carnet.E(carnet.NotFound, "NOT_FOUND", "there is no such %s", what)
}

// h32 scans a 32-byte column.
type h32 [32]byte

func (h *h32) Scan(v any) error {
	b, ok := v.([]byte)
	if !ok || len(b) != len(h) {
		return fmt.Errorf("want 32 bytes, have %T of %d", v, len(b))
	}
	copy(h[:], b)
	return nil
}

// hashes scans hashes that are stored one behind the other.
type hashes []carnet.Hash

func (h hashes) bytes() (out []byte) {
	for i := range h {
		out = append(out, h[i][:]...)
	}
	return out
}

func (h *hashes) Scan(v any) error {
	b, ok := v.([]byte)
	if !ok || len(b)%32 != 0 {
		return fmt.Errorf("want hashes of 32 bytes, have %T of %d", v, len(b))
	}
	*h = nil
	for ; len(b) > 0; b = b[32:] {
		*h = append(*h, carnet.Hash(b[:32]))
	}
	return nil
}

// when scans a time in nanoseconds.
type when time.Time

func (w *when) Scan(v any) error {
	n, ok := v.(int64)
	if !ok {
		return fmt.Errorf("want a time in nanoseconds, have %T", v)
	}
	*w = when(time.Unix(0, n).UTC())
	return nil
}

func arg(args ...any) []any { return args }
