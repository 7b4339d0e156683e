package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"net/url"
	"os"
	"strings"

	"github.com/jackc/pgx/v5/stdlib"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Moved is what was copied of one table: how many rows, and the digest of all of them in the
// order of the primary key, which is the same on both sides.
type Moved struct {
	Table  string      `json:"table"`
	Rows   int64       `json:"rows"`
	Digest carnet.Hash `json:"digest"`
}

// Move copies a store from a file to PostgreSQL, or back, while no gateway uses either. The
// target has to be empty, and is made if it is absent. All is copied, read again and compared
// in one transaction: after a failure at any step the target is as empty as before. The
// source is read only. progress, if not nil, is told how many rows of how many were copied.
func Move(ctx context.Context, from, to string, progress func(done, total int64)) ([]Moved, error) {
	if IsAddress(from) == IsAddress(to) {
		return nil, carnet.E(carnet.Invalid, "BAD_STORE", "%s and %s are both files, or both addresses", Redacted(from), Redacted(to)).
			Fix("metadata is moved from a file of SQLite to a PostgreSQL database, or back; copy a file with cp, a database with pg_dump, the gateway stopped")
	}
	l, err := newLayout(ctx)
	if err != nil {
		return nil, err
	}
	source, err := openSource(ctx, from)
	if err != nil {
		return nil, err
	}
	defer source.Close()
	m := &move{layout: l, progress: progress}
	if m.from, err = source.BeginTx(ctx, readingOf(from)); err != nil {
		return nil, unusable(Redacted(from), err, "stop whoever writes to it")
	}
	defer func() { _ = m.from.Rollback() }()
	if err := m.known(ctx); err != nil {
		return nil, unusable(Redacted(from), err, "name the store of the gateway that is to be moved")
	}
	target, err := Open(ctx, to)
	if err != nil {
		return nil, err
	}
	defer target.Close()
	if m.to, err = target.write.BeginTx(ctx, nil); err != nil {
		return nil, unusable(Redacted(to), err, "stop whoever writes to it")
	}
	defer func() { _ = m.to.Rollback() }() // after Commit it does nothing
	if err := m.empty(ctx, Redacted(to)); err != nil {
		return nil, err
	}
	out, err := m.run(ctx)
	if err == nil {
		err = m.to.Commit()
	}
	if err != nil {
		return nil, unusable(Redacted(to), err, "nothing was moved, and the source is as it was; mend the cause and try again")
	}
	return out, nil
}

// openSource opens a store as it is: neither is it made nor brought up to date. It has one
// connection.
func openSource(ctx context.Context, place string) (db *sql.DB, err error) {
	if IsAddress(place) {
		c, err := parse(place)
		if err != nil {
			return nil, err
		}
		db = stdlib.OpenDB(*c, stdlib.OptionAfterConnect(prepareWriter))
	} else {
		if _, err := os.Stat(place); errors.Is(err, fs.ErrNotExist) {
			return nil, carnet.E(carnet.NotFound, "NOT_FOUND", "there is no file %s", place).Fix("name the folder of the gateway that is to be moved with --data")
		}
		if db, err = sqlite(place, url.Values{"_txlock": {"immediate"}}); err != nil {
			return nil, unusable(place, err, "check the file")
		}
	}
	db.SetMaxOpenConns(1)
	if err := db.PingContext(ctx); err != nil {
		db.Close()
		return nil, unusable(Redacted(place), err, "check that it is there and that no gateway uses it")
	}
	return db, nil
}

// readingOf is how a source is read. In SQLite the transaction keeps others from writing, as the
// lock does in PostgreSQL.
func readingOf(place string) *sql.TxOptions {
	if IsAddress(place) {
		return &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead}
	}
	return nil
}

type move struct {
	*layout
	from, to    *sql.Tx
	progress    func(done, total int64)
	done, total int64
}

// known checks that the source has the tables that this program has, and counts its rows.
func (m *move) known(ctx context.Context) error {
	var have int64
	if err := m.from.QueryRowContext(ctx, `SELECT max(version_id) FROM goose_db_version`).Scan(&have); err != nil {
		return err
	}
	if have != m.version {
		return carnet.E(carnet.Precondition, "STORE_OTHER_VERSION", "the database has version %d, this program has %d", have, m.version).
			Fix("run carnet-gateway migrate of this version on it first, or the program that it was made with")
	}
	for _, t := range m.tables {
		n, err := count(ctx, m.from, t.name)
		if err != nil {
			return err
		}
		m.total += n
	}
	return nil
}

// empty refuses a target that has anything.
func (m *move) empty(ctx context.Context, what string) error {
	for _, t := range m.tables {
		n, err := count(ctx, m.to, t.name)
		if err != nil {
			return unusable(what, err, "check the database")
		}
		if n > 0 {
			return carnet.E(carnet.Precondition, "STORE_NOT_EMPTY", "the table %s of %s has rows", t.name, what).
				Fix("name an empty database, or put the file away that is there; nothing is written over")
		}
	}
	return nil
}

func count(ctx context.Context, tx *sql.Tx, table string) (n int64, err error) {
	err = tx.QueryRowContext(ctx, `SELECT count(*) FROM `+table).Scan(&n)
	return n, err
}

// run copies all tables, those that others refer to first, and compares what is there then.
func (m *move) run(ctx context.Context) (out []Moved, err error) {
	for _, t := range m.tables {
		x, err := m.copy(ctx, t)
		if err != nil {
			return nil, fmt.Errorf("table %s: %w", t.name, err)
		}
		out = append(out, x)
	}
	for i, t := range m.tables {
		have, err := read(ctx, m.to, t, nil)
		if err != nil {
			return nil, fmt.Errorf("table %s: %w", t.name, err)
		}
		if have != out[i] {
			return nil, carnet.E(carnet.Internal, "STORE_DIFFERS", "of table %s %d rows with digest %s were read, and %d with digest %s are there", t.name, out[i].Rows, out[i].Digest, have.Rows, have.Digest).
				Fix("nothing was moved, and the source is as it was; check disks and memory of both sides")
		}
	}
	return out, nil
}

// Bounds of one statement that writes.
const (
	mostValues = 4000
	mostBytes  = 1 << 20
)

// copy copies a table, many rows with a statement.
func (m *move) copy(ctx context.Context, t relation) (Moved, error) {
	var values []any
	bytes := 0
	flush := func() error {
		if len(values) == 0 {
			return nil
		}
		rows := len(values) / len(t.columns)
		if _, err := m.to.ExecContext(ctx, t.insert(rows), values...); err != nil {
			return err
		}
		m.done += int64(rows)
		if m.progress != nil {
			m.progress(m.done, m.total)
		}
		values, bytes = values[:0], 0
		return nil
	}
	out, err := read(ctx, m.from, t, func(row []any) error {
		values = append(values, row...)
		for _, v := range row {
			switch v := v.(type) {
			case []byte:
				bytes += len(v)
			case string:
				bytes += len(v)
			}
		}
		if len(values)+len(t.columns) > mostValues || bytes > mostBytes {
			return flush()
		}
		return nil
	})
	if err == nil {
		err = flush()
	}
	return out, err
}

// read calls do, if not nil, with every row, which is do's to keep.
func read(ctx context.Context, tx *sql.Tx, t relation, do func(row []any) error) (Moved, error) {
	out, h := Moved{Table: t.name}, sha256.New()
	rows, err := tx.QueryContext(ctx, t.selects())
	err = scanAll(rows, err, func(r *sql.Rows) error {
		row := make([]any, len(t.columns))
		into := make([]any, len(row))
		for i := range row {
			into[i] = &row[i]
		}
		if err := r.Scan(into...); err != nil {
			return err
		}
		for i := range row {
			if t.columns[i].bytes {
				row[i] = inBytes(row[i])
			}
			if err := digest(h, row[i]); err != nil {
				return fmt.Errorf("column %s: %w", t.columns[i].name, err)
			}
		}
		out.Rows++
		if do == nil {
			return nil
		}
		return do(row)
	})
	copy(out.Digest[:], h.Sum(nil))
	return out, err
}

// inBytes is a value of a column of bytes. SQLite has the default of a column as a text, and its
// driver gives a blob without bytes as a nil slice, which would be written as NULL.
func inBytes(v any) any {
	switch v := v.(type) {
	case string:
		return []byte(v)
	case []byte:
		if v == nil {
			return []byte{}
		}
	}
	return v
}

// digest takes a value in: its kind, and its length or itself.
func digest(h hash.Hash, v any) error {
	kind, data := byte(0), []byte(nil)
	switch v := v.(type) {
	case nil:
	case []byte:
		kind, data = 1, v
	case string:
		kind, data = 2, []byte(v)
	case int64:
		kind, data = 3, binary.BigEndian.AppendUint64(nil, uint64(v))
	default:
		return fmt.Errorf("a value of type %T", v)
	}
	h.Write(binary.BigEndian.AppendUint64([]byte{kind}, uint64(len(data))))
	h.Write(data)
	return nil
}

func (t *relation) names() string {
	var out []string
	for _, c := range t.columns {
		out = append(out, c.name)
	}
	return strings.Join(out, ", ")
}

func (t *relation) selects() string {
	return "SELECT " + t.names() + " FROM " + t.name + " ORDER BY " + strings.Join(t.key, ", ")
}

func (t *relation) insert(rows int) string {
	var b strings.Builder
	b.WriteString("INSERT INTO " + t.name + " (" + t.names() + ") VALUES ")
	n := 0
	for i := range rows {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteByte('(')
		for j := range t.columns {
			if j > 0 {
				b.WriteString(", ")
			}
			n++
			fmt.Fprintf(&b, "$%d", n)
		}
		b.WriteByte(')')
	}
	return b.String()
}
