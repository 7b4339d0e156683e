package main

import (
	"crypto/rand"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/ident"
)

// An expired certificate is named before anything is dialled: the gateway would only cut the
// connection.
func TestExpiredCertificateIsNamed(t *testing.T) {
	a := &app{ctx: t.Context(), home: t.TempDir()}
	ca, err := ident.NewCA("test", time.Hour)
	require.NoError(t, err)
	require.NoError(t, ca.Save(a.home))
	cert, key, err := ca.IssueParty("kz", -time.Minute)
	require.NoError(t, err)
	require.NoError(t, ident.WriteCert(a.home, "kz", cert, key))
	registrar, err := ident.New("registrar", rand.Reader)
	require.NoError(t, err)
	require.NoError(t, ident.WriteAnchor(filepath.Join(a.home, "registrar.pub"), registrar.Public()))
	require.NoError(t, a.saveConfig(&config{Gateway: "localhost:1", CA: "ca.pem", Cert: "kz.pem", Key: "kz-key.pem", Registrar: "registrar.pub"}))
	_, _, err = a.connect()
	require.Equal(t, "CERTIFICATE_EXPIRED", carnet.ReasonOf(err))
}

// A certificate of another party would have the gateway show what that party may see.
func TestAnotherPartysCertificateIsNamed(t *testing.T) {
	a := &app{ctx: t.Context(), home: t.TempDir()}
	ca, err := ident.NewCA("test", time.Hour)
	require.NoError(t, err)
	require.NoError(t, ca.Save(a.home))
	cert, key, err := ca.IssueParty("uz", time.Hour)
	require.NoError(t, err)
	require.NoError(t, ident.WriteCert(a.home, "kz", cert, key))
	registrar, err := ident.New("registrar", rand.Reader)
	require.NoError(t, err)
	require.NoError(t, ident.WriteAnchor(filepath.Join(a.home, "registrar.pub"), registrar.Public()))
	c := &config{Gateway: "localhost:1", CA: "ca.pem", Cert: "kz.pem", Key: "kz-key.pem", Registrar: "registrar.pub"}
	c.Party.ID = "kz"
	require.NoError(t, a.saveConfig(c))
	_, _, err = a.connect()
	require.Equal(t, "WRONG_CERTIFICATE", carnet.ReasonOf(err))
	require.ErrorContains(t, err, "the gateway would take you for uz")

	c.Party.ID = "uz"
	require.NoError(t, a.saveConfig(c))
	cl, _, err := a.connect()
	require.NoError(t, err)
	require.NoError(t, cl.Close())
}
