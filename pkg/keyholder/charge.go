package keyholder

import (
	"encoding/binary"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// charge lists what a query asks to open under the keys this keyholder guards:
// scheme §6.3, "charge every request in the log, asked or not, before answering".
//
// It depends on the journal alone, never on this keyholder's policy, its answers or
// the time, so that all keyholders charge alike. A query that no buyer signed, or
// that does not compile, opens nothing anywhere and is not charged.
//
// A functional is counted once for a key however often it is asked for: shares are
// deterministic in it, so a repetition releases nothing. With one content root for
// every file, its description and the flooding width stand for the functional id,
// without any data having to be read.
func (k *Keyholder) charge(c *Case) []Charge {
	signed := c.invalid == nil && c.buyer != nil && c.buyer.HasRole(carnet.RoleBuyer) && c.env.SignedBy(c.buyer.SigningKey)
	if !signed || !c.concernsMe() || checkOneCommittee(c) != nil {
		return nil
	}
	p, err := c.compile()
	defer c.rest()
	if err != nil {
		return nil
	}
	var out []Charge
	n := c.inputs[0].dealing.profile.N()
	for i := range p.Openings {
		o := &p.Openings[i]
		d := o.F.Digest(n)
		f := carnet.Digest("carnet/charge/1", d[:], binary.BigEndian.AppendUint32(nil, uint32(o.FloodBits)))
		for j := range o.F.Keys {
			if in := c.dealing(o.F.Keys[j].Key); in != nil && in.committee.number > 0 {
				out = append(out, Charge{Key: o.F.Keys[j].Key, Functional: f})
			}
		}
	}
	return out
}
