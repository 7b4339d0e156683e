package server_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	carnetv1 "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/flow/flowtest"
	"github.com/carnet-network/carnet/pkg/ident"
	"github.com/carnet-network/carnet/pkg/server"
)

// Another authority takes over while the gateway serves, over gRPC and REST; parties of the
// one before are refused then, on open connections too.
func TestAuthorityTakesOver(t *testing.T) {
	certificate := func(ca *ident.CA) *x509.Certificate {
		block, _ := pem.Decode(ca.PEM())
		c, err := x509.ParseCertificate(block.Bytes)
		require.NoError(t, err)
		return c
	}
	var live *ident.Live
	e := serveWith(t, flowtest.New(t), func(e *edge, c *server.Config) {
		pair := c.TLS.Certificates[0]
		live = ident.NewLive(pair, []*x509.Certificate{certificate(e.ca)})
		c.TLS = live.Server()
	})
	next, err := ident.NewCA("test", time.Hour) // of the same name
	require.NoError(t, err)
	of := func(ca *ident.CA) (calls func() (int, error)) {
		cert, key, err := ca.IssueParty("bank", time.Hour)
		require.NoError(t, err)
		pair, err := tls.X509KeyPair(cert, key)
		require.NoError(t, err)
		conf := &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: e.roots, Certificates: []tls.Certificate{pair}}
		conn := carnetv1.NewJournalServiceClient(e.dialTLS(conf.Clone()))
		web := &http.Client{Transport: &http.Transport{TLSClientConfig: conf, ForceAttemptHTTP2: true}}
		t.Cleanup(web.CloseIdleConnections)
		return func() (int, error) {
			_, err := conn.GetCheckpoint(ctx, &carnetv1.GetCheckpointRequest{})
			resp, webErr := web.Get(e.rest + "/v1/journal/checkpoint")
			if webErr != nil {
				return 0, err
			}
			defer resp.Body.Close()
			_, webErr = io.Copy(io.Discard, resp.Body)
			require.NoError(t, webErr)
			return resp.StatusCode, err
		}
	}
	old, young := of(e.ca), of(next)
	passes := func(call func() (int, error)) {
		t.Helper()
		code, err := call()
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, code)
	}
	passes(old)
	code, err := young()
	require.Error(t, err)
	require.Zero(t, code, "no handshake")

	live.Trust([]*x509.Certificate{certificate(e.ca), certificate(next)})
	passes(of(next)) // the first one waits before it dials again
	passes(old)
	live.Trust([]*x509.Certificate{certificate(next)})
	passes(of(next))
	code, err = old()
	require.Equal(t, "AUTHORITY_NOT_TRUSTED", reason(err), err)
	require.Equal(t, http.StatusUnauthorized, code)
}
