package storetest

import (
	"crypto/ed25519"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/flow"
)

func cosignatures(t *testing.T, open Opener) {
	s := start(t, open)
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	published := func(size int64) *evidence.SignedCheckpoint {
		c, err := evidence.SignCheckpoint("example.org/log", carnet.Checkpoint{Size: size, Head: carnet.Hash{byte(size)}}, signer(key))
		require.NoError(t, err)
		return c
	}
	for size := range int64(300) {
		update(t, s, func(tx flow.Tx) error { return tx.PutCheckpoint(published(size)) })
	}
	sign := func(by carnet.PartyID) note.Signature {
		return note.Signature{Name: string(by), Hash: 1 << 31, Base64: "AA=="}
	}
	add := func(size int64, by carnet.PartyID) (added bool) {
		update(t, s, func(tx flow.Tx) (err error) { added, err = tx.PutCosignature(size, by, sign(by)); return err })
		return added
	}
	require.True(t, add(295, "k2"))
	require.True(t, add(295, "k1"))
	require.False(t, add(295, "k1"))
	require.True(t, add(299, "k1"))
	require.Error(t, s.Update(ctx, func(tx flow.Tx) error { _, err := tx.PutCosignature(1000, "k1", sign("k1")); return err }), "of no checkpoint")
	both := published(295)
	both.Signatures = append(both.Signatures, sign("k1"), sign("k2"))
	view(t, s, func(tx flow.Tx) {
		list, err := tx.RecentPublished(5)
		require.NoError(t, err)
		require.Len(t, list, 5)
		require.Equal(t, []carnet.PartyID{"k1"}, list[0].Signers)
		require.Equal(t, flow.Published{SignedCheckpoint: published(298)}, list[1])
		require.Equal(t, flow.Published{SignedCheckpoint: both, Signers: []carnet.PartyID{"k1", "k2"}}, list[4])
		at, err := tx.PublishedAt(295)
		require.NoError(t, err)
		require.Equal(t, list[4], at)
		at, err = tx.PublishedAt(50)
		require.NoError(t, err)
		require.Equal(t, flow.Published{SignedCheckpoint: published(50)}, at)
		_, err = tx.PublishedAt(20)
		require.Equal(t, carnet.NotFound, carnet.KindOf(err), "old ones that nobody signed are dropped")
	})
	// One that was signed stays.
	require.True(t, add(50, "k1"))
	for size := int64(300); size < 600; size++ {
		update(t, s, func(tx flow.Tx) error { return tx.PutCheckpoint(published(size)) })
	}
	view(t, s, func(tx flow.Tx) {
		_, err := tx.PublishedAt(50)
		require.NoError(t, err)
		_, err = tx.PublishedAt(51)
		require.Equal(t, carnet.NotFound, carnet.KindOf(err))
	})
}

type signer ed25519.PrivateKey

func (s signer) Public() ed25519.PublicKey { return ed25519.PrivateKey(s).Public().(ed25519.PublicKey) }

func (s signer) Sign(message []byte) ([]byte, error) {
	return ed25519.Sign(ed25519.PrivateKey(s), message), nil
}
