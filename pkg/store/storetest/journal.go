package storetest

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/flow"
)

func journal(t *testing.T, open Opener) {
	s := start(t, open)
	for n := range 5 {
		ref := put(t, s, n)
		require.EqualValues(t, n, ref.Seq)
		require.Equal(t, statement(n).Hash(), ref.Hash)
	}
	view(t, s, func(tx flow.Tx) {
		entries, err := tx.Entries(0, 100)
		require.NoError(t, err)
		require.Len(t, entries, 5)
		var tree evidence.Tree
		salts := map[carnet.Hash]bool{}
		for i := range entries {
			had, err := tx.TreeAt(int64(i))
			require.NoError(t, err)
			require.Equal(t, tree.Checkpoint(), had.Checkpoint())
			require.NoError(t, tree.Append(&entries[i]))
			require.Equal(t, statement(i), entries[i].Envelope)
			require.False(t, entries[i].Salt.IsZero())
			salts[entries[i].Salt] = true
		}
		require.Len(t, salts, 5, "every entry has a salt of its own")
		have, err := tx.Tree()
		require.NoError(t, err)
		require.Equal(t, tree, have)
		entries, err = tx.Entries(3, 1)
		require.NoError(t, err)
		require.Len(t, entries, 1)
		require.EqualValues(t, 3, entries[0].Seq)
		_, err = tx.TreeAt(6)
		require.Equal(t, carnet.NotFound, carnet.KindOf(err))
		got, err := tx.Statement(statement(2).Hash())
		require.NoError(t, err)
		require.EqualValues(t, 2, got.Seq)
		_, err = tx.Statement(carnet.Hash{1})
		require.Equal(t, carnet.NotFound, carnet.KindOf(err))
	})
	require.Error(t, s.Update(ctx, func(tx flow.Tx) error { _, err := tx.Append(statement(1)); return err }), "a statement is journaled once")
}

func serial(t *testing.T, open Opener) {
	s := start(t, open)
	var wg sync.WaitGroup
	for i := range 24 {
		wg.Go(func() {
			if err := s.Update(ctx, func(tx flow.Tx) error { _, err := tx.Append(statement(i)); return err }); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	view(t, s, func(tx flow.Tx) {
		entries, err := tx.Entries(0, 100)
		require.NoError(t, err)
		var tree evidence.Tree
		for i := range entries {
			require.NoError(t, tree.Append(&entries[i]))
		}
		have, err := tx.Tree()
		require.NoError(t, err)
		require.Equal(t, tree, have)
		require.EqualValues(t, 24, tree.Size())
	})
}
