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

// serving counts the members of the committee that were not revoked: the others are not
// heard, so no query waits for them. It refuses a query that needs more, or one of the others.
func serving(tx Tx, in *inputs, needed int) (n int, err error) {
	c := &in.committee
	gone := map[int]bool{} // by number
	for i, m := range c.Members {
		_, revoked, err := partyHistory(tx, m)
		if err != nil {
			return 0, err
		}
		if revoked != nil {
			gone[i+1] = true
		}
	}
	if n = len(c.Members) - len(gone); n < needed {
		return 0, keyholdersRevoked("%d keyholders must answer, and all but %d of the %d that hold the data's keys were revoked", needed, n, len(c.Members))
	}
	for _, p := range in.products {
		for i := range p.Datasets {
			if d := &p.Datasets[i].Manifest; gone[p.Homes[d.Key]] {
				return 0, keyholdersRevoked("nothing of dataset %s opens without keyholder %s, which was revoked", d.ID, c.Members[p.Homes[d.Key]-1])
			}
		}
	}
	return n, nil
}

func keyholdersRevoked(format string, args ...any) error {
	return carnet.E(carnet.Precondition, "KEYHOLDERS_REVOKED", format, args...).
		Fix("the data's owners deal their keys again, to another committee: carnet redeal")
}
