package store

import (
	"database/sql"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/flow"
)

// PutParty makes a statement the present one of a party.
func (t *tx) PutParty(id carnet.PartyID, statement carnet.Hash) error {
	if err := t.exec(`INSERT INTO parties (id, statement) VALUES ($1, $2)
		ON CONFLICT (id) DO UPDATE SET statement = excluded.statement`, string(id), statement[:]); err != nil {
		return err
	}
	return t.exec(`INSERT INTO party_statements (statement, id) VALUES ($1, $2)`, statement[:], string(id))
}

// PartyStatements lists the statements of a party, oldest first.
func (t *tx) PartyStatements(id carnet.PartyID) (out []flow.Stored, err error) {
	err = t.all(`SELECT j.statement, j.seq, j.envelope FROM party_statements p JOIN journal j ON j.statement = p.statement WHERE p.id = $1 ORDER BY j.seq`,
		arg(string(id)), func(r *sql.Rows) error {
			var s flow.Stored
			if err := r.Scan((*h32)(&s.Hash), &s.Seq, env{&s.Envelope}); err != nil {
				return err
			}
			out = append(out, s)
			return nil
		})
	return out, err
}

// PutPartyRevocation ends a party.
func (t *tx) PutPartyRevocation(id carnet.PartyID, statement carnet.Hash) error {
	return t.exec(`INSERT INTO party_revocations (id, statement) VALUES ($1, $2)`, string(id), statement[:])
}

// PartyRevocation finds what ended a party.
func (t *tx) PartyRevocation(id carnet.PartyID) (s flow.Stored, err error) {
	err = t.one("revocation of the party", `SELECT j.statement, j.seq, j.envelope FROM party_revocations p JOIN journal j ON j.statement = p.statement WHERE p.id = $1`,
		arg(string(id)), (*h32)(&s.Hash), &s.Seq, env{&s.Envelope})
	return s, err
}
