package share

import "github.com/carnet-network/carnet/pkg/he"

// zeroSharings returns count zero sharings of one part for keyholder number, without
// f_A(i): the m-th of t-1 uniform scalars times i^m, summed over m = 1..t-1. Times f_A
// they are polynomials of degree 2(t-1) in i that vanish at 0, with t-1 coefficients
// nobody outside the part knows: just what the honest keyholders' scalars could
// otherwise say.
func zeroSharings(r *he.Ring, t, number int, key [32]byte, count int) []he.Scalar {
	coefficients := make([]he.Scalar, count*(t-1))
	r.UniformScalars(key, coefficients)
	x := small(r, number)
	out := make([]he.Scalar, count)
	for i := range out {
		for m := t - 2; m >= 0; m-- {
			out[i] = r.ScalarMul(x, r.ScalarAdd(coefficients[i*(t-1)+m], out[i]))
		}
	}
	return out
}
