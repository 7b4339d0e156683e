package vaultclient

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/ident"
)

const (
	lookEvery = time.Minute      // how often authorities and lists of revoked certificates are fetched
	renewLate = 10 * time.Second // pause after a certificate could not be got
)

// Issued is a certificate from Vault that is kept valid.
type Issued struct {
	*ident.Live
	c      *Client
	p      Certificates
	issuer *x509.Certificate
	every  time.Duration // lookEvery
}

// Certificate gets a certificate, the authorities of peers and, if asked to, the lists of
// revoked ones. Keep has to run for as long as they are used.
func (c *Client) Certificate(ctx context.Context, p Certificates) (*Issued, error) {
	if p.Peers != "" {
		if _, err := p.peers(); err != nil {
			return nil, err
		}
	}
	first, err := c.issue(ctx, &p)
	if err != nil {
		return nil, err
	}
	l := &Issued{ident.NewLive(first.pair, nil), c, p, first.issuer, lookEvery}
	return l, l.Update(ctx)
}

func (p *Certificates) peers() ([]*x509.Certificate, error) {
	out, err := ident.ReadAuthorities(p.Peers)
	if err != nil {
		return nil, badConfig("the authorities of peers in %s can't be read", p.Peers).Because(err)
	}
	return out, nil
}

// Update takes in now whom peers' certificates may be of, and the lists of revoked ones if
// there are to be some. What can't be had stays as it was.
func (l *Issued) Update(ctx context.Context) error {
	var issuers []authority
	var err error
	if l.p.Peers == "" || l.p.Revoked {
		issuers, err = l.c.authorities(ctx, &l.p)
	}
	if l.p.Peers != "" {
		trusted, unread := l.p.peers()
		if unread == nil {
			l.Trust(trusted)
		}
		err = errors.Join(err, unread)
	} else if len(issuers) > 0 {
		var trusted []*x509.Certificate
		for _, a := range issuers {
			trusted = append(trusted, a.cert)
		}
		l.Trust(trusted)
	}
	if !l.p.Revoked {
		return err
	}
	for _, a := range issuers {
		list, failed := l.c.revoked(ctx, &l.p, a)
		if failed == nil {
			failed = l.Revoke(list, a.cert)
		}
		err = errors.Join(err, failed)
	}
	return err
}

// outlived reports whether the authority that issued the certificate is gone from the mount.
func (l *Issued) outlived() bool { return l.p.Peers == "" && !l.Trusts(l.issuer) }

// renewAt is when two thirds of what is left of a new certificate's life are over.
func renewAt(leaf *x509.Certificate) time.Time {
	return time.Now().Add(time.Until(leaf.NotAfter) * 2 / 3)
}

// Keep replaces the certificate at two thirds of its life, or when its authority goes, and
// fetches authorities and lists every minute, until ctx ends. While Vault does not answer
// the present ones stay in use. It runs once at a time.
func (l *Issued) Keep(ctx context.Context, log *slog.Logger) {
	due := renewAt(l.Certificate().Leaf)
	for {
		if !sleep(ctx, max(min(time.Until(due), l.every), 0)) {
			return
		}
		err := l.Update(ctx)
		if !time.Now().Before(due) || err == nil && l.outlived() { // also without a list: a certificate that ran out helps nobody
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
		log.Error("the certificate, its authorities or the lists of revoked ones could not be renewed; trying again", "in", renewLate,
			"until", l.Certificate().Leaf.NotAfter.UTC(), "reason", carnet.ReasonOf(err), "error", err, "remedy", remedy(err))
		if !sleep(ctx, renewLate) {
			return
		}
	}
}
