package advise

import (
	"encoding/binary"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/plan"
)

// Weights of the model, for one limb of a block. They are ratios of the times that
// BenchmarkDegrees of package scan takes, a product of two columns being 4.
const (
	twoColumns = 4.0  // a product of two factors, added up without reduction
	pair       = 9.0  // a product of two factors that is reduced, to be multiplied again
	pairFactor = 8.5  // a pair times a factor, added up
	pairPair   = 12.5 // a pair times a pair
	reading    = 1.5  // a column: one half is read, the other expanded
	adding     = 0.25 // a column into a sum
)

// unit is SUM(x) filtered by one one-hot column in profile records: two columns of four
// limbs, multiplied once.
const unit = 4 * (2*reading + twoColumns)

// Cost models the time of the scan that answers the plan, for each row or cell of the
// files: every column is read once, and every product is multiplied and added up limb by
// limb, pairs of factors that products have in common once. 1 is what SUM of a measure
// filtered by one one-hot dimension takes in profile records. Cubes whose set-up is done
// add one number for each chosen cell instead.
func Cost(p *plan.Plan) float64 {
	if p.Cost.Rows == 0 {
		return 0
	}
	limbs := float64(p.Profile.Limbs())
	if p.Layout == carnet.LayoutCube {
		cells := 0
		for i := range p.Openings {
			for _, k := range p.Openings[i].F.Keys {
				for _, t := range k.Linear {
					cells += len(t.Cells)
				}
			}
		}
		return limbs * adding * float64(cells) / float64(p.Cost.Rows) / unit
	}
	blocks := float64(p.Cost.Blocks) * reading
	files := map[carnet.Nonce]*multiplications{}
	for i := range p.Openings {
		for _, k := range p.Openings[i].F.Keys {
			for _, t := range k.Linear {
				blocks += float64(t.Blocks) * adding
			}
			for j := range k.Products {
				t := &k.Products[j]
				m := files[t.File]
				if m == nil {
					m = &multiplications{common: map[[2]string]int{}, blocks: float64(t.Blocks)}
					files[t.File] = m
				}
				m.add(t)
			}
		}
	}
	for _, m := range files {
		blocks += m.blocks * m.cost()
	}
	rows := float64(p.Cost.Rows) / float64(p.Profile.N()) // in blocks
	return limbs * blocks / rows / unit
}

// multiplications are what is multiplied of one file.
type multiplications struct {
	blocks float64
	sums   float64
	terms  [][]string // names of factors
	common map[[2]string]int
}

func (m *multiplications) add(t *functional.Product) {
	var names []string
	for i := range t.Factors {
		f := &t.Factors[i]
		m.sums += float64(f.Width()-1) * adding
		name := binary.BigEndian.AppendUint32(nil, uint32(len(f.Plus)))
		for _, c := range slices.Concat(f.Plus, f.Minus) {
			name = binary.BigEndian.AppendUint32(name, c)
		}
		names = append(names, string(name))
	}
	slices.Sort(names)
	m.terms = append(m.terms, names)
	if len(names) > 2 {
		for i := range names {
			for _, other := range names[i+1:] {
				m.common[[2]string{names[i], other}]++
			}
		}
	}
}

// cost adds everything up. Of three and four factors those pairs are made that most
// products have in common.
func (m *multiplications) cost() float64 {
	sum := m.sums
	made := map[[2]string]bool{}
	for _, names := range m.terms {
		pairs := 0
		for len(names) > 2 || len(names) == 2 && pairs == 1 {
			var best [2]string
			at := [2]int{-1, -1}
			for i := range names {
				for j := i + 1; j < len(names); j++ {
					if p := [2]string{names[i], names[j]}; at[0] < 0 || m.common[p] > m.common[best] {
						best, at = p, [2]int{i, j}
					}
				}
			}
			made[best] = true
			pairs++
			names = slices.Delete(slices.Delete(slices.Clone(names), at[1], at[1]+1), at[0], at[0]+1)
		}
		switch pairs {
		case 0:
			sum += twoColumns
		case 1:
			sum += pairFactor
		default:
			sum += pairPair
		}
	}
	return sum + pair*float64(len(made))
}
