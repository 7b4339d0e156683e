package flow

import (
	"context"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// Party returns a registered party and its statement. The error is PARTY_REVOKED if it was
// revoked.
func (g *Gateway) Party(ctx context.Context, id carnet.PartyID) (p *carnet.Party, st Stored, err error) {
	err = g.Store.View(ctx, func(tx Tx) error {
		if st, err = tx.GetNamed(NamedParty, string(id)); err != nil {
			return err
		}
		if revoked, err := partyRevocation(tx, id); err != nil {
			return err
		} else if revoked != nil {
			return evidence.PartyRevoked(id)
		}
		p = &carnet.Party{}
		return st.Envelope.Decode(carnet.TypeParty, p)
	})
	return p, st, err
}

// PartyHistory lists the statements of a party, oldest first, and what revoked it, nil if
// nothing did.
func (g *Gateway) PartyHistory(ctx context.Context, id carnet.PartyID) (list []Stored, revoked *Stored, err error) {
	err = g.Store.View(ctx, func(tx Tx) error {
		list, revoked, err = partyHistory(tx, id)
		return err
	})
	if err == nil && len(list) == 0 {
		err = carnet.E(carnet.NotFound, "NOT_FOUND", "there is no such entry in %s", NamedParty)
	}
	return list, revoked, err
}

// PartyRevocations lists what revoked those of some parties that were.
func (g *Gateway) PartyRevocations(ctx context.Context, ids []carnet.PartyID) (list []Stored, err error) {
	err = g.Store.View(ctx, func(tx Tx) error {
		list = nil
		for _, id := range ids {
			st, err := partyRevocation(tx, id)
			if err != nil {
				return err
			}
			if st != nil {
				list = append(list, *st)
			}
		}
		return nil
	})
	return list, err
}

func partyHistory(tx Tx, id carnet.PartyID) (list []Stored, revoked *Stored, err error) {
	if list, err = tx.PartyStatements(id); err != nil {
		return nil, nil, err
	}
	revoked, err = partyRevocation(tx, id)
	return list, revoked, err
}

// partyRevocation is what revoked a party, nil if nothing did.
func partyRevocation(tx Tx, id carnet.PartyID) (*Stored, error) {
	switch st, err := tx.PartyRevocation(id); {
	case err == nil:
		return &st, nil
	case !absent(err):
		return nil, err
	}
	return nil, nil
}

// Statement returns a named statement, by name or by statement hash.
func (g *Gateway) Statement(ctx context.Context, kind Named, id string) (st Stored, err error) {
	types := map[Named]carnet.StatementType{NamedParty: carnet.TypeParty, NamedCommittee: carnet.TypeCommittee, NamedSchema: carnet.TypeSchema}
	err = g.Store.View(ctx, func(tx Tx) error {
		if h, perr := carnet.ParseHash(id); perr == nil {
			st, err = tx.Statement(h)
			if err == nil && st.Envelope.PayloadType != types[kind] {
				err = carnet.E(carnet.NotFound, "NOT_FOUND", "there is no such entry in %s", kind)
			}
			return err
		}
		st, err = tx.GetNamed(kind, id)
		return err
	})
	return st, err
}

// Statements lists named statements by name, after one.
func (g *Gateway) Statements(ctx context.Context, kind Named, after string, limit int) (list []NamedStatement, err error) {
	err = g.Store.View(ctx, func(tx Tx) error { list, err = tx.ListNamed(kind, after, limit); return err })
	return list, err
}
