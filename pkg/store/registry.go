package store

import (
	"database/sql"
	"fmt"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/flow"
)

// table checks that a kind is the name of a table; it becomes part of SQL text.
func table(kind flow.Named) (string, error) {
	switch kind {
	case flow.NamedParty, flow.NamedCommittee, flow.NamedSchema:
		return string(kind), nil
	}
	return "", fmt.Errorf("no table of %q", kind)
}

// PutNamed gives a statement a name.
func (t *tx) PutNamed(kind flow.Named, id string, statement carnet.Hash) error {
	name, err := table(kind)
	if err != nil {
		return err
	}
	return t.exec(`INSERT INTO `+name+` (id, statement) VALUES ($1, $2)`, id, statement[:])
}

// GetNamed finds a statement by name.
func (t *tx) GetNamed(kind flow.Named, id string) (s flow.Stored, err error) {
	name, err := table(kind)
	if err != nil {
		return s, err
	}
	err = t.one("entry in "+name, `SELECT j.statement, j.seq, j.envelope FROM `+name+` n JOIN journal j ON j.statement = n.statement WHERE n.id = $1`,
		arg(id), (*h32)(&s.Hash), &s.Seq, env{&s.Envelope})
	return s, err
}

// ListNamed lists statements by name.
func (t *tx) ListNamed(kind flow.Named, after string, limit int) (out []flow.NamedStatement, err error) {
	name, err := table(kind)
	if err != nil {
		return nil, err
	}
	err = t.all(`SELECT n.id, j.statement, j.seq, j.envelope FROM `+name+` n JOIN journal j ON j.statement = n.statement WHERE n.id > $1 ORDER BY n.id LIMIT $2`,
		arg(after, limit), func(r *sql.Rows) error {
			var s flow.NamedStatement
			if err := r.Scan(&s.ID, (*h32)(&s.Hash), &s.Seq, env{&s.Envelope}); err != nil {
				return err
			}
			out = append(out, s)
			return nil
		})
	return out, err
}

// PutDealing stores a dealing and the hashes of its sealed bundles.
func (t *tx) PutDealing(d flow.DealingRecord, seeds []carnet.Hash) error {
	if err := t.exec(`INSERT INTO dealings (key, owner, nonce, committee) VALUES ($1, $2, $3, $4)`,
		d.Key[:], string(d.Owner), d.Nonce[:], d.Committee[:]); err != nil {
		return err
	}
	for i, h := range seeds {
		if err := t.exec(`INSERT INTO dealing_seeds (key, number, sealed) VALUES ($1, $2, $3)`, d.Key[:], i+1, h[:]); err != nil {
			return err
		}
	}
	return nil
}

// GetDealing finds a dealing and its statement.
func (t *tx) GetDealing(key carnet.KeyID) (d flow.DealingRecord, s flow.Stored, err error) {
	err = t.one("dealing", `SELECT d.key, d.owner, d.nonce, d.committee, j.statement, j.seq, j.envelope
		FROM dealings d JOIN journal j ON j.statement = d.key WHERE d.key = $1`, arg(key[:]),
		(*h32)(&d.Key), &d.Owner, (*h32)(&d.Nonce), (*h32)(&d.Committee), (*h32)(&s.Hash), &s.Seq, env{&s.Envelope})
	return d, s, err
}

// DealingOf finds a dealing by owner and nonce.
func (t *tx) DealingOf(owner carnet.PartyID, nonce carnet.Nonce) (k carnet.KeyID, err error) {
	err = t.one("dealing", `SELECT key FROM dealings WHERE owner = $1 AND nonce = $2`, arg(string(owner), nonce[:]), (*h32)(&k))
	return k, err
}

// SetSeeds replaces the hash of a sealed bundle.
func (t *tx) SetSeeds(key carnet.KeyID, number int, sealed carnet.Hash) error {
	return t.exec(`UPDATE dealing_seeds SET sealed = $3 WHERE key = $1 AND number = $2`, key[:], number, sealed[:])
}

// Seeds finds the hash of a sealed bundle.
func (t *tx) Seeds(key carnet.KeyID, number int) (h carnet.Hash, err error) {
	err = t.one("bundle of seeds", `SELECT sealed FROM dealing_seeds WHERE key = $1 AND number = $2`, arg(key[:], number), (*h32)(&h))
	return h, err
}

// PutConfirmation stores or replaces a keyholder's word.
func (t *tx) PutConfirmation(key carnet.KeyID, c flow.Confirmation) error {
	ok := 0
	if c.OK {
		ok = 1
	}
	return t.exec(`INSERT INTO confirmations (key, number, ok, reason) VALUES ($1, $2, $3, $4)
		ON CONFLICT (key, number) DO UPDATE SET ok = excluded.ok, reason = excluded.reason`, key[:], c.Number, ok, c.Reason)
}

// Confirmations lists what keyholders said, by number.
func (t *tx) Confirmations(key carnet.KeyID) (out []flow.Confirmation, err error) {
	err = t.all(`SELECT number, ok, reason FROM confirmations WHERE key = $1 ORDER BY number`, arg(key[:]), func(r *sql.Rows) error {
		var c flow.Confirmation
		var ok int
		if err := r.Scan(&c.Number, &ok, &c.Reason); err != nil {
			return err
		}
		c.OK = ok != 0
		out = append(out, c)
		return nil
	})
	return out, err
}
