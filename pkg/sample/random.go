package sample

import (
	"hash/fnv"
	"math/bits"
	"math/rand/v2"
)

// random draws integers only, so that no processor rounds differently.
type random struct{ pcg *rand.PCG }

func newRandom(seed uint64, label string) *random {
	h := fnv.New64a()
	_, _ = h.Write([]byte(label)) // a hash does not fail
	return &random{rand.NewPCG(seed, h.Sum64())}
}

// below is uniform in [0, n), up to a bias of n/2^64.
func (r *random) below(n uint64) uint64 {
	hi, _ := bits.Mul64(r.pcg.Uint64(), n)
	return hi
}

// chance is true in permille of 1000 cases.
func (r *random) chance(permille uint64) bool { return r.below(1000) < permille }

// pick chooses an index by weight.
func (r *random) pick(weights []int64) int {
	total := int64(0)
	for _, w := range weights {
		total += w
	}
	x := int64(r.below(uint64(total)))
	for i, w := range weights {
		if x -= w; x < 0 {
			return i
		}
	}
	return len(weights) - 1
}

// normal is close to normal with mean 0 and deviation 1, in units of 2^-16: the sum
// of twelve uniform numbers, less its mean.
func (r *random) normal() int64 {
	sum := int64(0)
	for range 3 {
		x := r.pcg.Uint64()
		for range 4 {
			sum += int64(x & 0xffff)
			x >>= 16
		}
	}
	return sum - 6<<16
}

// roots[i] is 2^(2^-(i+1)) in units of 2^-30.
var roots = [16]uint64{
	1518500250, 1276901417, 1170923762, 1121280436, 1097253708, 1085434106, 1079572136, 1076653033,
	1075196443, 1074468888, 1074105294, 1073923544, 1073832680, 1073787251, 1073764537, 1073753181,
}

// power is 2^(x/2^16), rounded down, for x in [0, 62 x 2^16).
func power(x int64) int64 {
	r := uint64(1) << 30
	for i, root := range roots {
		if x>>(15-i)&1 == 1 {
			r = r * root >> 30
		}
	}
	if n := uint(x >> 16); n >= 30 {
		return int64(r << (n - 30))
	} else {
		return int64(r >> (30 - n))
	}
}
