package plan

import (
	"cmp"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/privacy"
)

// Spending is what a plan takes from the privacy budget of one dataset.
type Spending struct {
	Dataset carnet.DatasetID
	Owner   carnet.PartyID
	Terms   carnet.Privacy
	Numbers []Spent // in the order of openings
}

// Spent is what one number costs by itself.
type Spent struct {
	Opening int
	// Family are numbers over rows that exclude each other: one quantity in all groups. A
	// unit's rows are spread over them, so all of them together cost as much as the dearest.
	Family int
	Cost   int64 // millionths of rho
}

// Cost is what the numbers that are not known cost together. A number that was released
// before has the same noise as it had then, and tells nothing new.
func (s *Spending) Cost(known func(opening int) bool) (total int64) {
	dearest := map[int]int64{}
	for _, n := range s.Numbers {
		if !known(n.Opening) {
			dearest[n.Family] = max(dearest[n.Family], n.Cost)
		}
	}
	for _, c := range dearest {
		total = privacy.Add(total, c)
	}
	return total
}

// spend works out what the plan costs every dataset whose terms ask for noise.
func (p *Plan) spend() {
	if !p.Noisy() {
		return
	}
	at := map[carnet.Nonce]int{}
	for i := range p.Datasets {
		m := &p.Datasets[i].Manifest
		if m.Terms.Privacy == nil {
			continue
		}
		for j := range m.Files {
			at[m.Files[j].Nonce] = len(p.Spendings)
		}
		p.Spendings = append(p.Spendings, Spending{Dataset: m.ID, Owner: m.Owner, Terms: *m.Terms.Privacy})
	}
	family := p.families()
	for i := range p.Openings {
		o := &p.Openings[i]
		o.Files(func(f carnet.Nonce) {
			n, ok := at[f]
			if !ok {
				return
			}
			s := &p.Spendings[n]
			if k := len(s.Numbers); k > 0 && s.Numbers[k-1].Opening == i {
				return
			}
			s.Numbers = append(s.Numbers, Spent{i, family[i], privacy.Cost(sensitivity(o.row, &s.Terms), o.Variance)})
		})
	}
	slices.SortFunc(p.Spendings, func(a, b Spending) int { return cmp.Compare(a.Dataset, b.Dataset) })
}

// families numbers the families of openings. Every row is in one group of a source at most,
// and a quantity is a sum over the rows of the group, so that what is at the same place of
// the same quantity in different groups is about different rows. An opening that is at
// several places belongs to the first.
func (p *Plan) families() []int {
	type place struct{ quantity, part int }
	numbers := map[place]int{}
	family := make([]int, len(p.Openings))
	for i := range family {
		family[i] = -1
	}
	for i := range p.Groups {
		for q, parts := range p.Groups[i].Quantities {
			for j := range parts {
				if family[parts[j].Opening] >= 0 {
					continue
				}
				at := place{q, j}
				n, ok := numbers[at]
				if !ok {
					n = len(numbers)
					numbers[at] = n
				}
				family[parts[j].Opening] = n
			}
		}
	}
	return family
}
