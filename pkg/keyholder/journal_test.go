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
	require.Eventually(t, func() bool { return h.position().Size >= size }, waitLimit, waitStep)
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
		h.reached(t, g.chain.Size)
		g.rewrite(t, g.chain.Size-1, w.filler(t, 1), w.filler(t, 2), w.ask(t, monthly))
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
		h.reached(t, g.chain.Size)
		require.NoError(t, h.stop())
		g.rewrite(t, g.chain.Size-1, w.filler(t, 1))
		h.again(t).start(t).halts(t)
	})
	t.Run("cut", func(t *testing.T) {
		g := newGateway(t, w)
		g.journal(t, w.filler(t, 1), w.filler(t, 2))
		h := g.run(t, 1)
		size := g.chain.Size
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
	h.reached(t, g.chain.Size)
	publish := func(signers ...int) {
		env := sign(t, carnet.TypeCheckpoint, carnet.Checkpoint{Size: g.chain.Size - 1, Head: carnet.Hash{1}})
		for _, n := range signers {
			require.NoError(t, env.Countersign(w.stores()[n-1].Signer()))
		}
		g.mu.Lock()
		g.cosigned[fmt.Sprint("split", len(signers))] = env
		g.touch()
		g.mu.Unlock()
	}
	publish(2)
	require.Eventually(t, func() bool { return strings.Contains(h.logs.String(), "co-signed another journal; tell its operator") }, waitLimit, waitStep)
	publish(2, 3)
	h.halts(t)
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
	cp := carnet.Checkpoint{Size: size, Head: g.chain.Head}
	g.mu.Lock()
	twice := sign(t, carnet.TypeCheckpoint, cp, w.stores()[0].Signer(), w.stores()[1].Signer(), w.stores()[1].Signer(), w.buyer, w.registrar)
	g.cosigned["twice"] = twice
	forged := sign(t, carnet.TypeCheckpoint, cp, w.stores()[0].Signer(), w.stores()[1].Signer())
	forged.Signatures = append(forged.Signatures, evidence.Signature{KeyID: evidence.KeyHint(w.stores()[2].Signer().Public()), Sig: make([]byte, 64)})
	g.cosigned["forged"] = forged
	old := sign(t, carnet.TypeCheckpoint, carnet.Checkpoint{Size: size - 1, Head: g.entries[size-1].Prev},
		w.stores()[0].Signer(), w.stores()[1].Signer(), w.stores()[2].Signer())
	g.cosigned["too early"] = old
	g.touch()
	g.mu.Unlock()
	require.Eventually(t, func() bool {
		n, err := h.ledger.Quorum(t.Context(), w.committee)
		return err == nil && n == size-1
	}, waitLimit, waitStep)
	time.Sleep(100 * time.Millisecond)
	require.Empty(t, g.got())
	require.Empty(t, g.said())

	right := sign(t, carnet.TypeCheckpoint, cp, w.stores()[0].Signer(), w.stores()[1].Signer(), w.stores()[2].Signer())
	g.mu.Lock()
	g.cosigned["right"] = right
	g.touch()
	g.mu.Unlock()
	g.answered(t, query, 1)
}

// TestOneHeadForASize: the ledger never lets a second head be co-signed.
func TestOneHeadForASize(t *testing.T) {
	w := cubeWorld(t)
	h := newGateway(t, w).prepare(t, 1, t.TempDir())
	cp := carnet.Checkpoint{Size: 5, Head: carnet.Hash{1}}
	env := sign(t, carnet.TypeCheckpoint, cp, h.signer)
	require.NoError(t, h.ledger.cosigned(t.Context(), cp, env))
	require.NoError(t, h.ledger.cosigned(t.Context(), cp, env))
	cp.Head[0] = 2
	require.Equal(t, "JOURNAL_FORK", carnet.ReasonOf(h.ledger.cosigned(t.Context(), cp, env)))
}
