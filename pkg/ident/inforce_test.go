package ident

import (
	"crypto/tls"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
)

func TestInForce(t *testing.T) {
	ca, err := NewCA("test", time.Hour)
	require.NoError(t, err)
	cert, key, err := ca.IssueParty("kz-customs", time.Hour)
	require.NoError(t, err)
	pair, err := tls.X509KeyPair(cert, key)
	require.NoError(t, err)
	require.NoError(t, InForce(pair.Leaf, time.Now()))
	require.NoError(t, InForce(pair.Leaf, pair.Leaf.NotAfter))
	for at, want := range map[time.Time]string{
		pair.Leaf.NotAfter.Add(time.Second):   "of kz-customs expired on ",
		pair.Leaf.NotBefore.Add(-time.Second): "is valid from ",
	} {
		err := InForce(pair.Leaf, at)
		require.Equal(t, "CERTIFICATE_EXPIRED", carnet.ReasonOf(err))
		require.ErrorContains(t, err, want)
	}
}
