package terms

import (
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/plan"
)

// Approvers lists the owners whose terms have queries wait for their approval, ascending.
// A word that is not known demands it as well.
func Approvers(p *plan.Plan) []carnet.PartyID {
	return ownersWhere(p, func(t *carnet.Terms) bool { return t.Approval != "" })
}

// Owners lists the owners of a plan's datasets, ascending.
func Owners(p *plan.Plan) []carnet.PartyID {
	return ownersWhere(p, func(*carnet.Terms) bool { return true })
}

func ownersWhere(p *plan.Plan, yes func(*carnet.Terms) bool) (out []carnet.PartyID) {
	for i := range p.Datasets {
		if m := &p.Datasets[i].Manifest; yes(&m.Terms) {
			out = append(out, m.Owner)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
