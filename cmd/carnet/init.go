package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/carnet-network/carnet/internal/command"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/ident"
)

type initCmd struct {
	Party        string   `required:"" help:"Short identifier of the party, such as kz-customs." placeholder:"ID"`
	Name         string   `help:"Name of the organisation." placeholder:"TEXT"`
	Jurisdiction string   `help:"ISO 3166-1 alpha-2 code of its country." placeholder:"CC"`
	Role         []string `help:"What the party does: owner, buyer, auditor or operator. Repeat it, or separate by commas." placeholder:"ROLE"`
	Registrar    bool     `help:"Make the registrar of a new network; writes registrar.pub for everyone to pin."`
	Gateway      string   `help:"Address of the gateway." default:"localhost:7443" placeholder:"HOST:PORT"`
	Anchor       string   `help:"The registrar's public key file." default:"registrar.pub" placeholder:"FILE"`
	CA           string   `name:"ca" help:"CA certificate of the network." default:"ca.pem" placeholder:"FILE"`
	Cert         string   `help:"This party's certificate [default: ID.pem]." placeholder:"FILE"`
	Key          string   `help:"Its private key [default: ID-key.pem]." placeholder:"FILE"`
	Plain        bool     `help:"Leave key files without a passphrase. Only for trying out."`
}

func (initCmd) Help() string {
	return `Draws an Ed25519 key and writes identity.key, config.yaml and party.json into the home
directory. party.json says who the party is, signed with the new key; it holds nothing
secret. Send it to the registrar of your network, who signs and registers it. Relative
file names in config.yaml are relative to that directory.

If there is a vault.yaml in the home directory, the identity and later the dataset keys
are kept in HashiCorp Vault; see docs/howto/vault.md.

Example:
  carnet --home kz init --party kz-customs --name "Customs of Examplestan" \
    --jurisdiction KZ --role owner --gateway gateway.example:7443`
}

func (c *initCmd) Run(a *app) error {
	party, err := c.info()
	if err != nil {
		return err
	}
	if _, err := os.Stat(a.path(configFile)); !errors.Is(err, fs.ErrNotExist) {
		return carnet.E(carnet.Exists, "HOME_EXISTS", "%s holds an identity already", a.home).
			Fix("choose another directory with --home")
	}
	id, err := ident.New(party.ID, rand.Reader)
	if err != nil {
		return err
	}
	cfg := &config{
		Party: party, Identity: "identity.key", Gateway: c.Gateway, Registrar: c.Anchor, CA: c.CA, Cert: c.Cert, Key: c.Key,
	}
	if cfg.Cert == "" {
		cfg.Cert = c.Party + ".pem"
	}
	if cfg.Key == "" {
		cfg.Key = c.Party + "-key.pem"
	}
	where, err := a.saveIdentity(id, a.path(cfg.Identity), c.Plain)
	if err != nil {
		return err
	}
	if c.Registrar {
		if err := ident.WriteAnchor(a.path("registrar.pub"), id.Public()); err != nil {
			return err
		}
	}
	if err := a.saveConfig(cfg); err != nil {
		return err
	}
	if err := a.writeStatement(party, id); err != nil {
		return err
	}
	a.printf("identity:       %s\n", where)
	a.printf("configuration:  %s\n", a.path(configFile))
	a.printf("statement:      %s\n", a.path(partyFile))
	if c.Registrar {
		a.printf("registrar key:  %s (give a copy to everyone)\n", a.path("registrar.pub"))
		a.printf("next: carnet party register %s\n", a.path(partyFile))
		return nil
	}
	a.printf("next: send %s to the registrar of your network\n", partyFile)
	return nil
}

// partyFile is the party's own statement about itself, for the registrar to sign.
const partyFile = "party.json"

func (a *app) writeStatement(p partyInfo, id *ident.Identity) error {
	env, err := evidence.Seal(carnet.TypeParty, carnet.Party{
		ID: p.ID, Name: p.Name, Jurisdiction: p.Jurisdiction, Roles: p.Roles, SigningKey: id.Public(), Created: p.Created,
	}, id)
	if err != nil {
		return err
	}
	return command.WriteStatement(a.path(partyFile), env)
}

// info checks what the party says about itself.
func (c *initCmd) info() (partyInfo, error) {
	p := partyInfo{
		ID: carnet.PartyID(c.Party), Name: c.Name, Created: time.Now().UTC().Truncate(time.Second),
		Jurisdiction: carnet.Jurisdiction(strings.ToUpper(c.Jurisdiction)),
	}
	if c.Registrar {
		p.Roles = []carnet.Role{carnet.RoleOperator}
	}
	known := []carnet.Role{carnet.RoleOwner, carnet.RoleBuyer, carnet.RoleKeyholder, carnet.RoleAuditor, carnet.RoleOperator}
	for _, r := range c.Role {
		if !slices.Contains(known, carnet.Role(r)) {
			return p, usage("%q is not a role", r).Fix("use owner, buyer, keyholder, auditor or operator")
		}
		if !slices.Contains(p.Roles, carnet.Role(r)) {
			p.Roles = append(p.Roles, carnet.Role(r))
		}
	}
	if len(p.Roles) == 0 {
		return p, usage("the party has no role").Fix("add --role owner, --role buyer, or another")
	}
	if p.Name == "" {
		p.Name = c.Party
	}
	if p.Jurisdiction == "" && c.Registrar {
		p.Jurisdiction = "ZZ" // user-assigned in ISO 3166: belongs to no country
	}
	if len(p.Jurisdiction) != 2 {
		what := "a jurisdiction is needed"
		if c.Jurisdiction != "" {
			what = fmt.Sprintf("%q is not a jurisdiction", c.Jurisdiction)
		}
		return p, usage("%s", what).Fix("give --jurisdiction as a two-letter country code, such as KZ")
	}
	if !carnet.ValidName(c.Party) {
		return p, carnet.BadName("a party", c.Party)
	}
	return p, nil
}
