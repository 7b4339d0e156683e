package engine

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/hashicorp/vault/sdk/framework"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/keys/vaultplugin"
	"github.com/carnet-network/carnet/pkg/share"
	"github.com/carnet-network/carnet/pkg/ticket"
)

// takeOver keeps what holders of another dealing sealed to this engine. What was agreed on
// is in the resharing, whose hash names the dealing; that it is what the journal has is the
// ticket's word. Seeds come under the name of the key that they are of: what is sealed is
// bound to the dealing it is of, and that dealing is shown to be one of this key.
func (b *backend) takeOver(ctx context.Context, d *framework.FieldData) (map[string]any, error) {
	id, err := keyID(d)
	if err != nil {
		return nil, err
	}
	if err := b.store.destroyed(ctx, id); err != nil {
		return nil, err
	}
	s := statements{Number: d.Get("number").(int)}
	if s.Dealing, err = envelope(d, "resharing"); err != nil {
		return nil, err
	}
	var body carnet.Resharing
	if err := s.Dealing.Decode(carnet.TypeResharing, &body); err != nil {
		return nil, err
	}
	old, err := b.source(ctx, d, &body)
	if err != nil {
		return nil, err
	}
	r, err := toCommittee(d, body.From, old)
	if err != nil {
		return nil, err
	}
	s.Committee = r.to
	dealing, err := s.dealing(id)
	if err != nil {
		return nil, err
	}
	word, _, err := b.word(ctx, d, body.Key, body.Owner, &r)
	if err != nil {
		return nil, err
	}
	agreed, err := agreedOn(d, r.move)
	if err != nil {
		return nil, err
	}
	if body.Nonce != r.move.Nonce() || !slices.Equal(body.Commitments, r.move.Commitments(agreed)) {
		return nil, badResharing("it does not follow from what was agreed on")
	}
	sealed, err := handedTo(d, old)
	if err != nil {
		return nil, err
	}
	released := d.Get("released").(int64)
	if released < 0 {
		return nil, invalid("a negative number of releases")
	}
	err = b.permitted(ctx, d, func(epoch uint64) *ticket.Ticket {
		return ticket.ForTakeOver(epoch, s.Number, word.Hash(), id, r.move.Committee, released)
	})
	if err != nil {
		return nil, err
	}
	if err := b.keep(ctx, dealing, released); err != nil {
		return nil, err
	}
	liars, err := b.shares.TakeOver(ctx, dealing, &keys.Handing{Move: r.move}, agreed, sealed)
	data := map[string]any{"liars": liars}
	if carnet.ReasonOf(err) == "RESHARE_INCOMPLETE" {
		var e *carnet.Error
		errors.As(err, &e)
		data["incomplete"] = vaultplugin.ErrorText(e)
		return data, nil
	}
	if err != nil {
		return nil, err
	}
	v, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	return data, b.store.put(ctx, storedDealings+id.String(), v)
}

// source checks that what is handed on is a dealing of the key, whose owner dealt it, and
// returns the committee that holds it. Otherwise seeds of one key could be had under the
// name of another, where nothing was counted yet.
func (b *backend) source(ctx context.Context, d *framework.FieldData, r *carnet.Resharing) (old share.Committee, err error) {
	var first, source, holders *evidence.Envelope
	for name, env := range map[string]**evidence.Envelope{"first": &first, "source": &source, "holders": &holders} {
		if *env, err = envelope(d, name); err != nil {
			return old, err
		}
	}
	var dealt carnet.Dealing
	if err := first.Decode(carnet.TypeDealing, &dealt); err != nil {
		return old, err
	}
	if err := b.ownerSigned(ctx, r.Owner, badSuccession, nil, first); err != nil {
		return old, err
	}
	body, named, err := dealingOf(source)
	if err != nil {
		return old, err
	}
	switch {
	case carnet.KeyID(first.Hash()) != r.Key || dealt.Owner != r.Owner || dealt.Params != r.Params:
		return old, badResharing("the key was dealt by another owner, or with other parameters")
	case carnet.KeyID(source.Hash()) != r.From || body.Owner != r.Owner || body.Params != r.Params || holders.Hash() != body.Committee:
		return old, badResharing("it is not of the dealing that was shown")
	case body.Home != nil:
		return old, keys.NoHandOver(r.Key)
	}
	switch {
	case r.From == r.Key || named == r.Key:
	case !named.IsZero():
		return old, badResharing("what is handed on is another key")
	default:
		redealing, err := envelope(d, "redealing")
		if err != nil {
			return old, err
		}
		said, err := b.redealing(ctx, &keys.Dealing{Key: r.From, Body: body, Statement: source}, first, redealing)
		if err != nil {
			return old, err
		}
		if said.Key != r.Key {
			return old, badResharing("what is handed on is another key")
		}
	}
	if a, err := b.againOf(ctx, r.Key); err != nil || a != nil {
		if err == nil {
			err = badResharing("the key is itself another key dealt again")
		}
		return old, err
	}
	return schemeOf(holders, &carnet.Committee{})
}

// agreedOn reads the commitments to the seeds of every part.
func agreedOn(d *framework.FieldData, m share.Move) (map[share.Subset]*carnet.HandedPart, error) {
	b, err := joined(d, "agreed")
	if err != nil {
		return nil, err
	}
	if len(b) != 32*m.Old.Parts()*m.New.Parts() {
		return nil, invalid("agreed has %d bytes, which are not the commitments of %d parts to %d others", len(b), m.Old.Parts(), m.New.Parts())
	}
	out := map[share.Subset]*carnet.HandedPart{}
	for _, a := range m.Old.Subsets() {
		p := &carnet.HandedPart{Part: int(a)}
		for range m.New.Parts() {
			p.Commitments, b = append(p.Commitments, carnet.Hash(b[:32])), b[32:]
		}
		out[a] = p
	}
	return out, nil
}

// handedTo reads what holders sealed to this engine, by their numbers.
func handedTo(d *framework.FieldData, old share.Committee) (map[int][]byte, error) {
	sealed, err := separate(d, "sealed", old.N)
	if err != nil {
		return nil, err
	}
	from := d.Get("from").([]int)
	if len(from) != len(sealed) {
		return nil, invalid("%d holders sealed %d messages", len(from), len(sealed))
	}
	out := map[int][]byte{}
	for i, n := range from {
		if n < 1 || n > old.N || out[n] != nil {
			return nil, invalid("the numbers of the holders are not distinct ones of their committee")
		}
		out[n] = sealed[i]
	}
	return out, nil
}

func badResharing(what string) error {
	return carnet.E(carnet.Refused, "BAD_RESHARING", "the resharing can't be taken over: %s", what).
		Fix("hand over the statements that the journal has")
}
