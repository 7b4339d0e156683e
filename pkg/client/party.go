package client

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"math"
	"slices"
	"time"

	pb "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// registered is a party as the registrar vouches for it: its present statement, and the
// chain of those that it replaced, each checked.
type registered struct {
	*carnet.Party
	chain   evidence.PartyChain
	revoked *carnet.Hash // statement that did
	// earlier proves that one statement entered the log before another; nil if there is
	// nothing to prove it with.
	earlier func(ctx context.Context, statement, before carnet.Hash) error
}

// follow takes in the next statement about a party: a further one of its own, or what
// revoked it.
func (r *registered) follow(env *evidence.Envelope, registrar ed25519.PublicKey) error {
	n := len(r.chain.Versions())
	if env.PayloadType == carnet.TypePartyRevocation {
		if err := r.chain.Revoke(int64(n), env, registrar); err != nil {
			return err
		}
		h := env.Hash()
		r.revoked = &h
		return nil
	}
	if err := r.chain.Add(int64(n), env, registrar); err != nil {
		if env.SignedBy(registrar) {
			return fmt.Errorf("a party statement: %w", err)
		}
		return byRegistrar(err, "a party statement", registrar)
	}
	if len(r.chain.Versions()) == n {
		return wrong("the gateway sent a statement of party %s twice", r.chain.Present().ID)
	}
	r.Party = r.chain.Present()
	return nil
}

// signed checks that the party signed a statement: with its present key, or with one that
// was in force when the statement entered the log.
func (r *registered) signed(ctx context.Context, env *evidence.Envelope) error {
	err := r.chain.Signed(math.MaxInt64, env)
	if err == nil {
		return nil
	}
	end := r.endOf(env)
	if end == nil {
		return carnet.E(carnet.Forbidden, "BAD_SIGNATURE", "a statement in the name of %s is not signed by it", r.ID)
	}
	if r.earlier == nil {
		return err
	}
	return r.earlier(ctx, env.Hash(), *end)
}

// endOf is the statement that ended the key that signed env, nil if none of the party's
// keys did.
func (r *registered) endOf(env *evidence.Envelope) *carnet.Hash {
	list := r.chain.Versions()
	for i := range list {
		if !env.SignedBy(list[i].Body.SigningKey) {
			continue
		}
		for _, next := range list[i+1:] {
			if string(next.Body.SigningKey) != string(list[i].Body.SigningKey) {
				return &next.Hash
			}
		}
		return r.revoked
	}
	return nil
}

// take reads statements about parties: of each all, oldest first.
func (ps parties) take(list []*evidence.Envelope, registrar ed25519.PublicKey) error {
	for _, env := range list {
		id, err := partyOf(env)
		if err != nil {
			return err
		}
		if ps[id] == nil {
			ps[id] = &registered{}
		}
		if err := ps[id].follow(env, registrar); err != nil {
			return err
		}
	}
	return nil
}

// partyOf is whom a statement claims to be about, unchecked.
func partyOf(env *evidence.Envelope) (carnet.PartyID, error) {
	if env == nil {
		return "", wrong("the gateway sent no party statement")
	}
	if env.PayloadType == carnet.TypePartyRevocation {
		var body carnet.PartyRevocation
		err := env.Decode(carnet.TypePartyRevocation, &body)
		return body.Party, err
	}
	var body carnet.Party
	err := env.Decode(carnet.TypeParty, &body)
	return body.ID, err
}

// registered returns what the registrar says of a party, revoked or not.
func (c *Client) registered(ctx context.Context, id carnet.PartyID) (*registered, error) {
	resp, err := c.registry.GetParty(ctx, &pb.GetPartyRequest{Id: string(id)})
	if err != nil {
		return nil, named(err, "party", string(id), "carnet party list lists them")
	}
	list := append(fromProtos(resp.GetEarlier()), fromProto(resp.GetStatement()))
	if resp.GetRevocation() != nil {
		list = append(list, fromProto(resp.GetRevocation()))
	}
	ps := parties{}
	if err := ps.take(list, c.registrar); err != nil {
		return nil, err
	}
	r := ps[id]
	if r == nil || len(ps) != 1 {
		return nil, wrong("asked for party %s, the gateway sent another", id)
	}
	return r, nil
}

// proofLimit is how long a proof of order may take, waiting for keyholders to co-sign what is
// new included.
const proofLimit = 30 * time.Second

// load adds what the registrar says of the members of a committee and of others, as far as it
// is missing, and has the committee prove the order of what they all signed.
func (ps parties) load(ctx context.Context, c *Client, committee *Committee, others ...carnet.PartyID) error {
	for _, id := range slices.Concat(others, committee.Members) {
		if ps[id] != nil {
			continue
		}
		r, err := c.registered(ctx, id)
		if err != nil {
			return err
		}
		ps[id] = r
	}
	ps.orderBy(c, committee)
	return nil
}

// orderBy has the order of statements of parties proved by checkpoints that the quorum of a
// committee co-signed, whose members are among them.
func (ps parties) orderBy(c *Client, committee *Committee) {
	for _, r := range ps {
		r.earlier = func(ctx context.Context, statement, before carnet.Hash) error {
			limited, done := context.WithTimeout(ctx, proofLimit)
			defer done()
			for {
				err := c.earlier(limited, statement, before, committee, ps)
				if gone := ctx.Err(); gone != nil {
					return gone // nothing is known: neither that it was earlier nor that it was not
				}
				if carnet.KindOf(err) != carnet.Unavailable {
					return err
				}
				select { // keyholders co-sign what is new in a moment
				case <-limited.Done():
					if gone := ctx.Err(); gone != nil {
						return gone
					}
					return err
				case <-time.After(300 * time.Millisecond):
				}
			}
		}
	}
}

// earlier proves that one statement entered the log before another. Co-signatures count
// with the members' present keys, so a thief of keys that were replaced can't make a log.
func (c *Client) earlier(ctx context.Context, statement, before carnet.Hash, committee *Committee, ps parties) error {
	end, err := c.included(ctx, before, 0)
	if err != nil {
		return err
	}
	signed := 0
	for _, m := range committee.Members {
		r := ps[m]
		if r == nil || r.revoked != nil {
			continue
		}
		if sig, _ := end.Checkpoint.CosignedBy(m, r.SigningKey); sig != nil {
			signed++
		}
	}
	if signed < committee.Quorum {
		return carnet.E(carnet.Unavailable, "NO_QUORUM", "%d keyholders of committee %s co-signed the log's state of %d entries with their present keys, %d are needed", signed, committee.ID, end.Checkpoint.Size, committee.Quorum).
			Fix("try again in a moment: keyholders co-sign with new keys as the log goes on")
	}
	in, err := c.included(ctx, statement, end.Checkpoint.Size)
	if err != nil {
		return err
	}
	if in.Checkpoint.Head != end.Checkpoint.Head {
		return wrong("the gateway shows two logs of %d entries", end.Checkpoint.Size)
	}
	if in.Entry.Seq >= end.Entry.Seq {
		return carnet.E(carnet.Forbidden, "KEY_REPLACED", "entry %d is signed with a key that entry %d had ended", in.Entry.Seq, end.Entry.Seq).
			Fix("don't rely on it: whoever signed it had an old key; tell its party and the registrar")
	}
	return nil
}
