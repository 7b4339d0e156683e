package ident

import (
	"crypto/tls"
	"crypto/x509"
	"sync"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Live is a certificate that can be replaced, and a list of revoked ones that can grow,
// while connections are served and dialled: no restart, no connection cut. It is safe
// for concurrent use. The authority stays the one it was made with.
type Live struct {
	roots *x509.CertPool

	mu    sync.RWMutex
	cert  *tls.Certificate
	lists map[string]*x509.RevocationList // by the issuer's raw subject
}

// NewLive starts with a certificate, which has its leaf parsed, and the authorities
// that peers' certificates descend from.
func NewLive(cert tls.Certificate, roots *x509.CertPool) *Live {
	return &Live{roots: roots, cert: &cert, lists: map[string]*x509.RevocationList{}}
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
	old := l.lists[string(issuer.RawSubject)]
	if old != nil && old.Number != nil && list.Number != nil && list.Number.Cmp(old.Number) < 0 {
		return carnet.E(carnet.Precondition, "BAD_REVOCATION_LIST", "the list of revoked certificates is older than the one in use").
			Fix("get the newest one from the authority")
	}
	l.lists[string(issuer.RawSubject)] = list
	return nil
}

// Server is the configuration of a server: TLS 1.3, only clients whose certificate
// descends from the authority and is not revoked.
func (l *Live) Server() *tls.Config {
	return &tls.Config{
		MinVersion:       tls.VersionTLS13,
		GetCertificate:   func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return l.Certificate(), nil },
		ClientAuth:       tls.RequireAndVerifyClientCert,
		ClientCAs:        l.roots,
		VerifyConnection: l.check,
	}
}

// Client is the configuration of a client: TLS 1.3, only servers whose certificate
// descends from the authority and is not revoked. The server's name is taken from the
// address that is dialled.
func (l *Live) Client() *tls.Config {
	return &tls.Config{
		MinVersion:           tls.VersionTLS13,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return l.Certificate(), nil },
		RootCAs:              l.roots,
		VerifyConnection:     l.check,
	}
}

// check looks every certificate of the peer's chain up. It runs at every handshake,
// resumed ones included.
func (l *Live) check(c tls.ConnectionState) error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, chain := range c.VerifiedChains {
		for i, cert := range chain[:max(len(chain)-1, 0)] {
			issuer := chain[i+1]
			list := l.lists[string(issuer.RawSubject)]
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
