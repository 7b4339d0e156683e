package share

import (
	"math/big"
	"math/bits"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
)

const (
	// MaxKeyholders is the largest committee.
	MaxKeyholders = 12
	// MaxParts is the largest number of parts a committee may have.
	MaxParts = 255
)

// Committee is the threshold structure: N keyholders numbered 1..N, any T of which
// open, and any T-1 of which learn nothing. Make one with NewCommittee.
type Committee struct{ N, T int }

// Subset is a set of T-1 keyholders and names the part that exactly the others
// hold: bit i-1 is set if keyholder i is in it, and so does not hold the seed.
type Subset uint16

// HomeLabel stands in the place of a Subset for the home part.
const HomeLabel Subset = 0xffff

// NewCommittee checks 1 <= t <= n <= 12 and that there are at most 255 parts, one
// for every set of t-1 keyholders.
func NewCommittee(n, t int) (Committee, error) {
	c := Committee{n, t}
	if n < 1 || n > MaxKeyholders || t < 1 || t > n {
		return Committee{}, carnet.E(carnet.Invalid, "BAD_COMMITTEE", "a committee of %d with threshold %d is not possible", n, t).
			Fix("choose at most %d keyholders and a threshold from 1 to their number", MaxKeyholders)
	}
	if c.Parts() > MaxParts {
		return Committee{}, carnet.E(carnet.Invalid, "BAD_COMMITTEE", "a committee of %d with threshold %d has %d parts, the limit is %d", n, t, c.Parts(), MaxParts).
			Fix("choose fewer keyholders or another threshold")
	}
	return c, nil
}

// Parts returns P, the number of parts: N over T-1.
func (c Committee) Parts() int {
	return int(new(big.Int).Binomial(int64(c.N), int64(c.T-1)).Int64())
}

// Subsets returns the names of all parts in ascending order, which is the order of
// commitments in a dealing.
func (c Committee) Subsets() []Subset {
	all := make([]Subset, 0, c.Parts())
	for a := range Subset(1) << c.N {
		if bits.OnesCount16(uint16(a)) == c.T-1 {
			all = append(all, a)
		}
	}
	return all
}

// Holds reports whether keyholder i holds the seed of part a.
func (c Committee) Holds(i int, a Subset) bool {
	return i >= 1 && i <= c.N && a>>(i-1)&1 == 0
}

// held returns the parts keyholder i holds, ascending.
func (c Committee) held(i int) []Subset {
	var as []Subset
	for _, a := range c.Subsets() {
		if c.Holds(i, a) {
			as = append(as, a)
		}
	}
	return as
}

// coefficient returns f_A(i) modulo Q for the polynomial f_A of degree T-1 with
// f_A(0) = 1 that is zero on A: what a part counts for in keyholder i's answer, so
// that the answers are values of one polynomial whose value at 0 is the sum of all
// parts. Numbers up to 12 and their differences are units modulo every prime.
func coefficient(r *he.Ring, a Subset, i int) he.Scalar {
	num, den := big.NewInt(1), big.NewInt(1)
	for j := 1; a != 0; j, a = j+1, a>>1 {
		if a&1 == 1 {
			num.Mul(num, big.NewInt(int64(j-i)))
			den.Mul(den, big.NewInt(int64(j)))
		}
	}
	return r.ScalarFromBig(num.Mul(num, den.ModInverse(den, r.Profile().Q())))
}
