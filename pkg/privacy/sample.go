package privacy

import "math/big"

// MaxVarianceBits bounds variances, and with them the time of a sample: no plaintext
// modulus has room for noise near this size.
const MaxVarianceBits = 160

// Sample draws from the discrete Gaussian on the integers: x with probability in proportion
// to exp(-x^2 / (2 variance)), exactly. The variance is positive and of at most
// MaxVarianceBits bits; Sample panics otherwise. Its time depends on what is drawn: whoever
// makes answers has to let them go at times that do not.
func Sample(s *Stream, variance *big.Int) *big.Int {
	if variance.Sign() <= 0 || variance.BitLen() > MaxVarianceBits {
		panic("privacy: a variance that no noise has")
	}
	d := newDraw(s, variance)
	for !s.done() {
		y := d.laplace()
		// (|y| - v/t)^2 / 2v, over one denominator
		num := new(big.Int).Abs(y)
		num.Mul(num, d.scale).Sub(num, variance)
		num.Mul(num, num)
		if d.exp(num, d.gauss) && !s.done() {
			return y
		}
	}
	return new(big.Int)
}

// done reports that the stream has come to its limit; what is drawn then counts for
// nothing.
func (s *Stream) done() bool { return s.used > streamLimit }

// draw holds what the draws of one sample have in common.
type draw struct {
	s     *Stream
	scale *big.Int // t = floor(sqrt(variance)) + 1
	gauss *big.Int // 2 variance t^2
}

func newDraw(s *Stream, variance *big.Int) *draw {
	t := new(big.Int).Sqrt(variance)
	t.Add(t, one)
	g := new(big.Int).Mul(t, t)
	g.Mul(g, variance).Lsh(g, 1)
	return &draw{s, t, g}
}

// laplace draws from the discrete Laplace distribution of scale t: x with probability in
// proportion to exp(-|x|/t).
func (d *draw) laplace() *big.Int {
	for !d.s.done() {
		u, ok := d.s.below(d.scale)
		if !ok || !d.fraction(u, d.scale) {
			continue
		}
		v := int64(0)
		for d.fraction(one, one) {
			v++
		}
		x := new(big.Int).Mul(d.scale, big.NewInt(v))
		x.Add(x, u)
		var sign [1]byte
		if !d.s.read(sign[:]) {
			continue
		}
		switch {
		case sign[0]&1 == 0:
			return x
		case x.Sign() != 0:
			return x.Neg(x)
		}
	}
	return new(big.Int)
}

// exp is true with probability exp(-a/b), a >= 0, b > 0: exp(-1) as often as 1 goes into
// a/b, and then what is left.
func (d *draw) exp(a, b *big.Int) bool {
	rest := new(big.Int).Set(a)
	for rest.Cmp(b) >= 0 {
		if !d.fraction(one, one) {
			return false
		}
		rest.Sub(rest, b)
	}
	return d.fraction(rest, b)
}

// fraction is exp for a <= b: draws that are true with probability (a/b)/k, k = 1, 2, …
// until the first that is not; true if that is one of odd k.
func (d *draw) fraction(a, b *big.Int) bool {
	m := new(big.Int)
	for k := int64(1); ; k++ {
		v, ok := d.s.below(m.Mul(b, big.NewInt(k)))
		if !ok {
			return false
		}
		if v.Cmp(a) >= 0 {
			return k%2 == 1
		}
	}
}
