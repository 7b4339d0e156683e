package client

import (
	"context"
	"slices"
	"time"

	pb "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/share"
)

// Retire ends the use of a dataset key, and of every dataset under it, and asks the
// keyholders to destroy their seeds. It is final.
func (c *Client) Retire(ctx context.Context, owner Signer, key carnet.KeyID, reason string) (Ref, error) {
	env, err := evidence.Seal(carnet.TypeRetirement, carnet.Retirement{
		Key: key, Owner: owner.Party(), Reason: reason, Created: c.timestamp(),
	}, owner)
	if err != nil {
		return Ref{}, err
	}
	resp, err := c.dealings.RetireKey(ctx, &pb.RetireKeyRequest{Statement: toProto(env)})
	if err != nil {
		return Ref{}, fault(err)
	}
	return refTo(env, resp.GetRef())
}

// KeyState is what became of a dataset key, as far as signed statements say.
type KeyState struct {
	Key       carnet.KeyID     `json:"key"`
	Owner     carnet.PartyID   `json:"owner"`
	Committee *Committee       `json:"committee"`
	Home      carnet.PartyID   `json:"home,omitempty"`
	Retired   *time.Time       `json:"retired,omitempty"`
	Reason    string           `json:"reason,omitempty"`
	Destroyed []carnet.PartyID `json:"destroyed"` // keyholders that signed that they destroyed their seeds
	Remaining share.Remaining  `json:"remaining"`
	Opens     bool             `json:"opens"`             // whether the others could open anything, if all of them colluded, also with other dealings of the key
	Redealt   []*KeyState      `json:"redealt,omitempty"` // other dealings of the key, oldest first
}

// KeyState returns what became of a key. Every statement is checked: a gateway can hide
// some, it can't invent any.
func (c *Client) KeyState(ctx context.Context, key carnet.KeyID) (*KeyState, error) {
	return c.keyState(ctx, key, true)
}

// keyState looks at the other dealings of the key if it is named after this one.
func (c *Client) keyState(ctx context.Context, key carnet.KeyID, named bool) (*KeyState, error) {
	resp, err := c.dealings.GetDealing(ctx, &pb.GetDealingRequest{KeyId: key.String()})
	if err != nil {
		return nil, fault(err)
	}
	env := fromProto(resp.GetStatement())
	if env == nil || carnet.KeyID(env.Hash()) != key {
		return nil, wrong("the gateway did not send the dealing of key %s", key)
	}
	s := &KeyState{Key: key, Destroyed: []carnet.PartyID{}}
	if s.Committee, err = verifyCommittee(fromProto(resp.GetCommittee()), c.registrar); err != nil {
		return nil, err
	}
	shares, err := share.NewCommittee(len(s.Committee.Members), s.Committee.Threshold)
	if err != nil {
		return nil, err
	}
	body, _, err := env.DecodeDealing()
	if err != nil {
		return nil, err
	}
	ps := parties{}
	if err := ps.load(ctx, c, s.Committee, body.Owner); err != nil {
		return nil, err
	}
	owner := ps[body.Owner]
	if err := verifyShared(ctx, env, ps, s.Committee, shares, fromProtos(resp.GetRedealings())); err != nil {
		return nil, err
	}
	s.Owner = body.Owner
	if e := fromProto(resp.GetRetirement()); e != nil {
		var r carnet.Retirement
		if err := e.Decode(carnet.TypeRetirement, &r); err != nil {
			return nil, err
		}
		if err := owner.signed(ctx, e); err != nil {
			return nil, err
		}
		if r.Key != key || r.Owner != owner.ID {
			return nil, wrong("the retirement of key %s is about another one", key)
		}
		s.Retired, s.Reason = &r.Created, r.Reason
	}
	var numbers []int
	for _, m := range resp.GetDestructions() {
		number, by, err := verifyDestruction(ctx, fromProto(m), key, s.Committee, ps)
		if err != nil {
			return nil, err
		}
		numbers, s.Destroyed = append(numbers, number), append(s.Destroyed, by)
	}
	home := 0
	if body.Home != nil {
		home = body.Home.Member
		s.Home = s.Committee.Members[home-1]
	}
	s.Remaining = shares.Remaining(numbers, home)
	s.Opens = s.Remaining.Opens()
	if !named {
		return s, nil
	}
	for _, m := range resp.GetRedealings() {
		next, err := dealtNext(ctx, fromProto(m), owner, key)
		if err != nil {
			return nil, err
		}
		if next == nil {
			continue
		}
		other, err := c.keyState(ctx, *next, false)
		if err != nil {
			return nil, err
		}
		s.Redealt, s.Opens = append(s.Redealt, other), s.Opens || other.Opens
	}
	return s, nil
}

// verifyShared checks how a key was shared, by its owner or, as the owner let them, by the
// holders of another dealing.
func verifyShared(ctx context.Context, env *evidence.Envelope, ps parties, committee *Committee, shares share.Committee, words []*evidence.Envelope) error {
	if !isResharing(env) {
		_, err := verifyDealing(ctx, env, ps, committee, shares)
		return err
	}
	_, _, err := handed(ctx, env, words, ps, committee, shares)
	return err
}

// dealtNext is the dealing that a statement has a key opened with, nil if it has none.
func dealtNext(ctx context.Context, e *evidence.Envelope, owner *registered, key carnet.KeyID) (*carnet.KeyID, error) {
	switch {
	case e == nil:
		return nil, wrong("the gateway sent an empty redealing")
	case e.PayloadType == carnet.TypeSuccession:
		return nil, nil
	case isResharing(e): // checked when it is looked at
		id := carnet.KeyID(e.Hash())
		_, r, err := e.DecodeDealing()
		if err == nil && r.Key != key {
			err = wrong("a resharing of key %s is about another one", key)
		}
		return &id, err
	}
	var r carnet.Redealing
	if err := e.Decode(carnet.TypeRedealing, &r); err != nil {
		return nil, err
	}
	if err := owner.signed(ctx, e); err != nil {
		return nil, err
	}
	if r.Key != key || r.Dealing == key {
		return nil, wrong("a redealing of key %s is about another one", key)
	}
	return &r.Dealing, nil
}

func verifyDestruction(ctx context.Context, env *evidence.Envelope, key carnet.KeyID, committee *Committee, ps parties) (number int, by carnet.PartyID, err error) {
	if env == nil {
		return 0, "", wrong("the gateway sent an empty destruction")
	}
	var d carnet.Destruction
	if err := env.Decode(carnet.TypeDestruction, &d); err != nil {
		return 0, "", err
	}
	if d.Key != key || d.Number < 1 || slices.Index(committee.Members, d.By)+1 != d.Number {
		return 0, "", wrong("a destruction of seeds of key %s does not fit it", key)
	}
	return d.Number, d.By, ps.signed(ctx, env, d.By, carnet.RoleKeyholder)
}
