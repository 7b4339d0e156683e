package main

import (
	"fmt"
	"strings"

	"github.com/carnet-network/carnet/internal/command"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
	"github.com/carnet-network/carnet/pkg/ident"
)

type retireCmd struct {
	command.Output
	Dataset string `arg:"" help:"Dataset whose key to retire, owner/name; or the key's identifier; with --status its first 8 or more digits will do."`
	Reason  string `help:"Public reason." placeholder:"TEXT"`
	Yes     bool   `help:"Really do it."`
	Status  bool   `help:"Change nothing; show which keyholders have destroyed their seeds, and whether anything can still be opened."`
}

func (retireCmd) Help() string {
	return `Ends the use of a dataset key, for good: no query reads a dataset under it any more,
and the keyholders destroy their seeds of it, at once or when their operators do
(carnet-keyholder destroy). Once n-t+1 of n keyholders have, the ciphertext can't be
opened by anybody but whoever has the key file: delete keys/NAME.key and its backups,
too. Answers that were given stay given.

Examples:
  carnet retire kz-customs/trade-2020 --reason "retention period ended" --yes
  carnet retire kz-customs/trade-2020 --status`
}

func (c *retireCmd) Run(a *app) error {
	if !c.Status && !c.Yes {
		return usage("a retired key can't be used again").Fix("add --yes if you mean it, or --status to look only")
	}
	cl, _, id, err := a.connectAs()
	if err != nil {
		return err
	}
	defer cl.Close()
	if c.Status {
		key, err := c.shown(a, cl)
		if err != nil {
			return err
		}
		return c.status(a, cl, key)
	}
	key, err := c.key(a, cl, id)
	if err != nil {
		return err
	}
	under := []string{}
	all, err := cl.Datasets(a.ctx, id.Party(), "")
	if err != nil {
		return err
	}
	for _, d := range all {
		if d.Manifest.Key == key && !d.Revoked {
			under = append(under, string(d.Manifest.ID))
		}
	}
	ref, err := cl.Retire(a.ctx, id, key, c.Reason)
	if err != nil {
		return err
	}
	if c.JSON {
		return a.json(map[string]any{"key": key, "reason": c.Reason, "datasets": under, "statement": ref.Hash, "entry": ref.Seq})
	}
	a.printf("retired key %s; entry %d\n", key, ref.Seq)
	if len(under) > 0 {
		a.printf("not in use any more: %s\n", strings.Join(under, ", "))
	}
	a.printf("delete the key file and its backups; carnet retire --status shows when the keyholders have destroyed theirs\n")
	return nil
}

// key is the one to retire. It is not the gateway's to say which that is: a dataset's key is taken
// from a manifest that this party signed, and an identifier has to be whole.
func (c *retireCmd) key(a *app, cl *client.Client, id *ident.Identity) (carnet.KeyID, error) {
	if strings.Contains(c.Dataset, "/") {
		return cl.OwnKey(a.ctx, id, carnet.DatasetID(c.Dataset))
	}
	return command.WholeID[carnet.KeyID]("dataset key", c.Dataset, "carnet datasets --json")
}

// shown is the one to show, whoever's.
func (c *retireCmd) shown(a *app, cl *client.Client) (carnet.KeyID, error) {
	if !strings.Contains(c.Dataset, "/") {
		return a.findKey(cl, c.Dataset)
	}
	d, err := cl.Dataset(a.ctx, carnet.DatasetID(c.Dataset))
	if err != nil {
		return carnet.KeyID{}, err
	}
	return d.Manifest.Key, nil
}

func (c *retireCmd) status(a *app, cl *client.Client, key carnet.KeyID) error {
	s, err := cl.KeyState(a.ctx, key)
	if err != nil {
		return err
	}
	if c.JSON {
		return a.json(s)
	}
	a.printf("key:       %s of %s\n", s.Key, s.Owner)
	if s.Retired == nil {
		a.printf("retired:   no\n")
	} else {
		a.printf("retired:   %s\n", strings.TrimSpace(s.Retired.Format("2006-01-02 15:04:05 MST")+" "+s.Reason))
	}
	c.dealing(a, s)
	for _, other := range s.Redealt {
		a.printf("dealt again: %s\n", other.Key)
		c.dealing(a, other)
	}
	if s.Opens {
		a.printf("opens:     yes\n")
	} else {
		a.printf("opens:     no, not even if all other keyholders collude; only the owner's key file does\n")
	}
	return nil
}

// dealing prints what is left of one dealing.
func (c *retireCmd) dealing(a *app, s *client.KeyState) {
	a.printf("committee: %s, any %d of %d\n", s.Committee.ID, s.Committee.Threshold, len(s.Committee.Members))
	names := make([]string, len(s.Destroyed))
	for i, p := range s.Destroyed {
		names[i] = string(p)
	}
	a.printf("destroyed: %s\n", strings.TrimSpace(fmt.Sprintf("by %d of %d %s", len(names), len(s.Committee.Members), strings.Join(names, " "))))
	a.printf("lost:      %d of %d parts\n", s.Remaining.Lost, s.Remaining.Parts)
	if !s.Remaining.Opens() {
		return
	}
	home := ""
	if s.Home != "" {
		home = fmt.Sprintf(", or %s alone", s.Home)
	}
	a.printf("missing:   %d more keyholders, until its parts are of no use%s\n", s.Remaining.Holders-s.Committee.Threshold+1, home)
}
