package terms

import (
	"fmt"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/plan"
)

// owners checks that every number that the dataset contributes to combines enough
// owners; fewest is the least number that one of them combines.
func (c *checker) owners(fewest int) {
	m := &c.dataset.Manifest
	need := m.Terms.MinOwners
	if need <= 1 || fewest >= need {
		return
	}
	remedy := fmt.Sprintf("ask for totals over at least %d owners: do not tell them apart by owner, jurisdiction or partitions", need)
	if total := countOwners(c.request.Plan); total < need {
		remedy = fmt.Sprintf("ask over at least %d owners; this query reaches %d", need, total)
	}
	c.refuse(ReasonOwners, remedy, "%s releases numbers of dataset %s only if they combine at least %d owners, and one number of this query combines %d",
		m.Owner, m.ID, need, fewest)
}

// FewestOwners returns, for each dataset of the plan, the least number of owners
// that an opening it contributes to combines. What is counted is what would be
// opened, not what the text of the query says.
func FewestOwners(p *plan.Plan) []int {
	dataset := map[carnet.Nonce]int{}
	for i := range p.Datasets {
		for j := range p.Datasets[i].Manifest.Files {
			dataset[p.Datasets[i].Manifest.Files[j].Nonce] = i
		}
	}
	fewest := make([]int, len(p.Datasets))
	for i := range fewest {
		fewest[i] = int(^uint(0) >> 1)
	}
	for i := range p.Openings {
		o := &p.Openings[i]
		count := func(file carnet.Nonce) {
			owners := len(o.Owners)
			switch { // a difference tells as much as both of its sides
			case o.Less[file]:
				owners = o.Sides[1]
			case o.Less != nil:
				owners = o.Sides[0]
			}
			if d, ok := dataset[file]; ok {
				fewest[d] = min(fewest[d], owners)
			}
		}
		for _, f := range o.Functionals() {
			for k := range f.Keys {
				for t := range f.Keys[k].Linear {
					count(f.Keys[k].Linear[t].File)
				}
				for t := range f.Keys[k].Products {
					count(f.Keys[k].Products[t].File)
				}
			}
			for t := range f.Cross {
				count(f.Cross[t].Left.File)
				count(f.Cross[t].Right.File)
			}
		}
	}
	return fewest
}

func countOwners(p *plan.Plan) int { return len(Owners(p)) }
