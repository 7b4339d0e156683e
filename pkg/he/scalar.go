package he

import "math/big"

// Scalar is an element of Z_Q as residues modulo q_1..q_L, each below its prime;
// unused limbs are zero, so that == compares scalars of one profile.
type Scalar [MaxLimbs]uint64

// ScalarAdd returns a + b.
func (r *Ring) ScalarAdd(a, b Scalar) Scalar {
	var out Scalar
	for l := range r.p.mods {
		out[l] = r.p.mods[l].add(a[l], b[l])
	}
	return out
}

// ScalarSub returns a - b.
func (r *Ring) ScalarSub(a, b Scalar) Scalar {
	var out Scalar
	for l := range r.p.mods {
		out[l] = r.p.mods[l].sub(a[l], b[l])
	}
	return out
}

// ScalarMul returns a * b.
func (r *Ring) ScalarMul(a, b Scalar) Scalar {
	var out Scalar
	for l := range r.p.mods {
		out[l] = r.p.mods[l].mul(a[l], b[l])
	}
	return out
}

// ScalarBig returns s as an integer in [0, Q).
func (r *Ring) ScalarBig(s Scalar) *big.Int {
	sum, t := new(big.Int), new(big.Int)
	for l, c := range r.p.crt {
		sum.Add(sum, t.Mul(c, t.SetUint64(s[l])))
	}
	return sum.Mod(sum, r.p.q)
}

// ScalarFromBig returns x mod Q; x may be negative or larger than Q.
func (r *Ring) ScalarFromBig(x *big.Int) Scalar {
	var out Scalar
	q, t := new(big.Int), new(big.Int)
	for l := range r.p.mods {
		out[l] = t.Mod(x, q.SetUint64(r.p.mods[l].q)).Uint64()
	}
	return out
}

// TInv returns T^-e mod Q, e >= 0.
func (r *Ring) TInv(e int) Scalar {
	t := new(big.Int).SetUint64(r.p.t)
	t.Exp(t.ModInverse(t, r.p.q), big.NewInt(int64(e)), r.p.q)
	return r.ScalarFromBig(t)
}

// Decode turns the sum of all parts of an opening of the given degree back into the
// value it opens to: the sum times T^degree, centred modulo Q, then modulo T, times
// N in slot encoding. The value is in [0, T); see Centre for signed values. The
// quotient is |V|/T rounded down, for the centred V: what the noise, flooding
// included, amounts to.
func (r *Ring) Decode(sum Scalar, degree int) (value uint64, quotient *big.Int) {
	t := new(big.Int).SetUint64(r.p.t)
	v := r.ScalarBig(sum)
	v.Mul(v, new(big.Int).Exp(t, big.NewInt(int64(degree)), nil))
	v.Mod(v, r.p.q)
	if v.Cmp(new(big.Int).Rsh(r.p.q, 1)) > 0 {
		v.Sub(v, r.p.q)
	}
	m := new(big.Int).Mod(v, t)
	if r.p.lit.Encoding == Slots {
		m.Mod(m.Lsh(m, uint(r.p.lit.LogN)), t)
	}
	return m.Uint64(), v.Quo(v.Abs(v), t)
}

// Centre maps [0, t) to the signed numbers between -t/2 and t/2, for odd t.
func Centre(v, t uint64) int64 {
	if v > t/2 {
		return -int64(t - v)
	}
	return int64(v)
}
