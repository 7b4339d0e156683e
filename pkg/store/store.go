// Package store keeps the gateway's metadata in SQLite, in a file of its own, or in
// PostgreSQL: registry, catalogue, uploads, queries, and the journal that every statement
// lives in. It implements flow.Store and is the only importer of the database drivers.
//
// The life of a change: Update waits for its turn, one change at a time; the use case
// reads, decides, writes its rows and appends its statement to the journal; commit makes all of it durable or, on any error, none. Changes that come at
// the same time share a commit. The tables beside the journal are
// indexes into it and can be rebuilt from it, except uploads, block hashes, sealed
// seeds, progress, co-signatures and what is noted beside.
//
// One SQL text serves both: $1 placeholders, and types that PostgreSQL has and SQLite
// takes. What differs is in sqlite.go and postgres.go. What a store must
// do is written down as a test in package storetest.
package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/flow"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Store is an open database. It is safe for concurrent use.
type Store struct {
	write  *sql.DB // one connection: writers wait in line here, not on the database's locks
	read   *sql.DB
	view   sql.TxOptions // of reading transactions: one consistent state
	limit  time.Duration // of a change, of its commit, and of a statement that reads; 0: none
	groups groups
}

var _ flow.Store = (*Store)(nil)

// Open opens a database and applies outstanding migrations: at an address that begins with
// postgres:// or postgresql://, or in a file, which is created if it is absent. A database written by a
// newer version is refused, and so is one that another gateway writes to.
func Open(ctx context.Context, place string) (*Store, error) {
	if IsAddress(place) {
		return openPostgres(ctx, place)
	}
	return openSQLite(ctx, place)
}

func unusable(what string, err error, remedy string) error {
	var e *carnet.Error
	if errors.As(err, &e) {
		return e
	}
	return carnet.E(carnet.Precondition, "STORE_UNUSABLE", "the database %s can't be used", what).Because(err).Fix("%s", remedy)
}

func migrate(ctx context.Context, dialect goose.Dialect, db *sql.DB) error {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(dialect, db, dir, goose.WithDisableGlobalRegistry(true))
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

// Close waits for running transactions and closes the database.
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
	t, err := s.begin(ctx, s.read, &s.view)
	if err != nil {
		return s.told(ctx, err, false)
	}
	defer func() { _ = t.Rollback() }() // after Commit it does nothing
	if err := do(&tx{ctx, t.Tx, s.limit}); err != nil {
		return s.told(ctx, err, true)
	}
	if err := t.Commit(); err != nil {
		return s.told(ctx, fmt.Errorf("commit: %w", err), true)
	}
	return nil
}

// Update runs do alone among writers, all or nothing. If the database server's last answer was
// not heard (STORE_UNAVAILABLE), it may be all: whoever tries again finds out.
func (s *Store) Update(ctx context.Context, do func(flow.Tx) error) error {
	return s.update(ctx, do)
}

// tx is one transaction; its methods are in the files named after the interfaces
// of package flow.
type tx struct {
	ctx context.Context
	*sql.Tx
	limit time.Duration // of one statement; 0: that of ctx
}

// within is the context of one statement.
func (t *tx) within() (context.Context, context.CancelFunc) {
	if t.limit == 0 {
		return t.ctx, func() {}
	}
	return context.WithTimeout(t.ctx, t.limit)
}

func (t *tx) exec(query string, args ...any) error {
	_, err := t.ExecContext(t.ctx, query, storable(args)...)
	return err
}

// one scans the only row of a query; no row is an error of kind NotFound.
func (t *tx) one(what, query string, args []any, dest ...any) error {
	ctx, done := t.within()
	defer done()
	err := t.QueryRowContext(ctx, query, storable(args)...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return notFound(what)
	}
	return err
}

// all calls scan for every row.
func (t *tx) all(query string, args []any, scan func(*sql.Rows) error) error {
	ctx, done := t.within()
	defer done()
	rows, err := t.QueryContext(ctx, query, storable(args)...)
	return scanAll(rows, err, scan)
}

// scanAll calls scan for every row of an answer, unless there is none.
func scanAll(rows *sql.Rows, err error, scan func(*sql.Rows) error) error {
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

// storable replaces what PostgreSQL has no place for in texts: bytes that are no UTF-8, and
// the character NUL. Names have neither, so none of them is found or taken for another.
func storable(args []any) []any {
	for i := range args {
		if s, ok := args[i].(string); ok {
			args[i] = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
		}
	}
	return args
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
