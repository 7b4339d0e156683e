package flow

import (
	"context"
	"crypto/sha256"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// DealingState is a dealing's statement and what became of its seeds.
type DealingState struct {
	Statement    Stored
	Committee    Stored
	Said         []Confirmation // what keyholders said about their seeds
	Retirement   *Stored        // nil: the key is in use
	Destructions []DestructionRecord
	Redealings   []RedealingRecord // other dealings the key was opened with since, oldest first
	Words        []Stored          // the statements that say so, or by which holders made this dealing
	Released     int64             // numbers asked for under the key; only if its owner asks
}

// Dealing returns a dealing and what became of its seeds.
func (g *Gateway) Dealing(ctx context.Context, as *carnet.Party, key carnet.KeyID) (d DealingState, err error) {
	err = g.Store.View(ctx, func(tx Tx) error {
		rec, st, err := tx.GetDealing(key)
		if err != nil {
			return err
		}
		d.Statement = st
		if d.Committee, err = tx.Statement(rec.Committee); err != nil {
			return err
		}
		if d.Said, err = tx.Confirmations(key); err != nil {
			return err
		}
		switch st, err := tx.GetRetirement(key); {
		case err == nil:
			d.Retirement = &st
		case !absent(err):
			return err
		}
		if d.Destructions, err = tx.Destructions(key); err != nil {
			return err
		}
		if d.Redealings, err = tx.Redealings(key); err != nil {
			return err
		}
		for i := range d.Redealings {
			words, err := wordsOf(tx, key, &d.Redealings[i].Statement)
			if err != nil {
				return err
			}
			d.Words = append(d.Words, words...)
		}
		if st.Envelope.PayloadType == carnet.TypeResharing {
			again, err := tx.RedealingOf(key)
			if err != nil {
				return err
			}
			if d.Words, err = wordsOf(tx, again.Key, &st); err != nil {
				return err
			}
		}
		if as != nil && as.ID == rec.Owner {
			d.Released, _, err = tx.Charged(key, nil)
			if n := len(d.Redealings); n > 0 {
				d.Released += d.Redealings[n-1].Extra
			}
		}
		return err
	})
	return d, err
}

// Corrections calls send with the canonical bytes of every correction, power 1
// first.
func (g *Gateway) Corrections(ctx context.Context, key carnet.KeyID, send func(power int, b []byte) error) error {
	st, err := g.Dealing(ctx, nil, key)
	if err != nil {
		return err
	}
	d, _, err := st.Statement.Envelope.DecodeDealing()
	if err != nil {
		return err
	}
	for j := range d.Corrections {
		b, err := g.correction(ctx, &d, key, j+1)
		if err != nil {
			return err
		}
		if err := send(j+1, b); err != nil {
			return err
		}
	}
	return nil
}

// SealedSeeds returns the bundle sealed to the calling keyholder, and its number.
func (g *Gateway) SealedSeeds(ctx context.Context, as *carnet.Party, key carnet.KeyID) (number int, sealed []byte, err error) {
	var h carnet.Hash
	err = g.Store.View(ctx, func(tx Tx) error {
		if number, err = dealingMember(tx, as, key); err != nil {
			return err
		}
		h, err = tx.Seeds(key, number)
		return err
	})
	if err != nil {
		return 0, nil, err
	}
	if sealed, err = g.Blobs.Get(ctx, seedsKey(key, number, h)); err == nil && sha256.Sum256(sealed) != h {
		err = damaged("seeds %d of key %s", number, key)
	}
	return number, sealed, err
}

// dealingMember returns the caller's number in the committee of a dealing. To others
// the dealing's seeds do not exist.
func dealingMember(tx Tx, as *carnet.Party, key carnet.KeyID) (int, error) {
	d, _, err := tx.GetDealing(key)
	if err != nil {
		return 0, err
	}
	c, _, err := committee(tx, d.Committee)
	if err != nil {
		return 0, err
	}
	n := memberNumber(&c, as.ID)
	if n == 0 || !as.HasRole(carnet.RoleKeyholder) {
		return 0, carnet.E(carnet.NotFound, "NOT_FOUND", "there is no such bundle of seeds")
	}
	return n, nil
}

// maxReason bounds a public reason identifier.
const maxReason = 64

// ConfirmSeeds records the calling keyholder's word about its seeds. A keyholder
// may say so again, with another outcome, when it has received better seeds or has
// destroyed them.
func (g *Gateway) ConfirmSeeds(ctx context.Context, as *carnet.Party, key carnet.KeyID, ok bool, reason string) error {
	fine := len(reason) <= maxReason && !slices.ContainsFunc([]byte(reason), func(c byte) bool {
		return !(c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_')
	})
	if !fine || ok && reason != "" || !ok && reason == "" {
		return bad("BAD_REQUEST", "the request is malformed").With("reason", "want an identifier of at most %d of A-Z, 0-9, _ if and only if ok is false", maxReason)
	}
	return g.Store.Update(ctx, func(tx Tx) error {
		number, err := dealingMember(tx, as, key)
		if err != nil {
			return err
		}
		return tx.PutConfirmation(key, Confirmation{number, ok, reason})
	})
}
