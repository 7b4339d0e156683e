package main

import (
	"crypto/ed25519"
	"fmt"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
	"github.com/carnet-network/carnet/pkg/evidence"
)

type partyCmd struct {
	Register partyRegisterCmd `cmd:"" help:"Sign party statements as the registrar and register them."`
	List     partyListCmd     `cmd:"" help:"List the registered parties."`
}

type partyRegisterCmd struct {
	Files []string `arg:"" name:"file" help:"party.json as carnet init or carnet-keyholder init wrote it."`
}

func (partyRegisterCmd) Help() string {
	return `For the registrar. Check first, by a way you trust, that each file comes from whom it
names: your signature is what everyone else relies on.

Example:
  carnet --home registrar party register kz/party.json uz/party.json`
}

func (c *partyRegisterCmd) Run(a *app) error {
	cl, _, id, err := a.connectAs()
	if err != nil {
		return err
	}
	defer cl.Close()
	for _, file := range c.Files {
		data, err := readInput("party statement", file)
		if err != nil {
			return err
		}
		env, err := client.ReadEnvelope(data)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		var p carnet.Party
		if err := env.Decode(carnet.TypeParty, &p); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if !env.SignedBy(p.SigningKey) {
			return carnet.E(carnet.Forbidden, "BAD_SIGNATURE", "%s is not signed by the key it names", file)
		}
		if !env.SignedBy(id.Public()) {
			if err := env.Countersign(id); err != nil {
				return err
			}
		}
		ref, err := cl.RegisterParty(a.ctx, env)
		if err != nil {
			return err
		}
		a.printf("registered %s (%s, %s; key %s) as entry %d\n", p.ID, p.Name, p.Jurisdiction, evidence.KeyHint(ed25519.PublicKey(p.SigningKey)), ref.Seq)
	}
	return nil
}

type partyListCmd struct {
	JSON bool `name:"json" help:"Print JSON."`
}

func (partyListCmd) Help() string {
	return `Every statement is checked against the registrar's key.

Example:
  carnet party list`
}

func (c *partyListCmd) Run(a *app) error {
	cl, _, err := a.connect()
	if err != nil {
		return err
	}
	defer cl.Close()
	ps, err := cl.Parties(a.ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return a.json(ps)
	}
	var rows [][]string
	for _, p := range ps {
		var roles []string
		for _, r := range p.Roles {
			roles = append(roles, string(r))
		}
		rows = append(rows, []string{string(p.ID), string(p.Jurisdiction), strings.Join(roles, ","), evidence.KeyHint(p.SigningKey), p.Name})
	}
	return a.table([]string{"PARTY", "IN", "ROLES", "KEY", "NAME"}, rows)
}
