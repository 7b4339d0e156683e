package main

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"strings"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/ident"
)

type statusCmd struct{}

func (statusCmd) Help() string {
	return `Example:
  carnet status`
}

func (c *statusCmd) Run(a *app) error {
	cfg, err := a.config()
	if err != nil {
		return err
	}
	var roles []string
	for _, r := range cfg.Party.Roles {
		roles = append(roles, string(r))
	}
	a.printf("party:       %s (%s), %s, in %s\n", cfg.Party.ID, cfg.Party.Name, strings.Join(roles, "+"), cfg.Party.Jurisdiction)
	a.printf("home:        %s\n", a.home)
	if pub, err := ident.ReadAnchor(a.path(cfg.Registrar)); err != nil {
		a.printf("registrar:   %v\n", err)
	} else {
		a.printf("registrar:   key %s\n", evidence.KeyHint(pub))
	}
	a.printf("certificate: %s\n", certificateText(a.path(cfg.Cert), cfg.Party.ID))
	cl, cfg, err := a.connect() // with the address from the environment, if it is there
	if err != nil {
		return err
	}
	defer cl.Close()
	cp, err := cl.Ping(a.ctx)
	if err != nil {
		return err
	}
	a.printf("gateway:     %s answers; newest co-signed journal entry %d\n", cfg.Gateway, cp.Size-1)
	if p, err := cl.Party(a.ctx, cfg.Party.ID); err != nil {
		a.printf("registered:  no (%v)\n", err)
	} else {
		a.printf("registered:  yes, since %s\n", p.Created.Format("2006-01-02"))
	}
	return nil
}

// certificateText says whom a certificate names and until when, and what is wrong
// with that.
func certificateText(file string, party carnet.PartyID) string {
	data, err := os.ReadFile(file)
	if err != nil {
		return "missing: " + err.Error()
	}
	b, _ := pem.Decode(data)
	if b == nil {
		return file + " is not a certificate"
	}
	cert, err := x509.ParseCertificate(b.Bytes)
	if err != nil {
		return file + ": " + err.Error()
	}
	who, err := ident.PartyFromCert(cert)
	if err != nil {
		return file + ": " + err.Error()
	}
	text := "names " + string(who) + ", valid until " + cert.NotAfter.Format(time.DateOnly)
	if who != party {
		text += "; NOT " + string(party) + ": the gateway takes you for " + string(who)
	}
	if time.Now().After(cert.NotAfter) {
		text += "; EXPIRED"
	}
	return text
}
