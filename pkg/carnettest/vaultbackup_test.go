package carnettest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/internal/vaultserver"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/keyholder"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/keys/vault"
	"github.com/carnet-network/carnet/pkg/vaultclient"
	"github.com/carnet-network/carnet/pkg/vaultsecret"
)

// copyOver puts a copy of a folder in place of another.
func copyOver(t *testing.T, from, to string) {
	t.Helper()
	require.NoError(t, os.RemoveAll(to))
	require.NoError(t, os.CopyFS(to, os.DirFS(from)))
}

// Rule: whatever of Vault, the ledger and the gateway is put back from an older copy, what
// was destroyed is destroyed again, what was answered or charged stays so, and the keyholder
// neither answers nor co-signs on a journal that lacks what it has seen.
func TestVaultRestored(t *testing.T) {
	server := vaultserver.New(t, vaultserver.Options{})
	var login vaultclient.Config
	keystore := func() keys.Store { // as a process opens it
		c, err := vaultclient.Open(Context(t), login, nil)
		require.NoError(t, err)
		t.Cleanup(func() { c.Close() })
		s, err := vault.Open(Context(t), c, vaultsecret.Config{Name: "kh1"})
		require.NoError(t, err)
		return s
	}
	n := Start(t, Options{Keystore: func(p carnet.PartyID) keys.Store {
		if p != "kh1" {
			return nil
		}
		c, s := openVault(t, server, p)
		require.NoError(t, c.Close())
		require.NoError(t, s.Close())
		var err error
		login, err = server.Provision(Context(t), "keyholder", p, t.TempDir())
		require.NoError(t, err)
		login.Timeout = 5 * time.Second
		return keystore()
	}})
	k := n.Keyholders[0]
	sets := publishTrade(t, n, carnet.LayoutCube)
	answered := func(hash carnet.Hash) *keyholder.Outcome {
		t.Helper()
		var o *keyholder.Outcome
		Eventually(t, "the keyholder's own answer", time.Minute, func() bool { o = k.Outcome(t, hash); return o != nil && o.Sent })
		require.Equal(t, "answer", o.Kind)
		return o
	}
	answered(n.Submit(t, "buyer", "cube", linearQuery).Hash)

	// The backup: Vault's storage, the ledger, the gateway.
	saved := t.TempDir()
	at := func(name string) string { return filepath.Join(saved, name) }
	require.NoError(t, k.Stop(t))
	n.Gateway.Stop(t)
	server.Kill()
	copyOver(t, filepath.Join(server.Dir, "data"), at("vault"))
	copyOver(t, k.Dir, at("ledger"))
	copyOver(t, n.Gateway.Dir, at("gateway"))
	back := func(what ...string) {
		t.Helper()
		require.NoError(t, k.Stop(t))
		server.Kill()
		for _, w := range what {
			switch w {
			case "vault":
				copyOver(t, at("vault"), filepath.Join(server.Dir, "data"))
			case "ledger":
				copyOver(t, at("ledger"), k.Dir)
			case "gateway":
				n.Gateway.Stop(t)
				copyOver(t, at("gateway"), n.Gateway.Dir)
				n.Gateway.Start(t)
			}
		}
		require.NoError(t, server.Restart(Context(t)))
		require.NoError(t, server.Unseal(Context(t)))
		k.Keys = keystore()
	}
	n.Gateway.Start(t)
	back()
	k.Start(t)

	// What happens after it.
	second := n.Submit(t, "buyer", "cube", "SELECT COUNT(*), SUM(weight) FROM cube WHERE month = '01'")
	given := answered(second.Hash)
	later := publishTrade(t, n, carnet.LayoutRecords)
	retired, kept := sets[0].Key.Key, sets[1].Key.Key
	_, err := n.Client(t, "kz").Retire(Context(t), n.Identity("kz"), retired, "retention ended")
	require.NoError(t, err)
	gone := func() {
		t.Helper()
		Eventually(t, "the seeds' destruction", time.Minute, func() bool {
			_, err := k.Keys.Get(Context(t), retired)
			return carnet.ReasonOf(err) == "KEY_DESTROYED"
		})
	}
	gone()
	Eventually(t, "word of it", time.Minute, func() bool {
		s, err := n.Client(t, "buyer").KeyState(Context(t), retired)
		require.NoError(t, err)
		return len(s.Destroyed) == 3
	})
	charged := k.Charged(t, kept)
	marked := func() int64 {
		t.Helper()
		cp, err := k.Keys.(keys.Marker).Marked(Context(t))
		require.NoError(t, err)
		return cp.Size
	}
	Eventually(t, "the mark", time.Minute, func() bool { return marked() >= int64(len(n.Gateway.Journal(t)))-1 })
	newest := marked()

	// Vault alone: destroyed seeds are back until the keyholder starts, which says what it saw.
	noted := len(n.Log())
	back("vault")
	require.Less(t, marked(), newest)
	seeds, err := k.Keys.Get(Context(t), retired)
	require.NoError(t, err, "this is what a snapshot brings back")
	clear(seeds)
	_, err = k.Keys.Get(Context(t), later[0].Key.Key)
	require.Equal(t, "KEY_NOT_HELD", carnet.ReasonOf(err), "and this is what it has not")
	k.Start(t)
	gone()
	answered(n.Submit(t, "buyer", "records", layoutQueries[carnet.LayoutRecords]).Hash)
	require.Contains(t, n.Log()[noted:], "the keystore was put back from an older copy")
	third := n.Submit(t, "buyer", "cube", "SELECT SUM(weight) FROM cube WHERE month = '02'")
	answered(third.Hash)
	require.Equal(t, given, k.Outcome(t, second.Hash), "nothing is decided again")
	Eventually(t, "the mark", time.Minute, func() bool { return marked() >= newest })
	newest = marked()
	charged = max(charged, k.Charged(t, kept))

	// The ledger alone: replayed to the mark before anything is answered, and charged as before.
	noted = len(n.Log())
	back("ledger")
	k.Start(t)
	Eventually(t, "all charges", time.Minute, func() bool { return k.Charged(t, kept) == charged })
	require.Contains(t, n.Log()[noted:], "replaying the journal before answering")
	gone()
	fourth := n.Submit(t, "buyer", "cube", "SELECT COUNT(*) FROM cube WHERE month = '02'")
	got, err := n.Open(t, fourth)
	require.NoError(t, err)
	require.Empty(t, got.Liars)
	answered(fourth.Hash)
	newest = marked()

	// Ledger and gateway: the mark in Vault shows that the journal lacks its end.
	for _, other := range n.Keyholders[1:] {
		require.NoError(t, other.Stop(t))
	}
	noted = len(n.Log())
	back("ledger", "gateway")
	k.Start(t)
	fifth := n.Submit(t, "buyer", "cube", "SELECT SUM(weight) FROM cube")
	Eventually(t, "what it says", time.Minute, func() bool { return strings.Contains(n.Log()[noted:], "no longer serves entry") })
	n.Gateway.Nudge(t) // one entry more does not make up for those that are missing
	Eventually(t, "that it says so again", time.Minute, func() bool { return strings.Count(n.Log()[noted:], "no longer serves entry") > 1 })
	require.Nil(t, k.Outcome(t, fifth.Hash), "nothing is answered")
	require.Equal(t, newest, marked(), "and nothing co-signed")
}
