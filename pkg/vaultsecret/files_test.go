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
