package vaultclient

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"slices"
	"time"

	"github.com/hashicorp/vault/api"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// maxAuthorities bounds the issuers of one mount.
const maxAuthorities = 64

// authority is an issuer of the PKI engine.
type authority struct {
	id   string
	cert *x509.Certificate
}

// authorities lists the issuers of the mount, of which there are several while one takes
// over from another. Reading them needs no permission.
func (c *Client) authorities(ctx context.Context, p *Certificates) ([]authority, error) {
	path := p.mount() + "/issuers"
	var ids []string
	if err := c.Do(ctx, "list "+path, func(a *api.Client) error {
		s, err := a.Logical().ListWithContext(ctx, path)
		if err != nil {
			return err
		}
		if s == nil {
			return nothingAt("list " + path)
		}
		all, _ := s.Data["keys"].([]any)
		for _, id := range all {
			text, _ := id.(string)
			ids = append(ids, text)
		}
		return nil
	}); err != nil {
		return nil, err
	}
	if len(ids) == 0 || len(ids) > maxAuthorities {
		return nil, carnet.E(carnet.Internal, "VAULT_MALFORMED", "Vault has %d issuers at %s", len(ids), path)
	}
	slices.Sort(ids)
	var out []authority
	for _, id := range ids {
		der, err := c.readPEM(ctx, p.mount()+"/issuer/"+id+"/json", "certificate")
		if err != nil {
			return nil, err
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, carnet.E(carnet.Internal, "VAULT_MALFORMED", "an issuer at %s is no certificate", path)
		}
		out = append(out, authority{id, cert})
	}
	return out, nil
}

// revoked fetches the list of certificates that an issuer revoked, and has Vault make new
// lists if it is past half its life.
func (c *Client) revoked(ctx context.Context, p *Certificates, of authority) (*x509.RevocationList, error) {
	read := func() (*x509.RevocationList, error) {
		der, err := c.readPEM(ctx, p.mount()+"/issuer/"+of.id+"/crl", "crl")
		if err != nil {
			return nil, err
		}
		return x509.ParseRevocationList(der)
	}
	list, err := read()
	if err != nil || time.Until(list.NextUpdate) > list.NextUpdate.Sub(list.ThisUpdate)/2 {
		return list, err
	}
	path := p.mount() + "/crl/rotate"
	if err := c.Do(ctx, "read "+path, func(a *api.Client) error {
		_, err := a.Logical().ReadWithContext(ctx, path)
		return err
	}); err != nil {
		return nil, err
	}
	return read()
}

func (c *Client) readPEM(ctx context.Context, path, field string) (der []byte, err error) {
	err = c.Do(ctx, "read "+path, func(a *api.Client) error {
		s, err := a.Logical().ReadWithContext(ctx, path)
		if err != nil {
			return err
		}
		if s == nil {
			return nothingAt("read " + path)
		}
		text, _ := s.Data[field].(string)
		block, _ := pem.Decode([]byte(text))
		if block == nil {
			return carnet.E(carnet.Internal, "VAULT_MALFORMED", "Vault's answer to %s has not the expected form", path)
		}
		der = block.Bytes
		return nil
	})
	return der, err
}

func nothingAt(what string) error {
	return carnet.E(carnet.NotFound, "VAULT_NO_SECRET", "Vault has nothing: %s", what).Fix("check the mount of the PKI engine")
}
