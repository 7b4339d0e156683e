package store

import (
	"database/sql"
	"encoding/json"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/flow"
)

// PutSuccession notes who may have a key next.
func (t *tx) PutSuccession(key carnet.KeyID, statement carnet.Hash) error {
	return t.exec(`INSERT INTO successions (statement, key) VALUES ($1, $2)`, statement[:], key[:])
}

// Successions lists the statements about a key, oldest first.
func (t *tx) Successions(key carnet.KeyID) ([]flow.Stored, error) {
	return t.statements(`SELECT j.statement, j.seq, j.envelope FROM successions s JOIN journal j ON j.statement = s.statement
		WHERE s.key = $1 ORDER BY j.seq`, key[:])
}

// PutContribution keeps the newest contribution of a keyholder.
func (t *tx) PutContribution(c flow.ContributionRecord) error {
	return t.exec(`INSERT INTO contributions (dealing, committee, number, statement) VALUES ($1, $2, $3, $4)
		ON CONFLICT (dealing, committee, number) DO UPDATE SET statement = excluded.statement`, c.From[:], c.Committee[:], c.Number, c.Statement[:])
}

// Contributions lists those to one resharing by number.
func (t *tx) Contributions(from carnet.KeyID, committee carnet.Hash) ([]flow.Stored, error) {
	return t.statements(`SELECT j.statement, j.seq, j.envelope FROM contributions c JOIN journal j ON j.statement = c.statement
		WHERE c.dealing = $1 AND c.committee = $2 ORDER BY c.number`, from[:], committee[:])
}

// Resharings lists the committees that holders of a dealing contributed to.
func (t *tx) Resharings(from carnet.KeyID) (out []carnet.Hash, err error) {
	err = t.all(`SELECT DISTINCT committee FROM contributions WHERE dealing = $1 ORDER BY committee`, arg(from[:]), func(r *sql.Rows) error {
		var h carnet.Hash
		err := r.Scan((*h32)(&h))
		out = append(out, h)
		return err
	})
	return out, err
}

// PutTakeover keeps a member's signature of a resharing.
func (t *tx) PutTakeover(dealing carnet.KeyID, number int, envelope *evidence.Envelope) error {
	b, err := json.Marshal(envelope)
	if err != nil {
		return err
	}
	return t.exec(`INSERT INTO takeovers (dealing, number, envelope) VALUES ($1, $2, $3)
		ON CONFLICT (dealing, number) DO UPDATE SET envelope = excluded.envelope`, dealing[:], number, b)
}

// Takeovers lists them by number.
func (t *tx) Takeovers(dealing carnet.KeyID) (out []*evidence.Envelope, err error) {
	err = t.all(`SELECT envelope FROM takeovers WHERE dealing = $1 ORDER BY number`, arg(dealing[:]), func(r *sql.Rows) error {
		var e *evidence.Envelope
		err := r.Scan(env{&e})
		out = append(out, e)
		return err
	})
	return out, err
}

func (t *tx) statements(query string, args ...any) (out []flow.Stored, err error) {
	err = t.all(query, args, func(r *sql.Rows) error {
		var s flow.Stored
		err := r.Scan((*h32)(&s.Hash), &s.Seq, env{&s.Envelope})
		out = append(out, s)
		return err
	})
	return out, err
}
