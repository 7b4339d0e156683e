package flow

import (
	"fmt"
	"slices"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/share"
)

// charges lists what the openings of a plan count as for each of its keys. Those across
// keys are also counted by themselves.
func charges(in *inputs, p *plan.Plan, sharing carnet.Hash) map[carnet.KeyID][]carnet.Hash {
	out := map[carnet.KeyID][]carnet.Hash{}
	for i := range p.Openings {
		c := p.Charge(i, sharing)
		keys := p.Openings[i].Functionals()[0].Keys
		var ids []carnet.KeyID
		for j := range keys {
			ids = append(ids, keys[j].Key)
		}
		c = in.redealt(c, ids)
		for j := range keys {
			out[keys[j].Key] = append(out[keys[j].Key], c)
			if p.Across {
				out[across(keys[j].Key)] = append(out[across(keys[j].Key)], c)
			}
		}
	}
	return out
}

// across is the name under which numbers across a key and others are counted.
func across(key carnet.KeyID) carnet.KeyID {
	return carnet.KeyID(carnet.Digest("carnet/charges/across/1", key[:]))
}

// granted is how many numbers keyholders release under each key of the plan, as far as
// the gateway knows: a keyholder may have a lower limit of its own.
func (g *Gateway) granted(p *plan.Plan) int64 {
	if g.MaxReleases > 0 {
		return min(g.MaxReleases, p.Cost.MaxReleases)
	}
	return p.Cost.MaxReleases
}

// exhausted refuses a plan that opens more numbers of a key than keyholders will
// release, nil if there are enough. Keyholders charge by the same journal and decide. How
// many are left is told as charged tells what is used: to others a bound.
func (g *Gateway) exhausted(tx Tx, as *carnet.Party, in *inputs, p *plan.Plan, asked map[carnet.KeyID][]carnet.Hash) (*carnet.Error, error) {
	granted := g.granted(p)
	for _, key := range p.Cost.Keys() {
		charged, among, err := tx.Charged(key, asked[key])
		if err != nil {
			return nil, err
		}
		if d := in.dealings[key]; d != nil {
			charged += d.extra
		}
		left := max(0, granted-charged)
		if fresh := int64(len(asked[key])) - among; fresh <= left {
			continue
		}
		owner, names := in.under(key)
		about := ""
		if left > 0 && owner != as.ID && !seesAll(as) {
			about, left = "at least ", granted-bound(min(charged, granted), granted)
		}
		e := carnet.E(carnet.Refused, "RELEASES_EXHAUSTED", "the query opens %d numbers under the key of %s; keyholders release %d in all, and %s%d are left",
			len(asked[key]), names, granted, about, left)
		renew := fmt.Sprintf("%s has to deal a new key and publish again under it", owner)
		if left == 0 && about == "" {
			return e.Fix("%s; questions that were asked before can be asked again", renew), nil
		}
		if left == 0 {
			return e.Fix("ask for fewer numbers: group by fewer columns, select fewer codes or fewer aggregates; or %s", renew), nil
		}
		return e.Fix("ask for %d numbers at most: group by fewer columns, select fewer codes or fewer aggregates; or %s", left, renew), nil
	}
	if !p.Across {
		return nil, nil
	}
	if in.isRedealt() {
		return carnet.E(carnet.Precondition, "KEY_REDEALT", "products across owners are not opened under keys that were dealt again").
			Fix("the owner has to publish the dataset again under a new key"), nil
	}
	for _, key := range p.Cost.Keys() {
		charged, among, err := tx.Charged(across(key), asked[across(key)])
		if err != nil {
			return nil, err
		}
		if fresh := int64(len(asked[key])) - among; fresh > max(0, share.MaxCrossReleases-charged) {
			owner, names := in.under(key)
			about, left := "", max(0, share.MaxCrossReleases-charged)
			if left > 0 && owner != as.ID && !seesAll(as) {
				about, left = "at least ", share.MaxCrossReleases-bound(charged, share.MaxCrossReleases)
			}
			return carnet.E(carnet.Refused, "RELEASES_EXHAUSTED", "the query opens %d numbers across the key of %s and others; keyholders release %d such numbers in all, and %s%d are left",
				len(asked[key]), names, share.MaxCrossReleases, about, left).
				Fix("%s has to deal a new key and publish again under it; questions that were asked before can be asked again", owner), nil
		}
	}
	return nil, nil
}

// under names the datasets that a key encrypts, and their owner.
func (in *inputs) under(key carnet.KeyID) (owner carnet.PartyID, names string) {
	var list []string
	for _, p := range in.products {
		for i := range p.Datasets {
			if m := &p.Datasets[i].Manifest; m.Key == key {
				owner, list = m.Owner, append(list, string(m.ID))
			}
		}
	}
	slices.Sort(list)
	return owner, strings.Join(slices.Compact(list), ", ")
}

// charged tells how many releases of each key the journal's queries have used. To those
// who may not see the queries of others it tells only a bound, in sixteenths of what is
// granted: by exact numbers, before and after a question of its own, a buyer would find
// out whether somebody had asked it already.
func (g *Gateway) charged(tx Tx, as *carnet.Party, in *inputs, p *plan.Plan) (map[carnet.KeyID]int64, error) {
	out := map[carnet.KeyID]int64{}
	granted := g.granted(p)
	for _, key := range p.Cost.Keys() {
		n, _, err := tx.Charged(key, nil)
		if err != nil {
			return nil, err
		}
		if d := in.dealings[key]; d != nil {
			n += d.extra
		}
		if owner, _ := in.under(key); owner != as.ID && !seesAll(as) {
			n = bound(n, granted)
		}
		out[key] = n
	}
	return out, nil
}

// bound is the next sixteenth of granted above n.
func bound(n, granted int64) int64 {
	step := max(1, (granted+15)/16)
	return min((n/step+1)*step, granted)
}
