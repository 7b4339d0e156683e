package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"time"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/ident"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/vaultclient"
)

// lookEvery is how often TLS files are looked at.
const lookEvery = 5 * time.Second

// credentials are those from files, which are followed until ctx ends, or nil if the
// certificate is to come from Vault.
func (c *runCmd) credentials(ctx context.Context, log *slog.Logger) (credentials.TransportCredentials, error) {
	if c.Plaintext {
		if err := loopback(c.Gateway); err != nil {
			return nil, err
		}
		return insecure.NewCredentials(), nil
	}
	if c.TLSCert == "" && c.TLSKey == "" {
		v, err := c.vaultFile()
		if err != nil {
			return nil, err
		}
		if v != nil && v.Certificates != nil {
			return nil, nil
		}
	}
	if c.TLSCert == "" || c.TLSKey == "" || c.TLSCA == "" {
		return nil, carnet.E(carnet.Invalid, "NO_TLS_FILES", "certificate, key and authority are needed").
			Fix("give --tls-cert, --tls-key and --tls-ca, or certificates in vault.yaml")
	}
	files := ident.Files{Cert: c.TLSCert, Key: c.TLSKey, CA: c.TLSCA}
	live, err := files.Open()
	if err != nil {
		return nil, err
	}
	go files.Follow(ctx, live, lookEvery, log)
	return following{live}, nil
}

// issued gets the certificate from Vault and keeps it valid until ctx ends.
func (c *runCmd) issued(ctx context.Context, store keys.Store, party carnet.PartyID, log *slog.Logger) (credentials.TransportCredentials, error) {
	v, err := c.vaultFile()
	if err != nil {
		return nil, err
	}
	in, ok := store.(inVault)
	if !ok || v == nil || v.Certificates == nil {
		return nil, carnet.E(carnet.Internal, "NO_TLS_FILES", "the configuration changed meanwhile").Fix("start again")
	}
	p := *v.Certificates
	p.Party = party
	if p.Peers == "" && c.TLSCA != "" {
		p.Peers = c.TLSCA
	}
	var live *vaultclient.Issued
	if err := vaultclient.Patiently(ctx, log, func() (err error) {
		live, err = in.client.Certificate(ctx, p)
		return err
	}); err != nil {
		return nil, err
	}
	leaf := live.Certificate().Leaf
	log.Info("certificate issued by Vault", "role", p.Role, "until", leaf.NotAfter.UTC())
	go live.Keep(ctx, log)
	return following{live.Live}, nil
}

// following dials with the certificate and the authorities of the moment: a gateway whose
// certificate comes from another authority is accepted when that is, without a restart.
type following struct{ live *ident.Live }

func (f following) now() credentials.TransportCredentials {
	return credentials.NewTLS(f.live.Client())
}

// ClientHandshake implements credentials.TransportCredentials.
func (f following) ClientHandshake(ctx context.Context, authority string, c net.Conn) (net.Conn, credentials.AuthInfo, error) {
	if err := ident.InForce(f.live.Certificate().Leaf, time.Now()); err != nil {
		return nil, nil, err // the log says it then, and not that the connection broke
	}
	return f.now().ClientHandshake(ctx, authority, c)
}

// ServerHandshake implements credentials.TransportCredentials. A keyholder serves nobody.
func (f following) ServerHandshake(net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return nil, nil, errors.New("these credentials are a client's")
}

// Info implements credentials.TransportCredentials.
func (f following) Info() credentials.ProtocolInfo { return f.now().Info() }

// Clone implements credentials.TransportCredentials.
func (f following) Clone() credentials.TransportCredentials { return f }

// OverrideServerName implements credentials.TransportCredentials. It is deprecated there and
// used by nobody here.
func (f following) OverrideServerName(string) error { return errors.New("the name is the address") }
