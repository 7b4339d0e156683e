package flow

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
	"github.com/carnet-network/carnet/pkg/share"
)

// MaxSealedHanded bounds what one keyholder seals to one member of another committee.
const MaxSealedHanded = 256 << 10

// ContributionShape is what a contribution needs, for the transport to bound what it collects.
type ContributionShape struct {
	Members         int
	CorrectionBytes int
	corrections     map[carnet.Hash]int // digest of each polynomial: its power
	move            share.Move
	profile         *he.Profile
}

// resharing is one from a dealing that a key is opened with now.
type resharing struct {
	move      share.Move
	from      *dealt
	old, new  carnet.Committee
	profile   *he.Profile
	committee Stored
}

// openResharing checks that a key may move: the dealing is the present one, in use, without
// a home part, and its owner lets the committee have it.
func openResharing(tx Tx, key, from carnet.KeyID, to carnet.Hash) (*resharing, error) {
	r := &resharing{}
	var err error
	if r.from, err = dealtBefore(tx, key, endOfJournal); err != nil {
		return nil, err
	}
	if r.from.id != from {
		return nil, carnet.E(carnet.Precondition, "RESHARE_OVER", "key %s is not opened with dealing %s now", key, from).
			Fix("a key is handed on from the dealing that it is opened with")
	}
	if err := notRetired(tx, key); err != nil {
		return nil, err
	}
	if r.from.Home != nil {
		return nil, carnet.E(carnet.Refused, "RESHARE_HOME", "key %s has a home part, which is not handed on", key).Fix("its owner has to deal it again")
	}
	if r.profile, err = he.Lookup(r.from.Profile); err != nil {
		return nil, err
	}
	if r.old, _, err = committee(tx, r.from.Committee); err != nil {
		return nil, err
	}
	if r.new, r.committee, err = committee(tx, to); err != nil {
		return nil, err
	}
	r.move, err = share.NewMove(from, share.Committee{N: len(r.old.Members), T: r.old.Threshold}, to,
		share.Committee{N: len(r.new.Members), T: r.new.Threshold})
	if err != nil {
		return nil, err
	}
	return r, mayHave(tx, key, to)
}

// said are the contributions so far, by keyholder number.
func (r *resharing) said(tx Tx) (map[int]*carnet.Contribution, error) {
	list, err := tx.Contributions(r.move.From, r.move.Committee)
	if err != nil {
		return nil, err
	}
	out := map[int]*carnet.Contribution{}
	for _, st := range list {
		c := &carnet.Contribution{}
		if err := st.Envelope.Decode(carnet.TypeContribution, c); err != nil {
			return nil, err
		}
		out[c.Number] = c
	}
	return out, nil
}

func checkContribution(tx Tx, as *carnet.Party, env *evidence.Envelope) (*carnet.Contribution, *resharing, error) {
	c := &carnet.Contribution{}
	if err := env.Decode(carnet.TypeContribution, c); err != nil {
		return nil, nil, err
	}
	if err := sameCaller(as, c.By); err != nil {
		return nil, nil, err
	}
	if _, err := signer(tx, env, c.By, carnet.RoleKeyholder); err != nil {
		return nil, nil, err
	}
	r, err := openResharing(tx, c.Key, c.From, c.Committee)
	if err != nil {
		return nil, nil, err
	}
	if memberNumber(&r.old, c.By) != c.Number {
		return nil, nil, bad("BAD_CONTRIBUTION", "%q is not keyholder %d of dealing %s", c.By, c.Number, c.From)
	}
	return c, r, r.move.CheckContribution(c, r.profile.MaxDegree())
}

// CheckContribution checks a contribution before its contents are sent.
func (g *Gateway) CheckContribution(ctx context.Context, as *carnet.Party, env *evidence.Envelope) (s ContributionShape, err error) {
	err = g.Store.View(ctx, func(tx Tx) error {
		c, r, err := checkContribution(tx, as, env)
		if err != nil {
			return err
		}
		s = ContributionShape{Members: r.move.New.N, CorrectionBytes: r.profile.BlockBytes(), corrections: map[carnet.Hash]int{}, move: r.move, profile: r.profile}
		for _, p := range c.Parts {
			for j, h := range p.Corrections {
				s.corrections[h] = j + 1
			}
		}
		return nil
	})
	return s, err
}

// PutHanded keeps one correction of a contribution, which has the canonical form and a
// digest that the contribution names.
func (g *Gateway) PutHanded(ctx context.Context, s *ContributionShape, power int, b []byte) error {
	h := wire.CorrectionHash(power, b)
	if s.corrections[h] != power {
		return bad("CORRECTIONS_DIFFER", "a correction of power %d is not one that the contribution names", power)
	}
	if err := wire.ReadPoly(s.profile, b, g.ring(s.profile).NewPoly()); err != nil {
		return err
	}
	_, err := g.Blobs.Put(ctx, handedKey(s.move, h), b)
	return err
}

// SubmitContribution stores what one holder of a dealing's parts hands on, after its
// corrections: the statement and a message sealed to every member of the new committee. A
// later contribution of the same keyholder takes the place of its earlier one.
func (g *Gateway) SubmitContribution(ctx context.Context, as *carnet.Party, env *evidence.Envelope, sealed [][]byte) (Ref, error) {
	s, err := g.CheckContribution(ctx, as, env)
	if err != nil {
		return Ref{}, err
	}
	var c carnet.Contribution
	if err := env.Decode(carnet.TypeContribution, &c); err != nil {
		return Ref{}, err
	}
	for h := range s.corrections {
		there, err := g.Blobs.Exists(ctx, handedKey(s.move, h))
		if err != nil {
			return Ref{}, err
		}
		if !there {
			return Ref{}, bad("BAD_CORRECTIONS", "correction %s of the contribution is missing", h)
		}
	}
	if len(sealed) != s.Members {
		return Ref{}, bad("BAD_SEEDS", "want a sealed message for each of %d keyholders, have %d", s.Members, len(sealed))
	}
	for i, b := range sealed {
		if len(b) > MaxSealedHanded || sha256.Sum256(b) != c.Sealed[i] {
			return Ref{}, bad("BAD_SEEDS", "the message sealed to keyholder %d is not the one that the contribution names", i+1)
		}
		if _, err := g.Blobs.Put(ctx, handedSealedKey(s.move, c.Number, i+1, c.Sealed[i]), b); err != nil {
			return Ref{}, err
		}
	}
	if err := g.Blobs.Sync(ctx, handedPrefix(s.move)); err != nil {
		return Ref{}, err
	}
	return g.record(ctx, env, func(tx Tx, st Stored) error {
		_, r, err := checkContribution(tx, as, env)
		if err != nil {
			return err
		}
		said, err := r.said(tx)
		if err != nil {
			return err
		}
		if old := said[c.Number]; old != nil {
			if err := notOlder("the contribution of "+string(c.By), c.Created, old.Created); err != nil {
				return err
			}
		}
		return tx.PutContribution(ContributionRecord{c.From, c.Committee, c.Number, st.Hash})
	})
}

func handedPrefix(m share.Move) string { return "handed/" + m.Nonce().String() }

func handedKey(m share.Move, h carnet.Hash) string { return handedPrefix(m) + "/" + h.String() }

func handedSealedKey(m share.Move, from, to int, h carnet.Hash) string {
	return fmt.Sprintf("%s/%d-%s", handedTo(m, to), from, h)
}

// handedTo is where what is sealed to one member is kept, so that it can be deleted; no
// such name begins with another.
func handedTo(m share.Move, to int) string { return fmt.Sprintf("%s/%02d", handedSealed(m), to) }

func handedSealed(m share.Move) string { return handedPrefix(m) + "/sealed" }

// HandedCorrection returns the canonical bytes of a correction of a resharing.
func (g *Gateway) HandedCorrection(ctx context.Context, from carnet.KeyID, committee carnet.Hash, h carnet.Hash) ([]byte, error) {
	return g.Blobs.Get(ctx, handedKey(share.Move{From: from, Committee: committee}, h))
}

// HandedSeeds returns what the keyholder of a contribution sealed to the caller.
func (g *Gateway) HandedSeeds(ctx context.Context, as *carnet.Party, contribution carnet.Hash) ([]byte, error) {
	none := carnet.E(carnet.NotFound, "NOT_FOUND", "there are no such seeds")
	var c carnet.Contribution
	number := 0
	err := g.Store.View(ctx, func(tx Tx) error {
		st, err := tx.Statement(contribution)
		if absent(err) || err == nil && st.Envelope.PayloadType != carnet.TypeContribution {
			return none
		}
		if err != nil {
			return err
		}
		if err := st.Envelope.Decode(carnet.TypeContribution, &c); err != nil {
			return err
		}
		to, _, err := committee(tx, c.Committee)
		number = memberNumber(&to, as.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	if number == 0 || number > len(c.Sealed) {
		return nil, none
	}
	h := c.Sealed[number-1]
	b, err := g.Blobs.Get(ctx, handedSealedKey(share.Move{From: c.From, Committee: c.Committee}, c.Number, number, h))
	if err == nil && sha256.Sum256(b) != h {
		err = damaged("seeds that keyholder %d handed on", c.Number)
	}
	return b, err
}
