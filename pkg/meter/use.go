package meter

import (
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/plan"
)

// Use is what one query uses of one dataset.
type Use struct {
	Dataset  carnet.DatasetID `json:"dataset"`
	Manifest carnet.Hash      `json:"manifest"` // statement hash
	Owner    carnet.PartyID   `json:"owner"`
	Groups   int64            `json:"groups"`  // groups of the result that rows of the dataset are part of
	Numbers  int64            `json:"numbers"` // opened numbers that they are part of
	Rows     int64            `json:"rows"`    // rows of the files that are read
	Budget   int64            `json:"budget"`  // millionths of rho that these numbers cost, released before or not
	Price    *carnet.Price    `json:"price,omitempty"`
}

// Release is a query whose answer was released: as many keyholders answered as are needed
// to open it.
type Release struct {
	Query carnet.Hash    // statement hash
	Entry int64          // of the answer that completed it
	Buyer carnet.PartyID // who pays
	At    time.Time      // when that answer was signed, within the life of the query
	Uses  []Use          // in the order of the plan's datasets
}

// Uses lists what a plan uses of each of its datasets, in the plan's order.
func Uses(p *plan.Plan) []Use {
	uses := make([]Use, len(p.Datasets))
	file := map[carnet.Nonce]int{}
	for i := range p.Datasets {
		m := &p.Datasets[i].Manifest
		uses[i] = Use{Dataset: m.ID, Manifest: p.Datasets[i].Hash, Owner: m.Owner, Price: m.Terms.Price}
		for _, f := range m.Files {
			file[f.Nonce] = i
		}
	}
	read := map[carnet.Nonce]bool{}
	in := make([][]int, len(p.Openings)) // datasets of each opening
	for i := range p.Openings {
		seen := make([]bool, len(uses))
		p.Openings[i].Files(func(n carnet.Nonce) {
			d, ok := file[n]
			if !ok {
				return
			}
			read[n] = true
			if !seen[d] {
				seen[d] = true
				in[i] = append(in[i], d)
				uses[d].Numbers++
			}
		})
	}
	last := make([]int, len(uses)) // 1 + the group that was counted last
	for g := range p.Groups {
		for _, parts := range p.Groups[g].Quantities {
			for _, part := range parts {
				for _, d := range in[part.Opening] {
					if last[d] != g+1 {
						last[d] = g + 1
						uses[d].Groups++
					}
				}
			}
		}
	}
	for i := range p.Datasets {
		for _, f := range p.Datasets[i].Manifest.Files {
			if read[f.Nonce] {
				uses[i].Rows += f.Rows
			}
		}
	}
	for i := range p.Spendings {
		for j := range uses {
			if uses[j].Dataset == p.Spendings[i].Dataset {
				uses[j].Budget = p.Spendings[i].Cost(func(int) bool { return false })
			}
		}
	}
	return uses
}
