package share

import (
	"bytes"
	"fmt"
	"math/big"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
)

// SelectedResponder makes a keyholder's answers to openings with a selection, over one
// set of dataset keys. It is safe for concurrent use until one of its shares or its
// view is zeroed.
type SelectedResponder struct {
	r     *he.Ring
	c     Committee
	view  *SelectionView
	masks []partMask
}

// NewSelectedResponder derives the masks for functionals over exactly these keys, in
// any order, with the selection. Every mask key takes the seeds of all owners and the
// buyer's: owners alone could otherwise uncover what the keyholders' scalars say about
// the selection, and the buyer alone what they say about the data.
//
// PRIVATE_HOME says that one of the keys has a home part, which lies in no codeword.
func NewSelectedResponder(r *he.Ring, c Committee, view *SelectionView, keys []*KeyShare) (*SelectedResponder, error) {
	keys = slices.Clone(keys)
	slices.SortFunc(keys, func(a, b *KeyShare) int { return bytes.Compare(a.key[:], b.key[:]) })
	ids, err := together(r, c, view.number, keys)
	if err != nil {
		return nil, err
	}
	if view.c != c || view.r.Profile().ID() != r.Profile().ID() {
		return nil, badShares("the selection belongs to another committee or profile")
	}
	for _, k := range keys {
		if k.home != nil {
			return nil, PrivateHome(k.key)
		}
	}
	rs := &SelectedResponder{r: r, c: c, view: view}
	seeds := make([][32]byte, len(keys)+1)
	for _, a := range c.held(view.number) {
		for i, k := range keys {
			seeds[i] = k.seeds[a]
		}
		seeds[len(keys)] = view.kappas[a]
		rs.masks = append(rs.masks, partMask{maskKeyTagged(tagSelectMask, ids, a, seeds), coefficient(r, a, view.number)})
	}
	return rs, nil
}

// PrivateHome refuses a private parameter on data with a home part: the product of a
// share of the selection and of the home part is nobody's to compute.
func PrivateHome(key carnet.KeyID) *carnet.Error {
	return carnet.E(carnet.Refused, "PRIVATE_HOME", "key %s has a home part, and private parameters need products of shares", key).
		Fix("write the value into the query, or ask a product without datasets under a home veto")
}

// Respond returns the answer to one opening:
//
//	sum over g of W_{g,i} * values[g] + sum over held A of f_A(i) * (T^(1-d) * flood_A + noise_A + sum over m of i^m * zero_{A,m})
//
// values[g] is the constant coefficient of sum_j D_j*R_j of the functional that code g
// stands for, with the D_j that this keyholder derived itself, and without the public
// value. Spare entries stand for nothing and take no part. The products of two sharings of degree t-1 lie on a polynomial of degree
// 2(t-1); the zero sharing makes it a random one of that degree with the same value at
// 0. What belongs to one code never leaves alone: a buyer knows all of its own seeds, and
// unflooded scalars per code would be exact equations on the key.
//
// f is SelectionID of the functionals, degree what the keyholder computed from them.
// Respond panics if degree < 1, k < 1 or values does not have one entry a code.
func (rs *SelectedResponder) Respond(f carnet.Hash, degree, k int, variance *big.Int, values []he.Scalar) he.Scalar {
	r, w := rs.r, rs.view.w
	if degree < 1 || k < 1 || len(values) != rs.view.s.Choices() {
		panic(fmt.Sprintf("share: answer of degree %d with flooding of 2^%d and %d values for %d codes", degree, k, len(values), rs.view.s.Choices()))
	}
	var sum he.Scalar
	for g := range values {
		sum = r.ScalarAdd(sum, r.ScalarMul(w[g], values[g]))
	}
	scale := r.TInv(degree - 1)
	for i := range rs.masks {
		m := &rs.masks[i]
		part := r.ScalarMul(scale, r.ScalarFromBig(Flood(m.key, f, k)))
		part = r.ScalarAdd(part, noise(r, m.key, f, degree, variance))
		part = r.ScalarAdd(part, rs.zero(carnet.Keyed(m.key[:], tagZero, f[:]), 1)[0])
		sum = r.ScalarAdd(sum, r.ScalarMul(m.factor, part))
	}
	return sum
}

// zero returns count zero sharings of one part, without f_A(i).
func (rs *SelectedResponder) zero(key [32]byte, count int) []he.Scalar {
	return zeroSharings(rs.r, rs.c.T, rs.view.number, key, count)
}
