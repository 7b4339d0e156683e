package privacy

import (
	"fmt"
	"math"
	"math/big"
)

// Unit is how many parts an amount of 1 rho has.
const Unit = 1_000_000

// Variance returns the least variance with which a release of this sensitivity costs at
// most rho: ceil(sensitivity^2 / 2rho). rho is at least 1 millionth; sensitivity is not
// negative, and at least 1 is counted.
func Variance(sensitivity *big.Int, rho int64) *big.Int {
	return ceil(squared(sensitivity), big.NewInt(2*rho))
}

// Cost returns what a release of this sensitivity costs with noise of this variance, rounded
// up; the largest amount there is if it costs more.
func Cost(sensitivity, variance *big.Int) int64 {
	c := ceil(squared(sensitivity), new(big.Int).Lsh(variance, 1))
	if !c.IsInt64() {
		return math.MaxInt64
	}
	return c.Int64()
}

// squared is sensitivity^2 in millionths.
func squared(sensitivity *big.Int) *big.Int {
	d := sensitivity
	if d.Sign() <= 0 {
		d = one
	}
	d = new(big.Int).Mul(d, d)
	return d.Mul(d, big.NewInt(Unit))
}

// ceil is a/b rounded up, for a >= 0 and b > 0.
func ceil(a, b *big.Int) *big.Int {
	q, r := new(big.Int).QuoRem(a, b, new(big.Int))
	if r.Sign() > 0 {
		q.Add(q, one)
	}
	return q
}

// Add adds amounts. A sum that is too large for an int64 is the largest there is, so that
// no amount ever gets smaller by another.
func Add(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// tailWidth is how many standard deviations a certificate leaves room for: noise goes
// beyond with a probability below 2^-121.
const tailWidth = 13

// Tail returns 13 standard deviations, rounded up.
func Tail(variance *big.Int) *big.Int {
	return RootUp(new(big.Int).Mul(variance, big.NewInt(tailWidth*tailWidth)))
}

// RootUp is the square root of v >= 0, rounded up.
func RootUp(v *big.Int) *big.Int {
	r := new(big.Int).Sqrt(v)
	if new(big.Int).Mul(r, r).Cmp(v) < 0 {
		r.Add(r, one)
	}
	return r
}

// Epsilon returns, in millionths and rounded up, the epsilon for which rho-zCDP is
// (epsilon, 10^-digits)-differential privacy: rho + 2 sqrt(rho ln(10^digits)). It is for
// people to read; accounts are kept in rho.
func Epsilon(rho int64, digits int) *big.Int {
	v := big.NewInt(rho)
	v.Mul(v, big.NewInt(int64(digits))).Mul(v, big.NewInt(ln10))
	root := RootUp(ceil(v, big.NewInt(1_000)))
	return root.Lsh(root, 1).Add(root, big.NewInt(rho))
}

// ln10 is the natural logarithm of ten in thousand millionths, rounded up.
const ln10 = 2_302_585_093

// Format writes an amount as a decimal without trailing zeros.
func Format(rho int64) string {
	sign := ""
	if rho < 0 {
		sign, rho = "-", -rho
	}
	s := fmt.Sprintf("%s%d.%06d", sign, rho/Unit, rho%Unit)
	for s[len(s)-1] == '0' {
		s = s[:len(s)-1]
	}
	if s[len(s)-1] == '.' {
		s = s[:len(s)-1]
	}
	return s
}
