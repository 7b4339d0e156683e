package flow

import (
	"context"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/schema"
)

// RegisterSchema stores a schema signed by the registered owner or operator that
// delivers it. A name and version are given once.
func (g *Gateway) RegisterSchema(ctx context.Context, as *carnet.Party, env *evidence.Envelope) (Ref, error) {
	var s schema.Schema
	if err := env.Decode(carnet.TypeSchema, &s); err != nil {
		return Ref{}, err
	}
	if err := s.Validate(); err != nil {
		return Ref{}, err
	}
	return g.record(ctx, env, func(tx Tx, st Stored) error {
		if _, err := signer(tx, env, as.ID, carnet.RoleOwner, carnet.RoleOperator); err != nil {
			return err
		}
		if _, err := tx.GetNamed(NamedSchema, s.ID()); !absent(err) {
			return orElse(err, known("SCHEMA_EXISTS", "schema %s is registered with other contents or by another signer", s.ID()).
				Fix("raise the version, or use the registered one"))
		}
		return tx.PutNamed(NamedSchema, s.ID(), st.Hash)
	})
}
