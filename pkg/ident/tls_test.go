package ident

import (
	"crypto/tls"
	"io"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// handshake connects a client with its certificate and reports the party the server
// saw, or the error either side had.
func handshake(t *testing.T, server, client *tls.Config) (carnet.PartyID, error) {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", server)
	require.NoError(t, err)
	defer l.Close()
	type seen struct {
		party carnet.PartyID
		err   error
	}
	got := make(chan seen, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			got <- seen{"", err}
			return
		}
		defer c.Close()
		tc := c.(*tls.Conn)
		if err := tc.Handshake(); err != nil {
			got <- seen{"", err}
			return
		}
		p, err := PartyFromCert(tc.ConnectionState().PeerCertificates[0])
		got <- seen{p, err}
	}()
	d := net.Dialer{Timeout: time.Minute}
	c, err := tls.DialWithDialer(&d, "tcp", l.Addr().String(), client)
	if err != nil {
		<-got
		return "", err
	}
	defer c.Close()
	_, _ = io.ReadAll(c)
	s := <-got
	return s.party, s.err
}

func TestMutualTLS(t *testing.T) {
	dir := t.TempDir()
	ca, err := NewCA("test", time.Hour)
	require.NoError(t, err)
	require.NoError(t, ca.Save(dir))
	ca, err = LoadCA(dir)
	require.NoError(t, err)
	_, err = LoadCA(filepath.Join(dir, "absent"))
	require.Equal(t, "NO_CA", carnet.ReasonOf(err))

	at := func(name string) string { return filepath.Join(dir, name) }
	cert, key, err := ca.IssueServer([]string{"localhost", "127.0.0.1"}, time.Hour)
	require.NoError(t, err)
	require.NoError(t, WriteCert(dir, "gateway", cert, key))
	require.Equal(t, []string{"localhost"}, decodeCert(t, cert).DNSNames)
	cert, key, err = ca.IssueParty("kz-customs", time.Hour)
	require.NoError(t, err)
	require.NoError(t, WriteCert(dir, "kz-customs", cert, key))
	require.Error(t, WriteCert(dir, "kz-customs", cert, key), "keys are never overwritten")

	live, err := Files{Cert: at("gateway.pem"), Key: at("gateway-key.pem"), CA: at("ca.pem")}.Open()
	require.NoError(t, err)
	server := live.Server()
	client, err := ClientTLS(at("kz-customs.pem"), at("kz-customs-key.pem"), at("ca.pem"))
	require.NoError(t, err)
	party, err := handshake(t, server, client)
	require.NoError(t, err)
	require.Equal(t, carnet.PartyID("kz-customs"), party)

	// Without a certificate, and with one from another CA, nobody gets in.
	bare := client.Clone()
	bare.Certificates = nil
	_, err = handshake(t, server, bare)
	require.Error(t, err)
	stranger, err := NewCA("stranger", time.Hour)
	require.NoError(t, err)
	other := t.TempDir()
	cert, key, err = stranger.IssueParty("kz-customs", time.Hour)
	require.NoError(t, err)
	require.NoError(t, WriteCert(other, "p", cert, key))
	forged, err := ClientTLS(filepath.Join(other, "p.pem"), filepath.Join(other, "p-key.pem"), at("ca.pem"))
	require.NoError(t, err)
	_, err = handshake(t, server, forged)
	require.Error(t, err)
	// A server that the client's CA did not certify is refused by the client.
	require.NoError(t, stranger.Save(other))
	distrust, err := ClientTLS(at("kz-customs.pem"), at("kz-customs-key.pem"), filepath.Join(other, "ca.pem"))
	require.NoError(t, err)
	_, err = handshake(t, server, distrust)
	require.Error(t, err)

	_, err = ClientTLS(at("absent.pem"), at("absent-key.pem"), at("ca.pem"))
	require.Equal(t, "BAD_TLS_FILES", carnet.ReasonOf(err))
	_, _, err = ca.IssueParty("Bad Name", time.Hour)
	require.Equal(t, "BAD_NAME", carnet.ReasonOf(err))
	_, _, err = ca.IssueServer(nil, time.Hour)
	require.Equal(t, "NO_HOST", carnet.ReasonOf(err))
}
