package server_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/flow/flowtest"
	"github.com/carnet-network/carnet/pkg/server"
)

// Health says that the gateway's Vault is sealed, over gRPC to whoever watches it and on the
// loopback address; the gateway is healthy all the same.
func TestHealthOfVault(t *testing.T) {
	var mu sync.Mutex
	var state error
	set := func(err error) {
		mu.Lock()
		defer mu.Unlock()
		state = err
	}
	e := serveWith(t, flowtest.New(t), func(_ *edge, c *server.Config) {
		c.Vault = func(context.Context) error {
			mu.Lock()
			defer mu.Unlock()
			return state
		}
	})
	limited, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	health := healthpb.NewHealthClient(e.dial("stranger"))
	watch, err := health.Watch(limited, &healthpb.HealthCheckRequest{Service: "vault"})
	require.NoError(t, err)
	until := func(want healthpb.HealthCheckResponse_ServingStatus) {
		t.Helper()
		for {
			got, err := watch.Recv()
			require.NoError(t, err)
			if got.Status == want {
				return
			}
		}
	}
	inside := func(path string) string {
		resp, err := http.Get(e.metrics + path)
		require.NoError(t, err)
		defer resp.Body.Close()
		require.Equal(t, http.StatusOK, resp.StatusCode)
		b, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return string(b)
	}
	until(healthpb.HealthCheckResponse_SERVING)
	require.Equal(t, "ok\nvault: ok\n", inside("/healthz"))
	require.Contains(t, inside("/metrics"), "carnet_vault_usable 1\n")

	set(carnet.E(carnet.Unavailable, "VAULT_SEALED", "Vault is sealed").Fix("unseal Vault"))
	until(healthpb.HealthCheckResponse_NOT_SERVING)
	require.Equal(t, "ok\nvault: VAULT_SEALED: Vault is sealed\n", inside("/healthz"))
	require.Contains(t, inside("/metrics"), "carnet_vault_usable 0\n")
	require.Equal(t, "ready\n", inside("/readyz"))
	own, err := health.Check(limited, &healthpb.HealthCheckRequest{})
	require.NoError(t, err)
	require.Equal(t, healthpb.HealthCheckResponse_SERVING, own.Status)
	code, body := e.http("", "GET", "/healthz", nil)
	require.Equal(t, 200, code)
	require.Equal(t, "ok\n", string(body), "strangers are not told")

	set(nil)
	until(healthpb.HealthCheckResponse_SERVING)
	require.True(t, strings.HasSuffix(inside("/healthz"), "vault: ok\n"))
}

// shared is a log that is read while it is written.
type shared struct {
	mu sync.Mutex
	b  strings.Builder
}

func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *shared) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// What goes wrong is logged once, also if it has no reason of ours.
func TestFaultOfVaultIsLogged(t *testing.T) {
	log := &shared{}
	serveWith(t, flowtest.New(t), func(_ *edge, c *server.Config) {
		c.Logger = slog.New(slog.NewTextHandler(log, nil))
		c.Vault = func(context.Context) error { return errors.New("something odd") }
	})
	require.Eventually(t, func() bool { return strings.Contains(log.String(), "something odd") }, time.Minute, 10*time.Millisecond)
}
