package main

import (
	"context"
	"crypto/tls"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/ident"
)

// A keyholder whose certificate expired while it runs says so, and not that the gateway is away.
func TestExpiredCertificateIsNamed(t *testing.T) {
	ca, err := ident.NewCA("test", time.Hour)
	require.NoError(t, err)
	cert, key, err := ca.IssueParty("kh-kz", -time.Minute)
	require.NoError(t, err)
	pair, err := tls.X509KeyPair(cert, key)
	require.NoError(t, err)
	here, there := net.Pipe()
	defer here.Close()
	defer there.Close()
	_, _, err = following{ident.NewLive(pair, nil)}.ClientHandshake(context.Background(), "gateway", here)
	require.Equal(t, "CERTIFICATE_EXPIRED", carnet.ReasonOf(err))
}
