package vault_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/internal/vaultserver"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/keys/keystest"
	"github.com/carnet-network/carnet/pkg/keys/vault"
	"github.com/carnet-network/carnet/pkg/vaultclient"
	"github.com/carnet-network/carnet/pkg/vaultsecret"
)

func TestMain(m *testing.M) { vaultserver.Main(m) }

func background(t testing.TB) context.Context {
	ctx, done := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(done)
	return ctx
}

var parties atomic.Int64

// fresh makes an empty keystore of a new party, under the policy of the repository.
func fresh(t testing.TB, s *vaultserver.Server) (*vaultclient.Client, *vault.Store, vaultsecret.Config) {
	t.Helper()
	ctx := background(t)
	party := carnet.PartyID(fmt.Sprintf("kh%d", parties.Add(1)))
	login, err := s.Provision(ctx, "keyholder", party, t.TempDir())
	require.NoError(t, err)
	c, err := vaultclient.Open(ctx, login, nil)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	cfg := vaultsecret.Config{Name: string(party)}
	store, err := vault.Create(ctx, c, cfg, rand.Reader)
	require.NoError(t, err)
	return c, store, cfg
}

func TestStore(t *testing.T) {
	s := vaultserver.Shared(t)
	keystest.Run(t, func(t *testing.T) keystest.Fixture {
		c, store, cfg := fresh(t, s)
		return keystest.Fixture{Store: store, Reopen: func(t *testing.T) keys.Store {
			require.NoError(t, store.Close())
			var err error
			store, err = vault.Open(background(t), c, cfg)
			require.NoError(t, err)
			return store
		}, BeforeDraw: func(t *testing.T) { rotateTransit(t, s, cfg) }}
	})
}

// rotateTransit makes a new version of a signing key, as Vault's administrator does.
func rotateTransit(t *testing.T, s *vaultserver.Server, cfg vaultsecret.Config) {
	t.Helper()
	_, err := s.Client().Logical().WriteWithContext(background(t), "carnet-transit/keys/"+cfg.Name+"-sign/rotate", nil)
	require.NoError(t, err)
}

// admin is a client that may do everything.
func admin(t *testing.T, s *vaultserver.Server) *vaultclient.Client {
	t.Helper()
	t.Setenv("VAULT_TOKEN", s.Token)
	c, err := vaultclient.Open(background(t), vaultclient.Config{Address: s.Addr, CA: s.CAFile, Auth: vaultclient.Auth{Method: "token"}}, nil)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}
