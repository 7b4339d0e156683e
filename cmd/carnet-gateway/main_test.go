package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	grpctls "google.golang.org/grpc/credentials"

	"github.com/carnet-network/carnet/internal/postgres"
	carnetv1 "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/apiconv"
	"github.com/carnet-network/carnet/pkg/blob/blobtest"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/ident"
	"github.com/carnet-network/carnet/pkg/store"
)

func TestMain(m *testing.M) { postgres.Main(m) }

// files makes certificates and a registrar key, and returns the flags that name them.
func files(t *testing.T) (dir string, flags []string) {
	dir = t.TempDir()
	ca, err := ident.NewCA("test", time.Hour)
	require.NoError(t, err)
	require.NoError(t, ca.Save(dir))
	cert, key, err := ca.IssueServer([]string{"127.0.0.1"}, time.Hour)
	require.NoError(t, err)
	require.NoError(t, ident.WriteCert(dir, "gateway", cert, key))
	cert, key, err = ca.IssueParty("kz", time.Hour)
	require.NoError(t, err)
	require.NoError(t, ident.WriteCert(dir, "kz", cert, key))
	registrar, err := ident.New("registrar", rand.Reader)
	require.NoError(t, err)
	require.NoError(t, ident.WriteAnchor(filepath.Join(dir, "registrar.pub"), registrar.Public()))
	in := func(name string) string { return filepath.Join(dir, name) }
	return dir, []string{"--data", in("data"), "--tls-cert", in("gateway.pem"), "--tls-key", in("gateway-key.pem"), "--tls-ca", in("ca.pem"), "--registrar-key", in("registrar.pub")}
}

func runCommand(args ...string) (code int, out, errs string) {
	var o, e bytes.Buffer
	code = run(args, streams{&o, &e})
	return code, o.String(), e.String()
}

func TestHelp(t *testing.T) {
	for _, args := range [][]string{nil, {"--help"}, {"serve", "--help"}, {"check-config", "--help"}, {"migrate", "--help"}, {"move-store", "--help"}, {"version", "--help"}} {
		code, out, _ := runCommand(args...)
		require.Zero(t, code)
		if len(args) == 2 {
			require.Contains(t, out, "Example:")
			require.Contains(t, out, "carnet-gateway "+args[0])
		}
	}
	code, out, _ := runCommand("version")
	require.Zero(t, code)
	require.Contains(t, out, "carnet-gateway")
	_, out, _ = runCommand("version", "--json")
	require.Contains(t, out, `"program": "carnet-gateway"`)
}

func TestBadUse(t *testing.T) {
	dir, flags := files(t)
	for _, args := range [][]string{
		{"serve"}, {"serv"}, append([]string{"serve", "--listen", "nowhere"}, flags...),
		append([]string{"serve", "--metrics-listen", "0.0.0.0:1"}, flags...), append([]string{"serve", "--memory", "lots"}, flags...),
		append([]string{"serve", "--operator", "../x"}, flags...), append([]string{"serve", "--workers", "-1"}, flags...),
	} {
		code, _, errs := runCommand(args...)
		require.Equal(t, 2, code, "%v: %s", args, errs)
		require.NotEmpty(t, errs)
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "registrar.pub"), []byte("junk"), 0o600))
	code, _, errs := runCommand(append([]string{"check-config"}, flags...)...)
	require.Equal(t, 2, code)
	require.Contains(t, errs, "registrar.pub")
	require.Contains(t, errs, "[BAD_REGISTRAR_KEY]\n  fix: ")
}

// --cold is a folder or a bucket, and what can't be used is refused at the start.
func TestColdPlaces(t *testing.T) {
	place := blobtest.S3(t)
	for cold, reason := range map[string]string{
		place: "", t.TempDir(): "", "s3://nobody-has-this?" + strings.SplitN(place, "?", 2)[1]: "BUCKET_UNUSABLE", "ftp://x": "BUCKET_UNUSABLE", "/dev/null/x": "BAD_DATA_DIR",
	} {
		s, err := (&serverFlags{dataFlag: dataFlag{Data: t.TempDir()}, Storage: "packed", Cold: cold}).openColumns(t.Context())
		require.Equal(t, reason, carnet.ReasonOf(err), "%s: %v", cold, err)
		if s != nil {
			require.NoError(t, s.Close())
		}
	}
}

func TestCheckConfigAndMigrate(t *testing.T) {
	dir, flags := files(t)
	code, out, errs := runCommand(append([]string{"check-config"}, flags...)...)
	require.Zero(t, code, errs)
	require.Contains(t, out, "ok")
	require.NoDirExists(t, filepath.Join(dir, "data"), "nothing is changed")
	notes, err := filepath.Glob(filepath.Join(dir, ".carnet-check-*"))
	require.NoError(t, err)
	require.Empty(t, notes)
	code, _, errs = runCommand(append(append([]string{"check-config"}, flags...), "--data", filepath.Join(dir, "ca.pem", "under", "a-file"))...)
	require.Equal(t, 5, code)
	require.Contains(t, errs, "BAD_DATA_DIR")
	code, out, errs = runCommand("migrate", "--data", filepath.Join(dir, "data"))
	require.Zero(t, code, errs)
	require.Regexp(t, `gateway\.db has version [1-9]\d*\n$`, out)
	_, out, _ = runCommand("migrate", "--json", "--data", filepath.Join(dir, "data"))
	require.Regexp(t, `^{\n  "schema_version": [1-9]\d*,\n  "store": ".*gateway\.db"\n}\n$`, out)
}

// A server certificate that expired lets nobody in: check-config says so.
func TestCheckConfigExpired(t *testing.T) {
	dir, flags := files(t)
	ca, err := ident.NewCA("test", time.Hour)
	require.NoError(t, err)
	cert, key, err := ca.IssueServer([]string{"127.0.0.1"}, -time.Minute)
	require.NoError(t, err)
	require.NoError(t, os.Remove(filepath.Join(dir, "gateway.pem")))
	require.NoError(t, os.Remove(filepath.Join(dir, "gateway-key.pem")))
	require.NoError(t, ident.WriteCert(dir, "gateway", cert, key))
	code, _, errs := runCommand(append([]string{"check-config"}, flags...)...)
	require.Equal(t, 5, code)
	require.Contains(t, errs, "CERTIFICATE_EXPIRED")
}

// What --store names is used instead of a file, or refused before anything is made. A
// password is never repeated.
func TestStoreAddresses(t *testing.T) {
	dir, flags := files(t)
	for place, reason := range map[string]string{"carnet.db": "BAD_STORE", "mysql://h/d": "BAD_STORE", "postgres://u:secret@db.example/carnet": "STORE_EXPOSED"} {
		for _, args := range [][]string{append([]string{"check-config", "--store", place}, flags...), {"migrate", "--store", place, "--data", filepath.Join(dir, "data")}} {
			code, _, errs := runCommand(args...)
			require.NotZero(t, code)
			require.Contains(t, errs, reason)
			require.NotContains(t, errs, "secret")
		}
	}
	code, out, errs := runCommand(append([]string{"check-config", "--store", "postgres://u:secret@db.example/carnet?sslmode=verify-full"}, flags...)...)
	require.Zero(t, code, errs)
	require.Contains(t, out, "store        postgres://u:xxxxx@db.example/carnet?sslmode=verify-full")
}

func TestStoreInPostgres(t *testing.T) {
	address := postgres.Fresh(t)
	dir := t.TempDir()
	code, out, errs := runCommand("migrate", "--data", filepath.Join(dir, "data"), "--store", address)
	require.Zero(t, code, errs)
	require.Regexp(t, `^postgres://bench@/db\d+\?host=\S+ has version [1-9]\d*\n$`, out)
	require.NoFileExists(t, filepath.Join(dir, "data", "gateway.db"))

	// Another gateway with a folder of its own is refused as long as this one runs.
	s, err := store.Open(t.Context(), address)
	require.NoError(t, err)
	defer s.Close()
	code, _, errs = runCommand("migrate", "--data", filepath.Join(dir, "other"), "--store", address)
	require.Equal(t, 5, code)
	require.Contains(t, errs, "STORE_IN_USE")
}

// A second gateway would recover and compute what the first one does.
func TestOneGatewayForAFolder(t *testing.T) {
	_, flags := files(t)
	first := dataFlag{Data: flags[1]}
	release, err := first.lock()
	require.NoError(t, err)
	for _, args := range [][]string{append([]string{"serve", "--listen", "127.0.0.1:0"}, flags...), {"migrate", "--data", first.Data}} {
		code, _, errs := runCommand(args...)
		require.Equal(t, 5, code, errs)
		require.Contains(t, errs, "DATA_IN_USE")
	}
	release()
	code, _, errs := runCommand("migrate", "--data", first.Data)
	require.Zero(t, code, errs)
}

func TestDataThatIsNoFolder(t *testing.T) {
	dir, flags := files(t)
	file := filepath.Join(dir, "registrar.pub")
	for _, command := range []string{"serve", "check-config", "migrate"} {
		args := []string{command, "--data", file}
		if command != "migrate" {
			args = append(append([]string{command}, flags...), "--data", file)
		}
		code, _, errs := runCommand(args...)
		require.Equal(t, 5, code, errs)
		require.Contains(t, errs, "BAD_DATA_DIR")
		require.Contains(t, errs, "fix: ")
	}
}

func TestServe(t *testing.T) {
	dir, flags := files(t)
	addrs := filepath.Join(dir, "addrs")
	var c serveCmd
	var out, errs bytes.Buffer
	parse(t, &c, append(flags, "--listen", "127.0.0.1:0", "--rest-listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0", "--addr-file", addrs))
	for range 2 { // the second time with the database and identity of the first
		ctx, stop := context.WithCancel(context.Background())
		done := make(chan error, 1)
		require.NoError(t, os.RemoveAll(addrs))
		go func() { done <- c.Run(ctx, streams{&out, &errs}) }()
		require.Eventually(t, func() bool { _, err := os.Stat(addrs); return err == nil }, time.Minute, 5*time.Millisecond)
		b, err := os.ReadFile(addrs)
		require.NoError(t, err)
		at := map[string]string{}
		for line := range strings.Lines(string(b)) {
			name, addr, ok := strings.Cut(strings.TrimSpace(line), "=")
			require.True(t, ok)
			require.NotContains(t, addr, ":0\n")
			at[name] = addr
		}
		conf, err := ident.ClientTLS(filepath.Join(dir, "kz.pem"), filepath.Join(dir, "kz-key.pem"), filepath.Join(dir, "ca.pem"))
		require.NoError(t, err)
		conn, err := grpc.NewClient(at["grpc"], grpc.WithTransportCredentials(grpctls.NewTLS(conf)))
		require.NoError(t, err)
		_, err = carnetv1.NewRegistryServiceClient(conn).GetParty(ctx, &carnetv1.GetPartyRequest{Id: "kz"})
		require.Equal(t, "UNKNOWN_PARTY", carnet.ReasonOf(apiconv.FromStatus(err)))
		conn.Close()
		resp, err := http.Get("http://" + at["metrics"] + "/readyz")
		require.NoError(t, err)
		resp.Body.Close()
		require.Equal(t, 200, resp.StatusCode)
		require.NotEmpty(t, at["rest"])
		stop()
		require.NoError(t, <-done)
	}
	info, err := os.Stat(filepath.Join(dir, "data", "identity.json"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func parse(t *testing.T, c any, args []string) {
	p, err := kong.New(c)
	require.NoError(t, err)
	_, err = p.Parse(args)
	require.NoError(t, err)
}
