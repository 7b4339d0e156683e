package vaultsecret_test

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/internal/vaultserver"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/vaultclient"
	"github.com/carnet-network/carnet/pkg/vaultsecret"
)

func TestMain(m *testing.M) { vaultserver.Main(m) }

func background(t testing.TB) context.Context {
	ctx, done := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(done)
	return ctx
}

func TestFiles(t *testing.T) {
	s := vaultserver.Shared(t)
	ctx := background(t)
	login, err := s.Provision(ctx, "party", "owner-with-files", t.TempDir())
	require.NoError(t, err)
	c, err := vaultclient.Open(ctx, login, nil)
	require.NoError(t, err)
	defer c.Close()
	f, err := vaultsecret.NewFiles(c, vaultsecret.Config{Name: "owner-with-files"})
	require.NoError(t, err)

	_, err = f.Read(ctx, "identity")
	require.Equal(t, "NO_KEY_FILE", carnet.ReasonOf(err), err)
	secret := bytes.Repeat([]byte("seed"), 10)
	require.NoError(t, f.Write(ctx, "identity", secret))
	require.Equal(t, "FILE_EXISTS", carnet.ReasonOf(f.Write(ctx, "identity", []byte("another"))), "nothing is overwritten")
	got, err := f.Read(ctx, "identity")
	require.NoError(t, err)
	require.Equal(t, secret, got)
	for _, bad := range []string{"", "../other/files/identity", "a/b", "Upper"} {
		require.Equal(t, "BAD_NAME", carnet.ReasonOf(f.Write(ctx, bad, secret)), bad)
		_, err = f.Read(ctx, bad)
		require.Equal(t, "BAD_NAME", carnet.ReasonOf(err), bad)
	}

	// What the KV engine holds is not readable, and does not open under another name.
	kv := s.Client().KVv2("carnet")
	raw, err := kv.Get(ctx, "owner-with-files/files/identity")
	require.NoError(t, err)
	b, err := json.Marshal(raw.Data)
	require.NoError(t, err)
	require.NotContains(t, string(b), "seed")
	require.False(t, strings.Contains(string(b), "c2VlZHNlZWQ"), "base64")
	_, err = kv.Put(ctx, "owner-with-files/files/key-trade", raw.Data)
	require.NoError(t, err)
	_, err = f.Read(ctx, "key-trade")
	require.Equal(t, "KEYSTORE_DAMAGED", carnet.ReasonOf(err), err)
}

// The file of an identity is replaced in one step, and what was there before is gone.
func TestFilesReplaced(t *testing.T) {
	s := vaultserver.Shared(t)
	ctx := background(t)
	login, err := s.Provision(ctx, "party", "owner-that-rotates", t.TempDir())
	require.NoError(t, err)
	c, err := vaultclient.Open(ctx, login, nil)
	require.NoError(t, err)
	defer c.Close()
	f, err := vaultsecret.NewFiles(c, vaultsecret.Config{Name: "owner-that-rotates"})
	require.NoError(t, err)
	is := func(want string) {
		t.Helper()
		got, err := f.Read(ctx, "identity")
		require.NoError(t, err)
		require.Equal(t, want, string(got))
	}
	require.Equal(t, "NO_KEY_FILE", carnet.ReasonOf(f.WriteNext(ctx, "identity", []byte("next"))), "nothing to replace")
	require.NoError(t, f.Write(ctx, "identity", []byte("first")))
	_, err = f.ReadNext(ctx, "identity")
	require.Equal(t, "NO_KEY_FILE", carnet.ReasonOf(err))
	require.NoError(t, f.Replace(ctx, "identity"))
	is("first")
	require.NoError(t, f.WriteNext(ctx, "identity", []byte("next")))
	require.Equal(t, "FILE_EXISTS", carnet.ReasonOf(f.WriteNext(ctx, "identity", []byte("another"))))
	is("first")
	require.NoError(t, f.DiscardNext(ctx, "identity"))
	require.NoError(t, f.DiscardNext(ctx, "identity"))
	is("first")
	require.NoError(t, f.WriteNext(ctx, "identity", []byte("second")))
	got, err := f.ReadNext(ctx, "identity")
	require.NoError(t, err)
	require.Equal(t, "second", string(got))

	// What waits does not open in the other's place.
	kv := s.Client().KVv2("carnet")
	raw, err := kv.Get(ctx, "owner-that-rotates/files/identity")
	require.NoError(t, err)
	next := raw.Data["next"]
	require.NoError(t, f.Replace(ctx, "identity"))
	is("second")
	require.NoError(t, f.Replace(ctx, "identity"))
	require.NoError(t, f.EraseOld(ctx, "identity"))
	is("second")
	newest, err := kv.Get(ctx, "owner-that-rotates/files/identity")
	require.NoError(t, err)
	for v := 1; v < newest.VersionMetadata.Version; v++ {
		old, err := kv.GetVersion(ctx, "owner-that-rotates/files/identity", v)
		require.NoError(t, err)
		require.True(t, old.VersionMetadata.Destroyed, "version %d", v)
	}
	newest.Data["wrapped"] = next
	_, err = kv.Put(ctx, "owner-that-rotates/files/identity", newest.Data)
	require.NoError(t, err)
	_, err = f.Read(ctx, "identity")
	require.Equal(t, "KEYSTORE_DAMAGED", carnet.ReasonOf(err), err)

	// Only this one can be: the policy lets nothing else be overwritten.
	require.NoError(t, f.Write(ctx, "key-trade", []byte("seed")))
	require.Equal(t, "VAULT_DENIED", carnet.ReasonOf(f.WriteNext(ctx, "key-trade", []byte("another"))))
}
