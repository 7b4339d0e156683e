package main

import (
	"crypto/rand"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
)

type redealCmd struct {
	Name      string        `arg:"" help:"Name of the key; its file is keys/NAME.key in the home directory."`
	Committee string        `required:"" help:"Committee that will release answers." placeholder:"ID"`
	HomeVeto  string        `help:"Keyholder without which nothing opens." placeholder:"ID"`
	Released  int64         `help:"Numbers opened under the key so far, if you know of more than the gateway tells; keyholders' status shows what was charged." placeholder:"N"`
	Wait      time.Duration `help:"How long to wait until all keyholders have their parts." default:"2m"`
}

func (redealCmd) Help() string {
	return `Deals a key that was dealt before to another committee, or to the same with new
parts. Tables stay as they are; queries that come after it are answered by the new
committee. Keyholders of the old dealing answer those that came before and then destroy
their parts of it; until n-t+1 of them have, they could still open the tables together.
Releases count on.

In products with tables of other owners, all of them have to deal to one committee.

Example:
  carnet redeal trade --committee corridor-2`
}

func (c *redealCmd) Run(a *app) error {
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
	committee, err := cl.Committee(a.ctx, c.Committee)
	if err != nil {
		return err
	}
	d, err := cl.Deal(a.ctx, id, k, committee, carnet.PartyID(c.HomeVeto), rand.Reader)
	if err != nil {
		return err
	}
	if _, err := cl.SubmitDealing(a.ctx, d); err != nil {
		return err
	}
	if err := c.confirmed(a, cl, d.Key, len(committee.Members)); err != nil {
		return err
	}
	for {
		released, err := cl.Released(a.ctx, key)
		if err != nil {
			return err
		}
		released = max(released, c.Released)
		ref, err := cl.Redeal(a.ctx, id, key, d.Key, released)
		if carnet.ReasonOf(err) == "RELEASED_TOO_FEW" {
			continue // a query came in between
		}
		if err != nil {
			return err
		}
		a.printf("key id:    %s, as before\n", key)
		a.printf("dealing:   %s\n", d.Key)
		a.printf("committee: %s, any %d of %d; entry %d\n", committee.ID, committee.Threshold, len(committee.Members), ref.Seq)
		a.printf("released:  %d numbers so far\n", released)
		return nil
	}
}

// confirmed waits until every keyholder has its part: before that the new committee could
// not answer, and the old one still does.
func (c *redealCmd) confirmed(a *app, cl *client.Client, dealing carnet.KeyID, members int) error {
	for end := time.Now().Add(c.Wait); ; {
		said, err := cl.DealingStatus(a.ctx, dealing)
		if err != nil {
			return err
		}
		good := 0
		for _, s := range said {
			if s.OK {
				good++
			}
		}
		if good == members {
			return nil
		}
		if time.Now().After(end) {
			return carnet.E(carnet.Unavailable, "NOT_ALL_CONFIRMED", "%d of %d keyholders have their parts; the key is still opened as before", good, members).
				Fix("see that all keyholders of the committee run, and start again")
		}
		select {
		case <-a.ctx.Done():
			return a.ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}
