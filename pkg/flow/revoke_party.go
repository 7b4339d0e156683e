package flow

import (
	"context"
	"math"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// RevokeParty ends a party on the registrar's word. From its entry on nothing that the
// party signs is taken, and its calls are refused.
func (g *Gateway) RevokeParty(ctx context.Context, env *evidence.Envelope) (Ref, error) {
	var r carnet.PartyRevocation
	if err := env.Verify(carnet.TypePartyRevocation, g.Registrar, &r); err != nil {
		return Ref{}, notRegistrar(err)
	}
	return g.record(ctx, env, func(tx Tx, st Stored) error {
		chain, err := partyChain(tx, r.Party)
		if err != nil {
			return err
		}
		if _, revoked := chain.Revoked(); revoked {
			return evidence.PartyRevoked(r.Party)
		}
		if err := chain.Revoke(math.MaxInt64, env, g.Registrar); err != nil {
			return err
		}
		return tx.PutPartyRevocation(r.Party, st.Hash)
	})
}
