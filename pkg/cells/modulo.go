package cells

import "math/bits"

// Modulo is v modulo a prime.
func Modulo(v int64, prime uint64) uint64 {
	if v < 0 {
		return (prime - uint64(-v)%prime) % prime
	}
	return uint64(v) % prime
}

// Product is modulo the prime, as are its factors.
func Product(a, b, prime uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	_, r := bits.Div64(hi, lo, prime)
	return r
}

// AddProduct adds a product of factors modulo a prime of 62 bits to a sum of such products
// that is not reduced yet, less multiples of the prime x 2^64: hi stays below the prime.
func AddProduct(hi, lo, a, b, prime uint64) (uint64, uint64) {
	h, l := bits.Mul64(a, b)
	lo, carry := bits.Add64(lo, l, 0)
	if hi += h + carry; hi >= prime {
		hi -= prime
	}
	return hi, lo
}
