package vault_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/hashicorp/vault/api"
	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/internal/vaultserver"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/keys/vault"
	"github.com/carnet-network/carnet/pkg/vaultsecret"
)

func key(i byte) (k carnet.KeyID) { k[0], k[31] = i, 0xee; return }

// entry is what the KV engine holds of a key, as its administrator sees it.
func entry(t testing.TB, s *vaultserver.Server, cfg vaultsecret.Config, k carnet.KeyID) *api.KVSecret {
	got, err := s.Client().KVv2("carnet").Get(background(t), cfg.Name+"/keys/"+k.String())
	require.NoError(t, err)
	return got
}

// TestNothingReadableInKV: the KV engine and the audit file hold no seed, not even
// for those who may read everything there.
func TestNothingReadableInKV(t *testing.T) {
	s := vaultserver.Shared(t)
	_, store, cfg := fresh(t, s)
	seeds := bytes.Repeat([]byte{0x5a, 0xc3, 0x17}, 40)
	require.NoError(t, store.Put(background(t), key(1), seeds))
	_, err := store.Get(background(t), key(1))
	require.NoError(t, err)
	_, err = store.Signer().Sign(seeds)
	require.NoError(t, err)
	b, err := json.Marshal(entry(t, s, cfg, key(1)).Data)
	require.NoError(t, err)
	audit, err := os.ReadFile(s.AuditFile)
	require.NoError(t, err)
	require.Contains(t, string(audit), "carnet-transit/decrypt/"+cfg.Name+"-wrap", "it was written")
	enc, err := json.Marshal(seeds) // base64 in quotes
	require.NoError(t, err)
	for _, where := range [][]byte{b, audit} {
		for _, secret := range []string{string(seeds), string(bytes.Trim(enc, `"`)), fmt.Sprintf("%x", seeds), s.Token} {
			require.NotContains(t, string(where), secret)
		}
	}
}

// TestEntriesDoNotMove: whoever may write to KV can't pass one key's seeds off as
// another's.
func TestEntriesDoNotMove(t *testing.T) {
	s := vaultserver.Shared(t)
	_, store, cfg := fresh(t, s)
	ctx := background(t)
	require.NoError(t, store.Put(ctx, key(1), []byte("seeds of one")))
	_, err := s.Client().KVv2("carnet").Put(ctx, cfg.Name+"/keys/"+key(2).String(), entry(t, s, cfg, key(1)).Data)
	require.NoError(t, err)
	_, err = store.Get(ctx, key(2))
	require.Equal(t, "KEYSTORE_DAMAGED", carnet.ReasonOf(err))
}

// TestDestroyedVersionsAreGone: the versions before the mark have no contents left.
func TestDestroyedVersionsAreGone(t *testing.T) {
	s := vaultserver.Shared(t)
	_, store, cfg := fresh(t, s)
	ctx := background(t)
	require.NoError(t, store.Put(ctx, key(1), []byte("seeds")))
	require.NoError(t, store.Destroy(ctx, key(1)))
	kv := s.Client().KVv2("carnet")
	old, err := kv.GetVersion(ctx, cfg.Name+"/keys/"+key(1).String(), 1)
	require.NoError(t, err)
	require.Nil(t, old.Data)
	require.True(t, old.VersionMetadata.Destroyed)
}

// TestDestroyFinishesWhatWasBegun: a process that ended between the mark and the
// destruction of older versions is caught up with.
func TestDestroyFinishesWhatWasBegun(t *testing.T) {
	s := vaultserver.Shared(t)
	_, store, cfg := fresh(t, s)
	ctx := background(t)
	require.NoError(t, store.Put(ctx, key(1), []byte("seeds")))
	kv := s.Client().KVv2("carnet")
	path := cfg.Name + "/keys/" + key(1).String()
	_, err := kv.Put(ctx, path, map[string]any{"format": "carnet-vault-keystore/1", "state": "destroyed"})
	require.NoError(t, err)
	require.NoError(t, store.Destroy(ctx, key(1)))
	old, err := kv.GetVersion(ctx, path, 1)
	require.NoError(t, err)
	require.Nil(t, old.Data)
}

// TestDeletedByOthers: an entry that an administrator deleted is not taken for one that
// never was, and can still be destroyed.
func TestDeletedByOthers(t *testing.T) {
	s := vaultserver.Shared(t)
	_, store, cfg := fresh(t, s)
	ctx := background(t)
	require.NoError(t, store.Put(ctx, key(1), []byte("seeds")))
	require.NoError(t, s.Client().KVv2("carnet").Delete(ctx, cfg.Name+"/keys/"+key(1).String()))
	_, err := store.Get(ctx, key(1))
	require.Equal(t, "KEYSTORE_DAMAGED", carnet.ReasonOf(err), err)
	require.Equal(t, "KEYSTORE_DAMAGED", carnet.ReasonOf(store.Put(ctx, key(1), []byte("other"))))
	require.NoError(t, store.Destroy(ctx, key(1)))
	_, err = store.Get(ctx, key(1))
	require.Equal(t, "KEY_DESTROYED", carnet.ReasonOf(err))
}

// TestTwoProcesses: of two processes that put different seeds at once, one wins and
// the other is told.
func TestTwoProcesses(t *testing.T) {
	s := vaultserver.Shared(t)
	c, one, cfg := fresh(t, s)
	two, err := vault.Open(background(t), c, cfg)
	require.NoError(t, err)
	for i := range byte(4) {
		var wg sync.WaitGroup
		errs := make([]error, 2)
		for p, store := range []*vault.Store{one, two} {
			wg.Go(func() { errs[p] = store.Put(background(t), key(i), []byte{byte(p + 1)}) })
		}
		wg.Wait()
		lost := 0
		for p, store := range []*vault.Store{one, two} {
			if errs[p] != nil {
				lost++
				require.Equal(t, "BUNDLE_DIFFERS", carnet.ReasonOf(errs[p]), errs[p])
				continue
			}
			got, err := store.Get(background(t), key(i))
			require.NoError(t, err)
			require.Equal(t, []byte{byte(p + 1)}, got)
		}
		require.Equal(t, 1, lost)
	}
}

// TestKeysThatCouldLeave: Create takes no transit key that can be exported, of the wrong
// type or missing.
func TestKeysThatCouldLeave(t *testing.T) {
	s := vaultserver.Shared(t)
	fresh(t, s) // the mounts
	ctx := background(t)
	for i, bad := range []struct {
		reason string
		wrap   map[string]any
		sign   map[string]any
	}{
		{"VAULT_KEY_EXPORTABLE", map[string]any{"type": "aes256-gcm96", "exportable": true}, map[string]any{"type": "ed25519"}},
		{"VAULT_KEY_EXPORTABLE", map[string]any{"type": "aes256-gcm96"}, map[string]any{"type": "ed25519", "exportable": true}},
		{"VAULT_KEY_EXPORTABLE", map[string]any{"type": "aes256-gcm96"}, map[string]any{"type": "ed25519", "allow_plaintext_backup": true}},
		{"VAULT_WRONG_KEY", map[string]any{"type": "ed25519"}, map[string]any{"type": "ed25519"}},
		{"VAULT_WRONG_KEY", map[string]any{"type": "aes256-gcm96"}, map[string]any{"type": "ecdsa-p256"}},
		{"VAULT_NO_KEY", nil, nil},
	} {
		party := carnet.PartyID(fmt.Sprintf("bad%d", i))
		for name, data := range map[string]map[string]any{"wrap": bad.wrap, "sign": bad.sign} {
			if data != nil {
				_, err := s.Client().Logical().WriteWithContext(ctx, "carnet-transit/keys/"+string(party)+"-"+name, data)
				require.NoError(t, err)
			}
		}
		_, err := vault.Create(ctx, admin(t, s), vaultsecret.Config{Name: string(party)}, rand.Reader)
		require.Equal(t, bad.reason, carnet.ReasonOf(err), "%d: %v", i, err)
	}
}

// TestRotatedSigningKey: after a rotation in Vault the registered version still signs.
func TestRotatedSigningKey(t *testing.T) {
	s := vaultserver.Shared(t)
	c, store, cfg := fresh(t, s)
	ctx := background(t)
	for _, name := range []string{"sign", "wrap"} {
		_, err := s.Client().Logical().WriteWithContext(ctx, "carnet-transit/keys/"+cfg.Name+"-"+name+"/rotate", nil)
		require.NoError(t, err)
	}
	again, err := vault.Open(ctx, c, cfg)
	require.NoError(t, err)
	require.Equal(t, store.Signer().Public(), again.Signer().Public())
	_, err = again.Signer().Sign([]byte("message"))
	require.NoError(t, err)
	require.NoError(t, again.Put(ctx, key(1), []byte("seeds")))
	_, err = again.Get(ctx, key(1))
	require.NoError(t, err)
}

// TestSignerNoticesAnotherKey: a transit key that was deleted and made again does not
// sign in the keyholder's name.
func TestSignerNoticesAnotherKey(t *testing.T) {
	s := vaultserver.Shared(t)
	_, store, cfg := fresh(t, s)
	ctx := background(t)
	l := s.Client().Logical()
	path := "carnet-transit/keys/" + cfg.Name + "-sign"
	_, err := l.WriteWithContext(ctx, path+"/config", map[string]any{"deletion_allowed": true})
	require.NoError(t, err)
	_, err = l.DeleteWithContext(ctx, path)
	require.NoError(t, err)
	_, err = l.WriteWithContext(ctx, path, map[string]any{"type": "ed25519"})
	require.NoError(t, err)
	_, err = store.Signer().Sign([]byte("message"))
	require.Equal(t, "VAULT_KEY_CHANGED", carnet.ReasonOf(err), err)
}

func TestCreateOnce(t *testing.T) {
	s := vaultserver.Shared(t)
	c, _, cfg := fresh(t, s)
	_, err := vault.Create(background(t), c, cfg, rand.Reader)
	require.Equal(t, "KEYSTORE_EXISTS", carnet.ReasonOf(err), err)
	_, err = vault.Open(background(t), admin(t, s), vaultsecret.Config{Name: "nobody"})
	require.Equal(t, "NO_KEYSTORE", carnet.ReasonOf(err))
	for _, bad := range []vaultsecret.Config{{}, {Name: "Upper"}, {Name: "../other"}, {Name: "a", KV: "../sys"}, {Name: "a", Transit: "x?y"}} {
		_, err = vault.Open(background(t), c, bad)
		require.Equal(t, "BAD_VAULT_CONFIG", carnet.ReasonOf(err), bad)
	}
}
