package keyholder

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"

	_ "modernc.org/sqlite" // the ledger is one SQLite file

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Ledger is what a keyholder remembers: the journal as it saw it, what it charged,
// what it co-signed and what it answered. It is one SQLite file in which every
// transaction is flushed to disk before it counts (synchronous=FULL), because each
// of these facts must be durable before anybody outside learns of its consequence.
// It holds no secrets. All methods may be called concurrently.
type Ledger struct {
	db   *sql.DB
	path string
}

// migrations are applied in order and never changed; new ones are appended.
var migrations = []string{
	`CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
	 -- The journal: hash is the head after the entry, envelope its DSSE JSON.
	 CREATE TABLE entry (seq INTEGER PRIMARY KEY, hash BLOB NOT NULL, envelope BLOB NOT NULL) STRICT;
	 -- One row for each distinct functional opened under a key, with the entry that
	 -- charged it first.
	 CREATE TABLE charge (key BLOB NOT NULL, functional BLOB NOT NULL, seq INTEGER NOT NULL,
	   PRIMARY KEY (key, functional)) STRICT, WITHOUT ROWID;
	 CREATE INDEX charge_by_seq ON charge (key, seq);
	 -- Own co-signatures: at most one head for a size, by the primary key.
	 CREATE TABLE cosignature (size INTEGER PRIMARY KEY, head BLOB NOT NULL, envelope BLOB NOT NULL, sent INTEGER NOT NULL) STRICT;
	 -- The newest checkpoint a quorum of each committee co-signed.
	 CREATE TABLE quorum (committee BLOB PRIMARY KEY, size INTEGER NOT NULL, envelope BLOB NOT NULL) STRICT;
	 -- Own answers and refusals, written before they are sent.
	 CREATE TABLE outcome (query BLOB PRIMARY KEY, seq INTEGER NOT NULL, kind TEXT NOT NULL, reason TEXT NOT NULL,
	   statement BLOB NOT NULL, sealed BLOB NOT NULL, public BLOB NOT NULL, sent INTEGER NOT NULL, note TEXT NOT NULL) STRICT;
	 CREATE INDEX outcome_unsent ON outcome (sent, seq);
	 -- Seed bundles: wanted, held, bad or destroyed, and whether the gateway knows.
	 CREATE TABLE seeds (key BLOB PRIMARY KEY, state TEXT NOT NULL, reason TEXT NOT NULL, told INTEGER NOT NULL) STRICT;`,
	`-- Own checks of private parameters, written before they are sent.
	 CREATE TABLE selection_check (query BLOB PRIMARY KEY, seq INTEGER NOT NULL, statement BLOB NOT NULL, sent INTEGER NOT NULL) STRICT;
	 CREATE INDEX selection_check_unsent ON selection_check (sent, seq);`,
	`-- Keys that were retired, or whose seeds keyholders said they destroyed: who, as a set
	 -- of bits.
	 CREATE TABLE fate (key BLOB PRIMARY KEY, members INTEGER NOT NULL, threshold INTEGER NOT NULL, home INTEGER NOT NULL,
	   retired INTEGER NOT NULL, destroyed INTEGER NOT NULL) STRICT;`,
	`-- Functionals across keys are also counted by themselves.
	 ALTER TABLE charge ADD COLUMN across INTEGER NOT NULL DEFAULT 0;`,
	`-- Queries that wait for people, and what somebody here decided, in whatever process.
	 -- statement is what the gateway is told.
	 CREATE TABLE consent (query BLOB PRIMARY KEY, seq INTEGER NOT NULL, asked BLOB NOT NULL, own INTEGER NOT NULL, until INTEGER NOT NULL,
	   decision TEXT NOT NULL DEFAULT '', reason TEXT NOT NULL DEFAULT '', by TEXT NOT NULL DEFAULT '', at INTEGER NOT NULL DEFAULT 0,
	   statement BLOB NOT NULL, sent INTEGER NOT NULL DEFAULT 0) STRICT;`,
	`-- Resharings of which this keyholder keeps seeds, written before they are kept: should
	 -- the key go another way, they are destroyed.
	 CREATE TABLE takeover (dealing BLOB PRIMARY KEY, key BLOB NOT NULL, source BLOB NOT NULL) STRICT;`,
	`-- What entries took from the privacy budgets of datasets, or would have taken, and the
	 -- numbers that were released with noise, with the entry that released each first.
	 CREATE TABLE payment (seq INTEGER NOT NULL, dataset TEXT NOT NULL, cost INTEGER NOT NULL, before INTEGER NOT NULL,
	   fits INTEGER NOT NULL, PRIMARY KEY (dataset, seq)) STRICT, WITHOUT ROWID;
	 CREATE INDEX payment_by_seq ON payment (seq);
	 CREATE TABLE noisy (dataset TEXT NOT NULL, functional BLOB NOT NULL, seq INTEGER NOT NULL,
	   PRIMARY KEY (dataset, functional)) STRICT, WITHOUT ROWID;`,
	`-- Entries are leaves of a log: salt is the leaf's, hash the root after it. Checkpoints
	 -- and co-signatures are signed notes.
	 ALTER TABLE entry ADD COLUMN salt BLOB NOT NULL DEFAULT x'';
	 DROP TABLE cosignature;
	 CREATE TABLE cosignature (size INTEGER PRIMARY KEY, head BLOB NOT NULL, note TEXT NOT NULL, sent INTEGER NOT NULL) STRICT;
	 DROP TABLE quorum;
	 CREATE TABLE quorum (committee BLOB PRIMARY KEY, size INTEGER NOT NULL, note TEXT NOT NULL) STRICT;`,
	`-- The whole budget, by the terms that the query was about; 0: not noted yet.
	 ALTER TABLE payment ADD COLUMN budget INTEGER NOT NULL DEFAULT 0;`,
}

// OpenLedger opens or creates the ledger at path for the given keyholder. It
// refuses a ledger that belongs to another party or registrar.
func OpenLedger(ctx context.Context, path string, me carnet.PartyID, registrar []byte) (*Ledger, error) {
	// Created here so that its mode is right from the first byte on.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, ledgerError(path, err)
	}
	f.Close()
	l, err := openDB(path, "rwc")
	if err != nil {
		return nil, ledgerError(path, err)
	}
	if err := l.migrate(ctx); err != nil {
		l.Close()
		return nil, ledgerError(path, err)
	}
	for name, value := range map[string][]byte{"party": []byte(me), "registrar": registrar} {
		if err := l.bind(ctx, name, value); err != nil {
			l.Close()
			return nil, err
		}
	}
	return l, nil
}

// ReadLedger opens an existing ledger for reading, also while a keyholder runs.
func ReadLedger(path string) (*Ledger, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, carnet.E(carnet.NotFound, "NO_LEDGER", "there is no ledger at %s", path).
			Fix("name the keyholder's directory with --dir; if it is this one, start carnet-keyholder run, which makes the ledger when it first reaches the gateway, and try again")
	}
	l, err := openDB(path, "ro")
	if err != nil {
		return nil, ledgerError(path, err)
	}
	return l, nil
}

func openDB(path, mode string) (*Ledger, error) {
	q := url.Values{"mode": {mode}, "_pragma": {"busy_timeout(10000)", "synchronous(FULL)", "foreign_keys(1)"}}
	if mode != "ro" {
		q["_pragma"] = append(q["_pragma"], "journal_mode(WAL)")
		q.Set("_txlock", "immediate")
	}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+q.Encode())
	if err != nil {
		return nil, err
	}
	// One connection: writes are serial anyway, and nothing reads a stale snapshot.
	db.SetMaxOpenConns(1)
	return &Ledger{db, path}, nil
}

func ledgerError(path string, err error) error {
	return carnet.E(carnet.Precondition, "LEDGER_UNUSABLE", "the ledger %s can't be used", path).Because(err).
		Fix("check free space and permissions; if it is damaged, remove it: the keyholder replays the journal")
}

func (l *Ledger) migrate(ctx context.Context) error {
	var have int
	if err := l.db.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&have); err != nil {
		return err
	}
	if have > len(migrations) {
		return fmt.Errorf("written by a newer version (%d, this one knows %d)", have, len(migrations))
	}
	for v := have; v < len(migrations); v++ {
		if err := l.tx(ctx, func(tx *sql.Tx) error {
			if _, err := tx.ExecContext(ctx, migrations[v]); err != nil {
				return err
			}
			_, err := tx.ExecContext(ctx, fmt.Sprintf(`PRAGMA user_version = %d`, v+1))
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// bind ties the ledger to a fact that may never change.
func (l *Ledger) bind(ctx context.Context, name string, value []byte) error {
	old, err := l.meta(ctx, name)
	if err != nil {
		return err
	}
	if old == nil {
		return l.setMeta(ctx, name, value)
	}
	if string(old) != string(value) {
		return carnet.E(carnet.Precondition, "FOREIGN_LEDGER", "the ledger belongs to another %s", name).
			Fix("use a directory of its own for every keyholder and every network")
	}
	return nil
}

func (l *Ledger) meta(ctx context.Context, name string) (value []byte, err error) {
	err = l.db.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = $1`, name).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return value, err
}

func (l *Ledger) setMeta(ctx context.Context, name string, value []byte) error {
	_, err := l.db.ExecContext(ctx, `INSERT INTO meta (name, value) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
	return err
}

// Halt records that the journal was found rewritten. Resume forgets it.
func (l *Ledger) Halt(ctx context.Context, why string) error {
	return l.setMeta(ctx, "halted", []byte(why))
}

// Halted returns why the keyholder stopped, "" if it did not.
func (l *Ledger) Halted(ctx context.Context) (string, error) {
	why, err := l.meta(ctx, "halted")
	return string(why), err
}

// Resume lets a keyholder run again that was halted or whose clock was ahead, on the
// operator's word.
func (l *Ledger) Resume(ctx context.Context) error {
	_, err := l.db.ExecContext(ctx, `DELETE FROM meta WHERE name IN ('halted', 'clock')`)
	return err
}

// Close closes the file.
func (l *Ledger) Close() error { return l.db.Close() }

func (l *Ledger) tx(ctx context.Context, do func(tx *sql.Tx) error) error {
	tx, err := l.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		tx.Rollback()
		return err
	}
	return tx.Commit()
}
