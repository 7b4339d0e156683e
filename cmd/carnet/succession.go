package main

import (
	"bytes"
	"slices"

	"github.com/carnet-network/carnet/internal/command"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
)

type successionCmd struct {
	command.Output
	Name          string   `arg:"" help:"Name of the key; its file is keys/NAME.key in the home directory."`
	Committee     []string `help:"Committee that may have the key; may be repeated." placeholder:"ID"`
	Members       int      `help:"Also any committee the registrar names that has at least so many keyholders …" placeholder:"N"`
	Threshold     int      `help:"… of whom at least so many open …" placeholder:"T"`
	Jurisdictions []string `help:"… all of them registered in these jurisdictions." placeholder:"CC"`
	Nobody        bool     `help:"Take back what was said before."`
	Show          bool     `help:"Show what counts now and who has handed on parts."`
}

func (successionCmd) Help() string {
	return `Says beforehand which committees may get a key from the keyholders that hold its
parts, so that members of the committee can leave and join while you are not there.
Keyholders hand a part on only if their operators let them, too. Tables stay as they
are, and releases count on. The newest statement of a key counts.

What keyholders have handed on can't be taken back: from then on the members of the
other committee can open the key together, as those of the present one can. So name
committees rather than a rule: a rule trusts the registrar and the present keyholders to
choose for you.

Keys with a home veto are not handed on; carnet redeal deals them again.

Examples:
  carnet succession trade --committee corridor-2
  carnet succession trade --members 5 --threshold 3 --jurisdictions KZ,UZ,CH
  carnet succession trade --nobody`
}

func (c *successionCmd) Run(a *app) error {
	rule := c.Members != 0 || c.Threshold != 0 || len(c.Jurisdictions) > 0
	named := rule || len(c.Committee) > 0
	bad := carnet.E(carnet.Invalid, "BAD_SUCCESSION", "say which committees may have the key, or --nobody, or --show")
	switch {
	case c.Show && (named || c.Nobody), c.Nobody && named, !c.Show && !c.Nobody && !named:
		return bad
	case rule && (c.Members < 1 || c.Threshold < 1):
		return carnet.E(carnet.Invalid, "BAD_SUCCESSION", "a rule needs --members and --threshold")
	}
	cl, _, id, err := a.connectAs()
	if err != nil {
		return err
	}
	defer cl.Close()
	k, err := a.loadKey(c.Name)
	if err != nil {
		return err
	}
	defer k.Zero()
	if k.Owner != id.Party() || k.Key.IsZero() {
		return carnet.E(carnet.Precondition, "KEY_NOT_DEALT", "the key %s was not dealt by %s", c.Name, id.Party()).Fix("carnet deal makes and deals one")
	}
	names := map[carnet.Hash]carnet.CommitteeID{}
	all, err := cl.Committees(a.ctx)
	if err != nil {
		return err
	}
	for _, x := range all {
		names[x.Hash] = x.ID
	}
	says := map[string]any{"key": k.Key}
	if !c.Show {
		var hashes []carnet.Hash
		for _, name := range c.Committee {
			x, err := cl.Committee(a.ctx, name)
			if err != nil {
				return err
			}
			hashes = append(hashes, x.Hash)
		}
		var r *carnet.SuccessionRule
		if rule {
			r = &carnet.SuccessionRule{Members: c.Members, Threshold: c.Threshold}
			for _, j := range c.Jurisdictions {
				r.Jurisdictions = append(r.Jurisdictions, carnet.Jurisdiction(j))
			}
		}
		ref, err := cl.Succeed(a.ctx, id, k.Key, hashes, r)
		if err != nil {
			return err
		}
		says["statement"], says["entry"] = ref.Hash, ref.Seq
		if !c.JSON {
			a.printf("entry:     %d\n", ref.Seq)
		}
	}
	m, err := cl.Succession(a.ctx, k.Key)
	if err != nil {
		return err
	}
	if c.JSON {
		return a.json(succession(says, m, names))
	}
	a.printf("key id:    %s\n", k.Key)
	if m.Succession == nil || len(m.Succession.Committees) == 0 && m.Succession.Rule == nil {
		a.printf("successor: nobody\n")
	} else {
		for _, h := range m.Succession.Committees {
			a.printf("successor: committee %s\n", names[h])
		}
		if r := m.Succession.Rule; r != nil {
			a.printf("successor: any committee of at least %d, of whom at least %d open%s\n", r.Members, r.Threshold, within(r.Jurisdictions))
		}
	}
	for h, by := range m.Handed {
		a.printf("handed on: to %s by %v\n", names[h], by)
	}
	return nil
}

// succession adds to what programs are told who may have the key, and who has parts of it.
func succession(says map[string]any, m *client.Moving, names map[carnet.Hash]carnet.CommitteeID) map[string]any {
	type successor struct {
		ID        carnet.CommitteeID `json:"committee"`
		Statement carnet.Hash        `json:"committee_statement"`
		By        []carnet.PartyID   `json:"by,omitempty"`
	}
	committees, handed := []successor{}, []successor{}
	if m.Succession != nil {
		for _, h := range m.Succession.Committees {
			committees = append(committees, successor{ID: names[h], Statement: h})
		}
		if m.Succession.Rule != nil {
			says["rule"] = m.Succession.Rule
		}
	}
	for h, by := range m.Handed {
		handed = append(handed, successor{names[h], h, by})
	}
	slices.SortFunc(handed, func(x, y successor) int { return bytes.Compare(x.Statement[:], y.Statement[:]) })
	says["committees"], says["handed_on"] = committees, handed
	return says
}

func within(js []carnet.Jurisdiction) string {
	if len(js) == 0 {
		return ""
	}
	out := ", all in"
	for _, j := range js {
		out += " " + string(j)
	}
	return out
}
