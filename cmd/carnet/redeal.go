package main

import (
	"crypto/rand"
	"os"
	"strings"
	"time"

	"github.com/carnet-network/carnet/internal/command"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
)

type redealCmd struct {
	command.Output
	Name      string        `arg:"" help:"Name of the key; its file is keys/NAME.key in the home directory."`
	Committee string        `help:"Committee that will release answers." placeholder:"ID"`
	HomeVeto  string        `help:"Keyholder without which nothing opens." placeholder:"ID"`
	Released  int64         `help:"Numbers opened under the key so far, if you know of more than the gateway tells; keyholders' status shows what was charged." placeholder:"N"`
	Wait      time.Duration `help:"How long to wait until all keyholders have their parts." default:"2m"`
	Status    bool          `help:"Change nothing; show what was begun and not finished, and whom it waits for."`
	Abandon   bool          `help:"Give up what was begun: its keyholders destroy their parts."`
}

func (redealCmd) Help() string {
	return `Deals a key that was dealt before to another committee, or to the same with new
parts. Tables stay as they are; queries that come after it are answered by the new
committee. Keyholders of the old dealing answer those that came before and then destroy
their parts of it; until n-t+1 of them have, they could still open the tables together.
Releases count on.

Until all keyholders of the new committee have their parts, nothing changes. If that
takes longer than --wait, or the program is stopped, start it again with the same
options: it goes on with the same dealing. Members of the new committee who have their
parts can open the key together from then on, so what is not to be finished is to be
given up with --abandon. If the gateway says then that the dealing never arrived, that is
its word alone; those who read the whole journal, auditors and keyholders, can tell.

In products with tables of other owners, all of them have to deal to one committee.

Examples:
  carnet redeal trade --committee corridor-2
  carnet redeal trade --status
  carnet redeal trade --abandon`
}

func (c *redealCmd) Run(a *app) error {
	if ask := c.Status || c.Abandon; ask == (c.Committee != "") || c.Status && c.Abandon {
		return usage("one of --committee, --status and --abandon is needed").Fix("carnet redeal %s --committee ID", c.Name)
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
	key := k.Key
	p, err := c.pending(a, key)
	if err != nil {
		return err
	}
	done, err := c.finished(a, cl, p)
	if err != nil {
		return err
	}
	if done {
		return c.told(a, cl, p)
	}
	if c.Status {
		return c.status(a, cl, p)
	}
	if c.Abandon {
		return c.abandon(a, cl, id, p)
	}
	committee, err := cl.Committee(a.ctx, c.Committee)
	if err != nil {
		return err
	}
	dealing, err := c.begun(a, cl, p, committee)
	if err != nil {
		return err
	}
	if dealing.IsZero() {
		d, err := cl.Deal(a.ctx, id, k, committee, carnet.PartyID(c.HomeVeto), rand.Reader)
		if err != nil {
			return err
		}
		dealing = d.Key
		if err := c.note(a, &pendingRedeal{key, dealing, committee.Hash, carnet.PartyID(c.HomeVeto)}); err != nil {
			return err
		}
		if _, err := cl.SubmitDealing(a.ctx, d); err != nil {
			return err
		}
	}
	if err := c.confirmed(a, cl, dealing, committee); err != nil {
		return err
	}
	for {
		released, err := cl.Released(a.ctx, key)
		if err != nil {
			return err
		}
		released = max(released, c.Released)
		ref, err := cl.Redeal(a.ctx, id, key, dealing, released)
		if carnet.ReasonOf(err) == "RELEASED_TOO_FEW" {
			continue // a query came in between
		}
		if err != nil {
			return err
		}
		if err := os.Remove(c.file(a)); err != nil {
			return err
		}
		if c.JSON {
			return a.json(map[string]any{"state": "finished", "key": key, "dealing": dealing, "committee": committee.ID, "committee_statement": committee.Hash, "released": released, "statement": ref.Hash, "entry": ref.Seq})
		}
		a.printf("key id:    %s, as before\n", key)
		a.printf("dealing:   %s\n", dealing)
		a.printf("committee: %s, any %d of %d; entry %d\n", committee.ID, committee.Threshold, len(committee.Members), ref.Seq)
		a.printf("released:  %d numbers so far\n", released)
		return nil
	}
}

// confirmed waits until every keyholder has its part: before that the new committee could
// not answer, and the old one still does.
func (c *redealCmd) confirmed(a *app, cl *client.Client, dealing carnet.KeyID, committee *client.Committee) error {
	for end := time.Now().Add(c.Wait); ; {
		missing, err := c.missing(a, cl, dealing, committee)
		if err != nil {
			return err
		}
		if len(missing) == 0 {
			return nil
		}
		if time.Now().After(end) {
			return carnet.E(carnet.Unavailable, "NOT_ALL_CONFIRMED", "%s did not confirm their parts yet; the key is still opened as before", strings.Join(missing, ", ")).
				Fix("see that all keyholders of the committee run, and start again: it goes on from here; or give it up with --abandon")
		}
		select {
		case <-a.ctx.Done():
			return a.ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}
