package keyholder

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// Kinds of outcome.
const (
	kindAnswer  = "answer"
	kindRefusal = "refusal"
	kindLapsed  = "lapsed" // expired long before it was seen; nobody is told
)

// Outcome is what became of a query at this keyholder. It is written once.
type Outcome struct {
	Query     carnet.Hash
	Seq       int64
	Kind      string
	Reason    string             // of a refusal
	Statement *evidence.Envelope // signed answer or decision; nil if lapsed
	Sealed    []byte             // sealed shares of an answer
	Public    []byte             // recomputed public values of an attested answer
	Sent      bool
	Note      string // what the gateway said, if it did not take it
}

// decide makes an outcome durable unless there is one already, and returns the one
// that counts.
func (l *Ledger) decide(ctx context.Context, o *Outcome) (*Outcome, error) {
	st, err := json.Marshal(o.Statement)
	if err != nil {
		return nil, err
	}
	if _, err := l.db.ExecContext(ctx, `INSERT INTO outcome (query, seq, kind, reason, statement, sealed, public, sent, note)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING`,
		o.Query[:], o.Seq, o.Kind, o.Reason, st, notNil(o.Sealed), notNil(o.Public), o.Sent, o.Note); err != nil {
		return nil, err
	}
	return l.Outcome(ctx, o.Query)
}

func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

const outcomeColumns = `query, seq, kind, reason, statement, sealed, public, sent, note`

func scanOutcome(row interface{ Scan(...any) error }) (*Outcome, error) {
	var o Outcome
	var query, st []byte
	if err := row.Scan(&query, &o.Seq, &o.Kind, &o.Reason, &st, &o.Sealed, &o.Public, &o.Sent, &o.Note); err != nil {
		return nil, err
	}
	copy(o.Query[:], query)
	return &o, json.Unmarshal(st, &o.Statement)
}

// Outcome returns the outcome of a query, nil if there is none yet.
func (l *Ledger) Outcome(ctx context.Context, query carnet.Hash) (*Outcome, error) {
	o, err := scanOutcome(l.db.QueryRowContext(ctx, `SELECT `+outcomeColumns+` FROM outcome WHERE query = $1`, query[:]))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return o, err
}

// unsent returns the oldest outcome the gateway has not acknowledged, nil if none.
func (l *Ledger) unsent(ctx context.Context, after int64) (*Outcome, error) {
	o, err := scanOutcome(l.db.QueryRowContext(ctx, `SELECT `+outcomeColumns+` FROM outcome WHERE sent = 0 AND seq > $1 ORDER BY seq LIMIT 1`, after))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return o, err
}

func (l *Ledger) setSent(ctx context.Context, query carnet.Hash, sent bool, note string) error {
	_, err := l.db.ExecContext(ctx, `UPDATE outcome SET sent = $2, note = $3 WHERE query = $1`, query[:], sent, note)
	return err
}

// cosigned makes a co-signature durable. Error: JOURNAL_FORK if another root was
// signed for this size.
func (l *Ledger) cosigned(ctx context.Context, c *evidence.SignedCheckpoint) error {
	text, err := c.MarshalText()
	if err != nil {
		return err
	}
	if _, err := l.db.ExecContext(ctx, `INSERT INTO cosignature (size, head, note, sent) VALUES ($1, $2, $3, 0)
		ON CONFLICT DO NOTHING`, c.Size, c.Head[:], string(text)); err != nil {
		return err
	}
	var head []byte
	if err := l.db.QueryRowContext(ctx, `SELECT head FROM cosignature WHERE size = $1`, c.Size).Scan(&head); err != nil {
		return err
	}
	if asHash(head) != c.Head {
		return errFork("another root was co-signed before for journal size %d", c.Size)
	}
	return nil
}

type cosignature struct {
	size int64
	note string
}

// unsentCosignatures returns co-signatures the gateway has not acknowledged.
func (l *Ledger) unsentCosignatures(ctx context.Context) (out []cosignature, err error) {
	rows, err := l.db.QueryContext(ctx, `SELECT size, note FROM cosignature WHERE sent = 0 ORDER BY size`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var c cosignature
		if err := rows.Scan(&c.size, &c.note); err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

// lastCosigned returns the size of the newest own co-signature, 0 if none.
func (l *Ledger) lastCosigned(ctx context.Context) (size int64, err error) {
	err = l.db.QueryRowContext(ctx, `SELECT coalesce(max(size), 0) FROM cosignature`).Scan(&size)
	return size, err
}

func (l *Ledger) setCosignatureSent(ctx context.Context, size int64) error {
	_, err := l.db.ExecContext(ctx, `UPDATE cosignature SET sent = 1 WHERE size = $1`, size)
	return err
}

// setQuorum remembers the newest checkpoint co-signed by a committee's quorum.
func (l *Ledger) setQuorum(ctx context.Context, committee carnet.Hash, c *evidence.SignedCheckpoint) error {
	text, err := c.MarshalText()
	if err != nil {
		return err
	}
	_, err = l.db.ExecContext(ctx, `INSERT INTO quorum (committee, size, note) VALUES ($1, $2, $3)
		ON CONFLICT (committee) DO UPDATE SET size = excluded.size, note = excluded.note WHERE excluded.size > quorum.size`,
		committee[:], c.Size, string(text))
	return err
}

// Quorum returns the size of the newest checkpoint a quorum of the committee
// co-signed, 0 if none was seen.
func (l *Ledger) Quorum(ctx context.Context, committee carnet.Hash) (size int64, err error) {
	err = l.db.QueryRowContext(ctx, `SELECT size FROM quorum WHERE committee = $1`, committee[:]).Scan(&size)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return size, err
}
