package server

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net/url"
	"time"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/ident"
)

// forwardedParty is the metadata key in which the REST listener says in whose name
// it calls. From anybody else it is ignored.
const forwardedParty = "carnet-forwarded-party"

// caller is who calls: a name from a certificate, and the registered party of that
// name, nil if there is none.
type caller struct {
	id    carnet.PartyID
	party *carnet.Party
}

type callerKey struct{}

// as returns the registered party that calls. The method table guarantees that
// there is one where it is used.
func as(ctx context.Context) *carnet.Party {
	c, _ := ctx.Value(callerKey{}).(caller)
	if c.party == nil {
		return &carnet.Party{ID: c.id} // a party without roles may do nothing
	}
	return c.party
}

func unauthenticated(format string, args ...any) error {
	return carnet.E(carnet.Forbidden, "UNAUTHENTICATED", format, args...).
		Fix("connect with a certificate that names your party as carnet:party/<id>")
}

// identify finds out who calls.
func (s *Server) identify(ctx context.Context) (caller, error) {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return caller{}, unauthenticated("the call has no peer")
	}
	info, ok := p.AuthInfo.(credentials.TLSInfo)
	if !ok || len(info.State.VerifiedChains) == 0 {
		return caller{}, unauthenticated("the connection has no verified client certificate")
	}
	if err := s.stillTrusted(&info.State); err != nil {
		return caller{}, err
	}
	leaf := info.State.PeerCertificates[0]
	var id carnet.PartyID
	if bytes.Equal(leaf.Raw, s.internal.Leaf.Raw) {
		md, _ := metadata.FromIncomingContext(ctx)
		v := md.Get(forwardedParty)
		if len(v) != 1 || !carnet.ValidName(v[0]) {
			return caller{}, unauthenticated("the REST call has no verified client certificate")
		}
		id = carnet.PartyID(v[0])
	} else {
		var err error
		if id, err = ident.PartyFromCert(leaf); err != nil {
			return caller{}, err
		}
	}
	party, err := s.party(ctx, id)
	return caller{id, party}, err
}

// stillTrusted looks a certificate up again at every call: connections last for days, and
// what was revoked meanwhile is refused on those that are open, too.
func (s *Server) stillTrusted(c *tls.ConnectionState) error {
	if s.tls.VerifyConnection == nil {
		return nil
	}
	return s.tls.VerifyConnection(*c)
}

// whileTrusted ends when the certificate of a connection is not trusted any more, or the
// party was revoked, with the reason as its cause: a stream may be open for days.
func (s *Server) whileTrusted(ctx context.Context, c *tls.ConnectionState) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	end := func() { cancel(nil) }
	who, _ := ctx.Value(callerKey{}).(caller)
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(s.recheck):
			}
			if err := s.stillTrusted(c); err != nil {
				cancel(err)
				return
			}
			if _, err := s.party(ctx, who.id); carnet.KindOf(err) == carnet.Forbidden {
				cancel(err)
				return
			}
		}
	}()
	return ctx, end
}

// party returns a registered party, nil if there is none. The error is PARTY_REVOKED if it
// was revoked.
func (s *Server) party(ctx context.Context, id carnet.PartyID) (*carnet.Party, error) {
	if p, ok := s.parties.Load(id); ok && time.Since(p.(*lookup).at) < knownFor {
		return p.(*lookup).party, nil
	}
	p, _, err := s.g.Party(ctx, id)
	switch {
	case carnet.KindOf(err) == carnet.NotFound:
		return nil, nil
	case err != nil:
		return nil, err
	}
	s.parties.Store(id, &lookup{p, time.Now()})
	return p, nil
}

// lookup is a party as it was looked up last.
type lookup struct {
	party *carnet.Party
	at    time.Time
}

// knownFor is how long a party is not looked up again; another process may have taken its
// revocation.
const knownFor = time.Second

// forgetParties has parties looked up again after one was changed here.
func (s *Server) forgetParties() { s.parties.Clear() }

// internalCertificate makes the certificate with which the REST listener dials the
// gRPC port. Its key never leaves this process.
func internalCertificate() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return tls.Certificate{}, err
	}
	t := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "carnet gateway, internal"},
		URIs:         []*url.URL{{Scheme: "carnet", Opaque: "internal"}},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().AddDate(10, 0, 0), // longer than a process runs
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, err
	}
	leaf, err := x509.ParseCertificate(der)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, err
}
