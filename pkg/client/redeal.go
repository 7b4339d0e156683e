package client

import (
	"context"

	pb "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// redealings are the checked statements that keys are opened with another dealing, by that
// dealing.
func (p *Product) redealings(ctx context.Context, list []*pb.Envelope) (map[carnet.KeyID]*carnet.Redealing, error) {
	out := map[carnet.KeyID]*carnet.Redealing{}
	for _, e := range list {
		env := fromProto(e)
		if env == nil {
			return nil, wrong("the gateway sent an empty redealing")
		}
		if env.PayloadType == carnet.TypeSuccession || isResharing(env) {
			continue // they are checked with the dealing
		}
		r := &carnet.Redealing{}
		if err := env.Decode(carnet.TypeRedealing, r); err != nil {
			return nil, err
		}
		if err := p.parties.signed(ctx, env, r.Owner, carnet.RoleOwner); err != nil {
			return nil, err
		}
		out[r.Dealing] = r
	}
	return out, nil
}

// Released is how many numbers queries have asked for under a key of the caller, by the
// gateway's word. Keyholders count, too.
func (c *Client) Released(ctx context.Context, key carnet.KeyID) (int64, error) {
	resp, err := c.dealings.GetDealing(ctx, &pb.GetDealingRequest{KeyId: key.String()})
	if err != nil {
		return 0, fault(err)
	}
	return resp.GetReleased(), nil
}

// Redeal has a key opened with another dealing of the same secret, which was submitted
// before. released is how many numbers were opened before, at least.
func (c *Client) Redeal(ctx context.Context, owner Signer, key, dealing carnet.KeyID, released int64) (Ref, error) {
	env, err := evidence.Seal(carnet.TypeRedealing, carnet.Redealing{
		Key: key, Dealing: dealing, Owner: owner.Party(), Released: released, Created: c.timestamp(),
	}, owner)
	if err != nil {
		return Ref{}, err
	}
	resp, err := c.dealings.RedealKey(ctx, &pb.RedealKeyRequest{Statement: toProto(env)})
	if err != nil {
		return Ref{}, fault(err)
	}
	return refTo(env, resp.GetRef())
}
