package share

import (
	"math/big"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/privacy"
)

// noiseKind is what F says of openings with privacy noise.
const noiseKind = "discrete-gaussian"

// Noise is the privacy noise of a part with this mask key in the opening F: a discrete
// Gaussian of the whole variance. Every part adds one, since a coalition of t-1 keyholders
// and the buyer knows all parts but one. The same functional has the same noise for ever,
// so nothing is averaged away. F already binds the variance; it is bound here again
// because noise of two sizes that share bits would be a little known.
func Noise(mask [32]byte, f carnet.Hash, variance *big.Int) *big.Int {
	key := carnet.Keyed(mask[:], tagNoise, f[:], []byte(variance.String()))
	return privacy.Sample(privacy.NewStream(key), variance)
}

// noise is a part's privacy noise at the place where it adds to the result: T^-d times the
// integer, over N modulo T where N slots are added up. At the scale of the flood, or none,
// it would vanish modulo T, and nothing would show that. A nil variance is no noise.
func noise(r *he.Ring, mask [32]byte, f carnet.Hash, degree int, variance *big.Int) he.Scalar {
	if variance == nil {
		return he.Scalar{}
	}
	eta := Noise(mask, f, variance)
	if p := r.Profile(); p.Encoding() == he.Slots {
		t := new(big.Int).SetUint64(p.T())
		n := new(big.Int).ModInverse(big.NewInt(int64(p.N())), t)
		eta.Mul(eta, n).Mod(eta, t)
	}
	return r.ScalarMul(r.TInv(degree), r.ScalarFromBig(eta))
}

// NoiseParts is how many parts add noise to an opening: all of the committee's, and those
// of the distinct home keyholders of its keys, as floods do. The variance of what a buyer
// reads is as many times the variance of one.
func NoiseParts(c Committee, homes int) int64 { return int64(c.Parts() + homes) }

// NoiseTail bounds how far noise takes a result, but for a probability below 2^-113: 13
// standard deviations for every part that adds some. A nil variance is no noise.
func NoiseTail(c Committee, homes int, variance *big.Int) *big.Int {
	if variance == nil {
		return new(big.Int)
	}
	tail := privacy.Tail(variance)
	return tail.Mul(tail, big.NewInt(NoiseParts(c, homes)))
}
