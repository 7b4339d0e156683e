package keyholder

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// FuzzStatement: no payload, under any type, signed by whoever counts, upsets the
// state or the lookup of a query.
func FuzzStatement(f *testing.F) {
	registrar, owner := newIdentity("registrar"), newIdentity("owner1")
	types := []carnet.StatementType{carnet.TypeParty, carnet.TypeCommittee, carnet.TypeSchema, carnet.TypeDealing, carnet.TypeDataset,
		carnet.TypeProduct, carnet.TypeQuery, carnet.TypeDecision, carnet.TypeAnswer, carnet.TypeRevocation, carnet.TypeRetirement, carnet.TypeDestruction, carnet.TypeRedealing,
		carnet.TypeSuccession, carnet.TypeContribution, carnet.TypeResharing, carnet.TypeApproval, carnet.TypeDeferral, carnet.TypePartyRevocation}
	for i := range types {
		f.Add(i, []byte(`{}`))
		f.Add(i, []byte(`{"owner":"owner1","publisher":"owner1","id":"owner1/x","files":[{"rows":-1}],"commitments":[],"profile":"cube"}`))
		f.Add(i, []byte(`null`))
	}
	f.Fuzz(func(t *testing.T, typ int, payload []byte) {
		s := newState(registrar.Public(), "kh1")
		party, err := evidence.Seal(carnet.TypeParty, carnet.Party{ID: "owner1", Roles: []carnet.Role{carnet.RoleOwner, carnet.RoleBuyer}, SigningKey: owner.Public()}, owner, registrar)
		require.NoError(t, err)
		require.NoError(t, s.apply(party))
		env := &evidence.Envelope{PayloadType: types[uint(typ)%uint(len(types))], Payload: payload}
		require.NoError(t, env.Countersign(registrar))
		require.NoError(t, env.Countersign(owner))
		_ = s.apply(env)
		if c := s.newCase(0, env); c != nil {
			require.False(t, c.concernsMe())
			_, err := c.compile()
			require.Error(t, err)
		}
		s.ownOutcome(env)
	})
}
