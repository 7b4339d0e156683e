package engine

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/hashicorp/vault/sdk/framework"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/share"
	"github.com/carnet-network/carnet/pkg/ticket"
)

// Parts go to another committee under four words, decision 25: the owner's, whose key an
// operator entered; an operator's, about the committee and the keys that seeds are sealed to;
// the keyholder's ticket; and the token's. Seeds leave in no other way.

// reshared is a resharing as a request describes it.
type reshared struct {
	move share.Move
	to   *evidence.Envelope
	body carnet.Committee
}

// toCommittee reads the committee that has, or is to have, the parts of dealing from.
func toCommittee(d *framework.FieldData, from carnet.KeyID, old share.Committee) (r reshared, err error) {
	if r.to, err = envelope(d, "to"); err != nil {
		return r, err
	}
	to, err := schemeOf(r.to, &r.body)
	if err != nil {
		return r, err
	}
	r.move, err = share.NewMove(from, old, r.to.Hash(), to)
	return r, err
}

func schemeOf(env *evidence.Envelope, body *carnet.Committee) (share.Committee, error) {
	if err := env.Decode(carnet.TypeCommittee, body); err != nil {
		return share.Committee{}, err
	}
	return share.NewCommittee(len(body.Members), body.Threshold)
}

// word checks that the owner of a key lets a committee have it. Where members have to be
// registered is left to whoever approves the committee.
func (b *backend) word(ctx context.Context, d *framework.FieldData, key carnet.KeyID, owner carnet.PartyID, r *reshared) (*evidence.Envelope, *carnet.Succession, error) {
	env, err := envelope(d, "succession")
	if err != nil {
		return nil, nil, err
	}
	var s carnet.Succession
	if err := env.Decode(carnet.TypeSuccession, &s); err != nil {
		return nil, nil, err
	}
	if s.Key != key || s.Owner != owner {
		return nil, nil, badSuccession("it is about another key, or of another owner")
	}
	if err := b.ownerSigned(ctx, owner, badSuccession, env); err != nil {
		return nil, nil, err
	}
	allowed := s
	if s.Rule != nil {
		rule := *s.Rule
		rule.Jurisdictions = nil
		allowed.Rule = &rule
	}
	if !allowed.Allows(r.move.Committee, &r.body, nil) {
		return env, &s, badSuccession("it does not let this committee have the key")
	}
	return env, &s, nil
}

// newest remembers an owner's word about a key, and refuses one from before the newest
// that was seen: it may have been taken back.
func (b *backend) newest(ctx context.Context, s *carnet.Succession) error {
	b.configuring.Lock()
	defer b.configuring.Unlock()
	v, err := b.store.get(ctx, storedWord+s.Key.String())
	if err != nil {
		return err
	}
	var seen time.Time
	if v != nil {
		if err := seen.UnmarshalText(v); err != nil {
			return err
		}
	}
	switch {
	case s.Created.Before(seen):
		return badSuccession("its owner said something else later")
	case s.Created.Equal(seen):
		return nil
	}
	if v, err = s.Created.MarshalText(); err != nil {
		return err
	}
	return b.store.put(ctx, storedWord+s.Key.String(), v)
}

func badSuccession(what string) error {
	return carnet.E(carnet.Refused, "SUCCESSION_MISSING", "the key is not handed on by the succession that was shown: %s", what).
		Fix("have the owner say with carnet succession which committees may have the key; if it replaced its key since, have the engine's operator enter all of them: vault write MOUNT/owners/NAME signing_key=KEY earlier=KEY,KEY")
}

// handOver splits the parts of a dealing for another committee. Seeds go out sealed to its
// members, whose keys an operator approved.
func (b *backend) handOver(ctx context.Context, d *framework.FieldData) (map[string]any, error) {
	id, err := keyID(d)
	if err != nil {
		return nil, err
	}
	dealing, err := b.held(ctx, id)
	if err != nil {
		return nil, err
	}
	r, err := toCommittee(d, id, dealing.Scheme)
	if err != nil {
		return nil, err
	}
	recipients, err := separate(d, "recipients", r.move.New.N)
	if err != nil {
		return nil, err
	}
	if len(recipients) != r.move.New.N {
		return nil, invalid("there are %d sealing keys, and the committee has %d members", len(recipients), r.move.New.N)
	}
	word, s, err := b.word(ctx, d, dealing.Named(), dealing.Body.Owner, &r)
	if s != nil {
		if e := b.newest(ctx, s); e != nil {
			return nil, e
		}
	}
	if err != nil {
		return nil, err
	}
	if dealing.Named() == id {
		// Nobody looked at who signed it when it was imported; of others it was.
		if err := b.ownerSigned(ctx, dealing.Body.Owner, badSuccession, nil, dealing.Statement); err != nil {
			return nil, err
		}
	}
	if err := b.approved(ctx, r.move.Committee, recipients); err != nil {
		return nil, err
	}
	err = b.permitted(ctx, d, func(epoch uint64) *ticket.Ticket {
		return ticket.ForHandOver(epoch, dealing.Number, word.Hash(), id, r.move.Committee, recipients)
	})
	if err != nil {
		return nil, err
	}
	if part, ok := d.GetOk("part"); ok {
		return b.handPart(ctx, dealing, r.move, part.(int))
	}
	sealed, err := b.shares.HandSeeds(ctx, dealing, r.move, recipients)
	return map[string]any{"sealed": texts(sealed)}, err
}

func (b *backend) handPart(ctx context.Context, d *keys.Dealing, m share.Move, part int) (map[string]any, error) {
	if part < 0 || part > 1<<16-1 || !m.Old.Holds(d.Number, share.Subset(part)) {
		return nil, invalid("the keyholder has no part %d", part)
	}
	p, corrections, err := b.shares.HandPart(ctx, d, m, share.Subset(part))
	if err != nil {
		return nil, err
	}
	var commitments []byte
	for i := range p.Commitments {
		commitments = append(commitments, p.Commitments[i][:]...)
	}
	return map[string]any{"commitments": base64.StdEncoding.EncodeToString(commitments), "corrections": texts(corrections)}, nil
}

// permitted verifies the ticket of a request.
func (b *backend) permitted(ctx context.Context, d *framework.FieldData, want func(epoch uint64) *ticket.Ticket) error {
	c, err := b.config(ctx)
	if err != nil {
		return err
	}
	signed, err := base64.StdEncoding.Strict().DecodeString(d.Get("ticket").(string))
	if err != nil {
		return invalid("ticket is not base64")
	}
	return want(uint64(c.Epoch)).Verify(c.TicketKey, signed)
}

// separate decodes a list of byte strings, at most n.
func separate(d *framework.FieldData, name string, n int) (out [][]byte, err error) {
	pieces := d.Get(name).([]string)
	if len(pieces) > n {
		return nil, invalid("%s has %d elements, at most %d are possible", name, len(pieces), n)
	}
	for _, p := range pieces {
		b, err := base64.StdEncoding.Strict().DecodeString(p)
		if err != nil {
			return nil, invalid("%s is not base64", name)
		}
		out = append(out, b)
	}
	return out, nil
}

func texts(list [][]byte) (out []string) {
	for _, b := range list {
		out = append(out, base64.StdEncoding.EncodeToString(b))
	}
	return out
}

// keep makes a resharing a dealing that is held: its name first, so that it never counts
// as a key of its own.
func (b *backend) keep(ctx context.Context, d *keys.Dealing, released int64) error {
	b.configuring.Lock()
	defer b.configuring.Unlock()
	known, err := b.counts.all.count(ctx, d.As)
	if err != nil {
		return err
	}
	carried, err := b.carried(ctx, d.Key)
	if err != nil {
		return err
	}
	v, err := json.Marshal(again{d.As, max(carried, released-int64(known))})
	if err != nil {
		return err
	}
	return b.store.put(ctx, storedAgain+d.Key.String(), v)
}
