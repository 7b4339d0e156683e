package keyholder

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/plan"
)

// Charge says that an entry of the journal asks to open a functional under a key.
type Charge struct {
	Key        carnet.KeyID
	Functional carnet.Hash
	Across     bool // it is across keys
}

// record is one verified entry with everything it causes; it becomes durable as a
// whole, so that the ledger is never past an entry it has not charged.
type record struct {
	entry   *evidence.Entry
	head    carnet.Hash // root of the log after the entry
	charges []Charge
	spends  []plan.Spending // from privacy budgets
	numbers []carnet.Hash   // what the openings of a query with such count as
	wanted  *carnet.KeyID   // seeds to fetch
	decided *decidedOutcome // an answer or refusal of ours, seen in the journal
	checked *ownCheck       // a check of ours, seen in the journal
	fate    *keyFate        // what became of a key
}

// decidedOutcome is an outcome that the journal proves was sent.
type decidedOutcome struct {
	query     carnet.Hash
	kind      string
	reason    string
	statement *evidence.Envelope
}

// append makes entries durable, in one transaction.
func (l *Ledger) append(ctx context.Context, recs []record) error {
	return l.tx(ctx, func(tx *sql.Tx) error {
		charge, err := tx.PrepareContext(ctx, `INSERT INTO charge (key, functional, seq, across) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`)
		if err != nil {
			return err
		}
		defer charge.Close()
		for _, r := range recs {
			env, err := json.Marshal(r.entry.Envelope)
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `INSERT INTO entry (seq, salt, hash, envelope) VALUES ($1, $2, $3, $4)`, r.entry.Seq, r.entry.Salt[:], r.head[:], env); err != nil {
				return err
			}
			for _, c := range r.charges {
				if _, err := charge.ExecContext(ctx, c.Key[:], c.Functional[:], r.entry.Seq, c.Across); err != nil {
					return err
				}
			}
			if err := pay(ctx, tx, r.entry.Seq, r.spends, r.numbers); err != nil {
				return err
			}
			if r.wanted != nil {
				if _, err := tx.ExecContext(ctx, `INSERT INTO seeds (key, state, reason, told) VALUES ($1, 'wanted', '', 0) ON CONFLICT DO NOTHING`, r.wanted[:]); err != nil {
					return err
				}
			}
			if r.fate != nil {
				if err := r.fate.keep(ctx, tx); err != nil {
					return err
				}
			}
			if c := r.checked; c != nil {
				st, err := json.Marshal(c.statement)
				if err != nil {
					return err
				}
				if _, err := tx.ExecContext(ctx, `INSERT INTO selection_check (query, seq, statement, sent) VALUES ($1, $2, $3, 1)
					ON CONFLICT DO NOTHING`, c.query[:], c.seq, st); err != nil {
					return err
				}
			}
			if d := r.decided; d != nil {
				st, err := json.Marshal(d.statement)
				if err != nil {
					return err
				}
				// Own outcome read back, for instance after a restore: nothing to send,
				// and never to be made again. What was persisted before sending stays.
				if _, err := tx.ExecContext(ctx, `INSERT INTO outcome (query, seq, kind, reason, statement, sealed, public, sent, note)
					VALUES ($1, $2, $3, $4, $5, x'', x'', 1, 'read back from the journal')
					ON CONFLICT DO NOTHING`, d.query[:], r.entry.Seq, d.kind, d.reason, st); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// Seen returns size and root of the journal seen so far; the zero value if there is none.
func (l *Ledger) Seen(ctx context.Context) (cp carnet.Checkpoint, err error) {
	var head []byte
	err = l.db.QueryRowContext(ctx, `SELECT seq + 1, hash FROM entry ORDER BY seq DESC LIMIT 1`).Scan(&cp.Size, &head)
	if errors.Is(err, sql.ErrNoRows) {
		return carnet.Checkpoint{}, nil
	}
	cp.Head = asHash(head)
	return cp, err
}

// HeadAt returns the root of the journal when it had the given size, which must
// not be greater than the present one.
func (l *Ledger) HeadAt(ctx context.Context, size int64) (h carnet.Hash, err error) {
	if size == 0 {
		return evidence.Tree{}.Root(), nil
	}
	var b []byte
	err = l.db.QueryRowContext(ctx, `SELECT hash FROM entry WHERE seq = $1`, size-1).Scan(&b)
	return asHash(b), err
}

// replay calls fn with every entry in order, and returns the position rebuilt from
// them. It computes every root again, so that a damaged ledger is noticed.
func (l *Ledger) replay(ctx context.Context, fn func(e *evidence.Entry) error) (at position, err error) {
	const page = 500
	for {
		rows, err := l.db.QueryContext(ctx, `SELECT seq, salt, hash, envelope FROM entry WHERE seq >= $1 ORDER BY seq LIMIT $2`, at.Size(), page)
		if err != nil {
			return at, err
		}
		var got []*evidence.Entry
		var heads [][]byte
		for rows.Next() {
			var e evidence.Entry
			var salt, head, env []byte
			if err := rows.Scan(&e.Seq, &salt, &head, &env); err != nil {
				rows.Close()
				return at, err
			}
			if err := json.Unmarshal(env, &e.Envelope); err != nil {
				rows.Close()
				return at, err
			}
			e.Salt = asHash(salt)
			got, heads = append(got, &e), append(heads, head)
		}
		rows.Close()
		if err := rows.Err(); err != nil {
			return at, err
		}
		for i, e := range got {
			if err := at.add(e); err != nil {
				return at, err
			}
			if root := at.Root(); !bytes.Equal(root[:], heads[i]) {
				return at, carnet.E(carnet.Precondition, "LEDGER_DAMAGED", "entry %d of the ledger does not match its hash", e.Seq).
					Fix("remove the ledger file; the keyholder replays the journal from the gateway")
			}
			if err := fn(e); err != nil {
				return at, err
			}
		}
		if len(got) < page {
			return at, nil
		}
	}
}

// Charged returns how many distinct functionals entries up to and including seq
// ask to open under the key. Counting up to the query itself makes every keyholder
// that follows the same journal stop at the same query.
func (l *Ledger) Charged(ctx context.Context, key carnet.KeyID, seq int64) (n int64, err error) {
	err = l.db.QueryRowContext(ctx, `SELECT count(*) FROM charge WHERE key = $1 AND seq <= $2`, key[:], seq).Scan(&n)
	return n, err
}

// ChargedAcross is Charged for functionals across keys alone, scheme §8.
func (l *Ledger) ChargedAcross(ctx context.Context, key carnet.KeyID, seq int64) (n int64, err error) {
	err = l.db.QueryRowContext(ctx, `SELECT count(*) FROM charge WHERE key = $1 AND seq <= $2 AND across = 1`, key[:], seq).Scan(&n)
	return n, err
}

// asHash reads a stored hash; anything but 32 bytes becomes the zero hash, which
// matches nothing.
func asHash(b []byte) (h carnet.Hash) {
	if len(b) == len(h) {
		copy(h[:], b)
	}
	return h
}
