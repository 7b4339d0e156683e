package main

import (
	"crypto/rand"
	"path/filepath"

	"github.com/carnet-network/carnet/internal/command"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/ident"
)

type dealCmd struct {
	command.Output
	Name      string `arg:"" help:"Name of the key, for publish --key. Its file is keys/NAME.key in the home directory."`
	Committee string `required:"" help:"Committee that will release answers." placeholder:"ID"`
	Schema    string `help:"Schema whose tables the key is for; a file or name@version." placeholder:"SCHEMA" xor:"what"`
	Layout    string `help:"Layout of those tables: cube or records." default:"records" enum:"cube,records"`
	Profile   string `help:"Parameter profile, instead of --schema." placeholder:"NAME" xor:"what"`
	HomeVeto  string `help:"Keyholder without which nothing opens, usually that of your own jurisdiction." placeholder:"ID"`
	Plain     bool   `help:"Leave the key file without a passphrase. Only for trying out."`
}

func (dealCmd) Help() string {
	return `Draws a dataset key, splits it among the committee, seals to each keyholder its part,
and sends that. The key itself never leaves this machine: back up its file, and keep it
as you keep the data. One key serves any number of datasets of the same profile.

Example:
  carnet deal trade --committee corridor --schema customs-records@1 --layout records`
}

func (c *dealCmd) Run(a *app) error {
	if !carnet.ValidName(c.Name) {
		return usage("%q is not a name for a key", c.Name).Fix("use 1 to 63 of a-z, 0-9, '.', '_' and '-', starting with a letter or digit")
	}
	cl, _, id, err := a.connectAs()
	if err != nil {
		return err
	}
	defer cl.Close()
	profile, err := c.profile(a)
	if err != nil {
		return err
	}
	committee, err := cl.Committee(a.ctx, c.Committee)
	if err != nil {
		return err
	}
	k, err := ident.NewDatasetKey(id.Party(), profile, committee.ID, rand.Reader)
	if err != nil {
		return err
	}
	defer k.Zero()
	d, err := cl.Deal(a.ctx, id, k, committee, carnet.PartyID(c.HomeVeto), rand.Reader)
	if err != nil {
		return err
	}
	// Kept before it is sent: a key that was dealt must not get lost.
	file, err := a.saveKey(k, c.Name, c.Plain)
	if err != nil {
		return err
	}
	ref, err := cl.SubmitDealing(a.ctx, d)
	if err != nil {
		a.notef("The key in %s was not dealt; delete it and try again.\n", file)
		return err
	}
	if c.JSON {
		return a.json(map[string]any{"name": c.Name, "file": file, "key": k.Key, "profile": profile, "committee": committee.ID, "committee_statement": committee.Hash,
			"threshold": committee.Threshold, "members": committee.Members, "statement": ref.Hash, "entry": ref.Seq})
	}
	a.printf("key file:  %s (back it up; whoever has it reads your tables)\n", file)
	a.printf("key id:    %s\n", k.Key)
	a.printf("profile:   %s\n", profile)
	a.printf("committee: %s, any %d of %d; entry %d\n", committee.ID, committee.Threshold, len(committee.Members), ref.Seq)
	return nil
}

func (c *dealCmd) profile(a *app) (string, error) {
	if c.Profile != "" {
		return c.Profile, nil
	}
	if c.Schema == "" {
		return "", usage("it is not known what the key is for").Fix("pass --schema with --layout, or --profile")
	}
	s, err := a.schema(c.Schema)
	if err != nil {
		return "", err
	}
	enc, err := s.Encode(carnet.Layout(c.Layout))
	if err != nil {
		return "", err
	}
	return enc.Profile, nil
}

// keyFile is where the key of that name is; a path is taken as it is.
func (a *app) keyFile(name string) string {
	if filepath.Base(name) != name {
		return name
	}
	return a.path(filepath.Join("keys", name+".key"))
}
