package keyholder

import (
	"crypto/ed25519"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/keys/keystest"
)

// outOfReach is a keystore that can't sign for a while, statements of one type if it
// is given.
type outOfReach struct {
	keys.Store
	only  carnet.StatementType
	away  atomic.Bool
	tries atomic.Int64
}

func (o *outOfReach) Signer() evidence.Signer { return awaySigner{o} }

type awaySigner struct{ o *outOfReach }

func (s awaySigner) Public() ed25519.PublicKey { return s.o.Store.Signer().Public() }

func (s awaySigner) Sign(m []byte) ([]byte, error) {
	if s.o.away.Load() && strings.Contains(string(m), string(s.o.only)) {
		s.o.tries.Add(1)
		return nil, carnet.E(carnet.Unavailable, "VAULT_SEALED", "Vault is sealed").Fix("unseal Vault")
	}
	return s.o.Store.Signer().Sign(m)
}

// TestKeystoreOutOfReach: while nothing can be signed, nothing is lost, the keyholder
// keeps running and says what to do; afterwards every query has one outcome, the
// answers and the refusals.
func TestKeystoreOutOfReach(t *testing.T) {
	w := cubeWorld(t)
	for _, only := range []carnet.StatementType{"", carnet.TypeAnswer, carnet.TypeDecision} {
		t.Run("signs nothing "+string(only), func(t *testing.T) {
			g := newGateway(t, w)
			store := &outOfReach{only: only}
			started := time.Now()
			h := g.run(t, 1, func(c *Config) {
				store.Store, c.Keys = c.Keys, store
				c.Now = func() time.Time { return testTime.Add(time.Minute + time.Since(started)) } // attempts wait
			})
			h.reached(t, g.tree.Size())
			good := w.ask(t, monthly)
			q := w.query(t, monthly)
			q.Purpose = "another purpose"
			bad := sign(t, carnet.TypeQuery, q, w.buyer)

			store.away.Store(true)
			g.journal(t, good, bad)
			size := g.tree.Size()
			require.Eventually(t, func() bool { return store.tries.Load() >= 4 }, waitLimit, waitStep)
			require.NoError(t, h.stopIfDead(), "it runs on")
			if only != carnet.TypeDecision {
				require.Empty(t, g.got())
			}
			if only != carnet.TypeAnswer {
				require.Empty(t, g.said())
			}
			require.Contains(t, h.logs.String(), "unseal Vault")

			store.away.Store(false)
			g.answered(t, good, 1)
			g.refused(t, bad)
			g.journal(t, w.filler(t, 1))
			g.wait(t, "co-signature", func() bool { return sizeOf(g.newest) > size })
			require.Len(t, g.got(good.Hash()), 1)
			require.Len(t, g.said(bad.Hash()), 1)
		})
	}
}

// TestMarkOfTheKeystore: a gateway that was put back to an old state together with the
// ledger is recognised by what was recorded with the keys, whether it serves less of the
// journal or another one.
func TestMarkOfTheKeystore(t *testing.T) {
	w := cubeWorld(t)
	for name, then := range map[string]func(t *testing.T, g *gateway, h *holder, seq int64){
		"another journal": func(t *testing.T, g *gateway, h *holder, seq int64) {
			g.rewrite(t, seq, w.filler(t, 1), w.filler(t, 2), w.filler(t, 3), w.ask(t, monthly))
			h.start(t).halts(t)
		},
		"less of it": func(t *testing.T, g *gateway, h *holder, seq int64) {
			g.rewrite(t, seq)
			h.start(t)
			require.Eventually(t, func() bool { return strings.Contains(h.Connection().Error, "no longer serves entry") }, waitLimit, waitStep)
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t, w)
			marking := func(c *Config) { c.Keys = &keystest.Marking{Store: c.Keys} }
			var kept keys.Store
			h := g.run(t, 1, marking, func(c *Config) { kept = c.Keys })
			h.reached(t, g.tree.Size())
			require.NoError(t, h.stop())
			require.NoError(t, h.ledger.Close())
			file := filepath.Join(h.dir, "ledger.db")
			old, err := os.ReadFile(file)
			require.NoError(t, err)
			same := func(c *Config) { c.Keys = kept }

			h = h.again(t, same).start(t)
			query := w.ask(t, monthly)
			seq := g.journal(t, query)
			g.answered(t, query, 1)
			require.NoError(t, h.stop())
			require.NoError(t, h.ledger.Close())
			for _, f := range []string{file + "-wal", file + "-shm"} {
				os.Remove(f)
			}
			require.NoError(t, os.WriteFile(file, old, 0o600))
			g.mu.Lock()
			g.newest = nil
			g.cosigned = map[string]*evidence.SignedCheckpoint{}
			g.mu.Unlock()

			h = h.again(t, same)
			require.Contains(t, h.logs.String(), "recorded with the keys")
			then(t, g, h, seq)
			require.Len(t, g.got(), 1, "nothing more was answered")
		})
	}
}

// TestReplayUpToTheMark: a ledger that was put back replays the same journal, with
// queries before the mark that were co-signed then, and goes on.
func TestReplayUpToTheMark(t *testing.T) {
	w := cubeWorld(t)
	g := newGateway(t, w)
	store := &keystest.Marking{}
	h := g.run(t, 1, func(c *Config) { store.Store, c.Keys = c.Keys, store })
	h.reached(t, g.tree.Size())
	require.NoError(t, h.stop())
	require.NoError(t, h.ledger.Close())
	file := filepath.Join(h.dir, "ledger.db")
	old, err := os.ReadFile(file)
	require.NoError(t, err)

	again := func(c *Config) { c.Keys = store }
	h = h.again(t, again).start(t)
	q1, q2 := w.ask(t, monthly), w.ask(t, monthly)
	g.journal(t, q1)
	g.answered(t, q1, 1)
	g.journal(t, q2)
	g.answered(t, q2, 1)
	g.wait(t, "co-signature of the head", func() bool { return sizeOf(g.newest) == g.tree.Size() })
	require.NoError(t, h.stop())
	require.NoError(t, h.ledger.Close())
	for _, f := range []string{file + "-wal", file + "-shm"} {
		os.Remove(f)
	}
	require.NoError(t, os.WriteFile(file, old, 0o600))

	h = h.again(t, again).start(t)
	h.reached(t, g.tree.Size())
	q3 := w.ask(t, monthly)
	g.journal(t, q3)
	g.answered(t, q3, 1)
	require.NoError(t, h.stopIfDead())
	g.wait(t, "co-signature of the head", func() bool { return sizeOf(g.newest) == g.tree.Size() })
}

// TestLedgerOfAnotherJournal: a ledger that contradicts the mark does not start.
func TestLedgerOfAnotherJournal(t *testing.T) {
	w := cubeWorld(t)
	g := newGateway(t, w)
	store := &keystest.Marking{}
	h := g.run(t, 1, func(c *Config) { store.Store = c.Keys })
	h.reached(t, g.tree.Size())
	require.NoError(t, h.stop())
	require.NoError(t, store.Mark(t.Context(), carnet.Checkpoint{Size: 3, Head: carnet.Hash{1}}))
	h.cfg.Keys = store
	_, err := New(t.Context(), h.cfg)
	require.Equal(t, "JOURNAL_FORK", carnet.ReasonOf(err), err)
}
