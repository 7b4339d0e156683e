package ident

import (
	"crypto/tls"
	"crypto/x509"
	"sync"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Live is a certificate that can be replaced, authorities that come and go, and a list of
// revoked certificates that can grow, while connections are served and dialled: no restart,
// no connection cut. It is safe for concurrent use.
type Live struct {
	mu      sync.RWMutex
	cert    *tls.Certificate
	trusted map[string]bool // authorities, raw
	roots   *x509.CertPool  // of them; never changed, only replaced
	lists   map[string]*x509.RevocationList
}

// NewLive starts with a certificate, which has its leaf parsed, and the authorities
// that peers' certificates descend from.
func NewLive(cert tls.Certificate, authorities []*x509.Certificate) *Live {
	l := &Live{cert: &cert, lists: map[string]*x509.RevocationList{}}
	l.Trust(authorities)
	return l
}

// Trust replaces the authorities. Peers whose certificate descends from none of them are
// refused from now on, at their next call on connections that are open.
func (l *Live) Trust(authorities []*x509.Certificate) {
	trusted, roots := map[string]bool{}, x509.NewCertPool()
	for _, a := range authorities {
		trusted[string(a.Raw)] = true
		roots.AddCert(a)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.trusted, l.roots = trusted, roots
}

// Trusts reports whether a certificate is one of the authorities.
func (l *Live) Trusts(authority *x509.Certificate) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.trusted[string(authority.Raw)]
}

func (l *Live) pool() *x509.CertPool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.roots
}

// signer names who signs a list: an authority that changed its key keeps its subject.
func signer(issuer *x509.Certificate) string {
	return string(issuer.RawSubjectPublicKeyInfo) + string(issuer.RawSubject)
}

// Replace is used by every handshake from now on.
func (l *Live) Replace(cert tls.Certificate) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cert = &cert
}

// Certificate is the present one.
func (l *Live) Certificate() *tls.Certificate {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.cert
}

// Revoke takes in a list that issuer signed. From the first one on, peers of that
// issuer are refused when its list is out of date: an old list could hide a revocation.
// A list older than the present one is refused. Issuers without a list revoke nothing.
func (l *Live) Revoke(list *x509.RevocationList, issuer *x509.Certificate) error {
	if err := list.CheckSignatureFrom(issuer); err != nil {
		return carnet.E(carnet.Precondition, "BAD_REVOCATION_LIST", "the list of revoked certificates is not signed by the authority").Because(err).
			Fix("get it again from the authority")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	old := l.lists[signer(issuer)]
	if old != nil && old.Number != nil && list.Number != nil && list.Number.Cmp(old.Number) < 0 {
		return carnet.E(carnet.Precondition, "BAD_REVOCATION_LIST", "the list of revoked certificates is older than the one in use").
			Fix("get the newest one from the authority")
	}
	l.lists[signer(issuer)] = list
	return nil
}

// Server is the configuration of a server: TLS 1.3, only clients whose certificate
// descends from an authority and is not revoked. Every handshake is told the authorities of
// that moment by GetConfigForClient.
func (l *Live) Server() *tls.Config {
	now := func() *tls.Config {
		return &tls.Config{
			MinVersion:       tls.VersionTLS13,
			GetCertificate:   func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return l.Certificate(), nil },
			ClientAuth:       tls.RequireAndVerifyClientCert,
			ClientCAs:        l.pool(),
			VerifyConnection: l.check,
		}
	}
	c := now()
	c.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return now(), nil }
	return c
}

// Client is the configuration of a client: TLS 1.3, only servers whose certificate
// descends from an authority of this moment and is not revoked. The server's name is taken
// from the address that is dialled. Whoever dials for long asks for it again each time.
func (l *Live) Client() *tls.Config {
	return &tls.Config{
		MinVersion:           tls.VersionTLS13,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return l.Certificate(), nil },
		RootCAs:              l.pool(),
		VerifyConnection:     l.check,
	}
}

// check looks every certificate of the peer's chain up. It runs at every handshake,
// resumed ones included.
func (l *Live) check(c tls.ConnectionState) error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	known := len(c.VerifiedChains) == 0
	for _, chain := range c.VerifiedChains {
		// A chain of one is a certificate that the server was told of by itself.
		known = known || len(chain) == 1 || l.trusted[string(chain[len(chain)-1].Raw)]
	}
	if !known {
		return carnet.E(carnet.Forbidden, "AUTHORITY_NOT_TRUSTED", "the certificate's authority is not trusted any more").
			Fix("get a certificate from the present authority")
	}
	for _, chain := range c.VerifiedChains {
		for i, cert := range chain[:max(len(chain)-1, 0)] {
			issuer := chain[i+1]
			list := l.lists[signer(issuer)]
			if list == nil {
				continue
			}
			if time.Now().After(list.NextUpdate) {
				return carnet.E(carnet.Forbidden, "REVOCATION_LIST_OLD", "the issuer's list of revoked certificates is out of date").
					Fix("renew the authority's list, and see why it was not fetched")
			}
			for _, r := range list.RevokedCertificateEntries {
				if r.SerialNumber.Cmp(cert.SerialNumber) == 0 {
					return carnet.E(carnet.Forbidden, "CERTIFICATE_REVOKED", "the certificate was revoked").
						Fix("get a new certificate from the authority")
				}
			}
		}
	}
	return nil
}
