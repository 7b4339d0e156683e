package vaultclient_test

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/vault/api"
	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/internal/vaultserver"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/vaultclient"
)

// serviceAccount is a token in the form that Kubernetes gives to pods. Only the cluster
// can tell whether it is genuine.
func serviceAccount(name string) string {
	part := func(v any) string {
		b, _ := json.Marshal(v) // of strings only
		return base64.RawURLEncoding.EncodeToString(b)
	}
	return part(map[string]string{"alg": "RS256", "typ": "JWT"}) + "." + part(map[string]any{
		"iss": "https://kubernetes.default.svc", "sub": "system:serviceaccount:carnet:" + name,
		"kubernetes.io/serviceaccount/namespace": "carnet", "kubernetes.io/serviceaccount/service-account.name": name,
		"kubernetes.io/serviceaccount/service-account.uid": "uid-" + name,
	}) + "." + base64.RawURLEncoding.EncodeToString([]byte("signature of "+name))
}

// TestKubernetes logs in to a real Vault with a service account. The cluster's review of
// tokens is the only part that is played.
func TestKubernetes(t *testing.T) {
	s := vaultserver.Shared(t)
	ctx := background(t)
	genuine := serviceAccount("keyholder")
	cluster := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Spec struct{ Token string } `json:"spec"`
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil || r.URL.Path != "/apis/authentication.k8s.io/v1/tokenreviews" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, `{"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview","status":{"authenticated":%t,
			"user":{"username":"system:serviceaccount:carnet:keyholder","uid":"uid-keyholder","groups":["system:serviceaccounts"]}}}`, in.Spec.Token == genuine)
	}))
	defer cluster.Close()
	require.NoError(t, s.Client().Sys().PutPolicyWithContext(ctx, "reader", renewSelf))
	require.NoError(t, s.Client().Sys().EnableAuthWithOptionsWithContext(ctx, "cluster", &api.EnableAuthOptions{Type: "kubernetes"}))
	l := s.Client().Logical()
	_, err := l.WriteWithContext(ctx, "auth/cluster/config", map[string]any{"kubernetes_host": cluster.URL, "disable_local_ca_jwt": true, "token_reviewer_jwt": serviceAccount("vault"),
		"kubernetes_ca_cert": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cluster.Certificate().Raw}))})
	require.NoError(t, err)
	_, err = l.WriteWithContext(ctx, "auth/cluster/role/carnet", map[string]any{"bound_service_account_names": "keyholder", "bound_service_account_namespaces": "carnet",
		"token_policies": "reader", "token_no_default_policy": true, "token_ttl": "10m", "audience": ""})
	require.NoError(t, err)

	file := filepath.Join(t.TempDir(), "token")
	cfg := vaultclient.Config{Address: s.Addr, CA: s.CAFile, Auth: vaultclient.Auth{Method: "kubernetes", Mount: "cluster", Role: "carnet", JWTFile: file}}
	require.NoError(t, os.WriteFile(file, []byte(genuine), 0o600))
	require.NoError(t, works(t, open(t, cfg, nil)))

	for name, jwt := range map[string]string{"another account": serviceAccount("intruder"), "not a token": "nothing"} {
		require.NoError(t, os.WriteFile(file, []byte(jwt), 0o600))
		_, err = vaultclient.Open(ctx, cfg, nil)
		require.Error(t, err, name)
		require.Contains(t, []string{"VAULT_LOGIN_FAILED", "VAULT_UNAVAILABLE"}, carnet.ReasonOf(err), "%s: %v", name, err)
	}
	cfg.Auth.Role = "none"
	require.NoError(t, os.WriteFile(file, []byte(genuine), 0o600))
	_, err = vaultclient.Open(ctx, cfg, nil)
	require.Equal(t, "VAULT_LOGIN_FAILED", carnet.ReasonOf(err), err)
}
