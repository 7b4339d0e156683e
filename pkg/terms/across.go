package terms

import (
	"fmt"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/plan"
)

// Unlisted refuses products of numbers of two owners of which one does not list the other
// in the terms of its dataset. An owner can learn a little about the noise of the numbers
// that its own are multiplied with, so both have to agree. Keyholders check this whatever
// their policy is.
func Unlisted(p *plan.Plan) (out []Refusal) {
	at := map[carnet.Nonce]*plan.Dataset{}
	for i := range p.Datasets {
		for j := range p.Datasets[i].Manifest.Files {
			at[p.Datasets[i].Manifest.Files[j].Nonce] = &p.Datasets[i]
		}
	}
	type pair struct {
		dataset carnet.Hash
		with    carnet.PartyID
	}
	seen := map[pair]bool{}
	check := func(own, other *plan.Dataset) {
		a, b := &own.Manifest, &other.Manifest
		if at := (pair{own.Hash, b.Owner}); a.Owner == b.Owner || seen[at] || slices.Contains(a.Terms.ProductsWith, b.Owner) {
			return
		}
		seen[pair{own.Hash, b.Owner}] = true
		out = append(out, Refusal{a.Owner, a.ID, ReasonProducts,
			fmt.Sprintf("%s does not allow numbers of dataset %s to be multiplied with those of %s", a.Owner, a.ID, b.Owner),
			fmt.Sprintf("ask %s to list %s under products_with, and publish the terms again; or ask about each product by itself", a.Owner, b.Owner)})
	}
	for i := range p.Openings {
		for _, f := range p.Openings[i].Functionals() {
			for t := range f.Cross {
				x, y := at[f.Cross[t].Left.File], at[f.Cross[t].Right.File]
				if x == nil || y == nil {
					out = append(out, Refusal{Reason: ReasonProducts, Message: "a file of the plan belongs to none of its datasets", Remedy: "load the products again"})
					continue
				}
				check(x, y)
				check(y, x)
			}
		}
	}
	return out
}
