package client

import (
	"context"
	"slices"

	pb "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/share"
)

// Succeed says which committees may get a key of the caller from the holders of its parts,
// without it: those named by statement hash, and any that fit the rule. It replaces what was
// said before; nothing named takes it back.
func (c *Client) Succeed(ctx context.Context, owner Signer, key carnet.KeyID, committees []carnet.Hash, rule *carnet.SuccessionRule) (Ref, error) {
	env, err := evidence.Seal(carnet.TypeSuccession, carnet.Succession{
		Key: key, Owner: owner.Party(), Committees: committees, Rule: rule, Created: c.timestamp(),
	}, owner)
	if err != nil {
		return Ref{}, err
	}
	resp, err := c.reshares.SubmitSuccession(ctx, &pb.SubmitSuccessionRequest{Statement: toProto(env)})
	if err != nil {
		return Ref{}, fault(err)
	}
	return refTo(env, resp.GetRef())
}

// handed is a checked resharing: a dealing that the holders of another one made.
func handed(ctx context.Context, env *evidence.Envelope, words []*evidence.Envelope, ps parties, committee *Committee, shares share.Committee) (*dealing, *carnet.Resharing, error) {
	body, r, err := env.DecodeDealing()
	if err != nil {
		return nil, nil, err
	}
	if r == nil {
		return nil, nil, wrong("the gateway calls a statement a resharing that is none")
	}
	d := &dealing{Dealing: body}
	if d.profile, err = he.Lookup(d.Profile); err != nil {
		return nil, nil, err
	}
	if err := fitsDealing(d, committee, shares); err != nil {
		return nil, nil, err
	}
	// Whoever believes that one member at least is honest, believes the corrections: each
	// computed them from what enough holders of every part said in the journal.
	for _, m := range committee.Members {
		if err := ps.signed(ctx, env, m, carnet.RoleKeyholder); err != nil {
			return nil, nil, err
		}
	}
	for _, w := range words {
		if w == nil {
			return nil, nil, wrong("the gateway sent an empty statement")
		}
		if w.PayloadType != carnet.TypeSuccession {
			continue
		}
		var s carnet.Succession
		if err := w.Decode(carnet.TypeSuccession, &s); err != nil {
			return nil, nil, err
		}
		if s.Key != r.Key || s.Owner != r.Owner || ps.signed(ctx, w, s.Owner, carnet.RoleOwner) != nil {
			continue
		}
		if s.Allows(committee.Hash, &committee.Committee, func(m carnet.PartyID) carnet.Jurisdiction { return ps[m].Jurisdiction }) {
			return d, r, nil
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	return nil, nil, wrong("nothing shows that the owner of key %s let committee %s have it", r.Key, committee.ID)
}

// isResharing tells the dealings of keyholders from those of owners.
func isResharing(env *evidence.Envelope) bool {
	return env != nil && env.PayloadType == carnet.TypeResharing
}

// fromProtos reads a list of statements.
func fromProtos(list []*pb.Envelope) (out []*evidence.Envelope) {
	for _, m := range list {
		out = append(out, fromProto(m))
	}
	return out
}

// Moving is what holders of a key's parts have handed on since it was dealt last.
type Moving struct {
	Succession *carnet.Succession
	Handed     map[carnet.Hash][]carnet.PartyID // by committee
}

// Succession returns who may have a key, and who has handed on its parts, by the gateway's
// word but for signatures of the owner.
func (c *Client) Succession(ctx context.Context, key carnet.KeyID) (*Moving, error) {
	resp, err := c.reshares.GetSuccession(ctx, &pb.GetSuccessionRequest{KeyId: key.String()})
	if err != nil {
		return nil, fault(err)
	}
	out := &Moving{Handed: map[carnet.Hash][]carnet.PartyID{}}
	if e := fromProto(resp.GetStatement()); e != nil {
		out.Succession = &carnet.Succession{}
		if err := e.Decode(carnet.TypeSuccession, out.Succession); err != nil {
			return nil, err
		}
		owner, err := c.ownerOf(ctx, out.Succession.Owner, key)
		if err != nil {
			return nil, err
		}
		if err := (parties{owner.ID: owner}).signed(ctx, e, owner.ID, carnet.RoleOwner); err != nil {
			return nil, err
		}
	}
	for _, e := range fromProtos(resp.GetContributions()) {
		var b carnet.Contribution
		if e == nil {
			return nil, wrong("the gateway sent an empty contribution")
		}
		if err := e.Decode(carnet.TypeContribution, &b); err != nil {
			return nil, err
		}
		if b.Key == key && !slices.Contains(out.Handed[b.Committee], b.By) {
			out.Handed[b.Committee] = append(out.Handed[b.Committee], b.By)
		}
	}
	return out, nil
}
