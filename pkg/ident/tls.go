package ident

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
)

const partyPrefix = "party/"

// PartyURI is the name of a party in its certificate: carnet:party/<id>.
func PartyURI(p carnet.PartyID) *url.URL {
	return &url.URL{Scheme: "carnet", Opaque: partyPrefix + string(p)}
}

// PartyFromCert returns the party that a certificate names in its one URI of the
// form "carnet:party/<id>". The caller has verified the certificate's chain.
func PartyFromCert(cert *x509.Certificate) (carnet.PartyID, error) {
	var found carnet.PartyID
	for _, u := range cert.URIs {
		if u.Scheme != "carnet" {
			continue
		}
		id, ok := strings.CutPrefix(u.Opaque, partyPrefix)
		if !ok || !carnet.ValidName(id) || u.RawQuery != "" || u.Fragment != "" {
			return "", carnet.E(carnet.Forbidden, "BAD_CERTIFICATE_NAME", "the certificate has a malformed carnet: name")
		}
		if found != "" {
			return "", carnet.E(carnet.Forbidden, "BAD_CERTIFICATE_NAME", "the certificate names two parties")
		}
		found = carnet.PartyID(id)
	}
	if found == "" {
		return "", carnet.E(carnet.Forbidden, "NO_PARTY_IN_CERTIFICATE", "the certificate names no party").
			Fix("use a certificate with the URI carnet:party/<id>; carnet dev-ca issue --party <id> makes one")
	}
	return found, nil
}

// ClientTLS is the configuration of a client: TLS 1.3 with the party's certificate,
// and only servers whose certificate descends from the CA. The server's name is
// taken from the address that is dialled.
func ClientTLS(certFile, keyFile, caFile string) (*tls.Config, error) {
	cert, authorities, err := load(certFile, keyFile, caFile)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	for _, a := range authorities {
		pool.AddCert(a)
	}
	return &tls.Config{
		MinVersion:   tls.VersionTLS13,
		Certificates: []tls.Certificate{cert},
		RootCAs:      pool,
	}, nil
}

// InForce returns CERTIFICATE_EXPIRED unless a certificate is valid at a time. Peers refuse one that
// is not in the middle of a handshake, of which the other side sees a broken connection only.
func InForce(cert *x509.Certificate, now time.Time) error {
	const reason = "CERTIFICATE_EXPIRED"
	who := cert.Subject.CommonName
	switch {
	case now.After(cert.NotAfter):
		return carnet.E(carnet.Precondition, reason, "the certificate of %s expired on %s", who, cert.NotAfter.UTC().Format(time.DateTime)).
			Fix("get a new one from who issues your network's certificates, and put it in the place of the old one")
	case now.Before(cert.NotBefore):
		return carnet.E(carnet.Precondition, reason, "the certificate of %s is valid from %s on only", who, cert.NotBefore.UTC().Format(time.DateTime)).
			Fix("check the clock of this machine")
	}
	return nil
}

func load(certFile, keyFile, caFile string) (tls.Certificate, []*x509.Certificate, error) {
	cert, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return cert, nil, badFile("certificate", certFile, err)
	}
	authorities, err := ReadAuthorities(caFile)
	return cert, authorities, err
}

// ReadAuthorities reads the certificates in a PEM file, of which there is at least one.
func ReadAuthorities(file string) (out []*x509.Certificate, err error) {
	rest, err := os.ReadFile(file)
	if err != nil {
		return nil, badFile("CA certificate", file, err)
	}
	for {
		var p *pem.Block
		if p, rest = pem.Decode(rest); p == nil {
			break
		}
		c, err := x509.ParseCertificate(p.Bytes)
		if err != nil {
			return nil, badFile("CA certificate", file, err)
		}
		out = append(out, c)
	}
	if len(out) == 0 || len(bytes.TrimSpace(rest)) > 0 { // cut short, as in the middle of being written
		return nil, badFile("CA certificate", file, nil)
	}
	return out, nil
}

func badFile(what, file string, err error) error {
	return carnet.E(carnet.Precondition, "BAD_TLS_FILES", "the %s %s can't be used", what, file).
		Fix("check the names of certificate, private key and CA; carnet dev-ca makes them for trying out").Because(err)
}
