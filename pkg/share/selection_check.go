package share

import (
	"math/big"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
)

// CheckScalars is how many scalars a keyholder publishes to check a selection.
const CheckScalars = 2

// Check returns the keyholder's scalars of the check of its selection:
//
//	sum over g of rho_g * (W_{g,i}^2 - W_{g,i})   and   sum over g of W_{g,i} - weight
//
// each hidden by a zero sharing, so that enough of them show their values at 0 and
// nothing else. request is the hash of the logged request, which contains the plan, the
// keys, every difference and every commitment: rho follows from it, and so cannot be
// known before the selection is fixed. The zero sharing is bound to it too; under one
// mask, the scalars of two rho would differ by something unmasked.
func (rs *SelectedResponder) Check(request carnet.Hash) [CheckScalars]he.Scalar {
	r := rs.r
	var out [CheckScalars]he.Scalar
	out[1] = r.ScalarFromBig(big.NewInt(int64(-rs.view.s.Weight)))
	rho := newRho(r, request)
	for g, w := range rs.view.w {
		out[0] = r.ScalarAdd(out[0], r.ScalarMul(rho.at(g), r.ScalarMul(w, r.ScalarSub(w, small(r, 1)))))
		out[1] = r.ScalarAdd(out[1], w)
	}
	for i := range rs.masks {
		m := &rs.masks[i]
		for c, z := range rs.zero(carnet.Keyed(m.key[:], tagSelectCheck, request[:]), CheckScalars) {
			out[c] = r.ScalarAdd(out[c], r.ScalarMul(m.factor, z))
		}
	}
	return out
}

// rho yields the coefficients of a check: uniform modulo every prime independently.
// One residue for all primes would be as weak as the smallest of them.
type rho struct {
	r       *he.Ring
	request carnet.Hash
	block   int
	poly    he.Poly
}

func newRho(r *he.Ring, request carnet.Hash) *rho { return &rho{r, request, -1, r.NewPoly()} }

// at returns rho_g: residue g mod N of polynomial g div N. It is quickest in order.
func (x *rho) at(g int) (out he.Scalar) {
	n := x.r.Profile().N()
	if b := g / n; b != x.block {
		x.r.Uniform(carnet.Digest(tagSelectRho, x.request[:], u32(uint32(b))), x.poly)
		x.block = b
	}
	for l := range x.poly {
		out[l] = x.poly[l][g%n]
	}
	return out
}

// CheckAnswer is keyholder Number's scalars of a check.
type CheckAnswer struct {
	Number int
	Values [CheckScalars]he.Scalar
}

// VerifySelection decides on the scalars that keyholders published, at most one each.
// least is from AllowsSelections. Of the scalars, at least so many must lie on one
// polynomial of degree 2(t-1), and its value at 0 must be 0.
//
// PRIVATE_CHECK_OPEN says that too few agree so far, PRIVATE_CHECK_FAILED that enough
// agree on a selection that is none. With least >= 3t-2, t-1 keyholders that lie can do
// neither: any 3t-2 that agree contain 2t-1 honest ones, which fix the polynomial. With
// fewer, all scalars must agree.
func VerifySelection(r *he.Ring, c Committee, least int, checks []CheckAnswer) error {
	numbers, seen := make([]int, len(checks)), map[int]bool{}
	for i := range checks {
		n := checks[i].Number
		if n < 1 || n > c.N || seen[n] {
			return carnet.E(carnet.Invalid, "BAD_ANSWERS", "the committee has no keyholder %d, or it checked twice", n)
		}
		numbers[i], seen[n] = n, true
	}
	open := carnet.E(carnet.Precondition, "PRIVATE_CHECK_OPEN", "fewer than %d keyholders agree on the check of the private parameter so far", least).
		Fix("wait for more keyholders")
	if least < 2*c.T-1 || len(checks) < least {
		return open
	}
	most := 0
	if least >= 3*c.T-2 {
		most = len(checks) - least
	}
	d := newDecoder(r, 2*c.T-1, numbers, 0)
	var values [CheckScalars]he.Scalar
	for x := 0; x < CheckScalars; x++ {
		at := func(a int) he.Scalar { return checks[a].Values[x] }
		v, ok := d.decode(at)
		if !ok {
			if d = d.withoutLiars(most, at); d == nil {
				return open
			}
			x = -1 // all scalars of the same keyholders have to agree
			continue
		}
		values[x] = v
	}
	if values != [CheckScalars]he.Scalar{} {
		return carnet.E(carnet.Refused, "PRIVATE_CHECK_FAILED", "the private parameter is not a selection of as many codes as the query declares").
			Fix("use a current client; one that follows the protocol can't get here")
	}
	return nil
}

// small returns a small integer as a scalar.
func small(r *he.Ring, v int) he.Scalar { return r.ScalarFromBig(big.NewInt(int64(v))) }
