package store

import (
	"database/sql"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/flow"
)

// PutRetirement ends the use of a key.
func (t *tx) PutRetirement(key carnet.KeyID, statement carnet.Hash) error {
	return t.exec(`INSERT INTO retirements (key, statement) VALUES ($1, $2)`, key[:], statement[:])
}

// GetRetirement finds the statement that retired a key.
func (t *tx) GetRetirement(key carnet.KeyID) (s flow.Stored, err error) {
	err = t.one("retirement", `SELECT j.statement, j.seq, j.envelope FROM retirements r JOIN journal j ON j.statement = r.statement WHERE r.key = $1`,
		arg(key[:]), (*h32)(&s.Hash), &s.Seq, env{&s.Envelope})
	return s, err
}

// PutDestruction records a keyholder's statement.
func (t *tx) PutDestruction(key carnet.KeyID, number int, statement carnet.Hash) error {
	return t.exec(`INSERT INTO destructions (key, number, statement) VALUES ($1, $2, $3)`, key[:], number, statement[:])
}

// Destructions lists keyholders' statements by number.
func (t *tx) Destructions(key carnet.KeyID) (out []flow.DestructionRecord, err error) {
	err = t.all(`SELECT d.number, j.statement, j.seq, j.envelope FROM destructions d JOIN journal j ON j.statement = d.statement WHERE d.key = $1 ORDER BY d.number`,
		arg(key[:]), func(r *sql.Rows) error {
			var d flow.DestructionRecord
			if err := r.Scan(&d.Number, (*h32)(&d.Statement.Hash), &d.Statement.Seq, env{&d.Statement.Envelope}); err != nil {
				return err
			}
			out = append(out, d)
			return nil
		})
	return out, err
}
