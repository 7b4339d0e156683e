package he

import (
	"math/big"
	"math/bits"

	"github.com/tuneinsight/lattigo/v5/ring"
)

// modulus holds one prime and the constants of arithmetic modulo it.
type modulus struct {
	Reducer
	nInv uint64 // N^-1 mod q
	tInv uint64 // T^-1 * 2^64 mod q
	lazy int    // products that a 128-bit accumulator with hi < q takes
	ntt  *ring.SubRing
}

// Reducer reduces 128-bit integers modulo one prime.
type Reducer struct {
	q    uint64
	qInv uint64 // q^-1 mod 2^64
	r1   uint64 // 2^64 mod q
	r2   uint64 // 2^128 mod q

	short uint64 // 2^bits - q, or 0 if that is too large for ReduceProduct
	bits  uint8  // length of q
}

// Reducer returns the reduction modulo the prime of the given limb.
func (p *Profile) Reducer(limb int) Reducer { return p.mods[limb].Reducer }

// NewReducer returns the reduction modulo an odd number of 2 to 62 bits.
func NewReducer(q uint64) Reducer {
	inv := q
	for range 6 { // Newton: each step doubles the number of correct bits
		inv *= 2 - q*inv
	}
	b := new(big.Int).SetUint64(q)
	power := func(e uint) uint64 { return new(big.Int).Mod(new(big.Int).Lsh(big.NewInt(1), e), b).Uint64() }
	m := Reducer{q: q, qInv: inv, r1: power(64), r2: power(128), bits: uint8(bits.Len64(q))}
	if c := uint64(1)<<m.bits - q; c < 1<<31 && 2*c*c+c <= q {
		m.short = c
	}
	return m
}

// Prime returns the number modulo which m reduces.
func (m Reducer) Prime() uint64 { return m.q }

// Reduce returns hi*2^64+lo modulo the prime, for any hi and lo.
func (m Reducer) Reduce(hi, lo uint64) uint64 {
	s := redc(hi, m.r2, m.q, m.qInv) + redc(lo, m.r1, m.q, m.qInv)
	if s >= m.q {
		s -= m.q
	}
	return s
}

// ReduceProduct returns hi*2^64+lo modulo the prime, for values below 2*q^2.
//
// With q = 2^b - c, v = h*2^b + l is congruent to h*c + l. h is below 2^(b+1), so doing
// it twice leaves at most 2c^2 + 2^b - 1, which is below 2q if 2c^2 + c <= q.
func (m Reducer) ReduceProduct(hi, lo uint64) uint64 {
	if m.short == 0 {
		return m.Reduce(hi, lo)
	}
	b := m.bits & 63
	mask := uint64(1)<<b - 1
	h, l := bits.Mul64(hi<<(64-b)|lo>>b, m.short)
	l, carry := bits.Add64(l, lo&mask, 0)
	r := ((h+carry)<<(64-b)|l>>b)*m.short + l&mask
	if r >= m.q {
		r -= m.q
	}
	return r
}

// LazyProducts is how many products of two residues below 2^limbBits a 128-bit
// accumulator takes after its high word was reduced modulo the prime, and before it
// must be reduced again. It is below 2^128/2^(2*limbBits) by enough to leave room
// for the reduced high word.
func LazyProducts(limbBits int) int {
	switch {
	case limbBits <= 55:
		return 1 << 17
	case limbBits <= 58:
		return 4000
	default:
		return 240
	}
}

func newTransform(q uint64, n int) (*ring.SubRing, error) {
	r, err := ring.NewRing(n, []uint64{q})
	if err != nil {
		return nil, err
	}
	return r.SubRings[0], nil
}

func newModulus(q uint64, n int, t uint64) (modulus, error) {
	ntt, err := newTransform(q, n)
	if err != nil {
		return modulus{}, err
	}
	inverse := func(x uint64) *big.Int {
		return new(big.Int).ModInverse(new(big.Int).SetUint64(x), new(big.Int).SetUint64(q))
	}
	m := modulus{Reducer: NewReducer(q), ntt: ntt, lazy: LazyProducts(bits.Len64(q))}
	m.nInv = inverse(uint64(n)).Uint64()
	m.tInv = m.montgomery(inverse(t % q).Uint64())
	return m, nil
}

// redc returns x*y/2^64 mod q, fully reduced, for x*y < q*2^64.
func redc(x, y, q, qInv uint64) uint64 {
	hi, lo := bits.Mul64(x, y)
	h, _ := bits.Mul64(lo*qInv, q)
	r := hi - h + q
	if r >= q {
		r -= q
	}
	return r
}

// montgomery returns x*2^64 mod q.
func (m *modulus) montgomery(x uint64) uint64 { return redc(x, m.r2, m.q, m.qInv) }

func (m *modulus) mul(x, y uint64) uint64 {
	return redc(redc(x, y, m.q, m.qInv), m.r2, m.q, m.qInv)
}

func (m *modulus) add(x, y uint64) uint64 {
	s := x + y
	if s >= m.q {
		s -= m.q
	}
	return s
}

func (m *modulus) sub(x, y uint64) uint64 {
	s := x - y
	if x < y {
		s += m.q
	}
	return s
}
