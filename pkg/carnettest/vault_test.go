package carnettest

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/vault/api"
	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/internal/vaultserver"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/keys/vault"
	"github.com/carnet-network/carnet/pkg/vaultclient"
	"github.com/carnet-network/carnet/pkg/vaultsecret"
)

// moment is a step of a release at which the keystore is asked for something.
type moment string

const (
	beforeCosigning moment = "before co-signing"
	beforeMarking   moment = "before recording the co-signature"
	beforeSeeds     moment = "before reading seeds"
	beforeAnswering moment = "before signing the answer"
)

// trap calls strike, once, at a moment of a release.
type trap struct {
	mu     sync.Mutex
	at     moment
	strike func()
}

func (w *trap) arm(at moment, strike func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at, w.strike = at, strike
}

func (w *trap) reached(at moment) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.strike != nil && w.at == at {
		w.strike()
		w.strike = nil
	}
}

// mishap is something that happens to Vault.
type mishap struct {
	name         string
	strike, mend func()
	says         string   // in the keyholder's log; "": nobody notices
	at           []moment // when
}

// mishaps are those of every keyholder's Vault, at these moments; conn is kh1's.
func mishaps(t *testing.T, server *vaultserver.Server, conn *vaultclient.Client, at ...moment) []mishap {
	policy := func(text string) {
		require.NoError(t, server.Client().Sys().PutPolicyWithContext(Context(t), "carnet-kh1", text))
	}
	allowed, err := server.Client().Sys().GetPolicyWithContext(Context(t), "carnet-kh1")
	require.NoError(t, err)
	return []mishap{
		{"sealed", func() { require.NoError(t, server.Seal(Context(t))) }, func() { require.NoError(t, server.Unseal(Context(t))) }, "Vault is sealed", at},
		{"restarted", server.Kill, func() { restartVault(t, server) }, "Vault is not reachable", at},
		{"slow", func() { require.NoError(t, server.Freeze()) }, func() { require.NoError(t, server.Thaw()) }, "does not answer in time", at},
		{"token expired", func() {
			require.NoError(t, conn.Do(Context(t), "revoke", func(a *api.Client) error {
				_, err := server.Client().Logical().WriteWithContext(Context(t), "auth/token/revoke", map[string]any{"token": a.Token()})
				return err
			}))
		}, func() {}, "", at},
		{"permission missing", func() { policy(`path "sys/none" { capabilities = ["read"] }`) }, func() { policy(allowed) }, "Vault's policy does not allow", at},
	}
}

func restartVault(t *testing.T, server *vaultserver.Server) {
	require.NoError(t, server.Restart(Context(t)))
	require.NoError(t, server.Unseal(Context(t)))
}

// watched is a keystore in Vault with a trap.
type watched struct {
	*vault.Store
	trap
}

func (w *watched) Get(ctx context.Context, key carnet.KeyID) ([]byte, error) {
	w.reached(beforeSeeds)
	return w.Store.Get(ctx, key)
}

func (w *watched) Mark(ctx context.Context, at carnet.Checkpoint) error {
	w.reached(beforeMarking)
	return w.Store.Mark(ctx, at)
}

func (w *watched) Signer() evidence.Signer { return watchedSigner{w} }

type watchedSigner struct{ w *watched }

func (s watchedSigner) Public() ed25519.PublicKey { return s.w.Store.Signer().Public() }

func (s watchedSigner) Sign(m []byte) ([]byte, error) {
	switch {
	case bytes.HasPrefix(m, []byte("cosignature/v1\n")):
		s.w.reached(beforeCosigning)
	case bytes.Contains(m, []byte(carnet.TypeAnswer)):
		s.w.reached(beforeAnswering)
	}
	return s.w.Store.Signer().Sign(m)
}

// openVault makes a keyholder's keystore on a server, under its policy.
func openVault(t testing.TB, s *vaultserver.Server, party carnet.PartyID) (*vaultclient.Client, *watched) {
	login, err := s.Provision(Context(t), "keyholder", party, t.TempDir())
	require.NoError(t, err)
	login.Timeout = time.Second
	c, err := vaultclient.Open(Context(t), login, nil)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	store, err := vault.Create(Context(t), c, vaultsecret.Config{Name: string(party)}, rand.Reader)
	require.NoError(t, err)
	return c, &watched{Store: store}
}

// Rule: whatever happens to a keyholder's Vault, at any step of a release, the answer
// comes once Vault is back, nothing is lost, answered twice or charged twice, and the
// log says what the operator has to do. The keyholder never has to be restarted.
func TestVaultFailsMidRelease(t *testing.T) {
	server := vaultserver.New(t, vaultserver.Options{})
	var store *watched
	var conn *vaultclient.Client
	n := Start(t, Options{Keystore: func(p carnet.PartyID) keys.Store {
		if p != "kh1" {
			return nil
		}
		conn, store = openVault(t, server, p)
		return store
	}})
	publishTrade(t, n, carnet.LayoutCube)
	want := n.Ask(t, "buyer", "cube", linearQuery).Result.Rows
	keyIDs, err := store.List(Context(t))
	require.NoError(t, err)
	require.Len(t, keyIDs, 3)
	charges := map[carnet.KeyID]int64{}
	for _, k := range keyIDs {
		charges[k] = n.Keyholders[0].Charged(t, k)
	}

	for _, c := range mishaps(t, server, conn, beforeCosigning, beforeMarking, beforeSeeds, beforeAnswering) {
		for _, at := range c.at {
			t.Run(c.name+" "+string(at), func(t *testing.T) {
				n.Keyholders[0].Restart(t) // it has read seeds before
				noted, struck := len(n.Log()), make(chan struct{})
				store.arm(at, func() { c.strike(); close(struck) })
				asked := n.Submit(t, "buyer", "cube", linearQuery)
				<-struck
				if c.says != "" {
					Eventually(t, "a line in the log", time.Minute, func() bool { return strings.Contains(n.Log()[noted:], c.says) })
					require.Nil(t, n.Keyholders[0].Outcome(t, asked.Hash))
				}
				c.mend()
				require.False(t, n.Keyholders[0].Ended())
				got, err := n.Open(t, asked)
				require.NoError(t, err)
				require.Equal(t, want, got.Result.Rows)
				require.Empty(t, got.Liars)
				if c.says != "" {
					require.Contains(t, n.Log()[noted:], "remedy=")
				}
				Eventually(t, "the keyholder's own answer", time.Minute, func() bool {
					o := n.Keyholders[0].Outcome(t, asked.Hash)
					return o != nil && o.Sent
				})
			})
		}
	}
	(&realNetwork{Network: n}).nothingDoubled(t, charges)
	n.vaultKeptSecrets(t, server, store, keyIDs)
}

// Rule: a second process with the same keystore that saw more of the journal wins the
// check-and-set of the mark. In the middle of a release the first stops, and says why; it
// neither co-signs nor answers.
func TestVaultMarkTakenMidRelease(t *testing.T) {
	server := vaultserver.New(t, vaultserver.Options{})
	var store *watched
	n := Start(t, Options{Keystore: func(p carnet.PartyID) keys.Store {
		if p != "kh1" {
			return nil
		}
		_, store = openVault(t, server, p)
		return store
	}})
	publishTrade(t, n, carnet.LayoutCube)
	login, err := server.Provision(Context(t), "keyholder", "kh1", t.TempDir())
	require.NoError(t, err)
	c, err := vaultclient.Open(Context(t), login, nil)
	require.NoError(t, err)
	defer c.Close()
	second, err := vault.Open(Context(t), c, vaultsecret.Config{Name: "kh1"})
	require.NoError(t, err)
	defer second.Close()
	taken := make(chan error, 1)
	store.arm(beforeMarking, func() {
		taken <- second.Mark(Context(t), carnet.Checkpoint{Size: 1 << 20, Head: carnet.Hash{1}})
	})
	asked := n.Submit(t, "buyer", "cube", linearQuery)
	require.NoError(t, <-taken)
	kh := n.Keyholders[0]
	Eventually(t, "the keyholder's end", time.Minute, kh.Ended)
	require.Equal(t, "MARK_BEHIND", carnet.ReasonOf(kh.Stop(t)))
	require.Nil(t, kh.Outcome(t, asked.Hash))
}

// vaultKeptSecrets looks for seeds and tokens in the audit file, in Vault's own log and
// in the network's.
func (n *Network) vaultKeptSecrets(t *testing.T, server *vaultserver.Server, store *watched, held []carnet.KeyID) {
	t.Helper()
	audit, err := os.ReadFile(server.AuditFile)
	require.NoError(t, err)
	require.Contains(t, string(audit), "carnet-transit/sign/kh1-sign", "it was written")
	logs := map[string]string{"audit file": string(audit), "Vault's log": server.Log(), "log": n.Log()}
	secrets := map[string]string{"root token": server.Token}
	for _, key := range held {
		b, err := store.Get(Context(t), key)
		require.NoError(t, err)
		secrets["seeds, raw"], secrets["seeds, hexadecimal"], secrets["seeds, base64"] = string(b), hex.EncodeToString(b), base64.StdEncoding.EncodeToString(b)
		for where, text := range logs {
			for what, secret := range secrets {
				require.NotContains(t, text, secret, "%s in %s", what, where)
			}
		}
	}
	for where, text := range logs {
		require.NotContains(t, text, "hvs.", "a token in %s", where)
	}
}
