package keyholder

import (
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/share"
	"github.com/carnet-network/carnet/pkg/terms"
)

// charge lists what a query asks to open under the keys this keyholder guards:
// scheme §6.3, "charge every request in the log, asked or not, before answering".
//
// It depends on the journal alone, never on this keyholder's policy, its answers or
// the time, so that all keyholders charge alike. A query that no buyer signed, or
// that does not compile, opens nothing anywhere and is not charged.
//
// A functional is counted once for a key however often it is asked for, see plan.Charge.
func (k *Keyholder) charge(c *Case) []Charge {
	if !c.concernsMe() {
		return nil
	}
	return c.charges(func(in *dealing) bool { return in.committee.number > 0 })
}

// charges lists what the query asks to open under those of its keys that count.
func (c *Case) charges(counts func(*dealing) bool) []Charge {
	if !c.signed() || checkOneCommittee(c) != nil {
		return nil
	}
	p, err := c.compile()
	defer c.rest()
	if err != nil {
		return nil
	}
	if p.Across && terms.Unlisted(p) != nil {
		return nil // refused by everyone, by what is in the journal: nobody uses up the releases of others
	}
	var out []Charge
	var sharing carnet.Hash
	if p.Private != nil {
		if c.Query.Private == nil {
			return nil // refused by everyone
		}
		sharing = share.SelectionOf(&c.Query).Hash()
	}
	for i := range p.Openings {
		f := c.countsAs(p, i, sharing)
		keys := p.Openings[i].Functionals()[0].Keys
		for j := range keys {
			if in := c.dealing(keys[j].Key); in != nil && counts(in) {
				out = append(out, Charge{Key: keys[j].Key, Functional: f, Across: p.Across})
			}
		}
	}
	return out
}

// signed tells whether a registered buyer signed the query.
func (c *Case) signed() bool {
	return c.invalid == nil && c.buyer != nil && c.buyer.HasRole(carnet.RoleBuyer) && c.env.SignedBy(c.buyer.SigningKey)
}

// countsAs is what opening i of the query's plan counts as.
func (c *Case) countsAs(p *plan.Plan, i int, sharing carnet.Hash) carnet.Hash {
	f := p.Charge(i, sharing)
	if !c.redealt() {
		return f
	}
	var dealings []carnet.KeyID
	for _, k := range p.Openings[i].Functionals()[0].Keys {
		if d := c.dealing(k.Key); d != nil {
			dealings = append(dealings, d.id)
		}
	}
	return plan.Redealt(f, dealings)
}
