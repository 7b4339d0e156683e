package ident

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Files are where a certificate lies. Revoked may be empty: a list of revoked
// certificates, in PEM or DER, by the authority in CA.
type Files struct {
	Cert, Key, CA, Revoked string
}

// Open reads the files.
func (f Files) Open() (*Live, error) {
	cert, authorities, err := load(f.Cert, f.Key, f.CA)
	if err != nil {
		return nil, err
	}
	l := NewLive(cert, authorities)
	return l, f.revoked(l)
}

// Follow looks at the files every so often and takes in what changed, until ctx ends.
// A pair that does not belong together, as in the middle of being written, leaves
// the present one in use, and so does a file of authorities that can't be read.
func (f Files) Follow(ctx context.Context, l *Live, every time.Duration, log *slog.Logger) {
	seen := f.state()
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(every):
		}
		now := f.state()
		if now == seen {
			continue
		}
		seen = now
		cert, err := tls.LoadX509KeyPair(f.Cert, f.Key)
		if err == nil {
			l.Replace(cert)
		}
		authorities, unread := ReadAuthorities(f.CA)
		if unread == nil {
			l.Trust(authorities)
		}
		// Whom the authority revoked does not wait for a certificate of our own.
		if err = errors.Join(err, unread, f.revoked(l)); err != nil {
			log.Error("changed TLS files can't be used; the ones before are", "certificate", f.Cert, "error", err)
			continue
		}
		log.Info("TLS files were read again", "certificate", f.Cert, "until", cert.Leaf.NotAfter.UTC())
	}
}

// state changes when a file does.
func (f Files) state() (s string) {
	for _, name := range []string{f.Cert, f.Key, f.CA, f.Revoked} {
		if i, err := os.Stat(name); err == nil {
			s += fmt.Sprint(i.ModTime().UnixNano(), " ", i.Size(), ";")
		} else {
			s += "-;"
		}
	}
	return s
}

func (f Files) revoked(l *Live) error {
	if f.Revoked == "" {
		return nil
	}
	bad := func(err error) error {
		return carnet.E(carnet.Precondition, "BAD_REVOCATION_LIST", "the list of revoked certificates %s can't be used", f.Revoked).Because(err).
			Fix("get it again from the authority")
	}
	b, err := os.ReadFile(f.Revoked)
	if err != nil {
		return bad(err)
	}
	if p, _ := pem.Decode(b); p != nil {
		b = p.Bytes
	}
	list, err := x509.ParseRevocationList(b)
	if err != nil {
		return bad(err)
	}
	authorities, err := ReadAuthorities(f.CA)
	if err != nil {
		return bad(err)
	}
	for _, issuer := range authorities {
		if list.CheckSignatureFrom(issuer) == nil {
			return l.Revoke(list, issuer)
		}
	}
	return bad(fmt.Errorf("no authority in %s signed it", f.CA))
}
