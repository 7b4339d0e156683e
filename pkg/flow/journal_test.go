package flow_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/flow/flowtest"
)

func TestFollowAndCosign(t *testing.T) {
	n := flowtest.New(t)
	c, cosigned, err := n.G.Journal(ctx)
	require.NoError(t, err)
	require.Nil(t, cosigned)

	entries, checkpoints := make(chan *evidence.Entry, 100), make(chan *evidence.Envelope, 100)
	live, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		ended <- n.G.Follow(live, 0, false, func(e *evidence.Entry) error { entries <- e; return nil }, func(e *evidence.Envelope) error { checkpoints <- e; return nil })
	}()
	var chain evidence.Chain
	for range c.Size {
		require.NoError(t, chain.Append(<-entries))
	}
	require.Equal(t, c, chain)

	next := *n.Schema
	next.Version = 2
	_, err = n.G.RegisterSchema(ctx, n.Parties["kz"], n.Seal(carnet.TypeSchema, next, "kz"))
	require.NoError(t, err)
	require.NoError(t, chain.Append(<-entries), "new entries arrive without asking")

	for i, k := range []carnet.PartyID{"k2", "k1", "k3"} {
		require.NoError(t, n.G.Cosign(ctx, n.Parties[k], n.Seal(carnet.TypeCheckpoint, chain.Checkpoint(), k)))
		require.NoError(t, n.G.Cosign(ctx, n.Parties[k], n.Seal(carnet.TypeCheckpoint, chain.Checkpoint(), k)))
		env := <-checkpoints
		require.Len(t, env.Signatures, i+1, "signatures of one state are collected")
		require.True(t, env.SignedBy(n.Parties[k].SigningKey))
		var cp carnet.Checkpoint
		require.NoError(t, env.Decode(carnet.TypeCheckpoint, &cp))
		require.Equal(t, chain.Checkpoint(), cp)
	}
	select {
	case env := <-checkpoints:
		t.Fatalf("a checkpoint without news: %v", env)
	case <-time.After(30 * time.Millisecond):
	}
	stop()
	require.ErrorIs(t, <-ended, context.Canceled)

	// A follower that comes later is told what it missed, and may stop at the end.
	var got int
	var last *evidence.Envelope
	require.NoError(t, n.G.Follow(ctx, chain.Size-2, true, func(*evidence.Entry) error { got++; return nil }, func(e *evidence.Envelope) error { last = e; return nil }))
	require.Equal(t, 2, got)
	require.Len(t, last.Signatures, 3)
	_, cosigned, err = n.G.Journal(ctx)
	require.NoError(t, err)
	require.Equal(t, last, cosigned)
	requireReason(t, "BAD_REQUEST", n.G.Follow(ctx, -1, true, nil, nil))
}

func TestCosignChecks(t *testing.T) {
	n := flowtest.New(t)
	c, _, err := n.G.Journal(ctx)
	require.NoError(t, err)
	fork, ahead, zero := c.Checkpoint(), c.Checkpoint(), carnet.Checkpoint{}
	fork.Head[0] ^= 1
	ahead.Size++
	k1 := n.Parties["k1"]
	requireReason(t, "JOURNAL_FORK", n.G.Cosign(ctx, k1, n.Seal(carnet.TypeCheckpoint, fork, "k1")))
	requireReason(t, "CHECKPOINT_AHEAD", n.G.Cosign(ctx, k1, n.Seal(carnet.TypeCheckpoint, ahead, "k1")))
	requireReason(t, "BAD_CHECKPOINT", n.G.Cosign(ctx, k1, n.Seal(carnet.TypeCheckpoint, zero, "k1")))
	requireReason(t, "BAD_SIGNATURE", n.G.Cosign(ctx, k1, n.Seal(carnet.TypeCheckpoint, c.Checkpoint(), "k2")))
	spaced := map[string]any{"head": c.Head, "size": c.Size} // other order of fields, other bytes
	requireReason(t, "BAD_STATEMENT", n.G.Cosign(ctx, k1, n.Seal(carnet.TypeCheckpoint, spaced, "k1")))
	// Other signatures in the envelope are not stored.
	require.NoError(t, n.G.Cosign(ctx, k1, n.Seal(carnet.TypeCheckpoint, c.Checkpoint(), "k2", "k1", "kz")))
	_, cosigned, err := n.G.Journal(ctx)
	require.NoError(t, err)
	require.Len(t, cosigned.Signatures, 1)
	require.True(t, cosigned.SignedBy(k1.SigningKey))
}
