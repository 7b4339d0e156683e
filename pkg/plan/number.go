package plan

import (
	"math/big"

	"github.com/carnet-network/carnet/pkg/query"
)

// rootDigits is the number of significant digits a square root is computed to, well
// beyond what is printed.
const rootDigits = 40

// power10 returns 10^n for n >= 0.
func power10(n int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
}

// scaled returns v x 10^-scale.
func scaled(v *big.Int, scale int) *big.Rat { return new(big.Rat).SetFrac(v, power10(scale)) }

// arithmetic computes x op y of two numbers; ok is false for a division by zero.
func arithmetic(op query.Op, x, y *big.Rat) (r *big.Rat, ok bool) {
	r = new(big.Rat)
	switch op {
	case query.Add:
		return r.Add(x, y), true
	case query.Sub:
		return r.Sub(x, y), true
	case query.Mul:
		return r.Mul(x, y), true
	}
	if y.Sign() == 0 {
		return nil, false
	}
	return r.Quo(x, y), true
}

// round rounds to n digits after the point, half away from zero; n may be negative.
func round(r *big.Rat, n int) *big.Rat {
	factor := new(big.Rat).SetInt(power10(max(n, -n)))
	if n < 0 {
		factor.Inv(factor)
	}
	x := new(big.Rat).Mul(r, factor)
	twice := new(big.Int).Lsh(new(big.Int).Abs(x.Num()), 1)
	twice.Add(twice, x.Denom())
	q := twice.Quo(twice, new(big.Int).Lsh(x.Denom(), 1)) // floor(|x| + 1/2)
	if x.Sign() < 0 {
		q.Neg(q)
	}
	return x.Quo(x.SetInt(q), factor)
}

// root returns the square root of r >= 0: exactly if it has at most rootDigits
// digits, else rounded half up to at least that many significant digits.
func root(r *big.Rat) *big.Rat {
	if r.Sign() <= 0 {
		return new(big.Rat)
	}
	// sqrt(r) = sqrt(r x 10^2k) / 10^k. As r >= 10^(m-1), the numerator has at least
	// rootDigits digits for k > rootDigits - m/2; the shift rounds down.
	k := rootDigits + 1 - magnitude(r)>>1
	num, den := new(big.Int).Set(r.Num()), new(big.Int).Set(r.Denom())
	if k >= 0 {
		num.Mul(num, power10(2*k))
	} else {
		den.Mul(den, power10(-2*k))
	}
	s := new(big.Int).Sqrt(new(big.Int).Quo(num, den))
	// Round up if (s + 1/2)^2 <= num/den, that is (2s+1)^2 den <= 4 num.
	t := new(big.Int).Lsh(s, 1)
	t.Add(t, big.NewInt(1))
	t.Mul(t, t).Mul(t, den)
	if t.Cmp(num.Lsh(num, 2)) <= 0 {
		s.Add(s, big.NewInt(1))
	}
	if k >= 0 {
		return scaled(s, k)
	}
	return new(big.Rat).SetInt(s.Mul(s, power10(-k)))
}
