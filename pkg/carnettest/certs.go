package carnettest

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/ident"
)

// certificates is the network's CA and what it issued.
type certificates struct {
	ca   *ident.CA
	root *x509.Certificate
	pool *x509.CertPool

	live *ident.Live // of the gateway

	mu      sync.Mutex
	parties map[carnet.PartyID]tls.Certificate
}

func newCertificates(t testing.TB) *certificates {
	ca, err := ident.NewCA("carnettest", 24*time.Hour)
	require.NoError(t, err)
	c := &certificates{ca: ca, pool: x509.NewCertPool(), parties: map[carnet.PartyID]tls.Certificate{}}
	block, _ := pem.Decode(ca.PEM())
	c.root, err = x509.ParseCertificate(block.Bytes)
	require.NoError(t, err)
	c.pool.AddCert(c.root)
	return c
}

// server is the gateway's TLS configuration.
func (c *certificates) server(t testing.TB) *tls.Config {
	c.live = ident.NewLive(c.newServer(t), []*x509.Certificate{c.root})
	return c.live.Server()
}

func (c *certificates) newServer(t testing.TB) tls.Certificate {
	cert, key, err := c.ca.IssueServer([]string{"localhost", "127.0.0.1"}, time.Hour)
	require.NoError(t, err)
	pair, err := tls.X509KeyPair(cert, key)
	require.NoError(t, err)
	return pair
}

// client is a party's TLS configuration. It need not be registered.
func (c *certificates) client(t testing.TB, id carnet.PartyID) *tls.Config {
	c.mu.Lock()
	defer c.mu.Unlock()
	pair, ok := c.parties[id]
	if !ok {
		cert, key, err := c.ca.IssueParty(id, time.Hour)
		require.NoError(t, err)
		pair, err = tls.X509KeyPair(cert, key)
		require.NoError(t, err)
		c.parties[id] = pair
	}
	return &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{pair}, RootCAs: c.pool}
}

// ClientTLS is the TLS configuration of any party, registered or not.
func (n *Network) ClientTLS(t testing.TB, id carnet.PartyID) *tls.Config {
	return n.certs.client(t, id)
}

// NoPartyTLS trusts the gateway and has no certificate.
func (n *Network) NoPartyTLS() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: n.certs.pool}
}
