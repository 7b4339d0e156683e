package client

import (
	"context"

	pb "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// manifest reads a manifest of the owner's own, which it may have signed with a key that it
// replaced since: then the log has to prove that it did so before.
func (c *Client) manifest(ctx context.Context, owner Signer, env *evidence.Envelope) (*carnet.Dataset, error) {
	m := &carnet.Dataset{}
	if err := env.Decode(carnet.TypeDataset, m); err != nil {
		return nil, err
	}
	if env.SignedBy(owner.Public()) {
		return m, nil
	}
	r, err := c.ownerOf(ctx, owner.Party(), m.Key)
	if err != nil {
		return nil, err
	}
	return m, r.signed(ctx, env)
}

// ownerOf is what the registrar says of an owner, with the committee of a key to prove by which
// of the owner's statements are from before a change of its key.
func (c *Client) ownerOf(ctx context.Context, owner carnet.PartyID, key carnet.KeyID) (*registered, error) {
	resp, err := c.dealings.GetDealing(ctx, &pb.GetDealingRequest{KeyId: key.String()})
	if err != nil {
		return nil, fault(err)
	}
	committee, err := verifyCommittee(fromProto(resp.GetCommittee()), c.registrar)
	if err != nil {
		return nil, err
	}
	ps := parties{}
	err = ps.load(ctx, c, committee, owner)
	return ps[owner], err
}

// QueryStatement returns a query of the caller's own as it was signed: which of the keys that a
// buyer had signed it, and so opens its answer, its signature shows.
func (c *Client) QueryStatement(ctx context.Context, query carnet.Hash) (*evidence.Envelope, error) {
	resp, err := c.queries.GetQuery(ctx, &pb.GetQueryRequest{Id: query.String()})
	if err != nil {
		return nil, named(err, "query", query.String(), "carnet queries lists yours")
	}
	env := fromProto(resp.GetStatus().GetStatement())
	if env == nil || env.Hash() != query {
		return nil, wrong("the gateway sent another query than %s", query)
	}
	return env, nil
}
