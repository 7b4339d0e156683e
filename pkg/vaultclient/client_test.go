package vaultclient_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/vault/api"
	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/internal/vaultserver"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/vaultclient"
)

func TestMain(m *testing.M) { vaultserver.Main(m) }

func background(t testing.TB) context.Context {
	ctx, done := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(done)
	return ctx
}

const renewSelf = `path "auth/token/renew-self" { capabilities = ["update"] }
path "sys/auth" { capabilities = ["read", "sudo"] }`

// role makes an AppRole that may read sys/auth.
func role(t testing.TB, s *vaultserver.Server, r vaultserver.Role) vaultclient.Config {
	require.NoError(t, s.Client().Sys().PutPolicyWithContext(background(t), "reader", renewSelf))
	cfg, err := s.AppRole(background(t), r, "reader", t.TempDir())
	require.NoError(t, err)
	return cfg
}

// works does a request that needs the policy.
func works(t testing.TB, c *vaultclient.Client) error {
	return c.Do(background(t), "list auth methods", func(a *api.Client) error {
		_, err := a.Sys().ListAuthWithContext(background(t))
		return err
	})
}

type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func logger() (*slog.Logger, *buffer) {
	b := &buffer{}
	return slog.New(slog.NewTextHandler(b, &slog.HandlerOptions{Level: slog.LevelDebug})), b
}

func open(t testing.TB, cfg vaultclient.Config, log *slog.Logger) *vaultclient.Client {
	t.Helper()
	c, err := vaultclient.Open(background(t), cfg, log)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

// TestTokenLivesOn: a token of three seconds is renewed, and when it can't be renewed
// any more a new one is got, before anybody notices.
func TestTokenLivesOn(t *testing.T) {
	s := vaultserver.Shared(t)
	log, text := logger()
	c := open(t, role(t, s, vaultserver.Role{Name: "short", TTL: "2s", Max: "5s"}), log)
	require.Eventually(t, func() bool {
		require.NoError(t, works(t, c))
		return strings.Contains(text.String(), "token renewed") && strings.Contains(text.String(), "logged in to Vault again")
	}, 20*time.Second, 50*time.Millisecond)
	require.NotContains(t, text.String(), "hvs.", "a token")
}

// TestRevokedToken: a request with a token that Vault forgot logs in once and works.
func TestRevokedToken(t *testing.T) {
	s := vaultserver.Shared(t)
	cfg := role(t, s, vaultserver.Role{Name: "revoked"})
	c := open(t, cfg, nil)
	require.NoError(t, works(t, c))
	revoke := func() {
		_ = c.Do(background(t), "revoke", func(a *api.Client) error {
			_, err := s.Client().Logical().WriteWithContext(background(t), "auth/token/revoke", map[string]any{"token": a.Token()})
			require.NoError(t, err)
			return nil
		})
	}
	revoke()
	require.NoError(t, works(t, c))
	// Without a way to log in the request says what to do, and the token is not shown.
	revoke()
	require.NoError(t, os.WriteFile(cfg.Auth.SecretIDFile, []byte("not a secret id"), 0o600))
	err := works(t, c)
	require.Equal(t, "VAULT_LOGIN_FAILED", carnet.ReasonOf(err), err)
	require.Equal(t, carnet.Forbidden, carnet.KindOf(err))
	require.NotContains(t, err.Error(), "not a secret id")
}

func TestTokenMethod(t *testing.T) {
	s := vaultserver.Shared(t)
	file := filepath.Join(t.TempDir(), "token")
	cfg := vaultclient.Config{Address: s.Addr, CA: s.CAFile, Auth: vaultclient.Auth{Method: "token", TokenFile: file}}
	_, err := vaultclient.Open(background(t), cfg, nil)
	require.Equal(t, "BAD_VAULT_CONFIG", carnet.ReasonOf(err), err)
	require.NoError(t, os.WriteFile(file, []byte(s.Token+"\n"), 0o644))
	_, err = vaultclient.Open(background(t), cfg, nil)
	require.Equal(t, "KEY_FILE_READABLE", carnet.ReasonOf(err), err)
	require.NoError(t, os.Chmod(file, 0o600))
	require.NoError(t, works(t, open(t, cfg, nil)))

	require.NoError(t, os.WriteFile(file, []byte("hvs.nonsense"), 0o600))
	_, err = vaultclient.Open(background(t), cfg, nil)
	require.Equal(t, "VAULT_TOKEN_INVALID", carnet.ReasonOf(err), err)
	require.NotContains(t, err.Error(), "nonsense")
}

// TestTokenFileIsReadAgain: an agent that writes a new token is enough.
func TestTokenFileIsReadAgain(t *testing.T) {
	s := vaultserver.Shared(t)
	require.NoError(t, s.Client().Sys().PutPolicyWithContext(background(t), "reader", renewSelf))
	file := filepath.Join(t.TempDir(), "token")
	create := func() string {
		got, err := s.Client().Auth().Token().CreateWithContext(background(t), &api.TokenCreateRequest{Policies: []string{"reader"}, TTL: "10m"})
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(file, []byte(got.Auth.ClientToken), 0o600))
		return got.Auth.ClientToken
	}
	first := create()
	c := open(t, vaultclient.Config{Address: s.Addr, CA: s.CAFile, Auth: vaultclient.Auth{Method: "token", TokenFile: file}}, nil)
	require.NoError(t, works(t, c))
	require.NoError(t, s.Client().Auth().Token().RevokeTreeWithContext(background(t), first))
	create()
	require.NoError(t, works(t, c))
}

func TestWrappedSecretID(t *testing.T) {
	s := vaultserver.Shared(t)
	cfg := role(t, s, vaultserver.Role{Name: "wrapped"})
	admin := s.Client()
	admin.SetWrappingLookupFunc(func(string, string) string { return "60s" })
	wrap := func() {
		w, err := admin.Logical().WriteWithContext(background(t), "auth/approle/role/wrapped/secret-id", nil)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(cfg.Auth.SecretIDFile, []byte(w.WrapInfo.Token), 0o600))
	}
	wrap()
	cfg.Auth.Wrapped = true
	c := open(t, cfg, nil)
	require.NoError(t, works(t, c))
	// The process can log in again although the wrapping token is used up …
	_ = c.Do(background(t), "revoke", func(a *api.Client) error {
		return s.Client().Auth().Token().RevokeTreeWithContext(background(t), a.Token())
	})
	require.NoError(t, works(t, c))
	// … and another process can't, and says that this may be theft.
	_, err := vaultclient.Open(background(t), cfg, nil)
	require.Equal(t, "VAULT_WRAPPING_USED", carnet.ReasonOf(err), err)
	// By a variable instead of a file.
	wrap()
	b, err := os.ReadFile(cfg.Auth.SecretIDFile)
	require.NoError(t, err)
	t.Setenv("CARNET_TEST_SECRET_ID", string(b))
	cfg.Auth.SecretIDFile, cfg.Auth.SecretIDEnv = "", "CARNET_TEST_SECRET_ID"
	require.NoError(t, works(t, open(t, cfg, nil)))
	// What wraps something else is refused.
	cfg.Auth.SecretIDEnv = "CARNET_TEST_OTHER"
	w, err := admin.Logical().WriteWithContext(background(t), "sys/wrapping/wrap", map[string]any{"x": "y"})
	require.NoError(t, err)
	t.Setenv("CARNET_TEST_OTHER", w.WrapInfo.Token)
	_, err = vaultclient.Open(background(t), cfg, nil)
	require.Equal(t, "BAD_VAULT_CONFIG", carnet.ReasonOf(err), err)
}

// TestNamespace: the namespace goes with every request. (The free edition of Vault has
// only one and does not look at it.)
func TestNamespace(t *testing.T) {
	s := vaultserver.Shared(t)
	cfg := role(t, s, vaultserver.Role{Name: "spaced"})
	sent := func(c *vaultclient.Client) (ns string) {
		require.NoError(t, c.Do(background(t), "look", func(a *api.Client) error {
			ns = a.Headers().Get("X-Vault-Namespace")
			return nil
		}))
		return ns
	}
	require.Empty(t, sent(open(t, cfg, nil)))
	t.Setenv("VAULT_NAMESPACE", "customs/at")
	require.Equal(t, "customs/at", sent(open(t, cfg, nil)))
	cfg.Namespace = "customs/ch"
	require.Equal(t, "customs/ch", sent(open(t, cfg, nil)), "the file counts more than the variable")
}

func TestConfigRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		cfg vaultclient.Config
		env map[string]string
	}{
		"no address":            {vaultclient.Config{Auth: vaultclient.Auth{Method: "token"}}, nil},
		"no TLS":                {vaultclient.Config{Address: "http://vault.example:8200", Auth: vaultclient.Auth{Method: "token"}}, nil},
		"no URL":                {vaultclient.Config{Address: "vault.example", Auth: vaultclient.Auth{Method: "token"}}, nil},
		"unchecked certificate": {vaultclient.Config{Address: "https://127.0.0.1:1", Auth: vaultclient.Auth{Method: "token"}}, map[string]string{"VAULT_SKIP_VERIFY": "true"}},
		"no method":             {vaultclient.Config{Address: "https://127.0.0.1:1"}, nil},
		"no role id":            {vaultclient.Config{Address: "https://127.0.0.1:1", Auth: vaultclient.Auth{Method: "approle", SecretIDFile: "x"}}, nil},
		"no secret id":          {vaultclient.Config{Address: "https://127.0.0.1:1", Auth: vaultclient.Auth{Method: "approle", RoleID: "x"}}, nil},
		"two secret ids":        {vaultclient.Config{Address: "https://127.0.0.1:1", Auth: vaultclient.Auth{Method: "approle", RoleID: "x", SecretIDFile: "x", SecretIDEnv: "y"}}, nil},
		"no kubernetes role":    {vaultclient.Config{Address: "https://127.0.0.1:1", Auth: vaultclient.Auth{Method: "kubernetes"}}, nil},
		"missing CA":            {vaultclient.Config{Address: "https://127.0.0.1:1", CA: "/nowhere", Auth: vaultclient.Auth{Method: "token"}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			for _, v := range []string{"VAULT_ADDR", "VAULT_TOKEN", "VAULT_CACERT", "VAULT_SKIP_VERIFY"} {
				t.Setenv(v, c.env[v])
			}
			_, err := vaultclient.Open(background(t), c.cfg, nil)
			require.Equal(t, "BAD_VAULT_CONFIG", carnet.ReasonOf(err), err)
		})
	}
}

func TestVariables(t *testing.T) {
	s := vaultserver.Shared(t)
	t.Setenv("VAULT_ADDR", s.Addr)
	t.Setenv("VAULT_CACERT", s.CAFile)
	t.Setenv("VAULT_TOKEN", s.Token)
	require.NoError(t, works(t, open(t, vaultclient.Config{Auth: vaultclient.Auth{Method: "token"}}, nil)))
	t.Setenv("VAULT_CACERT", "")
	_, err := vaultclient.Open(background(t), vaultclient.Config{Auth: vaultclient.Auth{Method: "token"}}, nil)
	require.Equal(t, "VAULT_UNTRUSTED", carnet.ReasonOf(err), err)
}
