package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"
)

// Required is the variable that turns tests that find no server from skipped to failed.
// CI sets it.
const Required = "CARNET_POSTGRES_TESTS"

// Need skips a test for which Start found no server, if none is required, and fails it for
// any other error.
func Need(t testing.TB, err error) {
	t.Helper()
	switch {
	case err == nil:
	case errors.Is(err, ErrNotInstalled) && os.Getenv(Required) == "":
		t.Skip(err)
	default:
		t.Fatal(err)
	}
}

// Database makes an empty database with a name of its own and returns its address. It
// sorts by bytes.
func (s *Server) Database(ctx context.Context) (address string, err error) {
	s.mu.Lock()
	s.databases++
	name := fmt.Sprintf("db%d", s.databases)
	s.mu.Unlock()
	if _, err := s.Query(ctx, "CREATE DATABASE "+name); err != nil {
		return "", err
	}
	u := url.URL{Scheme: "postgres", User: url.User(s.user), Path: "/" + name, RawQuery: url.Values{"host": {s.dir}}.Encode()}
	return u.String(), nil
}

// New starts a server for one test, one that forces to disk what it commits.
func New(t testing.TB) *Server {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a PostgreSQL server")
	}
	ctx, done := context.WithTimeout(context.Background(), time.Minute)
	defer done()
	s, err := Start(ctx, "fsync = on", "synchronous_commit = on", "full_page_writes = on")
	Need(t, err)
	t.Cleanup(s.Stop)
	return s
}

var shared struct {
	mu     sync.Mutex
	server *Server
	err    error
}

// Fresh is an empty database on a server that all tests of a package share. Main stops it.
func Fresh(t testing.TB) (address string) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a PostgreSQL server")
	}
	shared.mu.Lock()
	defer shared.mu.Unlock()
	ctx, done := context.WithTimeout(context.Background(), time.Minute)
	defer done()
	if shared.server == nil && shared.err == nil {
		shared.server, shared.err = Start(ctx, "fsync = on", "max_connections = 200")
	}
	Need(t, shared.err)
	address, err := shared.server.Database(ctx)
	Need(t, err)
	return address
}

// Main is the TestMain of a package that uses Fresh.
func Main(m *testing.M) {
	code := m.Run()
	StopShared()
	os.Exit(code)
}

// StopShared is for packages whose TestMain does more than Main.
func StopShared() {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.server != nil {
		shared.server.Stop()
	}
}
