package storetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/flow"
)

// parties: all statements of a party in the order of the journal, the newest one by name.
func parties(t *testing.T, open Opener) {
	s := start(t, open)
	for i, id := range []carnet.PartyID{"a", "b", "a"} {
		st := put(t, s, i)
		update(t, s, func(tx flow.Tx) error { return tx.PutParty(id, st.Hash) })
	}
	end := put(t, s, 3)
	update(t, s, func(tx flow.Tx) error { return tx.PutPartyRevocation("b", end.Hash) })
	view(t, s, func(tx flow.Tx) {
		now, err := tx.GetNamed(flow.NamedParty, "a")
		require.NoError(t, err)
		require.Equal(t, statement(2), now.Envelope)
		list, err := tx.PartyStatements("a")
		require.NoError(t, err)
		require.Len(t, list, 2)
		require.EqualValues(t, 0, list[0].Seq)
		require.Equal(t, now, list[1])
		list, err = tx.PartyStatements("c")
		require.NoError(t, err)
		require.Empty(t, list)
		_, err = tx.PartyRevocation("a")
		require.Equal(t, carnet.NotFound, carnet.KindOf(err))
		st, err := tx.PartyRevocation("b")
		require.NoError(t, err)
		require.EqualValues(t, 3, st.Seq)
	})
	require.Error(t, s.Update(ctx, func(tx flow.Tx) error { return tx.PutPartyRevocation("b", end.Hash) }))
	require.Error(t, s.Update(ctx, func(tx flow.Tx) error { return tx.PutParty("c", carnet.Hash{1}) }))
}
