package flow_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/flow"
	"github.com/carnet-network/carnet/pkg/flow/flowtest"
)

// brokenLog fails where it is told to, as if the process was killed there or the disk
// was full.
type brokenLog struct {
	flow.Log
	mu sync.Mutex
	at string
}

var errPowerCut = errors.New("power cut")

func (b *brokenLog) breaks(at string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.at == at {
		return errPowerCut
	}
	return nil
}

func (b *brokenLog) set(at string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.at = at
}

func (b *brokenLog) Append(ctx context.Context, first int64, leaves []carnet.Hash) error {
	if err := b.breaks("before"); err != nil {
		return err
	}
	if b.breaks("half") != nil && len(leaves) > 1 {
		leaves = leaves[:len(leaves)/2]
	}
	if err := b.Log.Append(ctx, first, leaves); err != nil {
		return err
	}
	return errors.Join(b.breaks("half"), b.breaks("after"))
}

func (b *brokenLog) Tree(ctx context.Context) (evidence.Tree, error) {
	if err := b.breaks("tree"); err != nil {
		return evidence.Tree{}, err
	}
	return b.Log.Tree(ctx)
}

// again registers one more schema.
func again(t *testing.T, n *flowtest.Network, version int) carnet.Hash {
	s := *n.Schema
	s.Version = version
	ref, err := n.G.RegisterSchema(ctx, n.Parties["kz"], n.Seal(carnet.TypeSchema, s, "kz"))
	require.NoError(t, err)
	return ref.Hash
}

// TestLogGoesOnAfterACrash: killed between any two steps of publishing, the gateway
// publishes every entry once, in its place.
func TestLogGoesOnAfterACrash(t *testing.T) {
	for _, at := range []string{"before", "half", "after", "tree"} {
		t.Run(at, func(t *testing.T) {
			n := flowtest.New(t)
			n.Published()
			b := &brokenLog{}
			n.Log = func(l flow.Log) flow.Log { b.Log = l; return b }
			n.Restart()
			b.set(at)
			for v := 2; v < 9; v++ {
				again(t, n, v)
			}
			require.Eventually(t, func() bool { return n.G.LogFault() != nil }, time.Minute, time.Millisecond)
			n.Log = nil
			n.Restart()
			cp := n.Published()
			require.NoError(t, n.Store.View(ctx, func(tx flow.Tx) error {
				tree, err := tx.Tree()
				require.Equal(t, tree.Checkpoint(), cp)
				return err
			}))
		})
	}
}

// TestNothingIsReleasedWithoutTheLog: while the log can't be written no state beyond what
// was published is shown or co-signed, no query is taken, and no answer is handed out;
// then all of it goes on.
func TestNothingIsReleasedWithoutTheLog(t *testing.T) {
	n, tables := twoOwners(t)
	run(t, n.G)
	before := n.Published()
	dir := filepath.Join(n.Dir, "log", ".state")
	require.NoError(t, os.Rename(dir, dir+".away"))
	hash := again(t, n, 2)
	require.Eventually(t, func() bool { return n.G.LogFault() != nil }, time.Minute, time.Millisecond)
	_, err := n.Submit(n.Ask(sumSQL, "trade", tables...))
	requireReason(t, "LOG_UNWRITABLE", err)
	require.Equal(t, carnet.Unavailable, carnet.KindOf(err))
	var e *carnet.Error
	require.ErrorAs(t, err, &e)
	require.Contains(t, e.Remedy, "free space")

	entries, newest, err := n.G.Journal(ctx)
	require.NoError(t, err)
	require.Equal(t, before.Size+1, entries, "the statement is stored")
	require.Equal(t, before, newest.Checkpoint, "and waits")
	sent := int64(0)
	require.NoError(t, n.G.Follow(ctx, 0, true, func(*evidence.Entry) error { sent++; return nil }, func(c *evidence.SignedCheckpoint) error {
		require.LessOrEqual(t, c.Size, before.Size)
		return nil
	}))
	require.Equal(t, before.Size, sent)
	var ahead carnet.Checkpoint
	require.NoError(t, n.Store.View(ctx, func(tx flow.Tx) error {
		tree, err := tx.Tree()
		ahead = tree.Checkpoint()
		return err
	}))
	requireReason(t, "CHECKPOINT_AHEAD", n.G.Cosign(ctx, n.Parties["k1"], n.Cosigned(ahead, "k1")))
	_, err = n.G.ProveInclusion(ctx, n.Parties["kz"], hash, 0)
	requireReason(t, "NOT_PUBLISHED", err)

	require.NoError(t, os.Rename(dir+".away", dir))
	require.Equal(t, ahead, n.Published())
	require.Eventually(t, func() bool { return n.G.LogFault() == nil }, time.Minute, time.Millisecond)
	_, err = n.Submit(n.Ask(sumSQL, "trade", tables...))
	require.NoError(t, err)
}

// TestAnswersWaitForTheLog: shares are handed out after their hashes are published.
func TestAnswersWaitForTheLog(t *testing.T) {
	n, tables := twoOwners(t)
	run(t, n.G)
	q := n.Ask(sumSQL, "trade", tables...)
	ref, err := n.Submit(q)
	require.NoError(t, err)
	n.Published()
	dir := filepath.Join(n.Dir, "log", ".state")
	require.NoError(t, os.Rename(dir, dir+".away"))
	for i := 1; i <= 2; i++ {
		env, sealed := n.Answer(ref.Hash, q, i, tables...)
		_, err = n.G.SubmitAnswer(ctx, n.Parties[carnet.PartyID([]string{"k1", "k2"}[i-1])], env, sealed, nil)
		require.NoError(t, err)
	}
	require.Eventually(t, func() bool {
		s, err := n.G.GetQuery(ctx, n.Parties["bank"], ref.Hash)
		require.NoError(t, err)
		return s.State == flow.QueryReady && n.G.LogFault() != nil
	}, 20*time.Second, 5*time.Millisecond)
	_, err = n.G.FetchAnswer(ctx, n.Parties["bank"], ref.Hash)
	requireReason(t, "LOG_UNWRITABLE", err)
	require.NoError(t, os.Rename(dir+".away", dir))
	require.Eventually(t, func() bool {
		_, err = n.G.FetchAnswer(ctx, n.Parties["bank"], ref.Hash)
		return err == nil
	}, 20*time.Second, 5*time.Millisecond)
}

// TestLostLogIsMadeAgain: with the roots it had, so that what was co-signed still holds.
func TestLostLogIsMadeAgain(t *testing.T) {
	n := flowtest.New(t)
	before := n.Published()
	require.NoError(t, n.G.Cosign(ctx, n.Parties["k1"], n.Cosigned(before, "k1")))
	n.Restart()
	require.NoError(t, os.RemoveAll(filepath.Join(n.Dir, "log")))
	n.Restart()
	again(t, n, 2)
	after := n.Published()
	var path []carnet.Hash
	require.Eventually(t, func() bool {
		var err error
		path, err = n.G.ProveConsistency(ctx, before.Size, after.Size)
		return err == nil
	}, 20*time.Second, time.Millisecond)
	require.NoError(t, evidence.VerifyConsistency(before, after, path))
}

// TestOldDatabaseUnderNewLog: entries that were published must not be replaced by others.
func TestOldDatabaseUnderNewLog(t *testing.T) {
	n := flowtest.New(t)
	n.Published()
	db := filepath.Join(n.Dir, "gateway.db")
	n.Stop()
	old := map[string][]byte{} // what is not in the file yet is in the write-ahead log
	for _, f := range []string{db, db + "-wal"} {
		if b, err := os.ReadFile(f); err == nil {
			old[f] = b
		}
	}
	require.Contains(t, old, db)
	n.Open()
	at := n.Published()
	again(t, n, 2)
	newer := n.Published()
	n.Stop()
	for _, f := range []string{db + "-wal", db + "-shm"} {
		require.NoError(t, os.RemoveAll(f))
	}
	for f, b := range old {
		require.NoError(t, os.WriteFile(f, b, 0o600))
	}
	n.Open()
	_, err := n.G.Publish(ctx)
	requireReason(t, "LOG_AHEAD", err)
	again(t, n, 3) // another entry in its place
	_, err = n.G.Publish(ctx)
	requireReason(t, "LOG_DIFFERS", err)
	requireReason(t, "LOG_UNAVAILABLE", n.G.LogFault())
	_, newest, err := n.G.Journal(ctx)
	require.NoError(t, err)
	require.Equal(t, at, newest.Checkpoint, "no second root for size %d was signed", newer.Size)
}

// TestProofs: what the gateway proves holds, and who may see a statement may have it proved.
func TestProofs(t *testing.T) {
	n, tables := twoOwners(t)
	ref, err := n.Submit(n.Ask(sumSQL, "trade", tables...))
	require.NoError(t, err)
	at := n.Published()
	for _, who := range []carnet.PartyID{"bank", "k1", "audit", "gateway"} {
		got, err := n.G.ProveInclusion(ctx, n.Parties[who], ref.Hash, 0)
		require.NoError(t, err)
		require.Equal(t, ref.Hash, got.Entry.Envelope.Hash())
		require.Equal(t, at, got.Checkpoint.Checkpoint)
		require.True(t, got.Checkpoint.LogSignedBy(n.Parties["gateway"].SigningKey))
		require.NoError(t, evidence.VerifyInclusion(got.Entry.Leaf(), ref.Seq, at, got.Path))
	}
	for _, who := range []carnet.PartyID{"other", "kz"} {
		_, err = n.G.ProveInclusion(ctx, n.Parties[who], ref.Hash, 0)
		requireReason(t, "NOT_FOUND", err)
	}
	_, err = n.G.ProveInclusion(ctx, n.Parties["other"], n.SchemaRef, 0)
	require.NoError(t, err, "what every party reads")
	_, err = n.G.ProveInclusion(ctx, n.Parties["audit"], carnet.Hash{1}, 0)
	requireReason(t, "NOT_FOUND", err)
	_, err = n.G.ProveInclusion(ctx, n.Parties["audit"], ref.Hash, at.Size+1)
	requireReason(t, "NOT_FOUND", err)
	_, err = n.G.ProveConsistency(ctx, 3, at.Size+1)
	requireReason(t, "NOT_FOUND", err)
	_, err = n.G.ProveConsistency(ctx, 5, 3)
	requireReason(t, "BAD_REQUEST", err)

	// The public is shown what a quorum co-signed, while newer states are on their way.
	for _, k := range []carnet.PartyID{"k1", "k2", "k3"} {
		require.NoError(t, n.G.Cosign(ctx, n.Parties[k], n.Cosigned(at, k)))
	}
	hash := again(t, n, 2)
	newer := n.Published()
	c, err := n.G.Checkpoint(ctx)
	require.NoError(t, err)
	require.Equal(t, at, c.Checkpoint)
	require.Len(t, c.Signatures, 4)
	got, err := n.G.ProveInclusion(ctx, n.Parties["kz"], hash, 0)
	require.NoError(t, err, "newer than what has a quorum")
	require.Equal(t, newer, got.Checkpoint.Checkpoint)
	path, err := n.G.ProveConsistency(ctx, at.Size, newer.Size)
	require.NoError(t, err)
	require.NoError(t, evidence.VerifyConsistency(at, newer, path))

	empty := flowtest.Empty(t)
	c, err = empty.G.Checkpoint(ctx)
	require.NoError(t, err)
	require.Zero(t, c.Size)
	require.True(t, c.LogSignedBy(empty.Parties["gateway"].SigningKey))
}
