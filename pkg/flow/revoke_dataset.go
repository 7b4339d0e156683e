package flow

import (
	"context"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// RevokeDataset stores an owner's revocation. From then on the dataset is in no
// product's inputs, and keyholders refuse queries that name it. It is final.
func (g *Gateway) RevokeDataset(ctx context.Context, as *carnet.Party, env *evidence.Envelope) (Ref, error) {
	var r carnet.Revocation
	if err := env.Decode(carnet.TypeRevocation, &r); err != nil {
		return Ref{}, err
	}
	if err := sameCaller(as, r.Owner); err != nil {
		return Ref{}, err
	}
	return g.record(ctx, env, func(tx Tx, st Stored) error {
		if _, err := signer(tx, env, r.Owner, carnet.RoleOwner); err != nil {
			return err
		}
		d, err := tx.GetDataset(r.Dataset)
		switch {
		case err != nil && !absent(err):
			return err
		case err != nil || d.Owner != r.Owner:
			return carnet.E(carnet.NotFound, "NOT_FOUND", "there is no dataset %s of yours", r.Dataset).Fix("carnet datasets lists them; name one as owner/name")
		case d.Revocation != nil:
			return carnet.E(carnet.Precondition, "DATASET_REVOKED", "dataset %s was revoked before", r.Dataset)
		}
		return tx.RevokeDataset(r.Dataset, st.Hash)
	})
}
