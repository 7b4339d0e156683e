package share

import (
	"math"
	"math/big"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
)

// MinReleaseBits is the least releaseBits a plan should accept: fewer than 2^16
// openings of a dataset key are soon used up.
const MinReleaseBits = 16

// hidingBits is the statistical distance 2^-64 at which floods hide noise, less the
// one bit that a uniform flood of width 2^(k+1) gives.
const hidingBits = 63

// Terms counts the block terms of a functional over all keys, the unit of
// NoiseBound: blocks of linear terms (cells if cells are chosen) or products of
// blocks, factors of several columns counting every combination. A product across keys
// counts as one of a single key, and twice if its weight is -2: a sum of squared
// differences is four products. The result is cut off at the largest int64.
func Terms(f *functional.Functional) int64 {
	sum := new(big.Int)
	for i := range f.Keys {
		for j := range f.Keys[i].Linear {
			if t := &f.Keys[i].Linear[j]; t.Cells != nil {
				sum.Add(sum, big.NewInt(int64(len(t.Cells))))
			} else {
				sum.Add(sum, big.NewInt(int64(t.Blocks)))
			}
		}
		for j := range f.Keys[i].Products {
			t := &f.Keys[i].Products[j]
			n := big.NewInt(int64(t.Blocks))
			for m := range t.Factors {
				n.Mul(n, big.NewInt(int64(t.Factors[m].Width())))
			}
			sum.Add(sum, n)
		}
	}
	for i := range f.Cross {
		sum.Add(sum, big.NewInt(f.Cross[i].Products()))
	}
	if !sum.IsInt64() {
		return math.MaxInt64
	}
	return sum.Int64()
}

// NoiseBound returns B, the largest noise (|V|/T before flooding, the plaintext's own
// quotient included) of a sum of this many block terms, see Terms:
// terms * (N*T)^(degree-1) * 20^degree. One term of one block or cell is below 20: at
// most 19 of error and less than 1 of plaintext.
func NoiseBound(p *he.Profile, degree int, terms int64) *big.Int {
	b := big.NewInt(terms)
	for d := range degree {
		b.Mul(b, big.NewInt(20))
		if d > 0 {
			b.Mul(b, big.NewInt(int64(p.N())))
			b.Mul(b, new(big.Int).SetUint64(p.T()))
		}
	}
	return b
}

// SelectionBound returns B of an opening with a selection: weight times the largest
// noise bound of the functionals it chooses from.
func SelectionBound(weight int, bounds []*big.Int) *big.Int {
	most := new(big.Int)
	for _, b := range bounds {
		if b.Cmp(most) > 0 {
			most = b
		}
	}
	return new(big.Int).Mul(most, big.NewInt(int64(weight)))
}

// FloodBits returns k, the largest flood size that still opens rightly in the worst
// case: T*(B + P'*2^k + P' + 1) < Q/2, where P' is the number of parts and of home
// keyholders. homes counts the distinct home keyholders of the functional's keys; 0
// without home parts. releaseBits = k - 63 - ceil(log2 B): up to 2^releaseBits
// openings keep the noise hidden to 2^-64 in all. Everyone recomputes both.
// NOISE_TOO_LARGE says that not a single one would be hidden.
func FloodBits(p *he.Profile, c Committee, homes int, b *big.Int) (k, releaseBits int, err error) {
	parts := big.NewInt(int64(c.Parts() + homes))
	// 2T*(B + P'*2^k + P' + 1) < Q says 2^k <= (floor((Q-1)/2T) - B - P' - 1) / P'.
	room := p.Q()
	room.Sub(room, big.NewInt(1)).Quo(room, new(big.Int).Lsh(new(big.Int).SetUint64(p.T()), 1))
	room.Sub(room, b).Sub(room, parts).Sub(room, big.NewInt(1))
	if room.Sign() > 0 {
		k = room.Quo(room, parts).BitLen() - 1
	}
	if b.Sign() > 0 {
		releaseBits = k - hidingBits - new(big.Int).Sub(b, big.NewInt(1)).BitLen()
	}
	if b.Sign() <= 0 || k < 1 || releaseBits < 0 {
		return 0, 0, carnet.E(carnet.Refused, "NOISE_TOO_LARGE",
			"profile %s has no room to hide the noise of this opening", p.Name()).
			Fix("open fewer rows or cells at once, or publish under a wider profile")
	}
	return k, releaseBits, nil
}

// MaxReleases returns R, the number of openings of one dataset key, over all its
// dealings, after which a keyholder stops: 2^releaseBits, divided by n-t+1 because
// as many honest keyholders might be shown different inputs and each flood its own.
// For openings with different releaseBits the least counts.
func MaxReleases(c Committee, releaseBits int) int64 {
	return int64(1) << min(max(releaseBits, 0), 62) / int64(c.N-c.T+1)
}
