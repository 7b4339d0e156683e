package main

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/ident"
)

type statusCmd struct {
	JSON bool `name:"json" help:"Print JSON."`
}

func (statusCmd) Help() string {
	return `Compares, too, what is in the home directory with what the registrar registered. Asks for no
passphrase: an identity that has one is not compared.

Example:
  carnet status`
}

// standing is what status prints; what was not found out is empty.
type standing struct {
	Party       carnet.PartyID `json:"party"`
	Home        string         `json:"home"`
	Registrar   string         `json:"registrar"`
	Certificate string         `json:"certificate"`
	Gateway     string         `json:"gateway"`
	Entry       *int64         `json:"entry"` // the newest that is co-signed
	Registered  bool           `json:"registered"`
	Identity    string         `json:"identity"`
	NewKey      string         `json:"new_key,omitempty"` // that is to replace it
}

func (c *statusCmd) Run(a *app) error {
	cfg, err := a.config()
	if err != nil {
		return err
	}
	s := &standing{Party: cfg.Party.ID, Home: a.home}
	err = c.find(a, cfg, s)
	if c.JSON {
		err = errors.Join(a.json(s), err)
	}
	return err
}

// find fills in what there is, and prints it line by line: what comes first helps if a later step
// fails.
func (c *statusCmd) find(a *app, cfg *config, s *standing) error {
	say := a.printf
	if c.JSON {
		say = func(string, ...any) {}
	}
	var roles []string
	for _, r := range cfg.Party.Roles {
		roles = append(roles, string(r))
	}
	say("party:       %s (%s), %s, in %s\n", cfg.Party.ID, cfg.Party.Name, strings.Join(roles, "+"), cfg.Party.Jurisdiction)
	say("home:        %s\n", a.home)
	if pub, err := ident.ReadAnchor(a.path(cfg.Registrar)); err != nil {
		s.Registrar = err.Error()
	} else {
		s.Registrar = "key " + evidence.KeyHint(pub)
	}
	say("registrar:   %s\n", s.Registrar)
	s.Certificate = certificateText(a.path(cfg.Cert), cfg.Party.ID)
	say("certificate: %s\n", s.Certificate)
	cl, cfg, err := a.connect() // with the address from the environment, if it is there
	if err != nil {
		return err
	}
	defer cl.Close()
	cp, err := cl.Ping(a.ctx)
	if err != nil {
		return err
	}
	newest := cp.Size - 1
	s.Gateway, s.Entry = cfg.Gateway, &newest
	say("gateway:     %s answers; newest co-signed journal entry %d\n", cfg.Gateway, newest)
	p, err := cl.Party(a.ctx, cfg.Party.ID)
	if err != nil {
		say("registered:  no (%v)\n", err)
	} else {
		s.Registered = true
		say("registered:  yes, since %s\n", p.Created.Format("2006-01-02"))
	}
	s.Identity = a.identityText(cfg, p)
	say("identity:    %s\n", s.Identity)
	if s.NewKey, err = a.nextText(p); err != nil || s.NewKey == "" {
		return err
	}
	say("new key:     %s\n", s.NewKey)
	return nil
}

// identityText says which key this party signs with here, and whether it is the registered one,
// without asking for a passphrase.
func (a *app) identityText(cfg *config, registered *carnet.Party) string {
	quiet := *a
	quiet.in = nil
	id, err := quiet.identity(cfg)
	switch {
	case carnet.ReasonOf(err) == "PASSPHRASE_NEEDED":
		return "has a passphrase; not compared with the registered key"
	case err != nil:
		return err.Error()
	case registered == nil:
		return "key " + evidence.KeyHint(id.Public())
	case !bytes.Equal(registered.SigningKey, id.Public()):
		return "key " + evidence.KeyHint(id.Public()) + "; NOT the registered one, " + evidence.KeyHint(registered.SigningKey) + ": nobody takes what is signed with it"
	}
	return "key " + evidence.KeyHint(id.Public()) + ", the registered one"
}

// nextText says what became of a key that is to replace this party's; empty if there is none.
func (a *app) nextText(registered *carnet.Party) (string, error) {
	next, _, err := a.nextParty()
	if next == nil || err != nil {
		return "", err
	}
	text := evidence.KeyHint(next.SigningKey)
	if registered != nil && bytes.Equal(next.SigningKey, registered.SigningKey) {
		return text + " is registered; the next command that signs uses it", nil
	}
	return text + " waits for the registrar", nil
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
