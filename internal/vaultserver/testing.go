package vaultserver

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"
	"time"
)

// Required is the variable that turns tests that can't find a server from skipped to
// failed. CI sets it.
const Required = "CARNET_VAULT_TESTS"

// New starts a server for one test.
func New(t testing.TB, o Options) *Server {
	t.Helper()
	s := start(t, o)
	t.Cleanup(s.Stop)
	return s
}

func start(t testing.TB, o Options) *Server {
	t.Helper()
	if testing.Short() && os.Getenv(Required) == "" {
		t.Skip("starts a Vault server")
	}
	ctx, done := context.WithTimeout(context.Background(), time.Minute)
	defer done()
	s, err := Start(ctx, o)
	if errors.Is(err, ErrNotBuilt) && os.Getenv(Required) == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var shared struct {
	mu     sync.Mutex
	server *Server
}

// Shared is one server for all tests of a package that leave it as it is, with mounts
// of their own. Main stops it.
func Shared(t testing.TB) *Server {
	t.Helper()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.server == nil {
		shared.server = start(t, Options{})
	}
	return shared.server
}

// Main is the TestMain of a package that uses Shared.
func Main(m *testing.M) {
	code := m.Run()
	shared.mu.Lock()
	if shared.server != nil {
		shared.server.Stop()
	}
	shared.mu.Unlock()
	os.Exit(code)
}
