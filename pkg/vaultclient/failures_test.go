package vaultclient_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/vault/api"
	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/internal/vaultserver"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/vaultclient"
)

// TestFailures does to a real server what can happen to it, and looks at what its
// client says each time.
func TestFailures(t *testing.T) {
	s := vaultserver.New(t, vaultserver.Options{})
	ctx := background(t)
	require.NoError(t, s.Client().Sys().MountWithContext(ctx, "carnet", &api.MountInput{Type: "kv", Options: map[string]string{"version": "2"}}))
	require.NoError(t, s.Client().Sys().PutPolicyWithContext(ctx, "kv", `path "carnet/data/own/*" { capabilities = ["create", "read", "update"] }`))
	cfg, err := s.AppRole(ctx, vaultserver.Role{Name: "kv"}, "kv", t.TempDir())
	require.NoError(t, err)
	cfg.Timeout = 2 * time.Second
	c := open(t, cfg, nil)
	put := func(path string, version int, value string) error {
		return c.Do(ctx, "write "+path, func(a *api.Client) error {
			_, err := a.KVv2("carnet").Put(ctx, path, map[string]any{"v": value}, api.WithCheckAndSet(version))
			return err
		})
	}
	says := func(what string, err error, kind carnet.Kind, reason string) {
		t.Helper()
		require.Equal(t, reason, carnet.ReasonOf(err), "%s: %v", what, err)
		require.Equal(t, kind, carnet.KindOf(err), what)
		var e *carnet.Error
		require.ErrorAs(t, err, &e)
		require.NotEmpty(t, e.Remedy, what)
		require.NotContains(t, err.Error(), "very secret", what)
	}
	require.NoError(t, put("own/a", 0, "very secret"))
	says("wrong version", put("own/a", 0, "very secret"), carnet.Exists, "VAULT_CHANGED")
	says("permission missing", put("other/a", 0, "very secret"), carnet.Forbidden, "VAULT_DENIED")
	says("a string over 1 MiB", put("own/b", 0, strings.Repeat("very secret", 100_000)), carnet.Exhausted, "VAULT_TOO_LARGE")
	says("a request over 32 MiB", c.Do(ctx, "write", func(a *api.Client) error {
		all := make([]string, 35)
		for i := range all {
			all[i] = strings.Repeat("x", 1<<20-100)
		}
		_, err := a.KVv2("carnet").Put(ctx, "own/c", map[string]any{"v": all})
		return err
	}), carnet.Exhausted, "VAULT_TOO_LARGE")
	says("no mount", c.Do(ctx, "write", func(*api.Client) error {
		_, err := s.Client().Logical().WriteWithContext(ctx, "nowhere/data/x", map[string]any{})
		return err
	}), carnet.NotFound, "VAULT_NO_SECRET")

	require.NoError(t, c.Health(ctx))
	require.NoError(t, s.Seal(ctx))
	says("health, sealed", c.Health(ctx), carnet.Unavailable, "VAULT_SEALED")
	says("sealed", put("own/a", 1, "very secret"), carnet.Unavailable, "VAULT_SEALED")
	require.NoError(t, s.Unseal(ctx))
	require.NoError(t, put("own/a", 1, "very secret"))

	require.NoError(t, s.Freeze())
	says("health, slow", c.Health(ctx), carnet.Unavailable, "VAULT_UNREACHABLE")
	says("slow", put("own/a", 2, "very secret"), carnet.Unavailable, "VAULT_UNREACHABLE")
	require.NoError(t, s.Thaw())
	// It may have been taken: a writer looks before it writes again.
	require.Eventually(t, func() bool { return s.Unsealed(ctx) }, time.Minute, 20*time.Millisecond)

	s.Kill()
	says("health, gone", c.Health(ctx), carnet.Unavailable, "VAULT_UNREACHABLE")
	says("gone", put("own/a", 3, "very secret"), carnet.Unavailable, "VAULT_UNREACHABLE")
	_, err = vaultclient.Open(ctx, cfg, nil)
	says("gone at the start", err, carnet.Unavailable, "VAULT_UNREACHABLE")

	// A program that waits starts once Vault is up and unsealed.
	log, text := logger()
	opened := make(chan error, 1)
	go func() {
		c, err := vaultclient.Wait(ctx, cfg, log)
		if err == nil {
			c.Close()
		}
		opened <- err
	}()
	require.Eventually(t, func() bool { return strings.Contains(text.String(), "VAULT_UNREACHABLE") }, time.Minute, 10*time.Millisecond)
	require.NoError(t, s.Restart(ctx))
	require.Eventually(t, func() bool { return strings.Contains(text.String(), "VAULT_SEALED") }, time.Minute, 10*time.Millisecond)
	require.NoError(t, s.Unseal(ctx))
	require.NoError(t, <-opened)

	gone, cancel := context.WithCancel(ctx)
	cancel()
	err = c.Do(gone, "read", func(a *api.Client) error {
		_, err := a.KVv2("carnet").Get(gone, "own/a")
		return err
	})
	require.ErrorIs(t, err, context.Canceled)
}
