package keyholder

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
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
		require.Empty(t, g.answers)
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
		require.Empty(t, g.answers)
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
	require.Empty(t, g.answers)
	require.Empty(t, g.decisions)

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

// TestCrashBetweenAnyTwoSteps: whatever the keyholder had persisted is sent, byte by
// byte, and never made anew.
func TestCrashBetweenAnyTwoSteps(t *testing.T) {
	w := cubeWorld(t)
	for _, at := range []string{"cosigned", "persisted", "sent"} {
		t.Run(at, func(t *testing.T) {
			g := newGateway(t, w)
			query := w.ask(t, monthly)
			g.journal(t, query)
			h := g.prepare(t, 1, t.TempDir())
			died := errors.New("power cut")
			h.crash = func(now string) error {
				if now == at {
					return died
				}
				return nil
			}
			h.start(t)
			if at == "cosigned" || at == "persisted" {
				require.Eventually(t, func() bool { return errors.Is(h.stopIfDead(), died) }, waitLimit, waitStep)
			} else {
				g.answered(t, query, 2) // keeps sending what it could not mark as sent
			}
			h.stop()
			before, err := h.ledger.Outcome(t.Context(), query.Hash())
			require.NoError(t, err)
			n := len(g.answers[query.Hash()])
			if at == "persisted" {
				require.NotNil(t, before)
				require.False(t, before.Sent)
				require.Zero(t, n, "nothing was sent before the crash")
			}
			h.again(t).start(t)
			all := g.answered(t, query, n+1)
			for _, a := range all {
				require.Equal(t, all[0].sealed, a.sealed)
				require.Equal(t, all[0].env, a.env)
				if before != nil {
					require.Equal(t, before.Sealed, a.sealed)
				}
			}
			require.Equal(t, 1, countCosigned(g, h))
		})
	}
}

// stopIfDead returns why the keyholder ended by itself, nil while it runs.
func (h *holder) stopIfDead() error {
	if h.dead == nil {
		return nil
	}
	select {
	case <-h.dead:
		return h.stop()
	default:
		return nil
	}
}

// countCosigned counts heads co-signed by h for the newest size.
func countCosigned(g *gateway, h *holder) (n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	heads := map[carnet.Hash]bool{}
	for _, env := range g.cosigned {
		cp, err := decodeCheckpoint(env)
		if err == nil && cp.Size == g.chain.Size && env.SignedBy(h.signer.Public()) {
			heads[cp.Head] = true
		}
	}
	return len(heads)
}

// TestRepeatedQueryRepeatsTheBytes: a query that the journal lists a second time is
// answered with the very bytes sent before.
func TestRepeatedQueryRepeatsTheBytes(t *testing.T) {
	w := cubeWorld(t)
	g := newGateway(t, w)
	g.run(t, 1)
	query := w.ask(t, monthly)
	g.journal(t, query)
	first := g.answered(t, query, 1)[0]
	g.journal(t, query)
	again := g.answered(t, query, 2)[1]
	require.Equal(t, first.sealed, again.sealed)
	require.Equal(t, first.env, again.env)
}

// TestRestoredFromOldBackup: the journal is replayed up to the newest own
// co-signature before anything is answered or co-signed; what the journal shows as
// answered is not answered again; another journal is refused.
func TestRestoredFromOldBackup(t *testing.T) {
	w := cubeWorld(t)
	backup := func(t *testing.T) (*gateway, *holder, []byte) {
		g := newGateway(t, w)
		h := g.run(t, 1)
		h.reached(t, g.chain.Size)
		require.NoError(t, h.stop())
		require.NoError(t, h.ledger.Close())
		old, err := os.ReadFile(filepath.Join(h.dir, "ledger.db"))
		require.NoError(t, err)
		return g, h.again(t), old
	}
	restore := func(t *testing.T, h *holder, old []byte) *holder {
		require.NoError(t, h.stop())
		require.NoError(t, h.ledger.Close())
		for _, f := range []string{"ledger.db-wal", "ledger.db-shm"} {
			os.Remove(filepath.Join(h.dir, f))
		}
		require.NoError(t, os.WriteFile(filepath.Join(h.dir, "ledger.db"), old, 0o600))
		return h.again(t)
	}
	t.Run("same journal", func(t *testing.T) {
		g, h, old := backup(t)
		h.start(t)
		q1, q2 := w.ask(t, monthly), w.ask(t, monthly)
		g.journal(t, q1)
		a := g.answered(t, q1, 1)[0]
		g.journal(t, a.env)
		h.reached(t, g.chain.Size)
		g.wait(t, "co-signature of the answer", func() bool { return countOf(g.newest) == g.chain.Size })
		h = restore(t, h, old)
		require.Less(t, h.position().Size, g.chain.Size)
		h.start(t)
		g.journal(t, q2)
		g.answered(t, q2, 1)
		require.Len(t, g.answers[q1.Hash()], 1, "not made a second time")
		require.Contains(t, h.logs.String(), "older than this keyholder's own co-signature")
		n, err := h.ledger.Charged(t.Context(), w.product.Datasets[0].Manifest.Key, 1<<40)
		require.NoError(t, err)
		require.Positive(t, n)
	})
	t.Run("another journal", func(t *testing.T) {
		g, h, old := backup(t)
		h.start(t)
		q1 := w.ask(t, monthly)
		seq := g.journal(t, q1)
		g.answered(t, q1, 1)
		h = restore(t, h, old)
		g.rewrite(t, seq, w.filler(t, 1), w.filler(t, 2), w.filler(t, 3), w.ask(t, monthly))
		h.start(t).halts(t)
	})
}

func countOf(env *evidence.Envelope) int64 {
	if env == nil {
		return 0
	}
	cp, err := decodeCheckpoint(env)
	if err != nil {
		return 0
	}
	return cp.Size
}

// TestBadSeedsAreReported: seeds that don't match the commitments are not kept, the
// gateway learns a public reason, and right ones delivered later are taken.
func TestBadSeedsAreReported(t *testing.T) {
	w := *cubeWorld(t)
	key := carnet.KeyID(w.dealings[0].Hash())
	good := w.sealed
	w.sealed = map[carnet.KeyID][][]byte{key: {good[key][1]}} // sealed to another keyholder
	g := newGateway(t, &w)
	h := g.run(t, 1)
	g.wait(t, "report", func() bool { return g.confirmed["1 "+key.String()] == "false SEEDS_UNREADABLE" })
	_, err := h.store.Get(t.Context(), key)
	require.Equal(t, "KEY_NOT_HELD", carnet.ReasonOf(err))
	query := w.ask(t, monthly)
	g.journal(t, query)
	g.mu.Lock()
	w.sealed = good
	g.mu.Unlock()
	h.seeds.raise()
	g.wait(t, "confirmation", func() bool { return g.confirmed["1 "+key.String()] == "true " })
	h.seeds.raise()
	g.answered(t, query, 1)
}

// TestMismatchedSeeds covers what CheckBundle refuses, without a gateway.
func TestMismatchedSeeds(t *testing.T) {
	w := cubeWorld(t)
	h := newGateway(t, w).prepare(t, 1, t.TempDir())
	for _, env := range w.base {
		require.NoError(t, h.state.apply(env))
	}
	d := h.state.dealing(carnet.KeyID(w.dealings[0].Hash()))
	open := func(number int) []byte {
		b, err := w.stores()[number-1].Unseal(t.Context(), seedsInfo(d.key, number), w.sealed[d.key][number-1])
		require.NoError(t, err)
		return b
	}
	require.NoError(t, checkSeeds(d, open(1)))
	changed := open(1)
	changed[len(changed)-1] ^= 1
	require.Equal(t, "SEEDS_MISMATCH", carnet.ReasonOf(checkSeeds(d, changed)))
	require.Equal(t, "SEEDS_FOR_ANOTHER", carnet.ReasonOf(checkSeeds(d, open(2))))
	require.Equal(t, "SEEDS_MALFORMED", carnet.ReasonOf(checkSeeds(d, changed[:10])))
	require.False(t, bytes.Equal(changed, open(1)))
}

// TestDestroyedKey: after destruction queries are refused with that reason.
func TestDestroyedKey(t *testing.T) {
	w := cubeWorld(t)
	g := newGateway(t, w)
	h := g.run(t, 1)
	key := carnet.KeyID(w.dealings[1].Hash())
	g.wait(t, "confirmation", func() bool { return g.confirmed["1 "+key.String()] == "true " })
	h.stop()
	require.NoError(t, h.store.Destroy(t.Context(), key))
	require.NoError(t, MarkDestroyed(t.Context(), filepath.Join(h.dir, "ledger.db"), key))
	h.again(t).start(t)
	query := w.ask(t, monthly)
	g.journal(t, query)
	require.Equal(t, "KEY_DESTROYED", g.refused(t, query).Reason)
	g.wait(t, "report", func() bool { return g.confirmed["1 "+key.String()] == "false KEY_DESTROYED" })
}
