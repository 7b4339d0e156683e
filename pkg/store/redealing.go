package store

import (
	"database/sql"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/flow"
)

// PutRedealing has a key opened with another dealing.
func (t *tx) PutRedealing(r flow.RedealingRecord) error {
	return t.exec(`INSERT INTO redealings (dealing, key, extra, statement) VALUES ($1, $2, $3, $4)`,
		r.Dealing[:], r.Key[:], r.Extra, r.Statement.Hash[:])
}

const redealingQuery = `SELECT r.key, r.dealing, r.extra, j.statement, j.seq, j.envelope FROM redealings r JOIN journal j ON j.statement = r.statement `

func redealingInto(r *flow.RedealingRecord) []any {
	return []any{(*h32)(&r.Key), (*h32)(&r.Dealing), &r.Extra, (*h32)(&r.Statement.Hash), &r.Statement.Seq, env{&r.Statement.Envelope}}
}

// RedealingOf finds what a dealing deals again.
func (t *tx) RedealingOf(dealing carnet.KeyID) (r flow.RedealingRecord, err error) {
	err = t.one("redealing", redealingQuery+`WHERE r.dealing = $1`, arg(dealing[:]), redealingInto(&r)...)
	return r, err
}

// Redealings lists how a key was dealt again, oldest first.
func (t *tx) Redealings(key carnet.KeyID) (out []flow.RedealingRecord, err error) {
	err = t.all(redealingQuery+`WHERE r.key = $1 ORDER BY j.seq`, arg(key[:]), func(rows *sql.Rows) error {
		var r flow.RedealingRecord
		err := rows.Scan(redealingInto(&r)...)
		out = append(out, r)
		return err
	})
	return out, err
}
