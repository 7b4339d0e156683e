package ident

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
)

func revocations(t *testing.T, ca *CA, number int64, until time.Duration, serials ...*big.Int) *x509.RevocationList {
	list := &x509.RevocationList{Number: big.NewInt(number), ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: time.Now().Add(until)}
	for _, s := range serials {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: s, RevocationTime: time.Now()})
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, ca.cert, ca.key)
	require.NoError(t, err)
	out, err := x509.ParseRevocationList(der)
	require.NoError(t, err)
	return out
}

// live writes a certificate of a party or server and opens it.
func live(t *testing.T, ca *CA, dir, name string, server bool) (*Live, Files) {
	t.Helper()
	f := Files{Cert: filepath.Join(dir, name+".pem"), Key: filepath.Join(dir, name+"-key.pem"), CA: filepath.Join(dir, "ca.pem")}
	reissue(t, ca, dir, name, server)
	l, err := f.Open()
	require.NoError(t, err)
	return l, f
}

func reissue(t *testing.T, ca *CA, dir, name string, server bool) {
	t.Helper()
	os.Remove(filepath.Join(dir, name+".pem"))
	os.Remove(filepath.Join(dir, name+"-key.pem"))
	cert, key, err := ca.IssueParty(carnet.PartyID(name), time.Hour)
	if server {
		cert, key, err = ca.IssueServer([]string{"127.0.0.1"}, time.Hour)
	}
	require.NoError(t, err)
	require.NoError(t, WriteCert(dir, name, cert, key))
}

func TestRevoked(t *testing.T) {
	dir := t.TempDir()
	ca, err := NewCA("test", time.Hour)
	require.NoError(t, err)
	require.NoError(t, ca.Save(dir))
	server, _ := live(t, ca, dir, "gateway", true)
	client, _ := live(t, ca, dir, "kz", false)
	refused := func(reason string) {
		t.Helper()
		_, err := handshake(t, server.Server(), client.Client())
		require.Equal(t, reason, carnet.ReasonOf(err), "%v", err)
	}
	refused("")
	serial := client.Certificate().Leaf.SerialNumber
	require.NoError(t, server.Revoke(revocations(t, ca, 1, time.Hour), ca.cert))
	refused("")
	require.NoError(t, server.Revoke(revocations(t, ca, 2, time.Hour, serial), ca.cert))
	refused("CERTIFICATE_REVOKED")

	// A list that is older, or signed by somebody else, does not undo it.
	require.Equal(t, "BAD_REVOCATION_LIST", carnet.ReasonOf(server.Revoke(revocations(t, ca, 1, time.Hour), ca.cert)))
	other, err := NewCA("test", time.Hour)
	require.NoError(t, err)
	require.Equal(t, "BAD_REVOCATION_LIST", carnet.ReasonOf(server.Revoke(revocations(t, other, 3, time.Hour), ca.cert)))
	refused("CERTIFICATE_REVOKED")

	// A new certificate is good again, without a restart.
	reissue(t, ca, dir, "kz", false)
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "kz.pem"), filepath.Join(dir, "kz-key.pem"))
	require.NoError(t, err)
	client.Replace(pair)
	refused("")

	// A list that is out of date is as bad as none.
	require.NoError(t, server.Revoke(revocations(t, ca, 4, -time.Minute), ca.cert))
	_, err = handshake(t, server.Server(), client.Client())
	require.Equal(t, "REVOCATION_LIST_OLD", carnet.ReasonOf(err), "%v", err)

	// Clients look at servers in the same way.
	server, _ = live(t, ca, dir, "gateway2", true)
	require.NoError(t, client.Revoke(revocations(t, ca, 5, time.Hour, server.Certificate().Leaf.SerialNumber), ca.cert))
	_, err = handshake(t, server.Server(), client.Client())
	require.Equal(t, "CERTIFICATE_REVOKED", carnet.ReasonOf(err), "%v", err)
}

func TestFilesAreFollowed(t *testing.T) {
	dir := t.TempDir()
	ca, err := NewCA("test", time.Hour)
	require.NoError(t, err)
	require.NoError(t, ca.Save(dir))
	server, files := live(t, ca, dir, "gateway", true)
	client, _ := live(t, ca, dir, "kz", false)
	files.Revoked = filepath.Join(dir, "revoked.crl")
	_, err = files.Open()
	require.Equal(t, "BAD_REVOCATION_LIST", carnet.ReasonOf(err))
	go files.Follow(t.Context(), server, time.Millisecond, slog.New(slog.NewTextHandler(io.Discard, nil)))

	first := server.Certificate().Leaf.SerialNumber
	require.NoError(t, os.WriteFile(files.Revoked, revocations(t, ca, 1, time.Hour).Raw, 0o600))
	reissue(t, ca, dir, "gateway", true)
	require.Eventually(t, func() bool { return server.Certificate().Leaf.SerialNumber.Cmp(first) != 0 }, time.Minute, time.Millisecond)
	party, err := handshake(t, server.Server(), client.Client())
	require.NoError(t, err)
	require.Equal(t, carnet.PartyID("kz"), party)

	// Half a certificate leaves the one before in use, and does not delay a revocation.
	second := server.Certificate().Leaf.SerialNumber
	require.NoError(t, os.WriteFile(files.Cert, []byte("-----BEGIN"), 0o600))
	require.NoError(t, os.WriteFile(files.Revoked, revocations(t, ca, 2, time.Hour, client.Certificate().Leaf.SerialNumber).Raw, 0o600))
	require.Eventually(t, func() bool {
		_, err := handshake(t, server.Server(), client.Client())
		return carnet.ReasonOf(err) == "CERTIFICATE_REVOKED"
	}, 20*time.Second, 10*time.Millisecond)
	require.Equal(t, second, server.Certificate().Leaf.SerialNumber)
	reissue(t, ca, dir, "gateway", true)
	require.Eventually(t, func() bool { return server.Certificate().Leaf.SerialNumber.Cmp(second) != 0 }, time.Minute, time.Millisecond)
}

// An authority takes over from another without a restart, on both sides: for a while both
// are trusted, then the first is not, and whoever has a certificate of it is refused, on open
// connections too.
func TestAuthorityChanges(t *testing.T) {
	dir, next := t.TempDir(), t.TempDir()
	first, err := NewCA("test", time.Hour)
	require.NoError(t, err)
	require.NoError(t, first.Save(dir))
	second, err := NewCA("test", time.Hour) // of the same name
	require.NoError(t, err)
	require.NoError(t, second.Save(next))
	server, files := live(t, first, dir, "gateway", true)
	old, oldFiles := live(t, first, dir, "kz", false)
	young, _ := live(t, second, next, "uz", false)
	files.Revoked = filepath.Join(dir, "revoked.crl")
	require.NoError(t, os.WriteFile(files.Revoked, revocations(t, first, 1, time.Hour).Raw, 0o600))
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	config := server.Server() // what a listener was given at the start
	go files.Follow(t.Context(), server, time.Millisecond, log)
	go oldFiles.Follow(t.Context(), old, time.Millisecond, log)
	_, err = handshake(t, config, old.Client())
	require.NoError(t, err)
	_, err = handshake(t, config, young.Client())
	require.Error(t, err)

	both := append(append([]byte(nil), first.PEM()...), second.PEM()...)
	require.NoError(t, os.WriteFile(files.CA, both, 0o600)) // of server and first client
	meets := func(c *Live, want bool) {
		t.Helper()
		require.Eventually(t, func() bool {
			_, err := handshake(t, config, c.Client())
			return (err == nil) == want
		}, 20*time.Second, 10*time.Millisecond)
	}
	young.Trust([]*x509.Certificate{first.cert, second.cert})
	meets(young, true)
	meets(old, true)
	require.NoError(t, os.WriteFile(files.CA, both[:len(first.PEM())+100], 0o600)) // in the middle of being written
	time.Sleep(20 * time.Millisecond)
	meets(young, true)

	// The server's certificate comes from the second; the client with a followed file accepts it.
	require.NoError(t, os.WriteFile(files.CA, both, 0o600))
	reissue(t, second, dir, "gateway", true)
	require.Eventually(t, func() bool { return server.Certificate().Leaf.CheckSignatureFrom(second.cert) == nil }, time.Minute, time.Millisecond)
	meets(old, true)

	open := tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{old.Certificate().Leaf, first.cert}}}
	require.NoError(t, config.VerifyConnection(open))
	require.NoError(t, os.WriteFile(files.Revoked, revocations(t, second, 1, time.Hour).Raw, 0o600))
	require.NoError(t, os.WriteFile(files.CA, second.PEM(), 0o600))
	meets(old, false)
	meets(young, true)
	require.Equal(t, "AUTHORITY_NOT_TRUSTED", carnet.ReasonOf(config.VerifyConnection(open)))
}
