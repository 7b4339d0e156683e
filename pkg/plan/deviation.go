package plan

import (
	"math/big"
	"slices"

	"github.com/carnet-network/carnet/pkg/privacy"
)

// maxDeviated bounds the numbers of a group for which standard deviations are worked out.
const maxDeviated = 128

// deviations works out the standard deviations of the values of a row: each number with
// noise is moved by its standard deviation, by itself, and what the values change by is
// added up in squares. For sums and differences this is exact, for quotients and roots
// it is what the noise does to first order.
func (p *Plan) deviations(g *Group, values []int64, row []Value) []Value {
	out := make([]Value, len(row))
	list := p.noisyOf(g)
	if len(list) == 0 || len(list) > maxDeviated {
		return out
	}
	squares, known := make([]*big.Rat, len(row)), make([]bool, len(row))
	for i := range row {
		squares[i], known[i] = new(big.Rat), row[i].num != nil
	}
	for _, o := range list {
		before := values[o]
		values[o] += privacy.RootUp(p.Openings[o].TotalVariance()).Int64()
		e, _ := p.env(g, values)
		for i, n := range p.recipe.items {
			if !known[i] || e == nil {
				known[i] = false
				continue
			}
			v, err := n.eval(e)
			if err != nil || v.num == nil {
				known[i] = false
				continue
			}
			d := new(big.Rat).Sub(v.num, row[i].num)
			squares[i].Add(squares[i], d.Mul(d, d))
		}
		values[o] = before
	}
	for i := range out {
		if known[i] && squares[i].Sign() > 0 {
			out[i] = rootUp(squares[i])
		}
	}
	return out
}

// noisyOf lists the openings of a group that have noise.
func (p *Plan) noisyOf(g *Group) (list []int) {
	for _, parts := range g.Quantities {
		for _, x := range parts {
			if p.Openings[x.Opening].Variance != nil {
				list = append(list, x.Opening)
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func (p *Plan) noisyAmong(parts []Part) bool {
	return slices.ContainsFunc(parts, func(x Part) bool { return p.Openings[x.Opening].Variance != nil })
}

// rootUp is the square root, rounded up to three digits, or to a whole number if that has
// more.
func rootUp(square *big.Rat) Value {
	for scale := 0; ; scale++ {
		up := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(2*scale)), nil)
		v := new(big.Rat).Mul(square, new(big.Rat).SetInt(up))
		n := new(big.Int).Add(v.Num(), v.Denom())
		n.Sub(n, big.NewInt(1)).Quo(n, v.Denom())
		r := privacy.RootUp(n)
		if r.Cmp(big.NewInt(100)) >= 0 || scale == maxScale {
			ten := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)
			return NumberValue(new(big.Rat).SetFrac(r, ten), scale)
		}
	}
}
