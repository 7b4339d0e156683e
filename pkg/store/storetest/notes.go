package storetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/flow"
)

func notes(t *testing.T, open Opener) {
	s := start(t, open)
	a, b := put(t, s, 0).Hash, put(t, s, 1).Hash
	at := time.Date(2026, 11, 26, 8, 0, 0, 7, time.UTC)
	view(t, s, func(tx flow.Tx) {
		_, err := tx.Mark("clock")
		require.Equal(t, carnet.NotFound, carnet.KindOf(err))
		none, err := tx.UsesOf(nil)
		require.NoError(t, err)
		require.Empty(t, none)
	})
	update(t, s, func(tx flow.Tx) error {
		require.NoError(t, tx.PutMark("clock", at.Add(-time.Hour)))
		require.NoError(t, tx.PutMark("clock", at))
		require.NoError(t, tx.PutMark("other", at.Add(time.Hour)))
		require.NoError(t, tx.PutUses(a, []byte("first")))
		require.NoError(t, tx.PutUses(b, []byte{0}))
		return tx.PutUses(a, []byte("second"))
	})
	require.Error(t, s.Update(ctx, func(tx flow.Tx) error { return tx.PutUses(carnet.Hash{9}, nil) }), "of a query there is")
	view(t, s, func(tx flow.Tx) {
		got, err := tx.Mark("clock")
		require.NoError(t, err)
		require.Equal(t, at, got)
		many := []carnet.Hash{a, {9}, b}
		for i := range 900 {
			many = append(many, carnet.Hash{8, byte(i), byte(i >> 8)})
		}
		uses, err := tx.UsesOf(many)
		require.NoError(t, err)
		require.Equal(t, map[carnet.Hash][]byte{a: []byte("second"), b: {0}}, uses)
	})
	update(t, s, func(tx flow.Tx) error { return tx.DeleteMark("clock") })
	view(t, s, func(tx flow.Tx) {
		_, err := tx.Mark("clock")
		require.Equal(t, carnet.NotFound, carnet.KindOf(err))
		_, err = tx.Mark("other")
		require.NoError(t, err)
	})
}
