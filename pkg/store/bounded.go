package store

import (
	"context"
	"database/sql"
	"time"
)

// bounded is a transaction whose end is waited for within a limit. A connection over which
// no answer comes is given up. Without a limit it is a transaction as any.
type bounded struct {
	*sql.Tx
	limit  time.Duration
	giveUp context.CancelFunc
}

// begin begins a transaction within the limit.
func (s *Store) begin(ctx context.Context, db *sql.DB, o *sql.TxOptions) (t *bounded, err error) {
	t = &bounded{limit: s.limit, giveUp: func() {}}
	if s.limit > 0 {
		ctx, t.giveUp = context.WithCancel(ctx)
		defer time.AfterFunc(s.limit, t.giveUp).Stop()
	}
	if t.Tx, err = db.BeginTx(ctx, o); err != nil {
		t.giveUp()
	}
	return t, err
}

// Commit may fail and have been made: the server's answer was not heard then.
func (t *bounded) Commit() error { return t.end(t.Tx.Commit) }

// Rollback undoes all. After Commit it does nothing.
func (t *bounded) Rollback() error { return t.end(t.Tx.Rollback) }

func (t *bounded) end(how func() error) error {
	defer t.giveUp()
	if t.limit > 0 {
		defer time.AfterFunc(t.limit, t.giveUp).Stop()
	}
	return how()
}
