package storetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/flow"
)

func uploads(t *testing.T, open Opener) {
	s := start(t, open)
	u := flow.Upload{Nonce: carnet.Nonce{1}, Owner: "o", Dataset: "o/d", Profile: "cube", Columns: 3, Blocks: 2,
		State: flow.UploadPending, Active: time.Unix(100, 5).UTC()}
	update(t, s, func(tx flow.Tx) error { return tx.PutUpload(u) })
	require.Error(t, s.Update(ctx, func(tx flow.Tx) error { return tx.PutUpload(u) }))
	update(t, s, func(tx flow.Tx) error {
		for _, i := range []int64{4, 0} {
			added, err := tx.PutPieceHash(u.Nonce, flow.PieceHash{Index: i, Hash: carnet.Hash{byte(i + 1)}})
			require.NoError(t, err)
			require.True(t, added)
		}
		added, err := tx.PutPieceHash(u.Nonce, flow.PieceHash{Index: 4, Hash: carnet.Hash{5}})
		require.NoError(t, err)
		require.False(t, added)
		_, err = tx.PutPieceHash(u.Nonce, flow.PieceHash{Index: 4, Hash: carnet.Hash{6}})
		require.Equal(t, carnet.Exists, carnet.KindOf(err))
		return nil
	})
	view(t, s, func(tx flow.Tx) {
		got, err := tx.GetUpload(u.Nonce)
		require.NoError(t, err)
		require.Equal(t, u, got)
		_, err = tx.GetUpload(carnet.Nonce{2})
		require.Equal(t, carnet.NotFound, carnet.KindOf(err))
		hashes, err := tx.PieceHashes(u.Nonce)
		require.NoError(t, err)
		require.Equal(t, []flow.PieceHash{{Index: 0, Hash: carnet.Hash{1}}, {Index: 4, Hash: carnet.Hash{5}}}, hashes)
		h, err := tx.GetPieceHash(u.Nonce, 1)
		require.NoError(t, err)
		require.True(t, h.IsZero())
		for at, want := range map[int64]int{99: 0, 101: 1} {
			pending, err := tx.Uploads(flow.UploadPending, time.Unix(at, 0))
			require.NoError(t, err)
			require.Len(t, pending, want)
		}
	})
	update(t, s, func(tx flow.Tx) error {
		require.NoError(t, tx.DeletePieceHash(u.Nonce, 0))
		require.NoError(t, tx.TouchUpload(u.Nonce, time.Unix(200, 0)))
		return tx.SetUploadState(u.Nonce, flow.UploadCommitted, carnet.Hash{8})
	})
	view(t, s, func(tx flow.Tx) {
		got, err := tx.GetUpload(u.Nonce)
		require.NoError(t, err)
		require.Equal(t, flow.UploadCommitted, got.State)
		require.Equal(t, carnet.Hash{8}, got.Manifest)
		require.Equal(t, time.Unix(200, 0).UTC(), got.Active)
		pending, err := tx.Uploads(flow.UploadPending, time.Unix(1000, 0))
		require.NoError(t, err)
		require.Empty(t, pending)
		hashes, err := tx.PieceHashes(u.Nonce)
		require.NoError(t, err)
		require.Len(t, hashes, 1)
	})
	update(t, s, func(tx flow.Tx) error { return tx.DeletePieceHashes(u.Nonce) })
}
