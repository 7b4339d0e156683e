package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
	"github.com/carnet-network/carnet/pkg/ident"
)

// pendingRedeal is a dealing that was sent and that the key is not opened with yet. It is
// noted before it is sent: its keyholders can open the key from then on, so it is finished
// or abandoned, and not forgotten. Nothing in it is secret.
type pendingRedeal struct {
	Key       carnet.KeyID   `json:"key"`
	Dealing   carnet.KeyID   `json:"dealing"`
	Committee carnet.Hash    `json:"committee"`
	HomeVeto  carnet.PartyID `json:"home_veto,omitempty"`
}

func (c *redealCmd) file(a *app) string {
	return a.path(filepath.Join("keys", filepath.Base(strings.TrimSuffix(c.Name, ".key"))+".redeal"))
}

// pending reads what was begun with the key, nil if nothing was.
func (c *redealCmd) pending(a *app, key carnet.KeyID) (*pendingRedeal, error) {
	b, err := os.ReadFile(c.file(a))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	p := &pendingRedeal{}
	if err := json.Unmarshal(b, p); err != nil || p.Key != key {
		return nil, carnet.E(carnet.Precondition, "REDEAL_PENDING", "%s is damaged, or of another key", c.file(a)).
			Fix("retire the dealing that it names with carnet retire, then remove the file")
	}
	return p, nil
}

func (c *redealCmd) note(a *app, p *pendingRedeal) error {
	b, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(c.file(a)), 0o700); err != nil {
		return err
	}
	return os.WriteFile(c.file(a), b, 0o600)
}

// begun goes on with what was begun before: it returns the dealing, the zero value if a new
// one has to be made.
func (c *redealCmd) begun(a *app, cl *client.Client, p *pendingRedeal, committee *client.Committee) (carnet.KeyID, error) {
	if p == nil {
		return carnet.KeyID{}, nil
	}
	_, err := cl.DealingStatus(a.ctx, p.Dealing)
	switch {
	case carnet.KindOf(err) == carnet.NotFound: // it was noted, and did not arrive
		a.neverArrived(p)
		return carnet.KeyID{}, os.Remove(c.file(a))
	case err != nil:
		return carnet.KeyID{}, err
	case p.Committee != committee.Hash || p.HomeVeto != carnet.PartyID(c.HomeVeto):
		return carnet.KeyID{}, carnet.E(carnet.Precondition, "REDEAL_PENDING", "the key %s was dealt to another committee, which does not open it yet", c.Name).
			Fix("carnet redeal %s --status shows what it waits for: finish it with the same options, or give it up with --abandon", c.Name)
	}
	return p.Dealing, nil
}

// finished reports whether the key is opened with what was begun: an attempt that was
// stopped before it heard so may have said it.
func (c *redealCmd) finished(a *app, cl *client.Client, p *pendingRedeal) (bool, error) {
	if p == nil {
		return false, nil
	}
	s, err := cl.KeyState(a.ctx, p.Key)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(s.Redealt, func(d *client.KeyState) bool { return d.Key == p.Dealing }), nil
}

// told ends what was finished without being noted here. It is not given up any more, and
// not done once more either.
func (c *redealCmd) told(a *app, cl *client.Client, p *pendingRedeal) error {
	committee, err := cl.Committee(a.ctx, p.Committee.String())
	if err != nil {
		return err
	}
	if err := os.Remove(c.file(a)); err != nil {
		return err
	}
	asked := c.Committee == "" || c.Committee == string(committee.ID) && p.HomeVeto == carnet.PartyID(c.HomeVeto)
	if c.Abandon || !asked {
		return carnet.E(carnet.Precondition, "NOTHING_PENDING", "what was begun with the key %s was finished: it is opened with dealing %s to committee %s", c.Name, p.Dealing, committee.ID).
			Fix("deal it again with carnet redeal %s --committee ID if another committee is to open it", c.Name)
	}
	return c.Report(a.out, p.says("finished", committee), "finished:  the key %s is opened with dealing %s to committee %s\n", p.Key, p.Dealing, committee.ID)
}

// says is what programs are told about a dealing.
func (p *pendingRedeal) says(state string, committee *client.Committee) map[string]any {
	return map[string]any{"state": state, "key": p.Key, "dealing": p.Dealing, "committee": committee.ID, "committee_statement": committee.Hash}
}

// status shows a dealing that is not finished.
func (c *redealCmd) status(a *app, cl *client.Client, p *pendingRedeal) error {
	if p == nil {
		return c.Report(a.out, map[string]any{"state": "none"}, "nothing was begun\n")
	}
	committee, err := cl.Committee(a.ctx, p.Committee.String())
	if err != nil {
		return err
	}
	missing, err := c.missing(a, cl, p.Dealing, committee)
	unsent := carnet.KindOf(err) == carnet.NotFound
	if err != nil && !unsent {
		return err
	}
	if c.JSON {
		says := p.says("begun", committee)
		says["sent"], says["waits_for"] = !unsent, append([]string{}, missing...)
		return a.json(says)
	}
	a.printf("key:       %s, opened as before\ndealing:   %s to committee %s\n", p.Key, p.Dealing, committee.ID)
	if unsent {
		a.printf("sent:      no, by the gateway's word; start again\n")
		return nil
	}
	if len(missing) == 0 {
		a.printf("waits for: nobody; carnet redeal %s --committee %s finishes it\n", c.Name, committee.ID)
	} else {
		a.printf("waits for: %s\nto do:     see that they run, and start again; or give it up with --abandon\n", strings.Join(missing, ", "))
	}
	return nil
}

// missing lists members that have not confirmed their parts, with the reason if one said so.
func (c *redealCmd) missing(a *app, cl *client.Client, dealing carnet.KeyID, committee *client.Committee) (out []string, err error) {
	said, err := cl.DealingStatus(a.ctx, dealing)
	if err != nil {
		return nil, err
	}
	for i, m := range committee.Members {
		text := string(m)
		for _, s := range said {
			if s.Number == i+1 && s.OK {
				text = ""
			} else if s.Number == i+1 && s.Reason != "" {
				text += " (" + s.Reason + ")"
			}
		}
		if text != "" {
			out = append(out, text)
		}
	}
	return out, nil
}

// neverArrived says what is relied on if the gateway says that it has no such dealing. Nobody but
// those who read the whole journal can tell what is not in it.
func (a *app) neverArrived(p *pendingRedeal) {
	a.notef("the gateway says that dealing %s never arrived, and nothing proves that: if it kept it and journals it one day, the keyholders of its committee could open the key together. "+
		"Ask an auditor or a keyholder, who read the whole journal, whether it is there; if it turns up: carnet retire %s --yes\n", p.Dealing, p.Dealing)
}

// abandon retires the dealing, so that keyholders destroy their parts of it.
func (c *redealCmd) abandon(a *app, cl *client.Client, id *ident.Identity, p *pendingRedeal) error {
	if p == nil {
		return carnet.E(carnet.Precondition, "NOTHING_PENDING", "the key %s was not begun to be dealt again", c.Name).Fix("carnet retire ends the use of the key itself")
	}
	_, err := cl.Retire(a.ctx, id, p.Dealing, "dealt again, and given up")
	if carnet.KindOf(err) == carnet.NotFound {
		a.neverArrived(p)
		if err := os.Remove(c.file(a)); err != nil {
			return err
		}
		return c.Report(a.out, map[string]any{"state": "abandoned", "key": p.Key, "dealing": p.Dealing, "retired": false}, "abandoned: nothing was retired; the key is opened as before\n")
	}
	if err != nil && carnet.ReasonOf(err) != "KEY_RETIRED" {
		return err
	}
	// The gateway has the retirement, signed with this party's key. It can show back what it was just
	// given, so that the journal has it only the keyholders show, who destroy their parts.
	s, err := cl.KeyState(a.ctx, p.Dealing)
	if err != nil {
		return err
	}
	if s.Retired == nil {
		return carnet.E(carnet.Unavailable, "GATEWAY_WRONG", "the gateway took the retirement of dealing %s and does not show it", p.Dealing).
			Fix("repeat the command; if that does not help, ask an auditor whether the journal has it")
	}
	if err := os.Remove(c.file(a)); err != nil {
		return err
	}
	return c.Report(a.out, map[string]any{"state": "abandoned", "key": p.Key, "dealing": p.Dealing, "retired": true},
		"abandoned: dealing %s; the key is opened as before\nuntil its keyholders destroyed their parts, they could open the key together, and nothing else shows that the gateway passed it on: carnet retire %s --status\n", p.Dealing, p.Dealing)
}
