package keyholder

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// reached waits until the keyholder's ledger has the given number of entries.
func (h *holder) reached(t *testing.T, size int64) {
	t.Helper()
	require.Eventually(t, func() bool { return h.position().Size() >= size }, waitLimit, waitStep)
}

// halts waits until the keyholder stops because the journal was rewritten.
func (h *holder) halts(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool {
		why, err := h.ledger.Halted(t.Context())
		return err == nil && why != ""
	}, waitLimit, waitStep)
	select { // the halt is durable a moment before the keyholder ends by itself
	case <-h.dead:
	case <-time.After(waitLimit):
	}
	err := h.stop()
	require.Equal(t, "JOURNAL_FORK", carnet.ReasonOf(err))
	var e *carnet.Error
	require.ErrorAs(t, err, &e)
	require.Contains(t, e.Remedy, "operator")
}

func (w *world) filler(t *testing.T, n int) *evidence.Envelope {
	return sign(t, carnet.TypeDecision, carnet.Decision{By: "gateway", Message: fmt.Sprint(n)}, w.registrar)
}

// TestRewrittenJournalStopsTheKeyholder: other entries after those seen, an entry
// seen replaced, both while connected and after reconnecting.
func TestRewrittenJournalStopsTheKeyholder(t *testing.T) {
	w := cubeWorld(t)
	t.Run("while connected", func(t *testing.T) {
		g := newGateway(t, w)
		h := g.run(t, 1)
		h.reached(t, g.tree.Size())
		g.rewrite(t, g.tree.Size()-1, w.filler(t, 1), w.filler(t, 2), w.ask(t, monthly))
		h.halts(t)
		require.Empty(t, g.got())
		_, err := New(t.Context(), h.cfg)
		require.Equal(t, "HALTED", carnet.ReasonOf(err))
		require.NoError(t, h.ledger.Resume(t.Context()))
		_, err = New(t.Context(), h.cfg)
		require.NoError(t, err)
	})
	t.Run("after reconnecting", func(t *testing.T) {
		g := newGateway(t, w)
		h := g.run(t, 1)
		h.reached(t, g.tree.Size())
		require.NoError(t, h.stop())
		g.rewrite(t, g.tree.Size()-1, w.filler(t, 1))
		h.again(t).start(t).halts(t)
	})
	t.Run("cut", func(t *testing.T) {
		g := newGateway(t, w)
		g.journal(t, w.filler(t, 1), w.filler(t, 2))
		h := g.run(t, 1)
		size := g.tree.Size()
		h.reached(t, size)
		require.NoError(t, h.stop())
		g.rewrite(t, size-2)
		h = h.again(t)
		h.patience = 50 * time.Millisecond
		h.start(t)
		require.Eventually(t, func() bool { return strings.Contains(h.Connection().Error, "no longer serves") }, waitLimit, waitStep)
		// It grows again, but into something else.
		g.journal(t, w.filler(t, 3), w.filler(t, 4), w.ask(t, monthly))
		h.halts(t)
		require.Empty(t, g.got())
	})
}

// TestSplitViewIsNoticed: t members co-signed another journal; fewer may be liars.
func TestSplitViewIsNoticed(t *testing.T) {
	w := cubeWorld(t)
	g := newGateway(t, w)
	h := g.run(t, 1)
	h.reached(t, g.tree.Size())
	other := carnet.Checkpoint{Size: g.tree.Size() - 1, Head: carnet.Hash{1}}
	publish := func(signers ...int) {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.cosigned[fmt.Sprint("split", len(signers))] = g.note(t, other, signers...)
		g.touch()
	}
	publish(2)
	require.Eventually(t, func() bool { return strings.Contains(h.logs.String(), "co-signed another journal; tell its operator") }, waitLimit, waitStep)
	require.NoError(t, h.stopIfDead())
	publish(2, 3)
	h.halts(t)
}

// TestLogThatSignsTwoRootsIsCaught: its own key on another root is proof enough; that of
// anybody else is none, and is not co-signed.
func TestLogThatSignsTwoRootsIsCaught(t *testing.T) {
	w := cubeWorld(t)
	g := newGateway(t, w)
	h := g.run(t, 1)
	h.reached(t, g.tree.Size())
	other := carnet.Checkpoint{Size: g.tree.Size(), Head: carnet.Hash{1}}
	publish := func(by evidence.Signer, origin string) {
		c, err := evidence.SignCheckpoint(origin, other, by)
		require.NoError(t, err)
		g.mu.Lock()
		defer g.mu.Unlock()
		g.cosigned[fmt.Sprint("by", len(g.cosigned))] = c
		g.touch()
	}
	publish(w.buyer, g.origin())
	require.Eventually(t, func() bool { return strings.Contains(h.logs.String(), "no registered operator signed") }, waitLimit, waitStep)
	publish(w.operator, "example.org/another-log")
	require.Eventually(t, func() bool { return strings.Contains(h.logs.String(), "malformed checkpoint ignored") }, waitLimit, waitStep)
	require.NoError(t, h.stopIfDead())
	g.mu.Lock()
	for _, c := range g.cosigned {
		require.False(t, c.Head == other.Head && h.signedMyself(c))
	}
	g.mu.Unlock()
	publish(w.operator, g.origin())
	h.halts(t)
}

// TestEntriesThatTheCheckpointDenies have no effect, not even a charge, whoever signed it.
func TestEntriesThatTheCheckpointDenies(t *testing.T) {
	w := cubeWorld(t)
	g := newGateway(t, w)
	h := g.run(t, 1)
	size := g.tree.Size()
	h.reached(t, size)
	g.mu.Lock()
	require.NoError(t, g.add(w.ask(t, monthly)))
	cp := g.tree.Checkpoint()
	cp.Head[0] ^= 1
	c, err := evidence.SignCheckpoint(g.origin(), cp, w.buyer)
	require.NoError(t, err)
	g.published = append(g.published, c)
	g.touch()
	g.mu.Unlock()
	require.Eventually(t, func() bool { return strings.Contains(h.Connection().Error, "are not those of the checkpoint") }, waitLimit, waitStep)
	require.Equal(t, size, h.position().Size())
	n, err := h.ledger.Charged(t.Context(), w.product.Datasets[0].Manifest.Key, 1<<40)
	require.NoError(t, err)
	require.Zero(t, n)
}

// TestNoAnswerWithoutQuorum: two of three needed co-signatures are not enough,
// neither are forged ones, nor one member's twice.
func TestNoAnswerWithoutQuorum(t *testing.T) {
	w := cubeWorld(t)
	g := newGateway(t, w)
	g.silent = map[int]bool{3: true}
	h := g.run(t, 1)
	query := w.ask(t, monthly)
	size := g.journal(t, query) + 1
	h.reached(t, size)
	cp := carnet.Checkpoint{Size: size, Head: g.tree.Root()}
	g.mu.Lock()
	twice := g.note(t, cp, 1, 2, 2)
	require.NoError(t, twice.Cosign("kh3", testTime, w.buyer))
	require.NoError(t, twice.Cosign("buyer", testTime, w.buyer))
	require.NoError(t, twice.Cosign("registrar", testTime, w.registrar))
	g.cosigned["twice"] = twice
	forged := g.note(t, cp, 1, 2)
	other := g.note(t, carnet.Checkpoint{Size: size, Head: carnet.Hash{9}}, 3)
	forged.Signatures = append(forged.Signatures, other.Signatures[0]) // of another root
	g.cosigned["forged"] = forged
	g.cosigned["too early"] = g.note(t, carnet.Checkpoint{Size: size - 1, Head: g.rootAt(t, size-1)}, 1, 2, 3)
	g.touch()
	g.mu.Unlock()
	require.Eventually(t, func() bool {
		n, err := h.ledger.Quorum(t.Context(), w.committee)
		return err == nil && n == size-1
	}, waitLimit, waitStep)
	time.Sleep(100 * time.Millisecond)
	require.Empty(t, g.got())
	require.Empty(t, g.said())

	g.mu.Lock()
	g.cosigned["right"] = g.note(t, cp, 1, 2, 3)
	g.touch()
	g.mu.Unlock()
	g.answered(t, query, 1)
}

// TestOneHeadForASize: the ledger never lets a second head be co-signed.
func TestOneHeadForASize(t *testing.T) {
	w := cubeWorld(t)
	g := newGateway(t, w)
	h := g.prepare(t, 1, t.TempDir())
	cp := carnet.Checkpoint{Size: 5, Head: carnet.Hash{1}}
	note := func() *evidence.SignedCheckpoint { return g.note(t, cp, 1) }
	require.NoError(t, h.ledger.cosigned(t.Context(), note()))
	require.NoError(t, h.ledger.cosigned(t.Context(), note()))
	cp.Head[0] = 2
	require.Equal(t, "JOURNAL_FORK", carnet.ReasonOf(h.ledger.cosigned(t.Context(), note())))
}
