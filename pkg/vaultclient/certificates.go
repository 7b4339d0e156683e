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
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
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
	Peers string         `yaml:"peers,omitempty"` // file with the authorities of peers; default the issuer

	// Revoked has the authority's list of revoked certificates fetched, and peers that
	// are on it refused.
	Revoked bool `yaml:"revoked,omitempty"`
}

const (
	listEvery = time.Minute      // how often the list of revoked certificates is fetched
	renewLate = 10 * time.Second // pause after a certificate could not be got
)

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

// revoked fetches the list of revoked certificates, and has Vault make a new one if it
// is past half its life.
func (c *Client) revoked(ctx context.Context, p *Certificates) (list *x509.RevocationList, err error) {
	read := func() error {
		path := p.mount() + "/cert/crl"
		return c.Do(ctx, "read "+path, func(a *api.Client) error {
			s, err := a.Logical().ReadWithContext(ctx, path)
			if err != nil {
				return err
			}
			if s == nil {
				return carnet.E(carnet.NotFound, "VAULT_NO_SECRET", "Vault has nothing: read %s", path).Fix("check the mount of the PKI engine")
			}
			text, _ := s.Data["certificate"].(string)
			block, _ := pem.Decode([]byte(text))
			if block == nil {
				return carnet.E(carnet.Internal, "VAULT_MALFORMED", "Vault's list of revoked certificates is not PEM")
			}
			list, err = x509.ParseRevocationList(block.Bytes)
			return err
		})
	}
	if err := read(); err != nil {
		return nil, err
	}
	if time.Until(list.NextUpdate) > list.NextUpdate.Sub(list.ThisUpdate)/2 {
		return list, nil
	}
	path := p.mount() + "/crl/rotate"
	if err := c.Do(ctx, "read "+path, func(a *api.Client) error {
		_, err := a.Logical().ReadWithContext(ctx, path)
		return err
	}); err != nil {
		return nil, err
	}
	return list, read()
}

// Issued is a certificate from Vault that is kept valid.
type Issued struct {
	*ident.Live
	c      *Client
	p      Certificates
	issuer *x509.Certificate
}

// Certificate gets a certificate and, if asked to, the list of revoked ones. Keep has to
// run for as long as they are used.
func (c *Client) Certificate(ctx context.Context, p Certificates) (*Issued, error) {
	roots := x509.NewCertPool()
	if p.Peers != "" {
		b, err := os.ReadFile(p.Peers)
		if err != nil || !roots.AppendCertsFromPEM(b) {
			return nil, badConfig("the authorities of peers in %s can't be read", p.Peers).Because(err)
		}
	}
	first, err := c.issue(ctx, &p)
	if err != nil {
		return nil, err
	}
	if p.Peers == "" {
		roots.AddCert(first.issuer)
	}
	l := &Issued{ident.NewLive(first.pair, roots), c, p, first.issuer}
	return l, l.Update(ctx)
}

// Update fetches the list of revoked certificates now, if there is to be one.
func (l *Issued) Update(ctx context.Context) error {
	if !l.p.Revoked {
		return nil
	}
	list, err := l.c.revoked(ctx, &l.p)
	if err != nil {
		return err
	}
	return l.Revoke(list, l.issuer)
}

// renewAt is when two thirds of what is left of a new certificate's life are over.
func renewAt(leaf *x509.Certificate) time.Time {
	return time.Now().Add(time.Until(leaf.NotAfter) * 2 / 3)
}

// Keep replaces the certificate at two thirds of its life and fetches the list every
// minute, until ctx ends. While Vault does not answer the present ones stay in use.
// It runs once at a time.
func (l *Issued) Keep(ctx context.Context, log *slog.Logger) {
	due := renewAt(l.Certificate().Leaf)
	for {
		wait := time.Until(due)
		if l.p.Revoked {
			wait = min(wait, listEvery)
		}
		if !sleep(ctx, max(wait, 0)) {
			return
		}
		err := l.Update(ctx)
		if !time.Now().Before(due) { // also without a list: a certificate that ran out helps nobody
			next, late := l.c.issue(ctx, &l.p)
			if late == nil {
				l.Replace(next.pair)
				l.issuer, due = next.issuer, renewAt(next.pair.Leaf)
				log.Info("certificate renewed", "serial", fmt.Sprintf("%x", next.pair.Leaf.SerialNumber), "until", next.pair.Leaf.NotAfter.UTC())
			}
			err = errors.Join(err, late)
		}
		if err == nil {
			continue
		}
		if ctx.Err() != nil {
			return
		}
		log.Error("the certificate or the list of revoked ones could not be renewed; trying again", "in", renewLate,
			"until", l.Certificate().Leaf.NotAfter.UTC(), "reason", carnet.ReasonOf(err), "error", err, "remedy", remedy(err))
		if !sleep(ctx, renewLate) {
			return
		}
	}
}
