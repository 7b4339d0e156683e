package keyholder

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// ownCheck is this keyholder's check of the private parameter of a query.
type ownCheck struct {
	query     carnet.Hash
	seq       int64 // of the query, or where the check was read back from the journal
	statement *evidence.Envelope
}

// keepCheck makes a check durable unless there is one already.
func (l *Ledger) keepCheck(ctx context.Context, c *ownCheck) error {
	st, err := json.Marshal(c.statement)
	if err != nil {
		return err
	}
	_, err = l.db.ExecContext(ctx, `INSERT INTO selection_check (query, seq, statement, sent) VALUES ($1, $2, $3, 0) ON CONFLICT DO NOTHING`,
		c.query[:], c.seq, st)
	return err
}

// hasCheck tells whether there is a check for the query.
func (l *Ledger) hasCheck(ctx context.Context, query carnet.Hash) (yes bool, err error) {
	err = l.db.QueryRowContext(ctx, `SELECT count(*) > 0 FROM selection_check WHERE query = $1`, query[:]).Scan(&yes)
	return yes, err
}

// unsentCheck returns the oldest check the gateway has not acknowledged, nil if none.
func (l *Ledger) unsentCheck(ctx context.Context) (*ownCheck, error) {
	var c ownCheck
	var query, st []byte
	err := l.db.QueryRowContext(ctx, `SELECT query, seq, statement FROM selection_check WHERE sent = 0 ORDER BY seq LIMIT 1`).Scan(&query, &c.seq, &st)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	copy(c.query[:], query)
	return &c, json.Unmarshal(st, &c.statement)
}

func (l *Ledger) setCheckSent(ctx context.Context, query carnet.Hash) error {
	_, err := l.db.ExecContext(ctx, `UPDATE selection_check SET sent = 1 WHERE query = $1`, query[:])
	return err
}

// repeatCheck lets a check be sent again if the journal lists its query once more, at seq.
func (l *Ledger) repeatCheck(ctx context.Context, query carnet.Hash, seq int64) error {
	_, err := l.db.ExecContext(ctx, `UPDATE selection_check SET sent = 0 WHERE query = $1 AND seq < $2`, query[:], seq)
	return err
}
