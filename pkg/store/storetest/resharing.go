package storetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/flow"
)

func resharings(t *testing.T, open Opener) {
	s := start(t, open)
	key, other := dealing(t, s, 1, carnet.Nonce{1}).Key, dealing(t, s, 2, carnet.Nonce{2}).Key
	var st []flow.Stored
	for i := range 8 {
		st = append(st, put(t, s, 10+i))
	}
	to, elsewhere := st[0].Hash, st[1].Hash
	signed := func(b byte) *evidence.Envelope {
		return &evidence.Envelope{PayloadType: carnet.TypeResharing, Payload: []byte{'"', b, '"'}, Signatures: []evidence.Signature{{KeyID: "x", Sig: []byte{b}}}}
	}
	view(t, s, func(tx flow.Tx) {
		none, err := tx.Successions(key)
		require.NoError(t, err)
		require.Empty(t, none)
		said, err := tx.Contributions(key, to)
		require.NoError(t, err)
		require.Empty(t, said)
		signed, err := tx.Takeovers(key)
		require.NoError(t, err)
		require.Empty(t, signed)
	})
	update(t, s, func(tx flow.Tx) error {
		require.NoError(t, tx.PutSuccession(key, st[3].Hash))
		require.NoError(t, tx.PutSuccession(key, st[2].Hash))
		for _, c := range []flow.ContributionRecord{{From: key, Committee: to, Number: 3, Statement: st[4].Hash}, {From: key, Committee: to, Number: 1, Statement: st[5].Hash},
			{From: key, Committee: elsewhere, Number: 1, Statement: st[6].Hash}, {From: key, Committee: to, Number: 3, Statement: st[7].Hash}} {
			require.NoError(t, tx.PutContribution(c))
		}
		require.NoError(t, tx.PutTakeover(other, 2, signed('b')))
		require.NoError(t, tx.PutTakeover(other, 1, signed('a')))
		return tx.PutTakeover(other, 2, signed('c'))
	})
	require.Error(t, s.Update(ctx, func(tx flow.Tx) error { return tx.PutSuccession(carnet.KeyID{9}, st[4].Hash) }), "of a key there is")
	view(t, s, func(tx flow.Tx) {
		list, err := tx.Successions(key)
		require.NoError(t, err)
		require.Equal(t, []flow.Stored{st[2], st[3]}, list, "oldest first")
		said, err := tx.Contributions(key, to)
		require.NoError(t, err)
		require.Equal(t, []flow.Stored{st[5], st[7]}, said, "by number, the newest of each")
		committees, err := tx.Resharings(key)
		require.NoError(t, err)
		require.ElementsMatch(t, []carnet.Hash{to, elsewhere}, committees)
		got, err := tx.Takeovers(other)
		require.NoError(t, err)
		require.Equal(t, []*evidence.Envelope{signed('a'), signed('c')}, got)
	})
}
