package he

import (
	"math/bits"

	"github.com/carnet-network/carnet/pkg/he/internal/inner"
)

// Poly is an element of Z_Q[X]/(X^N+1) as one slice of N residues per prime, each
// below its prime. It is in the NTT domain unless said otherwise: index j of limb i
// is the value at psi_i^(2*reverse(j)+1), where psi_i = g^((q_i-1)/2N) for the least
// primitive root g modulo q_i and reverse reverses log2 N bits.
type Poly [][]uint64

// Ring computes with the polynomials and scalars of one profile. It holds no state
// of its own and is safe for concurrent use. Results are always fully
// reduced. Polynomials given to its methods must come from NewPoly of a ring with
// the same profile; in and out may be the same.
type Ring struct {
	p        *Profile
	portable bool
}

// NewRing returns the ring of the profile.
func NewRing(p *Profile) *Ring { return &Ring{p: p} }

// Portable returns a ring that gives the same results in pure Go, also where the
// processor has something faster.
func (r *Ring) Portable() *Ring { return &Ring{p: r.p, portable: true} }

// IsPortable says whether Portable returned the ring.
func (r *Ring) IsPortable() bool { return r.portable }

// Profile returns the ring's profile.
func (r *Ring) Profile() *Profile { return r.p }

// NewPoly returns the zero polynomial.
func (r *Ring) NewPoly() Poly {
	n := r.p.n
	all := make([]uint64, len(r.p.mods)*n)
	p := make(Poly, len(r.p.mods))
	for i := range p {
		p[i] = all[i*n : (i+1)*n : (i+1)*n]
	}
	return p
}

// Add sets out = a + b.
func (r *Ring) Add(a, b, out Poly) {
	for l := range r.p.mods {
		q := r.p.mods[l].q
		o := out[l]
		x, y := a[l][:len(o)], b[l][:len(o)]
		for i := range o {
			s := x[i] + y[i]
			if s >= q {
				s -= q
			}
			o[i] = s
		}
	}
}

// Sub sets out = a - b.
func (r *Ring) Sub(a, b, out Poly) {
	for l := range r.p.mods {
		m := &r.p.mods[l]
		o := out[l]
		x, y := a[l][:len(o)], b[l][:len(o)]
		for i := range o {
			o[i] = m.sub(x[i], y[i])
		}
	}
}

// Mul sets out = a * b, for polynomials in the NTT domain.
func (r *Ring) Mul(a, b, out Poly) {
	for l := range r.p.mods {
		m := &r.p.mods[l]
		q, qInv, r2 := m.q, m.qInv, m.r2
		o := out[l]
		x, y := a[l][:len(o)], b[l][:len(o)]
		for i := range o {
			o[i] = redc(redc(x[i], y[i], q, qInv), r2, q, qInv)
		}
	}
}

// MulAdd adds a * b to acc, for polynomials in the NTT domain.
func (r *Ring) MulAdd(a, b, acc Poly) {
	for l := range r.p.mods {
		m := &r.p.mods[l]
		q, qInv, r2 := m.q, m.qInv, m.r2
		o := acc[l]
		x, y := a[l][:len(o)], b[l][:len(o)]
		for i := range o {
			s := o[i] + redc(redc(x[i], y[i], q, qInv), r2, q, qInv)
			if s >= q {
				s -= q
			}
			o[i] = s
		}
	}
}

// MulScalarAdd adds s * a to acc, in either domain.
func (r *Ring) MulScalarAdd(a Poly, s Scalar, acc Poly) {
	for l := range r.p.mods {
		m := &r.p.mods[l]
		q, qInv, f := m.q, m.qInv, m.montgomery(s[l])
		o := acc[l]
		x := a[l][:len(o)]
		for i := range o {
			v := o[i] + redc(x[i], f, q, qInv)
			if v >= q {
				v -= q
			}
			o[i] = v
		}
	}
}

// NTT takes p from coefficients to the NTT domain, in place.
func (r *Ring) NTT(p Poly) {
	for l := range r.p.mods {
		r.p.mods[l].ntt.NTT(p[l], p[l])
	}
}

// INTT takes p from the NTT domain to coefficients, in place.
func (r *Ring) INTT(p Poly) {
	for l := range r.p.mods {
		r.p.mods[l].ntt.INTT(p[l], p[l])
	}
}

// Const returns the constant coefficient of a polynomial in the NTT domain: its
// values' sum divided by N.
func (r *Ring) Const(a Poly) Scalar {
	var out Scalar
	for l := range r.p.mods {
		m := &r.p.mods[l]
		var hi, lo, c uint64
		for _, x := range a[l] {
			lo, c = bits.Add64(lo, x, 0)
			hi += c
		}
		out[l] = m.mul(m.Reduce(hi, lo), m.nInv)
	}
	return out
}

// OverN returns v/N modulo the prime of the limb: the constant coefficient of a
// polynomial whose values add up to v.
func (r *Ring) OverN(limb int, v uint64) uint64 {
	m := &r.p.mods[limb]
	return m.mul(v, m.nInv)
}

// AddMulINTT takes one limb of a polynomial a to the coefficients of a*b + c, in place;
// all are in the NTT domain, and c may be nil.
func (r *Ring) AddMulINTT(limb int, a, b, c []uint64) {
	m := &r.p.mods[limb]
	q, qInv, r2 := m.q, m.qInv, m.r2
	b = b[:len(a)]
	for i := range a {
		a[i] = redc(redc(a[i], b[i], q, qInv), r2, q, qInv)
	}
	if c != nil {
		c = c[:len(a)]
		for i := range a {
			a[i] = m.add(a[i], c[i])
		}
	}
	m.ntt.INTT(a, a)
}

// InnerConst returns the constant coefficient of the sum of a[i]*b[i], for
// polynomials in the NTT domain. a and b have the same length.
func (r *Ring) InnerConst(a, b []Poly) Scalar {
	var out Scalar
	fast := !r.portable && r.p.LimbBits() <= inner.Bits && r.p.n%inner.Step == 0 && r.p.n <= inner.Most && inner.Available()
	for l := range r.p.mods {
		m := &r.p.mods[l]
		var hi, lo uint64
		for k := range a {
			x, y := a[k][l], b[k][l]
			if fast {
				h, w := inner.Sum(x, y)
				var c uint64
				lo, c = bits.Add64(lo, w, 0)
				hi = (hi + h%m.q + c) % m.q
				continue
			}
			for len(x) > 0 {
				n := min(len(x), m.lazy)
				hi, lo = addProducts(x[:n], y[:n], hi, lo)
				hi %= m.q
				x, y = x[n:], y[n:]
			}
		}
		out[l] = m.mul(m.Reduce(hi, lo), m.nInv)
	}
	return out
}

// addProducts adds the products of x and y to a 128-bit sum that has room for them.
func addProducts(x, y []uint64, hi, lo uint64) (uint64, uint64) {
	y = y[:len(x)]
	for i := range x {
		h, w := bits.Mul64(x[i], y[i])
		var c uint64
		lo, c = bits.Add64(lo, w, 0)
		hi, _ = bits.Add64(hi, h, c)
	}
	return hi, lo
}
