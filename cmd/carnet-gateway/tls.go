package main

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/ident"
	"github.com/carnet-network/carnet/pkg/vaultclient"
)

// lookEvery is how often TLS files are looked at.
const lookEvery = 5 * time.Second

// vaultFile is what the file of --vault holds.
type vaultFile struct {
	vaultclient.Config `yaml:",inline"`
	Certificates       vaultclient.Certificates `yaml:"certificates"`
}

// certificate finds the server certificate, in files or from Vault.
func (f *serverFlags) certificate(ctx context.Context, c *credentials, log *slog.Logger) error {
	if f.Vault == "" {
		if f.TLSCert == "" || f.TLSKey == "" || f.TLSCA == "" {
			return carnet.E(carnet.Invalid, "NO_TLS_FILES", "certificate, key and authority are needed").
				Fix("give --tls-cert, --tls-key and --tls-ca, or --vault")
		}
		files := ident.Files{Cert: f.TLSCert, Key: f.TLSKey, CA: f.TLSCA, Revoked: f.TLSRevoked}
		live, err := files.Open()
		if err != nil {
			return err
		}
		c.tls, c.leaf = live.Server(), live.Certificate().Leaf
		c.keep = func(ctx context.Context) { files.Follow(ctx, live, lookEvery, log) }
		return nil
	}
	var v vaultFile
	if err := vaultclient.ReadFile(f.Vault, &v); err != nil {
		return err
	}
	v.Beside(filepath.Dir(f.Vault))
	v.Certificates.Beside(filepath.Dir(f.Vault))
	if v.Certificates.Peers == "" {
		v.Certificates.Peers = f.TLSCA
	}
	client, err := vaultclient.Wait(ctx, v.Config, log)
	if err != nil {
		return err
	}
	var live *vaultclient.Issued
	if err := vaultclient.Patiently(ctx, log, func() (err error) {
		live, err = client.Certificate(ctx, v.Certificates)
		return err
	}); err != nil {
		return errors.Join(err, client.Close())
	}
	c.tls, c.leaf, c.vault = live.Server(), live.Certificate().Leaf, client.Health
	log.Info("certificate issued by Vault", "role", v.Certificates.Role, "until", c.leaf.NotAfter.UTC())
	c.keep = func(ctx context.Context) {
		live.Keep(ctx, log)
		_ = client.Close() // it only stops renewing a token
	}
	return nil
}
