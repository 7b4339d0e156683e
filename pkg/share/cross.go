package share

import (
	"bytes"
	"fmt"
	"math/big"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
)

// MaxCrossReleases is how many openings across keys a keyholder grants for a dataset key,
// over all its dealings. An owner that encrypts what is no ciphertext of numbers can plant
// a phase, and with it learn a little of the other's noise from each: so few leave the
// key's dimension far above what is needed. That this suffices is a heuristic.
const MaxCrossReleases = 4096

// CrossResponder makes a keyholder's answers to openings across dataset keys: sums of
// products of columns of different keys. It is safe for concurrent use until one of its
// shares is zeroed.
type CrossResponder struct {
	r      *he.Ring
	t      int
	number int
	masks  []partMask
}

// NewCrossResponder derives keyholder number's masks for functionals over exactly these
// keys, in any order. CROSS_COMMITTEE says that the committee is too small to open
// products of shares, CROSS_HOME that one of the keys has a home part, which is in no
// sharing that could be multiplied.
func NewCrossResponder(r *he.Ring, c Committee, number int, keys []*KeyShare) (*CrossResponder, error) {
	if err := c.AllowsCross(); err != nil {
		return nil, err
	}
	keys = slices.Clone(keys)
	slices.SortFunc(keys, func(a, b *KeyShare) int { return bytes.Compare(a.key[:], b.key[:]) })
	ids, err := together(r, c, number, keys)
	if err != nil {
		return nil, err
	}
	if len(keys) < 2 {
		return nil, badShares("there is one key, and nothing across it")
	}
	for _, k := range keys {
		if k.home != nil {
			return nil, CrossHome(k.key)
		}
	}
	rs := &CrossResponder{r: r, t: c.T, number: number}
	seeds := make([][32]byte, len(keys))
	for _, a := range c.held(number) {
		for i, k := range keys {
			seeds[i] = k.seeds[a]
		}
		rs.masks = append(rs.masks, partMask{maskKey(ids, a, seeds), coefficient(r, a, number)})
	}
	return rs, nil
}

// CrossHome refuses a product across keys of which one has a home part: the product of
// another key's share and of the home part is nobody's to compute.
func CrossHome(key carnet.KeyID) *carnet.Error {
	return carnet.E(carnet.Refused, "CROSS_HOME", "key %s has a home part, and products across owners multiply shares", key).
		Fix("ask about each product by itself, or join products without datasets under a home veto")
}

// AllowsCross says whether the committee can open products across keys: the products of
// two sharings lie on a polynomial of degree 2(t-1), which 2t-1 keyholders fix. A lie is
// found with every answer more, t-1 of them with 3t-2 answers; see CrossGuarantees.
func (c Committee) AllowsCross() error {
	if c.N < 2*c.T-1 {
		return carnet.E(carnet.Refused, "CROSS_COMMITTEE", "a committee of %d with threshold %d can't open products across owners: %d keyholders are needed", c.N, c.T, 2*c.T-1).
			Fix("join products whose committee has at least 2t-1 keyholders, such as 5 with threshold 3")
	}
	return nil
}

// Respond returns the answer to one opening:
//
//	value + sum over held A of f_A(i) * (T^-1 * flood_A + noise_A + sum over m of i^m * zero_{A,m})
//
// value is scan.CrossParts.Share of the parts that this keyholder derived itself. Floods
// hide what the value at 0 says, as in any opening. The products of shares lie on a
// polynomial of degree 2(t-1), whose other coefficients floods of degree t-1 do not reach:
// whoever knows one owner's shares would have exact equations on the other's. The zero
// sharing makes it a random polynomial of that degree with the same value at 0.
//
// f is FunctionalID of the functional. Respond panics if k < 1.
func (rs *CrossResponder) Respond(f carnet.Hash, k int, variance *big.Int, value he.Scalar) he.Scalar {
	if k < 1 {
		panic(fmt.Sprintf("share: answer across keys with flooding of 2^%d", k))
	}
	r, scale := rs.r, rs.r.TInv(1)
	for i := range rs.masks {
		m := &rs.masks[i]
		part := r.ScalarMul(scale, r.ScalarFromBig(Flood(m.key, f, k)))
		part = r.ScalarAdd(part, noise(r, m.key, f, 2, variance))
		part = r.ScalarAdd(part, zeroSharings(r, rs.t, rs.number, carnet.Keyed(m.key[:], tagZero, f[:]), 1)[0])
		value = r.ScalarAdd(value, r.ScalarMul(m.factor, part))
	}
	return value
}

// CrossGuarantees is Guarantees for openings across keys: 2t-1 answers are needed,
// m-(2t-1) lies are detected, 3t-2 detect t-1, and 4t-3 correct t-1.
func (c Committee) CrossGuarantees(m int) (detected, corrected int) {
	return c.guarantees(2*c.T-1, m)
}

// CombineCross is CombineAll for openings across keys. To the sums the buyer adds the
// public values, scan.CrossParts.Value at the corrections.
func CombineCross(r *he.Ring, c Committee, numbers []int, values [][]he.Scalar) (sums []he.Scalar, liars []int, detected, corrected int, err error) {
	return combineAll(r, c, 2*c.T-1, numbers, values)
}
