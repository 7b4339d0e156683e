package client

import (
	"context"
	"strings"

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

// OwnKey is the key of a dataset of the owner's own, by a manifest that the owner signed: what is
// signed about the key is not to be about one that the gateway chose.
func (c *Client) OwnKey(ctx context.Context, owner Signer, id carnet.DatasetID) (carnet.KeyID, error) {
	missing := carnet.E(carnet.NotFound, "NOT_FOUND", "there is no dataset %s of yours", id).Fix("carnet datasets lists datasets")
	if !strings.HasPrefix(string(id), string(owner.Party())+"/") {
		return carnet.KeyID{}, missing
	}
	resp, err := c.datasets.GetDataset(ctx, &pb.GetDatasetRequest{Id: string(id)})
	if err != nil {
		return carnet.KeyID{}, fault(err)
	}
	env := fromProto(resp.GetDataset().GetManifest())
	if env == nil {
		return carnet.KeyID{}, wrong("the gateway sent no manifest")
	}
	m, err := c.manifest(ctx, owner, env)
	if err != nil {
		return carnet.KeyID{}, err
	}
	if m.ID != id || m.Owner != owner.Party() {
		return carnet.KeyID{}, wrong("the gateway sent the manifest of dataset %s for that of %s", m.ID, id)
	}
	return m.Key, nil
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
