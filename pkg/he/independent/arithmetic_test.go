package independent_test

import (
	"math/big"
	"math/bits"
)

func mul(a, b, q uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return bits.Rem64(hi, lo, q)
}

func pow(a, e, q uint64) uint64 {
	r := uint64(1)
	for ; e > 0; e >>= 1 {
		if e&1 == 1 {
			r = mul(r, a, q)
		}
		a = mul(a, a, q)
	}
	return r
}

func inverse(a, q uint64) uint64 { return pow(a%q, q-2, q) }

func signed(e int64, q uint64) uint64 {
	if e < 0 {
		return q - uint64(-e)
	}
	return uint64(e)
}

// primes returns the count largest primes congruent to 1 modulo 2n below 2^b.
func primes(b, n, count int) (out []uint64) {
	for x := uint64(1) << b; len(out) < count; x -= uint64(2 * n) {
		if p := x + 1 - uint64(2*n); new(big.Int).SetUint64(p).ProbablyPrime(30) {
			out = append(out, p)
		}
	}
	return out
}

// psi returns the primitive 2n-th root of unity of the format: a power of the least
// primitive root modulo q.
func psi(q uint64, n int) uint64 {
	var factors []uint64
	rest := q - 1
	for f := uint64(2); f*f <= rest; f++ {
		if rest%f == 0 {
			factors = append(factors, f)
		}
		for rest%f == 0 {
			rest /= f
		}
		if f%1024 == 0 && new(big.Int).SetUint64(rest).ProbablyPrime(30) {
			break
		}
	}
	if rest > 1 { // prime
		factors = append(factors, rest)
	}
next:
	for g := uint64(2); ; g++ {
		for _, f := range factors {
			if pow(g, (q-1)/f, q) == 1 {
				continue next
			}
		}
		return pow(g, (q-1)/uint64(2*n), q)
	}
}

// sums returns sum_i a[i]*w^(i*r) for r = 0..len(a)-1, where w has order len(a).
func sums(a []uint64, w, q uint64) []uint64 {
	n := len(a)
	if n == 1 {
		return a
	}
	even, odd := make([]uint64, n/2), make([]uint64, n/2)
	for i := range even {
		even[i], odd[i] = a[2*i], a[2*i+1]
	}
	even, odd = sums(even, mul(w, w, q), q), sums(odd, mul(w, w, q), q)
	out := make([]uint64, n)
	for r, f := 0, uint64(1); r < n/2; r++ {
		x := mul(f, odd[r], q)
		out[r], out[r+n/2] = (even[r]+x)%q, (even[r]+q-x)%q
		f = mul(f, w, q)
	}
	return out
}

func reverse(j, n int) int { return int(bits.Reverse64(uint64(j)) >> (64 - bits.Len(uint(n-1)))) }

// evaluate returns, at index j, the value of the polynomial at psi^(2*reverse(j)+1).
func evaluate(a []uint64, q uint64) []uint64 {
	n, w := len(a), psi(q, len(a))
	scaled := make([]uint64, n)
	for i, f := 0, uint64(1); i < n; i++ {
		scaled[i] = mul(a[i], f, q)
		f = mul(f, w, q)
	}
	values, out := sums(scaled, mul(w, w, q), q), make([]uint64, n)
	for j := range out {
		out[j] = values[reverse(j, n)]
	}
	return out
}

// slots returns the polynomial modulo t with value v[i] at zeta^(5^i) and v[n/2+i]
// at zeta^(-5^i), zeta = psi(t, n).
func slots(v []uint64, t uint64) []uint64 {
	n := len(v)
	at := make([]uint64, n) // at[r] is the value at zeta^(2r+1)
	for i, e := 0, 1; i < n/2; i++ {
		at[(e-1)/2], at[(2*n-e-1)/2] = v[i], v[n/2+i]
		e = e * 5 % (2 * n)
	}
	back := inverse(psi(t, n), t)
	out := sums(at, mul(back, back, t), t)
	for i, f := 0, inverse(uint64(n), t); i < n; i++ {
		out[i] = mul(out[i], f, t)
		f = mul(f, back, t)
	}
	return out
}
