package main

import (
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
)

// noteStrangers tells of parties in terms that can't ask anything yet. They may be registered
// later; more often a name is misspelled, which would show when a buyer is refused, and terms
// are changed by publishing again.
func (a *app) noteStrangers(cl *client.Client, t *carnet.Terms) error {
	for _, list := range []struct {
		field   string
		role    carnet.Role
		parties []carnet.PartyID
	}{{"buyers", carnet.RoleBuyer, t.Buyers}, {"products_with", carnet.RoleOwner, t.ProductsWith}} {
		for _, id := range list.parties {
			if id == "*" {
				continue
			}
			p, err := cl.Party(a.ctx, id)
			switch {
			case carnet.ReasonOf(err) == "PARTY_REVOKED":
				a.notef("note: %s in the terms: %s was revoked\n", list.field, id)
			case carnet.KindOf(err) == carnet.NotFound:
				a.notef("note: %s in the terms: no party %s is registered; check the name\n", list.field, id)
			case err != nil:
				return err
			case !p.HasRole(list.role):
				a.notef("note: %s in the terms: %s is registered, and not as %s\n", list.field, id, list.role)
			}
		}
	}
	return nil
}
