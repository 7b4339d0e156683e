package advise

import (
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/plan"
)

// Weights of the model, in multiplications of two words. products is what one product
// of so many ciphertexts takes, each of two halves: 4, then 6 and 8 more for another
// factor.
var products = [functional.MaxDegree + 1]float64{1: 0.25, 2: 4, 3: 10, 4: 18}

const (
	reading = 0.5  // a column of a block: reading one half and expanding the other
	adding  = 0.25 // a column into a sum
)

// unit is SUM(x) filtered by one one-hot column in profile records: two columns of four
// limbs, multiplied once.
const unit = 4 * (2*reading + 4)

// Cost models the time of the scan that answers the plan, for each row or cell of the
// files: every column is read once, and every product is multiplied and added up limb by
// limb. 1 is what SUM of a measure filtered by one one-hot dimension takes in profile
// records. Cubes whose set-up is done add one number for each chosen cell instead.
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
	for i := range p.Openings {
		o := &p.Openings[i]
		for _, k := range o.F.Keys {
			for _, t := range k.Linear {
				blocks += float64(t.Blocks) * products[1]
			}
			for j := range k.Products {
				t := &k.Products[j]
				each := products[o.Degree]
				for m := range t.Factors {
					each += float64(t.Factors[m].Width()-1) * adding
				}
				blocks += float64(t.Blocks) * each
			}
		}
	}
	rows := float64(p.Cost.Rows) / float64(p.Profile.N()) // in blocks
	return limbs * blocks / rows / unit
}
