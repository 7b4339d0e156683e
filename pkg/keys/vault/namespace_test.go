package vault_test

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
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
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/keys/vault"
	"github.com/carnet-network/carnet/pkg/keys/vaultplugin"
	"github.com/carnet-network/carnet/pkg/vaultclient"
	"github.com/carnet-network/carnet/pkg/vaultsecret"
	policies "github.com/carnet-network/carnet/policies/vault"
)

const namespace = "customs/ch"

// tenant stands before a real server like a Vault with namespaces: what is in one is found
// under its header only, and health is known outside of all of them only.
type tenant struct {
	*httptest.Server
	mu    sync.Mutex
	paths []string // found
	lost  []string // not found
}

func newTenant(t *testing.T, s *vaultserver.Server) *tenant {
	to, err := url.Parse(s.Addr)
	require.NoError(t, err)
	ca, err := os.ReadFile(s.CAFile)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(ca))
	forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Header.Del("X-Vault-Namespace")
	}, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}}
	n := &tenant{}
	n.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		want := namespace
		if r.URL.Path == "/v1/sys/health" {
			want = ""
		}
		n.mu.Lock()
		found := r.Header.Get("X-Vault-Namespace") == want
		if found {
			n.paths = append(n.paths, r.Method+" "+r.URL.Path)
		} else {
			n.lost = append(n.lost, r.Method+" "+r.URL.Path)
		}
		n.mu.Unlock()
		if !found {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(n.Close)
	return n
}

// saw reports whether a request to a path came.
func (n *tenant) saw(path string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, p := range n.paths {
		if strings.HasPrefix(p, path) {
			return true
		}
	}
	return false
}

// TestNamespaceOnEveryRequest: a keyholder in a namespace logs in, also with a wrapped
// secret id and a token of its own, renews, keeps seeds, signs, gets certificates and lists of revoked ones,
// and asks the secrets engine, with the namespace in every request.
func TestNamespaceOnEveryRequest(t *testing.T) {
	s := vaultserver.Shared(t)
	ctx := background(t)
	n := newTenant(t, s)
	const party = "tenant"
	login, err := s.Provision(ctx, "keyholder", party, t.TempDir())
	require.NoError(t, err)
	require.NoError(t, s.Authority(ctx))
	require.NoError(t, s.PartyRole(ctx, party, "5s"))
	login.Address, login.CA, login.Namespace = n.URL, filepath.Join(t.TempDir(), "ca.pem"), namespace
	require.NoError(t, os.WriteFile(login.CA, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: n.Certificate().Raw}), 0o600))

	wrapping := s.Client()
	wrapping.SetWrappingLookupFunc(func(string, string) string { return "1m" })
	w, err := wrapping.Logical().WriteWithContext(ctx, "auth/approle/role/"+party+"/secret-id", nil)
	require.NoError(t, err)
	wrapped := login
	wrapped.Auth.Wrapped, wrapped.Auth.SecretIDFile = true, filepath.Join(t.TempDir(), "wrapped")
	require.NoError(t, os.WriteFile(wrapped.Auth.SecretIDFile, []byte(w.WrapInfo.Token), 0o600))
	c, err := vaultclient.Open(ctx, wrapped, nil)
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.Health(ctx))
	require.NoError(t, c.Renew(ctx))

	store, err := vault.Create(ctx, c, vaultsecret.Config{Name: party}, rand.Reader)
	require.NoError(t, err)
	require.NoError(t, store.Put(ctx, carnet.KeyID{1}, []byte("bundle")))
	got, err := store.Get(ctx, carnet.KeyID{1})
	require.NoError(t, err)
	require.Equal(t, []byte("bundle"), got)
	_, err = store.List(ctx)
	require.NoError(t, err)
	require.NoError(t, store.Mark(ctx, carnet.Checkpoint{Size: 1}))
	_, err = evidence.Seal(carnet.TypeParty, carnet.Party{ID: party}, store.Signer())
	require.NoError(t, err)
	require.NoError(t, store.Destroy(ctx, carnet.KeyID{1}))

	cert, err := c.Certificate(ctx, vaultclient.Certificates{Role: party, Party: party, Revoked: true})
	require.NoError(t, err)
	first := cert.Certificate().Leaf.SerialNumber
	keep, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { cert.Keep(keep, slog.New(slog.DiscardHandler)); close(done) }()
	require.Eventually(t, func() bool { return cert.Certificate().Leaf.SerialNumber.Cmp(first) != 0 }, time.Minute, 10*time.Millisecond)
	stop()
	<-done

	_, err = vaultplugin.SealingKey(ctx, vaultplugin.At(c, "carnet-keys-"+party))
	require.Error(t, err, "there is none; the request is what counts")

	// A token that was given, and one that Vault forgot.
	require.NoError(t, s.Client().Sys().PutPolicyWithContext(ctx, "carnet-"+party, policies.For("keyholder", party)))
	token, err := s.Client().Auth().Token().CreateWithContext(ctx, &api.TokenCreateRequest{Policies: []string{"default", "carnet-" + party}, TTL: "1h"})
	require.NoError(t, err)
	own := login
	own.Auth = vaultclient.Auth{Method: "token", TokenFile: filepath.Join(t.TempDir(), "token")}
	require.NoError(t, os.WriteFile(own.Auth.TokenFile, []byte(token.Auth.ClientToken), 0o600))
	o, err := vaultclient.Open(ctx, own, nil)
	require.NoError(t, err)
	require.NoError(t, o.Close())
	require.NoError(t, c.Do(ctx, "revoke", func(a *api.Client) error {
		_, err := s.Client().Logical().WriteWithContext(ctx, "auth/token/revoke", map[string]any{"token": a.Token()})
		return err
	}))
	require.NoError(t, store.Mark(ctx, carnet.Checkpoint{Size: 2}))

	require.Empty(t, n.lost, "requests in no namespace or in another")
	for _, path := range []string{
		"PUT /v1/sys/wrapping/unwrap", "PUT /v1/auth/approle/login", "PUT /v1/auth/token/renew-self", "GET /v1/auth/token/lookup-self",
		"PUT /v1/carnet/data/tenant/", "GET /v1/carnet/data/tenant/", "PUT /v1/carnet-transit/sign/tenant-sign", "PUT /v1/carnet-transit/encrypt/tenant-wrap", "PUT /v1/carnet-transit/decrypt/tenant-wrap",
		"GET /v1/carnet-transit/keys/tenant-sign", "PUT /v1/carnet-pki/sign/tenant", "GET /v1/carnet-pki/issuer", "GET /v1/carnet-keys-tenant/info", "GET /v1/sys/health",
	} {
		require.True(t, n.saw(path), "%s in %v", path, n.paths)
	}

	// Without the namespace nothing is found.
	login.Namespace = ""
	_, err = vaultclient.Open(ctx, login, nil)
	require.Error(t, err)
}
