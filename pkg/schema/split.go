package schema

import (
	"math/big"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// frame is what a split has to fit into.
type frame struct {
	layout carnet.Layout
	rows   int64    // rows of one dataset: what one cell may sum
	total  int64    // rows of all datasets: what one opening may sum
	half   *big.Int // largest magnitude of a total: (T-1)/2

	multiplied bool // measures are multiplied with measures like them, row by row
}

// part is one digit of a quantity: value = sum of parts x 2^shift.
type part struct {
	shift, width uint
}

// split writes a quantity as the fewest digits whose totals all stay within half.
// With more than one, all digits but the top one have the same width, chosen so that
// the largest total of any digit is as small as possible; among equals the smallest
// width wins. It returns nil if no split fits.
func (f *frame) split(a *atom) []part {
	if f.worst(a, part{}).Cmp(f.half) <= 0 {
		return []part{{}}
	}
	// The widest low digit: total x (2^w - 1) <= half.
	most := new(big.Int).Quo(f.half, big.NewInt(f.total))
	if f.multiplies(a) {
		most.Sqrt(most)
	}
	widest := uint(most.Add(most, big.NewInt(1)).BitLen() - 1)
	if widest == 0 {
		return nil
	}
	for low := uint(1); low*widest < 160; low++ {
		if f.worst(a, part{shift: low * widest}).Cmp(f.half) > 0 {
			continue
		}
		best, bestWorst := uint(0), (*big.Int)(nil)
		for w := uint(1); w <= widest; w++ {
			top := f.worst(a, part{shift: low * w})
			if top.Cmp(f.half) > 0 {
				continue
			}
			worst := maxBig(top, f.worst(a, part{width: w}))
			if bestWorst == nil || worst.Cmp(bestWorst) < 0 {
				best, bestWorst = w, worst
			}
		}
		parts := make([]part, low+1)
		for i := range low {
			parts[i] = part{i * best, best}
		}
		parts[low] = part{shift: low * best}
		return parts
	}
	return nil
}

// worst is the largest magnitude that the total of a digit can have, and where measures
// are multiplied, the total of its products with a digit like it.
func (f *frame) worst(a *atom, p part) *big.Int {
	lo, hi := f.sum(a, p, f.total)
	most := maxBig(lo.Abs(lo), hi.Abs(hi))
	if f.multiplies(a) {
		lo, hi = f.one(a, p)
		one := maxBig(new(big.Int).Abs(lo), new(big.Int).Abs(hi))
		most = maxBig(most, new(big.Int).Mul(one.Mul(one, one), big.NewInt(f.total)))
	}
	return most
}

func (f *frame) multiplies(a *atom) bool { return f.multiplied && a.Kind == Sum }

// sum bounds the total of a digit over any selection from n rows.
//
// A low digit of a slot, or of a cell that has rows, is at most 2^width - 1; there
// are at most n of them. The top digit is a floor. Over slots it is at most the
// floor of the largest value; over cells at most the floor of the largest sum; and
// at least n times the floor of the smallest value, because floors of sums are not
// below sums of floors.
func (f *frame) sum(a *atom, p part, n int64) (lo, hi *big.Int) {
	rows := big.NewInt(n)
	if p.width > 0 {
		hi = new(big.Int).Lsh(big.NewInt(1), p.width)
		hi.Sub(hi, big.NewInt(1))
		return new(big.Int), hi.Mul(hi, rows)
	}
	lo = new(big.Int).Rsh(a.lo, p.shift) // Rsh rounds towards minus infinity
	lo.Mul(lo, rows)
	if f.layout == carnet.LayoutCube {
		hi = new(big.Int).Mul(a.hi, rows)
		return lo, hi.Rsh(hi, p.shift)
	}
	hi = new(big.Int).Rsh(a.hi, p.shift)
	return lo, hi.Mul(hi, rows)
}

// one bounds a single slot or cell.
func (f *frame) one(a *atom, p part) (lo, hi *big.Int) {
	if p.width > 0 {
		return f.sum(a, p, 1)
	}
	lo, hi = a.lo, a.hi
	if f.layout == carnet.LayoutCube {
		rows := big.NewInt(f.rows)
		lo, hi = new(big.Int).Mul(lo, rows), new(big.Int).Mul(hi, rows)
	}
	return new(big.Int).Rsh(lo, p.shift), new(big.Int).Rsh(hi, p.shift)
}
