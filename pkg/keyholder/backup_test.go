package keyholder

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/keys/keystest"
)

// TestSnapshot: a copy taken while the keyholder writes is one state of the ledger.
func TestSnapshot(t *testing.T) {
	w := cubeWorld(t)
	g := newGateway(t, w)
	h := g.run(t, 1)
	h.reached(t, g.tree.Size())
	for i := range 5 {
		g.journal(t, w.filler(t, i))
		file := filepath.Join(t.TempDir(), "copy.db")
		l, err := ReadLedger(filepath.Join(h.dir, "ledger.db"))
		require.NoError(t, err)
		require.NoError(t, l.Snapshot(t.Context(), file))
		require.Error(t, l.Snapshot(t.Context(), file), "nothing is overwritten")
		require.NoError(t, l.Close())
		i, err := os.Stat(file)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), i.Mode().Perm())
		c, err := ReadLedger(file)
		require.NoError(t, err)
		party, chain, err := c.Verify(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, "kh1", party)
		require.Positive(t, chain.Size)
		require.NoError(t, c.Close())
	}
}

// TestDamagedSnapshot: a ledger of which one entry was changed does not verify.
func TestDamagedSnapshot(t *testing.T) {
	w := cubeWorld(t)
	g := newGateway(t, w)
	h := g.run(t, 1)
	h.reached(t, g.tree.Size())
	require.NoError(t, h.stop())
	_, err := h.ledger.db.Exec(`UPDATE entry SET envelope = (SELECT envelope FROM entry WHERE seq = 2) WHERE seq = 3`)
	require.NoError(t, err)
	_, _, err = h.ledger.Verify(t.Context())
	require.Equal(t, "LEDGER_DAMAGED", carnet.ReasonOf(err), "%v", err)
}

// Rule (scheme §6.3, after a restore replay the log first): a keyholder whose files are all
// from an old backup, the mark included, does not know how far it was. A gateway that
// hides its newer co-signatures could have it sign another history. What the other
// keyholders have signed shows it; without that, this test shows the attack working.
func TestCheckpointsOfOthersAfterRestore(t *testing.T) {
	w := cubeWorld(t)
	for name, told := range map[string]bool{"told by another keyholder": true, "told nothing": false} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t, w)
			h := g.run(t, 1, func(c *Config) { c.Keys = &keystest.Marking{Store: c.Keys} })
			h.reached(t, g.tree.Size())
			file := filepath.Join(h.dir, "ledger.db")
			old := filepath.Join(t.TempDir(), "old.db")
			require.NoError(t, h.ledger.Snapshot(t.Context(), old))
			query := w.ask(t, monthly)
			seq := g.journal(t, query)
			g.answered(t, query, 1)
			g.wait(t, "co-signature", func() bool { return sizeOf(g.newest) > seq })
			g.mu.Lock()
			others := g.note(t, g.newest.Checkpoint, 2)
			g.newest, g.cosigned = nil, map[string]*evidence.SignedCheckpoint{}
			g.mu.Unlock()
			require.NoError(t, h.stop())
			require.NoError(t, h.ledger.Close())
			for _, f := range []string{file, file + "-wal", file + "-shm"} {
				os.Remove(f)
			}
			require.NoError(t, os.Rename(old, file))

			mark := &keystest.Marking{Store: h.store}
			if told {
				l, err := ReadLedger(file)
				require.NoError(t, err)
				by, err := l.Cosigners(t.Context(), others)
				require.NoError(t, err)
				require.NoError(t, l.Close())
				require.Equal(t, []carnet.PartyID{"kh2"}, by)
				require.NoError(t, mark.Mark(t.Context(), others.Checkpoint))
			}
			g.rewrite(t, seq, w.filler(t, 1), w.filler(t, 2), w.filler(t, 3), w.ask(t, monthly))
			h = h.again(t, func(c *Config) { c.Keys = keys.Store(mark) }).start(t)
			if told {
				h.halts(t)
				g.mu.Lock()
				defer g.mu.Unlock()
				require.Empty(t, g.cosigned, "nothing of the other history was signed")
				return
			}
			g.wait(t, "co-signature of the other history", func() bool { return len(g.cosigned) > 0 })
		})
	}
}

// TestCheckpointsOfStrangers: only members that the ledger knows count.
func TestCheckpointsOfStrangers(t *testing.T) {
	w := cubeWorld(t)
	g := newGateway(t, w)
	h := g.run(t, 1)
	h.reached(t, g.tree.Size())
	cp := carnet.Checkpoint{Size: 1 << 30, Head: carnet.Hash{1}}
	for name, by := range map[carnet.PartyID]evidence.Signer{"owner1": w.owners[0], "buyer": w.buyer, "registrar": w.registrar, "operator": w.operator, "kh2": newIdentity("kh2")} {
		c := &evidence.SignedCheckpoint{Origin: g.origin(), Checkpoint: cp}
		require.NoError(t, c.Cosign(name, testTime, by))
		signed, err := h.ledger.Cosigners(t.Context(), c)
		require.NoError(t, err)
		require.Empty(t, signed)
	}
	signed, err := h.ledger.Cosigners(t.Context(), g.note(t, cp, 2))
	require.NoError(t, err)
	require.Equal(t, []carnet.PartyID{"kh2"}, signed)
	another := &evidence.SignedCheckpoint{Origin: "example.org/log", Checkpoint: cp}
	require.NoError(t, another.Cosign("kh2", testTime, w.stores()[1].Signer()))
	_, err = h.ledger.Cosigners(t.Context(), another)
	require.Equal(t, "BAD_CHECKPOINT", carnet.ReasonOf(err))
}
