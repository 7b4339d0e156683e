package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/carnet-network/carnet/internal/command"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/ticket"
)

type committeeCmd struct {
	Register committeeRegisterCmd `cmd:"" help:"Register a committee as the registrar."`
	List     committeeListCmd     `cmd:"" help:"List the registered committees."`
	Show     committeeShowCmd     `cmd:"" help:"Show one committee, and what an operator of the secrets engine compares."`
}

type committeeRegisterCmd struct {
	command.Output
	ID            string   `arg:"" help:"Short identifier of the committee."`
	Member        []string `required:"" help:"Keyholder, in the order of the numbers 1 to n. Repeat it, or separate by commas." placeholder:"ID"`
	Threshold     int      `required:"" help:"How many members open an answer; one fewer learn nothing." placeholder:"T"`
	PrivateChecks int      `help:"Members that must agree on the check of a private parameter, at least 2t-1 [default: 3t-2]. With fewer than 3t-2, a buyer helped by a member could select anything." placeholder:"M"`
	Policy        string   `help:"Policy bundle that all members and the gateway have to decide by, in this version or a later one [default: each decides]." placeholder:"NAME@VERSION"`
	PolicyDigest  string   `help:"Digest of that version, as carnet policy check prints it." placeholder:"HASH"`
	Attestations  int      `help:"Below so many members that computed themselves, answers are marked unattested." default:"1"`
}

func (committeeRegisterCmd) Help() string {
	return `For the registrar. The quorum that co-signs the journal follows from n and t.

Example:
  carnet --home registrar committee register corridor --threshold 3 \
    --member kh-kz,kh-uz,kh-cn,kh-sg,kh-ch`
}

func (c *committeeRegisterCmd) Run(a *app) error {
	cl, _, id, err := a.connectAs()
	if err != nil {
		return err
	}
	defer cl.Close()
	body := carnet.Committee{ID: carnet.CommitteeID(c.ID), Threshold: c.Threshold, Attestations: c.Attestations, PrivateChecks: c.PrivateChecks}
	if body.Policy, err = demand(c.Policy, c.PolicyDigest); err != nil {
		return err
	}
	for _, m := range c.Member {
		body.Members = append(body.Members, carnet.PartyID(m))
	}
	// ceil((n+t)/2): any two quorums share an honest member if fewer than t lie.
	body.Quorum = (len(body.Members) + c.Threshold + 1) / 2
	ref, err := cl.RegisterCommittee(a.ctx, id, body)
	if err != nil {
		return err
	}
	return c.Report(a.out, map[string]any{"committee": c.ID, "members": body.Members, "threshold": c.Threshold, "quorum": body.Quorum, "statement": ref.Hash, "entry": ref.Seq},
		"registered committee %s: any %d of %d open, %d co-sign the journal; entry %d\n", c.ID, c.Threshold, len(c.Member), body.Quorum, ref.Seq)
}

// demand reads a demand for a policy bundle, nil if there is none.
func demand(bundle, digest string) (*carnet.PolicyDemand, error) {
	bad := carnet.E(carnet.Invalid, "BAD_COMMITTEE", "the demand for a policy bundle can't be read")
	if bundle == "" && digest == "" {
		return nil, nil
	}
	name, version, _ := strings.Cut(bundle, "@")
	d := &carnet.PolicyDemand{Name: name}
	var err error
	if d.Version, err = strconv.ParseInt(version, 10, 64); err != nil {
		return nil, bad.Fix("give --policy as NAME@VERSION, such as corridor@3")
	}
	if digest != "" {
		h, err := carnet.ParseHash(digest)
		if err != nil {
			return nil, bad.Because(err).Fix("give --policy-digest as carnet policy check prints it")
		}
		d.Digest = &h
	}
	return d, d.Validate()
}

type committeeListCmd struct {
	JSON bool `name:"json" help:"Print JSON."`
}

func (committeeListCmd) Help() string {
	return `Example:
  carnet committee list`
}

func (c *committeeListCmd) Run(a *app) error {
	cl, _, err := a.connect()
	if err != nil {
		return err
	}
	defer cl.Close()
	cs, err := cl.Committees(a.ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return a.json(cs)
	}
	var rows [][]string
	for _, x := range cs {
		var members []string
		for _, m := range x.Members {
			members = append(members, string(m))
		}
		demanded := "any"
		if d := x.Policy; d != nil {
			demanded = fmt.Sprintf("%s@%d", d.Name, d.Version)
		}
		rows = append(rows, []string{string(x.ID), fmt.Sprintf("%d of %d", x.Threshold, len(x.Members)), fmt.Sprint(x.Quorum), demanded, strings.Join(members, ",")})
	}
	return a.table([]string{"COMMITTEE", "OPENS", "QUORUM", "POLICY", "MEMBERS"}, rows)
}

type committeeShowCmd struct {
	ID   string `arg:"" help:"The committee, by identifier, statement hash, or the first 8 or more digits of that."`
	JSON bool   `name:"json" help:"Print JSON."`
}

func (committeeShowCmd) Help() string {
	return `Shows the members with their jurisdictions, the statement hash, and the digest of the
members' sealing keys as they are registered now. Who operates a keyholder's secrets engine
in Vault approves a committee, to which keys may be handed on, by these two:

  vault write MOUNT/successors/HASH recipients=DIGEST

Example:
  carnet committee show corridor`
}

func (c *committeeShowCmd) Run(a *app) error {
	cl, _, err := a.connect()
	if err != nil {
		return err
	}
	defer cl.Close()
	x, err := a.findCommittee(cl, c.ID)
	if err != nil {
		return err
	}
	type member struct {
		ID           carnet.PartyID      `json:"id"`
		Jurisdiction carnet.Jurisdiction `json:"jurisdiction"`
	}
	var members []member
	var keys [][]byte
	for _, id := range x.Members {
		p, err := cl.Party(a.ctx, id)
		if err != nil {
			return err
		}
		members, keys = append(members, member{id, p.Jurisdiction}), append(keys, p.SealingKey)
	}
	recipients := ticket.RecipientsDigest(keys)
	if c.JSON {
		return a.json(map[string]any{"committee": x.ID, "threshold": x.Threshold, "quorum": x.Quorum, "members": members, "hash": x.Hash, "recipients": recipients})
	}
	a.printf("committee %s: any %d of %d open\n", x.ID, x.Threshold, len(members))
	for i, m := range members {
		a.printf("  %d  %s (%s)\n", i+1, m.ID, m.Jurisdiction)
	}
	a.printf("hash:        %s\nrecipients:  %s\n", x.Hash, recipients)
	return nil
}
