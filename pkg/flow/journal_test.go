package flow_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/flow"
	"github.com/carnet-network/carnet/pkg/flow/flowtest"
)

func TestFollowAndCosign(t *testing.T) {
	n := flowtest.New(t)
	at := n.Published()
	entries, checkpoints := make(chan *evidence.Entry, 100), make(chan *evidence.SignedCheckpoint, 100)
	live, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		ended <- n.G.Follow(live, 0, false, func(e *evidence.Entry) error { entries <- e; return nil }, func(c *evidence.SignedCheckpoint) error { checkpoints <- c; return nil })
	}()
	var tree evidence.Tree
	for range at.Size {
		require.NoError(t, tree.Append(<-entries))
	}
	require.Equal(t, at, tree.Checkpoint())
	c := <-checkpoints
	require.Equal(t, at, c.Checkpoint, "and the checkpoint that confirms them")
	require.True(t, c.LogSignedBy(n.Parties["gateway"].SigningKey))

	next := *n.Schema
	next.Version = 2
	_, err := n.G.RegisterSchema(ctx, n.Parties["kz"], n.Seal(carnet.TypeSchema, next, "kz"))
	require.NoError(t, err)
	require.NoError(t, tree.Append(<-entries), "new entries arrive without asking")
	require.Equal(t, tree.Checkpoint(), (<-checkpoints).Checkpoint)

	for i, k := range []carnet.PartyID{"k2", "k1", "k3"} {
		require.NoError(t, n.G.Cosign(ctx, n.Parties[k], n.Cosigned(tree.Checkpoint(), k)))
		n.Advance(time.Second)
		require.NoError(t, n.G.Cosign(ctx, n.Parties[k], n.Cosigned(tree.Checkpoint(), k)), "again, at another time: the first one stays")
		c := <-checkpoints
		require.Len(t, c.Signatures, 2+i, "signatures of one state are collected, beside the log's")
		sig, _ := c.CosignedBy(k, n.Parties[k].SigningKey)
		require.NotNil(t, sig)
		require.Equal(t, tree.Checkpoint(), c.Checkpoint)
	}
	select {
	case c := <-checkpoints:
		t.Fatalf("a checkpoint without news: %v", c)
	case <-time.After(30 * time.Millisecond):
	}
	stop()
	require.ErrorIs(t, <-ended, context.Canceled)

	// A follower that comes later is told what it missed, and may stop at the end.
	var got int
	var last *evidence.SignedCheckpoint
	require.NoError(t, n.G.Follow(ctx, tree.Size()-2, true, func(*evidence.Entry) error { got++; return nil }, func(c *evidence.SignedCheckpoint) error { last = c; return nil }))
	require.Equal(t, 2, got)
	require.Len(t, last.Signatures, 4)
	_, newest, err := n.G.Journal(ctx)
	require.NoError(t, err)
	require.Equal(t, last, newest)
	requireReason(t, "BAD_REQUEST", n.G.Follow(ctx, -1, true, nil, nil))
}

func TestCosignChecks(t *testing.T) {
	n := flowtest.New(t)
	at := n.Published()
	fork, ahead := at, at
	fork.Head[0] ^= 1
	ahead.Size++
	k1 := n.Parties["k1"]
	requireReason(t, "JOURNAL_FORK", n.G.Cosign(ctx, k1, n.Cosigned(fork, "k1")))
	requireReason(t, "CHECKPOINT_AHEAD", n.G.Cosign(ctx, k1, n.Cosigned(ahead, "k1")))
	requireReason(t, "BAD_CHECKPOINT", n.G.Cosign(ctx, k1, n.Cosigned(evidence.Tree{}.Checkpoint(), "k1")))
	requireReason(t, "BAD_SIGNATURE", n.G.Cosign(ctx, k1, n.Cosigned(at, "k2")))
	other := &evidence.SignedCheckpoint{Origin: "example.org/log", Checkpoint: at}
	require.NoError(t, other.Cosign("k1", n.Now(), n.IDs["k1"]))
	requireReason(t, "BAD_CHECKPOINT", n.G.Cosign(ctx, k1, other))
	forged := n.Cosigned(at, "k1")
	forged.Signatures[0].Base64 = n.Cosigned(fork, "k1").Signatures[0].Base64
	requireReason(t, "BAD_SIGNATURE", n.G.Cosign(ctx, k1, forged))
	// Other signatures of the note are not stored.
	require.NoError(t, n.G.Cosign(ctx, k1, n.Cosigned(at, "k2", "k1", "kz")))
	_, newest, err := n.G.Journal(ctx)
	require.NoError(t, err)
	require.Len(t, newest.Signatures, 2)
	// A state that was published, but whose checkpoint was dropped, is one nevertheless.
	early := carnet.Checkpoint{Size: 2}
	require.NoError(t, n.Store.View(ctx, func(tx flow.Tx) error {
		tree, err := tx.TreeAt(2)
		early = tree.Checkpoint()
		return err
	}))
	require.NoError(t, n.G.Cosign(ctx, k1, n.Cosigned(early, "k1")))
}
