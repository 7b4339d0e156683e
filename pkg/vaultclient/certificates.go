package vaultclient

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/hashicorp/vault/api"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/ident"
)

// Certificates says how to get certificates from Vault's PKI engine. The private key is
// made here and never sent: Vault signs a request.
type Certificates struct {
	Mount string         `yaml:"mount,omitempty"` // default carnet-pki
	Role  string         `yaml:"role"`
	Party carnet.PartyID `yaml:"party,omitempty"` // named in the certificate
	Hosts []string       `yaml:"hosts,omitempty"` // DNS names and addresses of a server
	TTL   time.Duration  `yaml:"ttl,omitempty"`   // 0: the role's
	Peers string         `yaml:"peers,omitempty"` // file with the authorities of peers; default all issuers of the mount

	// Revoked has the authority's list of revoked certificates fetched, and peers that
	// are on it refused.
	Revoked bool `yaml:"revoked,omitempty"`
}

// Beside is like Config.Beside.
func (p *Certificates) Beside(dir string) {
	if p.Peers != "" && !filepath.IsAbs(p.Peers) {
		p.Peers = filepath.Join(dir, p.Peers)
	}
}

func (p *Certificates) mount() string {
	if p.Mount == "" {
		return "carnet-pki"
	}
	return strings.Trim(p.Mount, "/")
}

// issued is what Vault answered.
type issued struct {
	pair   tls.Certificate
	issuer *x509.Certificate
}

// issue gets one certificate.
func (c *Client) issue(ctx context.Context, p *Certificates) (*issued, error) {
	if p.Role == "" || p.Party != "" && !carnet.ValidName(string(p.Party)) || p.Party == "" && len(p.Hosts) == 0 {
		return nil, badConfig("certificates need a role and a party or hosts")
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	request := &x509.CertificateRequest{}
	if p.Party != "" {
		request.URIs = []*url.URL{ident.PartyURI(p.Party)}
	}
	for _, h := range p.Hosts {
		if ip := net.ParseIP(h); ip != nil {
			request.IPAddresses = append(request.IPAddresses, ip)
		} else {
			request.DNSNames = append(request.DNSNames, h)
		}
	}
	if len(request.DNSNames) > 0 {
		request.Subject = pkix.Name{CommonName: request.DNSNames[0]}
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, request, key)
	if err != nil {
		return nil, err
	}
	data := map[string]any{"csr": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))}
	if p.TTL > 0 {
		data["ttl"] = p.TTL.String()
	}
	path := p.mount() + "/sign/" + p.Role
	var got map[string]any
	if err := c.Do(ctx, "update "+path, func(a *api.Client) error {
		s, err := a.Logical().WriteWithContext(ctx, path, data)
		if s != nil {
			got = s.Data
		}
		return err
	}); err != nil {
		return nil, err
	}
	return readIssued(got, key, path)
}

func readIssued(got map[string]any, key *ecdsa.PrivateKey, path string) (*issued, error) {
	malformed := carnet.E(carnet.Internal, "VAULT_MALFORMED", "Vault's answer to %s has not the expected form", path)
	leaf, _ := got["certificate"].(string)
	issuing, _ := got["issuing_ca"].(string)
	chain, _ := got["ca_chain"].([]any)
	out := &issued{}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	secret := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	defer clear(secret)
	all := leaf
	for _, c := range chain {
		text, _ := c.(string)
		block, _ := pem.Decode([]byte(text))
		if block == nil {
			return nil, malformed
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, malformed
		}
		if string(cert.RawSubject) == string(cert.RawIssuer) {
			continue // peers have the root
		}
		all += "\n" + text
	}
	if out.pair, err = tls.X509KeyPair([]byte(all), secret); err != nil {
		return nil, malformed
	}
	block, _ := pem.Decode([]byte(issuing))
	if block == nil {
		return nil, malformed
	}
	if out.issuer, err = x509.ParseCertificate(block.Bytes); err != nil {
		return nil, malformed
	}
	return out, nil
}
