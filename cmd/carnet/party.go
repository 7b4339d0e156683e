package main

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/carnet-network/carnet/internal/command"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/ident"
)

type partyCmd struct {
	Register partyRegisterCmd `cmd:"" help:"Sign party statements as the registrar and register them."`
	Rotate   partyRotateCmd   `cmd:"" help:"Replace the key of this party."`
	Revoke   partyRevokeCmd   `cmd:"" help:"End a party for good, as the registrar."`
	List     partyListCmd     `cmd:"" help:"List the registered parties."`
}

type partyRegisterCmd struct {
	command.Output
	Files      []string `arg:"" name:"file" help:"party.json as carnet init or carnet-keyholder init wrote it, or party-next.json as the rotate command of carnet, carnet-keyholder or carnet-gateway did."`
	OldKeyLost bool     `help:"Vouch alone for keys that replace lost ones. Monitors and verifiers tell everybody."`
}

func (partyRegisterCmd) Help() string {
	return `For the registrar. Check first, by a way you trust, that each file comes from whom it
names: your signature is what everyone else relies on. A statement that replaces keys is
signed with the old key, too. Without it somebody may be taking the party's name: ask
the party by a way you trust before you give --old-key-lost.

Example:
  carnet --home registrar party register kz/party.json uz/party.json`
}

func (c *partyRegisterCmd) Run(a *app) error {
	cl, _, id, err := a.connectAs()
	if err != nil {
		return err
	}
	defer cl.Close()
	// If one is refused, those before it are registered.
	var done []registeredParty
	for _, file := range c.Files {
		r, err := c.register(a, cl, id, file)
		if err != nil {
			if c.JSON && len(done) > 0 {
				err = errors.Join(err, a.json(done))
			}
			return err
		}
		done = append(done, *r)
		if !c.JSON {
			did := "registered"
			if r.Replaced {
				did = "replaced the keys of"
			}
			a.printf("%s %s (%s, %s; key %s) as entry %d\n", did, r.Party, r.Name, r.Jurisdiction, evidence.KeyHint(r.SigningKey), r.Entry)
		}
	}
	if c.JSON {
		return a.json(done)
	}
	return nil
}

// registeredParty is one party statement that was registered.
type registeredParty struct {
	Party        carnet.PartyID      `json:"party"`
	Name         string              `json:"name"`
	Jurisdiction carnet.Jurisdiction `json:"jurisdiction"`
	SigningKey   ed25519.PublicKey   `json:"signing_key"`
	Replaced     bool                `json:"replaced"` // keys of a party that was registered before
	Statement    carnet.Hash         `json:"statement"`
	Entry        int64               `json:"entry"`
}

func (c *partyRegisterCmd) register(a *app, cl *client.Client, id *ident.Identity, file string) (*registeredParty, error) {
	data, err := readInput("party statement", file)
	if err != nil {
		return nil, err
	}
	env, err := client.ReadEnvelope(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	var p carnet.Party
	if err := env.Decode(carnet.TypeParty, &p); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if !env.SignedBy(p.SigningKey) {
		return nil, carnet.E(carnet.Forbidden, "BAD_SIGNATURE", "%s is not signed by the key it names", file)
	}
	if p.ReplacesLost && !c.OldKeyLost {
		return nil, carnet.E(carnet.Precondition, "OLD_KEY_LOST", "%s says that the old key of %s is lost", file, p.ID).
			Fix("find out by a way you trust whether the party says so; then give --old-key-lost")
	}
	if !env.SignedBy(id.Public()) {
		if err := env.Countersign(id); err != nil {
			return nil, err
		}
	}
	ref, err := cl.RegisterParty(a.ctx, env)
	if err != nil {
		return nil, err
	}
	return &registeredParty{Party: p.ID, Name: p.Name, Jurisdiction: p.Jurisdiction, SigningKey: ed25519.PublicKey(p.SigningKey), Replaced: p.Replaces != nil, Statement: ref.Hash, Entry: ref.Seq}, nil
}

type partyRevokeCmd struct {
	command.Output
	Party  string `arg:"" help:"Identifier of the party."`
	Reason string `help:"Why, for everybody to read." placeholder:"TEXT"`
	Yes    bool   `help:"Really do it."`
}

func (partyRevokeCmd) Help() string {
	return `For the registrar. From the entry on nothing that the party signs counts, and the
gateway refuses its calls. What it signed before stays. It is final for the name.

A revoked keyholder is out of the quorum of its committees and answers nothing. If too
few are left, have owners move their keys: carnet succession, or carnet redeal to a new
committee.

Example:
  carnet --home registrar party revoke kh-sg --reason "left the network" --yes`
}

func (c *partyRevokeCmd) Run(a *app) error {
	if !c.Yes {
		return usage("revoking a party can't be undone").Fix("add --yes to revoke %s", c.Party)
	}
	cl, _, id, err := a.connectAs()
	if err != nil {
		return err
	}
	defer cl.Close()
	ref, err := cl.RevokeParty(a.ctx, id, carnet.PartyID(c.Party), c.Reason)
	if err != nil {
		return err
	}
	return c.Report(a.out, map[string]any{"party": c.Party, "reason": c.Reason, "statement": ref.Hash, "entry": ref.Seq}, "revoked %s by entry %d\n", c.Party, ref.Seq)
}

type partyListCmd struct {
	JSON bool `name:"json" help:"Print JSON."`
}

func (partyListCmd) Help() string {
	return `Every statement is checked against the registrar's key. What a party that is marked as
revoked signs counts for nothing from that day's entry on.

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
		name := p.Name
		if p.Revoked != nil {
			name += " (revoked on " + p.Revoked.Created.UTC().Format(time.DateOnly) + ")"
		}
		rows = append(rows, []string{string(p.ID), string(p.Jurisdiction), strings.Join(roles, ","), evidence.KeyHint(p.SigningKey), name})
	}
	return a.table([]string{"PARTY", "IN", "ROLES", "KEY", "NAME"}, rows)
}
