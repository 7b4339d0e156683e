package carnettest

import (
	"testing"

	"github.com/stretchr/testify/require"

	pb "github.com/carnet-network/carnet/pkg/api/carnet/v1"
)

// The gateway's certificate is replaced while it serves: connections that are open go
// on, new ones see the new certificate, and REST still reaches the gateway behind it.
func TestGatewayCertificateIsRenewed(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{})
	publishTrade(t, n, "cube")
	old := n.certs.live.Certificate().Leaf.SerialNumber
	n.certs.live.Replace(n.certs.newServer(t))
	require.NotEmpty(t, n.Ask(t, "buyer", "cube", linearQuery).Result.Rows, "on the connections from before")
	for range 2 {
		w := n.webOf(t, "buyer")
		w.ok(t, "GET", "/v1/products/cube", nil, &pb.GetProductResponse{})
		resp, err := w.Get(w.base + "/v1/products/cube")
		require.NoError(t, err)
		resp.Body.Close()
		require.NotEqual(t, old, resp.TLS.PeerCertificates[0].SerialNumber)
		n.certs.live.Replace(n.certs.newServer(t))
	}
	for _, k := range n.Keyholders {
		k.Restart(t)
	}
	require.NotEmpty(t, n.Ask(t, "buyer", "cube", linearQuery).Result.Rows)
}
