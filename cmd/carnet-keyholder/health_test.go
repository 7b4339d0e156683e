package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/keyholder"
	"github.com/carnet-network/carnet/pkg/keys/keystest"
)

func TestHealthTellsWhetherTheGatewayIsReached(t *testing.T) {
	store, err := keystest.NewMemory(rand.Reader)
	require.NoError(t, err)
	ledger, err := keyholder.OpenLedger(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), "ch", make([]byte, 32))
	require.NoError(t, err)
	defer ledger.Close()
	conn, err := grpc.NewClient("127.0.0.1:1", grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer conn.Close()
	k, err := keyholder.New(t.Context(), keyholder.Config{Party: "ch", Registrar: make([]byte, 32), Keys: store, Ledger: ledger, Gateway: conn})
	require.NoError(t, err)
	stop, addr, err := serveHealth("127.0.0.1:0", k, ledger, func(context.Context) error {
		return carnet.E(carnet.Unavailable, "VAULT_SEALED", "Vault is sealed").Fix("unseal Vault")
	})
	require.NoError(t, err)
	defer stop()

	get := func(path string) (int, []byte) {
		r, err := http.Get("http://" + addr + path)
		require.NoError(t, err)
		defer r.Body.Close()
		b, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		return r.StatusCode, b
	}
	code, body := get("/healthz")
	require.Equal(t, http.StatusServiceUnavailable, code)
	var c keyholder.Connection
	require.NoError(t, json.Unmarshal(body, &c))
	require.False(t, c.Connected)
	require.Contains(t, string(body), `"vault":{"usable":false,"reason":"VAULT_SEALED","error":"Vault is sealed","remedy":"unseal Vault"}`)
	code, body = get("/metrics")
	require.Equal(t, http.StatusOK, code)
	require.Contains(t, string(body), "carnet_keyholder_connected 0\n")
	require.Contains(t, string(body), "carnet_keyholder_vault_usable 0\n")
	require.Contains(t, string(body), "# TYPE carnet_keyholder_answers gauge\n")
}
