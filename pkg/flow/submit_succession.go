package flow

import (
	"context"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/share"
)

// SubmitSuccession stores an owner's statement about which committees may get a key from
// the holders of its parts. The newest one counts.
func (g *Gateway) SubmitSuccession(ctx context.Context, as *carnet.Party, env *evidence.Envelope) (Ref, error) {
	var s carnet.Succession
	if err := env.Decode(carnet.TypeSuccession, &s); err != nil {
		return Ref{}, err
	}
	if err := sameCaller(as, s.Owner); err != nil {
		return Ref{}, err
	}
	if err := checkSuccession(&s); err != nil {
		return Ref{}, err
	}
	return g.record(ctx, env, func(tx Tx, st Stored) error {
		if _, err := signer(tx, env, s.Owner, carnet.RoleOwner); err != nil {
			return err
		}
		d, _, err := tx.GetDealing(s.Key)
		if err != nil && !absent(err) {
			return err
		}
		if err != nil || d.Owner != s.Owner {
			return carnet.E(carnet.NotFound, "NOT_FOUND", "there is no key %s of yours", s.Key).Fix("carnet datasets --json names the keys of your datasets")
		}
		switch again, err := tx.RedealingOf(s.Key); {
		case err == nil:
			return bad("BAD_SUCCESSION", "this dealing deals key %s again; name that", again.Key)
		case !absent(err):
			return err
		}
		if err := notRetired(tx, s.Key); err != nil {
			return err
		}
		for _, h := range s.Committees {
			if _, _, err := committee(tx, h); err != nil {
				return err
			}
		}
		list, err := tx.Successions(s.Key)
		if err != nil {
			return err
		}
		if n := len(list); n > 0 {
			var old carnet.Succession
			if err := list[n-1].Envelope.Decode(carnet.TypeSuccession, &old); err != nil {
				return err
			}
			if err := notOlder("the succession of key "+s.Key.String(), s.Created, old.Created); err != nil {
				return err
			}
		}
		return tx.PutSuccession(s.Key, st.Hash)
	})
}

// maxSuccession bounds what a succession lists.
const maxSuccession = 256

func checkSuccession(s *carnet.Succession) error {
	e := bad("BAD_SUCCESSION", "the succession is not acceptable")
	if len(s.Committees) > maxSuccession {
		return e.With("committees", "want at most %d", maxSuccession)
	}
	if r := s.Rule; r != nil {
		if _, err := share.NewCommittee(r.Members, r.Threshold); err != nil {
			return e.With("rule", "%d of %d is no committee", r.Threshold, r.Members)
		}
		if len(r.Jurisdictions) > maxSuccession {
			return e.With("rule.jurisdictions", "want at most %d", maxSuccession)
		}
	}
	return nil
}

// Succession is who may have a key next, and what is on its way to them.
type Succession struct {
	Statement     *Stored  // the newest one of its owner, nil if there is none
	Contributions []Stored // of holders of the dealing that the key is opened with now
}

// Succession returns what is known of a key's next committee.
func (g *Gateway) Succession(ctx context.Context, key carnet.KeyID) (out Succession, err error) {
	err = g.Store.View(ctx, func(tx Tx) error {
		d, err := dealtBefore(tx, key, endOfJournal)
		if err != nil {
			return err
		}
		if out.Statement, err = succession(tx, key, endOfJournal); err != nil {
			return err
		}
		committees, err := tx.Resharings(d.id)
		if err != nil {
			return err
		}
		for _, h := range committees {
			list, err := tx.Contributions(d.id, h)
			if err != nil {
				return err
			}
			out.Contributions = append(out.Contributions, list...)
		}
		return nil
	})
	return out, err
}

// succession is the newest statement about a key below a sequence number, nil if there is none.
func succession(tx Tx, key carnet.KeyID, seq int64) (out *Stored, err error) {
	list, err := tx.Successions(key)
	for i := range list {
		if list[i].Seq < seq {
			out = &list[i]
		}
	}
	return out, err
}

// wordsOf are the statements that have a key opened with another dealing: its owner's, or
// what it said before and the resharing of the holders.
func wordsOf(tx Tx, key carnet.KeyID, again *Stored) ([]Stored, error) {
	if again.Envelope.PayloadType != carnet.TypeResharing {
		return []Stored{*again}, nil
	}
	word, err := succession(tx, key, again.Seq)
	if err != nil || word == nil {
		return nil, orElse(err, carnet.E(carnet.Internal, "STATEMENT_MISSING", "a resharing of key %s has no succession", key))
	}
	return []Stored{*word, *again}, nil
}

// mayHave refuses a committee that the owner of a key does not let have it, or of which a
// member was revoked.
func mayHave(tx Tx, key carnet.KeyID, h carnet.Hash) error {
	no := carnet.E(carnet.Refused, "SUCCESSION_MISSING", "the owner of key %s does not let committee %s have it", key, h).
		Fix("the owner allows it with carnet succession, or deals the key itself")
	st, err := succession(tx, key, endOfJournal)
	if err != nil {
		return err
	}
	if st == nil {
		return no
	}
	var s carnet.Succession
	if err := st.Envelope.Decode(carnet.TypeSuccession, &s); err != nil {
		return err
	}
	c, _, err := committee(tx, h)
	if err != nil {
		return err
	}
	in := map[carnet.PartyID]carnet.Jurisdiction{}
	for _, m := range c.Members {
		chain, err := partyChain(tx, m)
		if err != nil {
			return err
		}
		p := chain.At(endOfJournal)
		if p == nil { // all of them have to sign
			return carnet.E(carnet.Refused, "BAD_MEMBER", "member %q of committee %s was revoked, so the committee can't take a key over", m, c.ID).
				Fix("the owner lets another committee have the key, with carnet succession, or deals it again with carnet redeal")
		}
		in[m] = p.Jurisdiction
	}
	if !s.Allows(h, &c, func(m carnet.PartyID) carnet.Jurisdiction { return in[m] }) {
		return no
	}
	return nil
}
