package ident

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// CA is a small certificate authority for development and for closed pilots: one
// self-signed ECDSA P-256 certificate. A production network uses its own PKI; all
// that matters to Carnet is the URI name in a party's certificate.
type CA struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
}

const (
	caCertFile = "ca.pem"
	caKeyFile  = "ca-key.pem"
)

// NewCA makes a certificate authority that is valid for the given time from now.
func NewCA(name string, valid time.Duration) (*CA, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	t, err := template(name, valid)
	if err != nil {
		return nil, err
	}
	t.IsCA, t.BasicConstraintsValid, t.MaxPathLenZero = true, true, true
	t.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("make the CA certificate: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &CA{cert: cert, key: key, pem: certPEM(der)}, nil
}

// Save writes ca.pem and ca-key.pem (mode 0600) into dir. Existing files stay.
func (c *CA) Save(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	key, err := keyPEM(c.key)
	if err != nil {
		return err
	}
	return writePair(dir, caCertFile, c.pem, caKeyFile, key)
}

// LoadCA reads what Save wrote.
func LoadCA(dir string) (*CA, error) {
	bad := carnet.E(carnet.Precondition, "NO_CA", "there is no development CA in %s", dir).Fix("run carnet dev-ca init --dir %s", dir)
	certData, err := os.ReadFile(filepath.Join(dir, caCertFile))
	if err != nil {
		return nil, bad.Because(err)
	}
	keyData, err := os.ReadFile(filepath.Join(dir, caKeyFile))
	if err != nil {
		return nil, bad.Because(err)
	}
	cb, _ := pem.Decode(certData)
	kb, _ := pem.Decode(keyData)
	if cb == nil || kb == nil {
		return nil, bad
	}
	cert, err := x509.ParseCertificate(cb.Bytes)
	if err != nil {
		return nil, bad.Because(err)
	}
	k, err := x509.ParsePKCS8PrivateKey(kb.Bytes)
	if err != nil {
		return nil, bad.Because(err)
	}
	key, ok := k.(*ecdsa.PrivateKey)
	if !ok {
		return nil, bad
	}
	return &CA{cert: cert, key: key, pem: certPEM(cert.Raw)}, nil
}

// PEM is the CA certificate, for clients and servers to trust.
func (c *CA) PEM() []byte { return c.pem }

// IssueServer makes a key and a certificate for a server known by these DNS names
// and IP addresses.
func (c *CA) IssueServer(hosts []string, valid time.Duration) (cert, key []byte, err error) {
	if len(hosts) == 0 {
		return nil, nil, carnet.E(carnet.Invalid, "NO_HOST", "a server certificate needs a DNS name or IP address")
	}
	t, err := template(hosts[0], valid)
	if err != nil {
		return nil, nil, err
	}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, h)
		}
	}
	t.KeyUsage = x509.KeyUsageDigitalSignature
	// A gateway dials its own gRPC port from its REST side, so the server
	// certificate serves as a client certificate too; it names no party.
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	return c.issue(t)
}

// IssueParty makes a key and a client certificate that names the party.
func (c *CA) IssueParty(party carnet.PartyID, valid time.Duration) (cert, key []byte, err error) {
	if !carnet.ValidName(string(party)) {
		return nil, nil, carnet.BadName("a party", string(party))
	}
	t, err := template(string(party), valid)
	if err != nil {
		return nil, nil, err
	}
	t.URIs = []*url.URL{PartyURI(party)}
	t.KeyUsage = x509.KeyUsageDigitalSignature
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	return c.issue(t)
}

func (c *CA) issue(t *x509.Certificate) (cert, key []byte, err error) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, t, c.cert, k.Public(), c.key)
	if err != nil {
		return nil, nil, fmt.Errorf("issue a certificate: %w", err)
	}
	if key, err = keyPEM(k); err != nil {
		return nil, nil, err
	}
	return certPEM(der), key, nil
}

// WriteCert writes <name>.pem and <name>-key.pem (mode 0600) into dir.
func WriteCert(dir, name string, cert, key []byte) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return writePair(dir, name+".pem", cert, name+"-key.pem", key)
}

func writePair(dir, certName string, cert []byte, keyName string, key []byte) error {
	if err := writeNew(filepath.Join(dir, keyName), key, 0o600); err != nil {
		return err
	}
	return writeNew(filepath.Join(dir, certName), cert, 0o644)
}

// template is valid from an hour ago, because clocks of small machines differ.
func template(name string, valid time.Duration) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name, Organization: []string{"Carnet development"}},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(valid),
	}, nil
}

func certPEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func keyPEM(k *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}
