package flow

import (
	"context"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/he/wire"
	"github.com/carnet-network/carnet/pkg/share"
)

// Takeover tells how far a resharing is.
type Takeover struct {
	Ref    *Ref // its entry in the journal, once every member of the new committee has signed
	Signed int
	Needed int
}

// SubmitResharing takes a member's signature of a resharing that follows from the
// contributions. The last one puts it into the journal: from that entry on the key is
// opened with it. Before that nothing has changed.
func (g *Gateway) SubmitResharing(ctx context.Context, as *carnet.Party, env *evidence.Envelope) (Takeover, error) {
	var r carnet.Resharing
	if err := env.Decode(carnet.TypeResharing, &r); err != nil {
		return Takeover{}, err
	}
	present, _, err := g.Party(ctx, as.ID)
	if err != nil {
		return Takeover{}, err
	}
	sig := onlySignature(env, present.SigningKey)
	if sig == nil {
		return Takeover{}, carnet.E(carnet.Forbidden, "BAD_SIGNATURE", "the resharing is not signed by %q", as.ID)
	}
	id := carnet.KeyID(env.Hash())
	if out, done, err := g.resharedBefore(ctx, id); done || err != nil {
		return out, err
	}
	var agreed map[share.Subset]*carnet.HandedPart
	var open *resharing
	if err := g.Store.View(ctx, func(tx Tx) (err error) { open, agreed, err = checkResharing(tx, &r); return err }); err != nil {
		return Takeover{}, err
	}
	number := memberNumber(&open.new, as.ID)
	if number == 0 { // before anything is computed or stored for it
		return Takeover{}, carnet.E(carnet.Forbidden, "WRONG_PARTY", "%q is no member of the committee that takes the key over", as.ID)
	}
	if err := g.addHanded(ctx, open, id, &r, agreed); err != nil {
		return Takeover{}, err
	}
	out := Takeover{Needed: open.move.New.N}
	own := &evidence.Envelope{PayloadType: env.PayloadType, Payload: env.Payload, Signatures: []evidence.Signature{*sig}}
	err = g.Store.Update(ctx, func(tx Tx) error {
		open, now, err := checkResharing(tx, &r)
		if err != nil {
			return err
		}
		for a, p := range now {
			if !slices.Equal(p.Corrections, agreed[a].Corrections) {
				return carnet.E(carnet.Unavailable, "RESHARE_INCOMPLETE", "contributions have changed").Fix("try again")
			}
		}
		if err := tx.PutTakeover(id, number, own); err != nil {
			return err
		}
		all, err := tx.Takeovers(id)
		if err != nil {
			return err
		}
		whole := &evidence.Envelope{PayloadType: env.PayloadType, Payload: env.Payload}
		for _, m := range open.new.Members {
			p, err := party(tx, m)
			if err != nil {
				return err
			}
			for _, e := range all { // one under a key replaced since does not count any more
				if s := onlySignature(e, p.SigningKey); s != nil {
					whole.Signatures = append(whole.Signatures, *s)
					break
				}
			}
		}
		if out.Signed = len(whole.Signatures); out.Signed < out.Needed {
			return nil
		}
		ref, err := tx.Append(whole)
		if err != nil {
			return err
		}
		out.Ref = &ref
		return putResharing(tx, &r, Stored{ref, whole}, open)
	})
	if err == nil && out.Ref != nil {
		g.bus.wake(topicEntries)
	}
	return out, err
}

// resharedBefore finds a resharing that is in the journal already.
func (g *Gateway) resharedBefore(ctx context.Context, id carnet.KeyID) (out Takeover, done bool, err error) {
	err = g.Store.View(ctx, func(tx Tx) error {
		st, err := tx.Statement(carnet.Hash(id))
		if absent(err) {
			return nil
		}
		if err == nil {
			n := len(st.Envelope.Signatures)
			out, done = Takeover{&st.Ref, n, n}, true
		}
		return err
	})
	return out, done, err
}

// checkResharing: it follows from what enough holders of every part say.
func checkResharing(tx Tx, r *carnet.Resharing) (*resharing, map[share.Subset]*carnet.HandedPart, error) {
	open, err := openResharing(tx, r.Key, r.From, r.Committee)
	if err != nil {
		return nil, nil, err
	}
	said, err := open.said(tx)
	if err != nil {
		return nil, nil, err
	}
	got := open.move.Agree(said)
	if !got.Enough {
		return nil, nil, carnet.E(carnet.Unavailable, "RESHARE_INCOMPLETE", "not every part of the key was handed on by enough of its holders who say the same").
			Fix("see carnet-keyholder reshare for who is missing and who differs")
	}
	if r.Owner != open.from.Owner || r.Profile != open.from.Profile || r.Params != open.from.Params || r.Nonce != open.move.Nonce() ||
		!slices.Equal(r.Commitments, open.move.Commitments(got.Parts)) || len(r.Corrections) != open.profile.MaxDegree() {
		return nil, nil, bad("BAD_RESHARING", "the resharing does not follow from the contributions")
	}
	return open, got.Parts, nil
}

// addHanded computes the corrections of the new dealing and stores them if they are those
// that the resharing names.
func (g *Gateway) addHanded(ctx context.Context, open *resharing, id carnet.KeyID, r *carnet.Resharing, agreed map[share.Subset]*carnet.HandedPart) error {
	ring := g.ring(open.profile)
	part := ring.NewPoly()
	for j := range r.Corrections {
		b, err := g.correction(ctx, &open.from.Dealing, open.from.id, j+1)
		if err != nil {
			return err
		}
		sum := ring.NewPoly()
		if err := wire.ReadPoly(open.profile, b, sum); err != nil {
			return err
		}
		for _, p := range agreed {
			h := p.Corrections[j]
			b, err := g.Blobs.Get(ctx, handedKey(open.move, h))
			if err != nil {
				return err
			}
			if wire.CorrectionHash(j+1, b) != h {
				return damaged("correction %s of a resharing", h)
			}
			if err := wire.ReadPoly(open.profile, b, part); err != nil {
				return err
			}
			ring.Add(sum, part, sum)
		}
		b = wire.AppendPoly(nil, open.profile, sum)
		if wire.CorrectionHash(j+1, b) != r.Corrections[j] {
			return bad("CORRECTIONS_DIFFER", "the correction of power %d does not follow from the contributions", j+1)
		}
		if _, err := g.Blobs.Put(ctx, correctionKey(id, j+1), b); err != nil {
			return err
		}
	}
	return g.Blobs.Sync(ctx, "dealings/"+id.String())
}

// putResharing has the key opened with it.
func putResharing(tx Tx, r *carnet.Resharing, st Stored, open *resharing) error {
	id := carnet.KeyID(st.Hash)
	if err := tx.PutDealing(DealingRecord{id, r.Owner, r.Nonce, r.Committee}, make([]carnet.Hash, open.move.New.N)); err != nil {
		return err
	}
	for i := range open.move.New.N {
		if err := tx.PutConfirmation(id, Confirmation{Number: i + 1, OK: true}); err != nil {
			return err
		}
	}
	return tx.PutRedealing(RedealingRecord{r.Key, id, open.from.extra, st})
}
