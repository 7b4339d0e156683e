package share

import (
	"math/big"
	"math/bits"

	"github.com/carnet-network/carnet/pkg/he"
)

// decoder interpolates answers of a fixed set of keyholders. Answers are numbered by
// their place, out is the set of those left out as lies.
type decoder struct {
	r       *he.Ring
	points  int // how many answers fix the polynomial: its degree + 1
	numbers []int
	out     uint16
	base    []int         // the first places not left out, as many as points
	zero    []he.Scalar   // weights of the base for the value at 0
	rest    []int         // the other places not left out
	checks  [][]he.Scalar // weights of the base for the value at each of them
}

// newDecoder needs at least points places that are not left out.
func newDecoder(r *he.Ring, points int, numbers []int, out uint16) *decoder {
	d := &decoder{r: r, points: points, numbers: numbers, out: out}
	for a := range numbers {
		switch {
		case out>>a&1 == 1:
		case len(d.base) < points:
			d.base = append(d.base, a)
		default:
			d.rest = append(d.rest, a)
		}
	}
	d.zero = d.weights(0)
	for _, a := range d.rest {
		d.checks = append(d.checks, d.weights(numbers[a]))
	}
	return d
}

// weights returns the Lagrange weights of the base for the value at x.
func (d *decoder) weights(x int) []he.Scalar {
	q := d.r.Profile().Q()
	ws := make([]he.Scalar, len(d.base))
	for i, a := range d.base {
		num, den := big.NewInt(1), big.NewInt(1)
		for _, b := range d.base {
			if a != b {
				num.Mul(num, big.NewInt(int64(x-d.numbers[b])))
				den.Mul(den, big.NewInt(int64(d.numbers[a]-d.numbers[b])))
			}
		}
		den.Mod(den, q)
		ws[i] = d.r.ScalarFromBig(num.Mul(num, den.ModInverse(den, q)))
	}
	return ws
}

// decode returns the value at 0, and whether all answers not left out agree on it.
func (d *decoder) decode(at func(a int) he.Scalar) (he.Scalar, bool) {
	for i, a := range d.rest {
		if d.apply(d.checks[i], at) != at(a) {
			return he.Scalar{}, false
		}
	}
	return d.apply(d.zero, at), true
}

func (d *decoder) apply(ws []he.Scalar, at func(a int) he.Scalar) (sum he.Scalar) {
	for i, a := range d.base {
		sum = d.r.ScalarAdd(sum, d.r.ScalarMul(ws[i], at(a)))
	}
	return sum
}

// withoutLiars returns a decoder that leaves out the fewest further answers, at most
// limit in all, so that the rest agree; nil if there is none. The differences of the
// keyholders' numbers are units modulo Q, so two polynomials agree in fewer places than points, as they
// would over a field, and with limit from Guarantees the result is unique. With at
// most 12 answers trying all sets is both quick and plainly right.
func (d *decoder) withoutLiars(limit int, at func(a int) he.Scalar) *decoder {
	for size := bits.OnesCount16(d.out) + 1; size <= limit; size++ {
		for out := range uint16(1) << len(d.numbers) {
			if bits.OnesCount16(out) != size || out&d.out != d.out {
				continue
			}
			next := newDecoder(d.r, d.points, d.numbers, out)
			if _, ok := next.decode(at); ok {
				return next
			}
		}
	}
	return nil
}
