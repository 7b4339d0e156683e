package he

import (
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// small returns a test profile with a ring of 2^logN coefficients.
func small(t testing.TB, logN, limbs, bits, tBits int, e Encoding) *Profile {
	degree := 2
	if e == Coefficients {
		degree = 1
	}
	p, err := NewProfile(Literal{Name: "test", LogN: logN, Limbs: limbs, LimbBits: bits, TBits: tBits, MaxDegree: degree, Encoding: e})
	require.NoError(t, err)
	return p
}

func randomPoly(r *Ring, rnd *rand.Rand) Poly {
	p := r.NewPoly()
	for l, q := range r.p.Primes() {
		for i := range p[l] {
			p[l][i] = rnd.Uint64N(q)
		}
	}
	return p
}

func clone(r *Ring, a Poly) Poly {
	out := r.NewPoly()
	r.Add(out, a, out)
	return out
}

// coefficient returns coefficient i of a polynomial in coefficient form.
func coefficient(r *Ring, a Poly, i int) *big.Int {
	var s Scalar
	for l := range a {
		s[l] = a[l][i]
	}
	return r.ScalarBig(s)
}

func TestRingAgainstSchoolbook(t *testing.T) {
	for _, bits := range []int{30, 52, 55, 58, 60} {
		p := small(t, 5, 3, bits, 20, Slots)
		r, rnd := NewRing(p), rand.New(rand.NewPCG(1, uint64(bits)))
		a, b, c := randomPoly(r, rnd), randomPoly(r, rnd), randomPoly(r, rnd)
		n, q := p.N(), p.Q()

		want := make([]*big.Int, n) // a*b + c modulo X^n + 1
		for i := range want {
			want[i] = coefficient(r, c, i)
		}
		for i := range n {
			for j := range n {
				x := new(big.Int).Mul(coefficient(r, a, i), coefficient(r, b, j))
				if i+j >= n {
					x.Neg(x)
				}
				want[(i+j)%n].Add(want[(i+j)%n], x)
			}
		}
		fa, fb, fc := clone(r, a), clone(r, b), clone(r, c)
		for _, x := range []Poly{fa, fb, fc} {
			r.NTT(x)
		}
		sum := clone(r, fc)
		r.MulAdd(fa, fb, sum)
		require.Equal(t, r.ScalarFromBig(want[0]), r.Const(sum))
		require.Equal(t, r.ScalarFromBig(want[0]), r.ScalarAdd(r.Const(fc), r.InnerConst([]Poly{fa}, []Poly{fb})))
		r.INTT(sum)
		for i := range n {
			require.Zero(t, coefficient(r, sum, i).Cmp(want[i].Mod(want[i], q)), "coefficient %d", i)
		}
		prod, diff := r.NewPoly(), r.NewPoly()
		r.Mul(fa, fb, prod)
		r.INTT(prod)
		r.Sub(sum, prod, diff)
		require.Equal(t, c, diff)

		s := r.ScalarFromBig(big.NewInt(-12345))
		scaled := clone(r, c)
		r.MulScalarAdd(a, s, scaled)
		for i := range n {
			x := new(big.Int).Mul(coefficient(r, a, i), big.NewInt(-12345))
			x.Add(x, coefficient(r, c, i))
			require.Zero(t, coefficient(r, scaled, i).Cmp(x.Mod(x, q)))
		}
	}
}

func TestInnerConstAtTheLimits(t *testing.T) {
	for _, bits := range []int{55, 56, 58, 59, 60} {
		p := small(t, 10, 2, bits, 20, Slots)
		r := NewRing(p)
		top := r.NewPoly() // every residue q-1: the largest products there are
		for l, q := range p.Primes() {
			for i := range top[l] {
				top[l][i] = q - 1
			}
		}
		as := make([]Poly, 300)
		for i := range as {
			as[i] = top
		}
		// the polynomial with value -1 everywhere is the constant -1
		require.Equal(t, r.ScalarFromBig(big.NewInt(300)), r.InnerConst(as, as))
		require.Equal(t, r.ScalarFromBig(big.NewInt(-1)), r.Const(top))
	}
}

func TestLazyProductsFit(t *testing.T) {
	require.LessOrEqual(t, LazyProducts(55), 1<<17)
	require.LessOrEqual(t, LazyProducts(58), 4000)
	require.LessOrEqual(t, LazyProducts(60), 240)
	for bits := 20; bits <= 60; bits++ {
		one := big.NewInt(1)
		top := new(big.Int).Lsh(one, uint(bits)) // residues and the reduced high half are below
		worst := new(big.Int).Mul(top, top)
		worst.Mul(worst, big.NewInt(int64(LazyProducts(bits))))
		worst.Add(worst, new(big.Int).Lsh(top, 64))
		require.LessOrEqual(t, worst.Cmp(new(big.Int).Lsh(one, 128)), 0, "%d bits", bits)
	}
}

func TestScalars(t *testing.T) {
	p := small(t, 5, 4, 55, 45, Slots)
	r, rnd, q := NewRing(p), rand.New(rand.NewPCG(3, 4)), p.Q()
	random := func() *big.Int {
		x := new(big.Int)
		for range 4 {
			x.Lsh(x, 60).Add(x, new(big.Int).SetUint64(rnd.Uint64()>>4))
		}
		return x.Mod(x, q)
	}
	mod := func(x *big.Int) *big.Int { return x.Mod(x, q) }
	for range 100 {
		a, b := random(), random()
		x, y := r.ScalarFromBig(a), r.ScalarFromBig(b)
		require.Zero(t, r.ScalarBig(x).Cmp(a))
		require.Zero(t, r.ScalarBig(r.ScalarAdd(x, y)).Cmp(mod(new(big.Int).Add(a, b))))
		require.Zero(t, r.ScalarBig(r.ScalarSub(x, y)).Cmp(mod(new(big.Int).Sub(a, b))))
		require.Zero(t, r.ScalarBig(r.ScalarMul(x, y)).Cmp(mod(new(big.Int).Mul(a, b))))
		require.Equal(t, x, r.ScalarFromBig(new(big.Int).Sub(a, q)), "negative numbers wrap")
		require.Equal(t, x, r.ScalarFromBig(new(big.Int).Add(a, q)))
	}
	require.Equal(t, r.ScalarFromBig(big.NewInt(1)), r.TInv(0))
	tt := r.ScalarFromBig(new(big.Int).SetUint64(p.T()))
	require.Equal(t, r.TInv(0), r.ScalarMul(r.TInv(1), tt))
	require.Equal(t, r.TInv(1), r.ScalarMul(r.TInv(2), tt))
}

func TestReduce(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	for _, bits := range []int{20, 42, 55, 60} {
		p := small(t, 5, 1, bits, 19, Slots)
		q := new(big.Int).SetUint64(p.Primes()[0])
		for i := range 1000 {
			hi, lo := rnd.Uint64(), rnd.Uint64()
			if i == 0 {
				hi, lo = ^uint64(0), ^uint64(0)
			}
			x := new(big.Int).SetUint64(hi)
			x.Lsh(x, 64).Add(x, new(big.Int).SetUint64(lo))
			require.Equal(t, x.Mod(x, q).Uint64(), p.Reducer(0).Reduce(hi, lo))
		}
	}
}

func TestCentre(t *testing.T) {
	const m = 101
	for v, want := range map[uint64]int64{0: 0, 1: 1, 50: 50, 51: -50, 100: -1} {
		require.Equal(t, want, Centre(v, m))
	}
	require.Equal(t, int64(-1), Centre(1<<54-2, 1<<54-1))
}

// ReduceProduct agrees with division for everything below 2*q^2, for primes far below
// a power of two as well.
func TestReduceProduct(t *testing.T) {
	rnd := rand.New(rand.NewPCG(11, 12))
	folds := 0
	for _, bits := range []int{20, 24, 30, 45, 52, 55, 58, 60} {
		for _, logN := range []int{4, 9} {
			p, err := NewProfile(Literal{Name: "test", LogN: logN, Limbs: 3, LimbBits: bits, TBits: 18, MaxDegree: 2, Encoding: Slots})
			require.NoError(t, err)
			for l := range p.mods {
				m, q := p.Reducer(l), new(big.Int).SetUint64(p.Prime(l))
				if m.short != 0 {
					folds++
				}
				top := new(big.Int).Mul(q, q)
				top.Lsh(top, 1)
				for i := range 300 {
					v := new(big.Int).Sub(top, big.NewInt(int64(i+1)))
					switch {
					case i%3 == 1:
						v.Mul(q, big.NewInt(int64(i/3)))
						v.Add(v, big.NewInt(int64(i%2)-1))
						v.Abs(v)
					case i%3 == 2:
						v.Rsh(v, uint(rnd.IntN(2*bits)))
						v.Sub(v, big.NewInt(rnd.Int64N(1000)))
						v.Abs(v)
					}
					hi, lo := new(big.Int).Rsh(v, 64).Uint64(), new(big.Int).And(v, new(big.Int).SetUint64(^uint64(0))).Uint64()
					require.Equal(t, new(big.Int).Mod(v, q).Uint64(), m.ReduceProduct(hi, lo), "%d modulo %d", v, q)
				}
			}
		}
	}
	require.Greater(t, folds, 20)
	for _, p := range Profiles() {
		require.NotZero(t, p.mods[len(p.mods)-1].short, "profile %s has the fast way", p.Name())
	}
}

// A keyholder's inner products are the same bits with AVX2 and in Go, also of the largest
// residues.
func TestInnerConstIsTheSameInGo(t *testing.T) {
	for _, p := range Profiles() {
		r := NewRing(p)
		x, y, top := r.NewPoly(), r.NewPoly(), r.NewPoly()
		r.Uniform([32]byte{1}, x)
		r.Uniform([32]byte{2}, y)
		for l, q := range p.Primes() {
			for i := range top[l] {
				top[l][i] = q - 1
			}
		}
		a, b := []Poly{x, top, y, top}, []Poly{y, top, top, x}
		require.Equal(t, r.Portable().InnerConst(a, b), r.InnerConst(a, b), p.Name())
	}
}
