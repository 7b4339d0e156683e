package share

import (
	"bytes"
	"fmt"
	"math/big"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
)

// Responder adds a keyholder's flooding to its answers for functionals over one set
// of dataset keys. It is safe for concurrent use until one of its shares is zeroed.
type Responder struct {
	r     *he.Ring
	masks []partMask
	home  *[32]byte // mask key of the home parts held here
}

type partMask struct {
	key    [32]byte
	factor he.Scalar // f_A(i)
}

// NewResponder derives keyholder number's masks for functionals over exactly these
// keys, in any order. Keys not among them, or missing ones, would give other masks
// than the rest of the committee uses.
func NewResponder(r *he.Ring, c Committee, number int, keys []*KeyShare) (*Responder, error) {
	keys = slices.Clone(keys)
	slices.SortFunc(keys, func(a, b *KeyShare) int { return bytes.Compare(a.key[:], b.key[:]) })
	ids, err := together(r, c, number, keys)
	if err != nil {
		return nil, err
	}
	var home [][32]byte
	for _, k := range keys {
		if k.home != nil {
			home = append(home, *k.home)
		}
	}
	rs := &Responder{r: r}
	seeds := make([][32]byte, len(keys))
	for _, a := range c.held(number) {
		for i, k := range keys {
			seeds[i] = k.seeds[a]
		}
		rs.masks = append(rs.masks, partMask{maskKey(ids, a, seeds), coefficient(r, a, number)})
	}
	if home != nil {
		key := maskKey(ids, HomeLabel, home)
		rs.home = &key
	}
	return rs, nil
}

// together checks that key shares, ascending by key, can answer together, and returns
// the ids of their keys.
func together(r *he.Ring, c Committee, number int, keys []*KeyShare) ([]carnet.KeyID, error) {
	if len(keys) == 0 {
		return nil, badShares("there are none")
	}
	ids := make([]carnet.KeyID, len(keys))
	for i, k := range keys {
		switch {
		case k.number != number:
			return nil, badShares("one is keyholder %d's, not %d's", k.number, number)
		case k.c != c:
			return nil, badShares("they belong to different committees")
		case k.r.Profile().ID() != r.Profile().ID():
			return nil, badShares("they have different parameters")
		case i > 0 && k.key == ids[i-1]:
			return nil, badShares("key %s is there twice", k.key)
		}
		ids[i] = k.key
	}
	return ids, nil
}

func badShares(format string, args ...any) error {
	return carnet.E(carnet.Invalid, "BAD_KEY_SHARES", "these key shares can't answer together: "+format, args...)
}

// Respond returns the answer to one opening: value + sum of
// f_A(i)*(T^(1-d)*flood_A + noise_A) over the parts held, noise_A being privacy noise of the
// given variance in its place, zero if that is nil. value is the constant coefficient of sum_j D_j*R_j over all
// keys, with the D_j that this keyholder derived itself. degree is what it computed
// from the functional, never what it was told: a flood at the scale of another
// degree leaves the noise readable below it. Respond panics if degree < 1 or k < 1.
func (rs *Responder) Respond(f carnet.Hash, degree, k int, variance *big.Int, value he.Scalar) he.Scalar {
	scale := rs.scale(degree, k)
	var sum he.Scalar
	for i := range rs.masks {
		m := &rs.masks[i]
		part := rs.r.ScalarMul(scale, rs.r.ScalarFromBig(Flood(m.key, f, k)))
		part = rs.r.ScalarAdd(part, noise(rs.r, m.key, f, degree, variance))
		sum = rs.r.ScalarAdd(sum, rs.r.ScalarMul(m.factor, part))
	}
	return rs.r.ScalarAdd(value, sum)
}

// Home reports whether the keyholder holds the home part of at least one of the
// keys, and so must send a second scalar for every opening.
func (rs *Responder) Home() bool { return rs.home != nil }

// RespondHome returns the second scalar of a home keyholder: value + T^(1-d)*flood + noise,
// the home part's own. value is the constant coefficient of sum_j D_j*H_j over
// the keys whose home part is held here, H_j from KeyShare.HomePower. It is added by
// AddHome and lies in no codeword: the home keyholder can shift the total unnoticed,
// though never learn more. RespondHome panics where Respond does, and without a home
// part.
func (rs *Responder) RespondHome(f carnet.Hash, degree, k int, variance *big.Int, value he.Scalar) he.Scalar {
	flood := rs.r.ScalarFromBig(Flood(*rs.home, f, k))
	value = rs.r.ScalarAdd(value, rs.r.ScalarMul(rs.scale(degree, k), flood))
	return rs.r.ScalarAdd(value, noise(rs.r, *rs.home, f, degree, variance))
}

func (rs *Responder) scale(degree, k int) he.Scalar {
	if degree < 1 || k < 1 {
		panic(fmt.Sprintf("share: answer of degree %d with flooding of 2^%d", degree, k))
	}
	return rs.r.TInv(degree - 1)
}
