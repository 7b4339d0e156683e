package he

import (
	"math/big"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
)

func encrypt(t testing.TB, e *Encryptor, id BlockID, values []uint64) Poly {
	out := e.r.NewPoly()
	require.NoError(t, e.EncryptBlock(id, values, out))
	return out
}

// phase returns c0 + a*s as integers: T^-1*m + e, which times T is m + T*e.
func phase(r *Ring, key carnet.KeyID, s *Secret, id BlockID, c0 Poly) []*big.Int {
	a := r.NewPoly()
	r.PublicBlock(key, id, a)
	x := clone(r, c0)
	r.MulAdd(a, s.Power(1), x)
	r.INTT(x)
	out, t, q := make([]*big.Int, r.p.n), new(big.Int).SetUint64(r.p.t), r.p.Q()
	for i := range out {
		v := coefficient(r, x, i)
		v.Mod(v.Mul(v, t), q)
		if v.Cmp(new(big.Int).Rsh(q, 1)) > 0 {
			v.Sub(v, q)
		}
		out[i] = v
	}
	return out
}

// split separates m + T*e for m in [0, T).
func split(r *Ring, v *big.Int) (m uint64, e int64) {
	q, rest := new(big.Int).DivMod(v, new(big.Int).SetUint64(r.p.t), new(big.Int))
	return rest.Uint64(), q.Int64()
}

func TestEncryptBlock(t *testing.T) {
	key := carnet.KeyID{3}
	for _, encoding := range []Encoding{Slots, Coefficients} {
		for _, shape := range [][2]int{{55, 45}, {60, 54}, {52, 42}} {
			p := small(t, 8, 3, shape[0], shape[1], encoding)
			r := NewRing(p)
			e, s := NewEncryptor(r, Seed{1}, key), r.DeriveSecret(Seed{1})
			rnd := rand.New(rand.NewPCG(1, 2))
			for b, count := range []int{0, 1, p.N() - 1, p.N(), p.N() / 2} {
				values := make([]uint64, count)
				for i := range values {
					switch i % 6 {
					case 0:
						values[i] = p.T() - 1
					case 1:
						values[i] = p.T() / 2 // T/2-1/2, the largest positive
					case 2:
						values[i] = p.T()/2 + 1 // its negative
					case 3:
						values[i] = 0
					default:
						values[i] = rnd.Uint64N(p.T())
					}
				}
				id := BlockID{File: [32]byte{4}, Column: 5, Block: uint32(b)}
				c0 := encrypt(t, e, id, values)
				for l, q := range p.Primes() {
					for _, v := range c0[l] {
						require.Less(t, v, q)
					}
				}
				decrypted := make([]uint64, p.N())
				for i, v := range phase(r, key, s, id, c0) {
					m, err := split(r, v)
					require.LessOrEqual(t, max(err, -err), int64(errorCut), "the same small integer in all limbs")
					decrypted[i] = m
				}
				if encoding == Slots {
					p.tRing.NTT(decrypted, decrypted)
					unordered := append([]uint64(nil), decrypted...)
					for i, j := range p.perm {
						decrypted[i] = unordered[j]
					}
				}
				require.Equal(t, values, decrypted[:count])
				for _, v := range decrypted[count:] {
					require.Zero(t, v)
				}
			}
		}
	}
}

func TestEncryptBlockRefuses(t *testing.T) {
	r := NewRing(small(t, 5, 2, 55, 45, Slots))
	e := NewEncryptor(r, Seed{1}, carnet.KeyID{})
	err := e.EncryptBlock(BlockID{}, make([]uint64, r.p.n+1), r.NewPoly())
	require.Equal(t, "BLOCK_TOO_LONG", carnet.ReasonOf(err))
	err = e.EncryptBlock(BlockID{}, []uint64{0, r.p.t}, r.NewPoly())
	require.Equal(t, "VALUE_RANGE", carnet.ReasonOf(err))
}

// errorsOf returns the error polynomial of an encrypted block of zeros.
func errorsOf(t *testing.T, r *Ring, seed Seed, key carnet.KeyID, id BlockID) []int64 {
	c0 := encrypt(t, NewEncryptor(r, seed, key), id, nil)
	out := make([]int64, r.p.n)
	for i, v := range phase(r, key, r.DeriveSecret(seed), id, c0) {
		m, e := split(r, v)
		require.Zero(t, m)
		out[i] = e
	}
	return out
}

func TestErrorsBindEverythingButTheLimb(t *testing.T) {
	r := NewRing(small(t, 10, 3, 55, 45, Coefficients))
	seed, key, base := Seed{1}, carnet.KeyID{2}, BlockID{File: [32]byte{1}, Column: 2, Block: 3}
	all := [][]int64{errorsOf(t, r, seed, key, base)}
	require.Equal(t, all[0], errorsOf(t, r, seed, key, base), "the same name repeats the same error")
	all = append(all,
		errorsOf(t, r, Seed{2}, key, base),
		errorsOf(t, r, seed, carnet.KeyID{3}, base), // another dealing of the same seed has another a
		errorsOf(t, r, seed, key, BlockID{File: [32]byte{2}, Column: 2, Block: 3}),
		errorsOf(t, r, seed, key, BlockID{File: [32]byte{1}, Column: 3, Block: 3}),
		errorsOf(t, r, seed, key, BlockID{File: [32]byte{1}, Column: 2, Block: 2}),
		errorsOf(t, r, seed, key, BlockID{File: [32]byte{1}, Column: 3, Block: 2}),
		errorsOf(t, NewRing(small(t, 10, 3, 55, 44, Coefficients)), seed, key, base),
	)
	n := float64(r.p.n)
	for i, x := range all {
		for j, y := range all[:i] {
			same, product := 0.0, 0.0
			for k := range x {
				if x[k] == y[k] {
					same++
				}
				product += float64(x[k] * y[k])
			}
			// independent errors agree with probability 0.088, and are not correlated
			require.InDelta(t, 0.088, same/n, 0.05, "errors %d and %d", i, j)
			require.InDelta(t, 0, product/n, 5*10.24/32, "errors %d and %d", i, j)
		}
	}
}

func TestEncryptBlockConcurrently(t *testing.T) {
	r := NewRing(small(t, 9, 3, 55, 45, Slots))
	e := NewEncryptor(r, Seed{1}, carnet.KeyID{2})
	values := func(b int) []uint64 { return []uint64{uint64(b), 7, r.p.t - 1 - uint64(b)} }
	want := make([]Poly, 32)
	for b := range want {
		want[b] = encrypt(t, e, BlockID{Block: uint32(b)}, values(b))
	}
	var wg sync.WaitGroup
	have := make([]Poly, len(want))
	for b := range have {
		wg.Go(func() {
			have[b] = r.NewPoly()
			_ = e.EncryptBlock(BlockID{Block: uint32(b)}, values(b), have[b])
		})
	}
	wg.Wait()
	require.Equal(t, want, have)
}

func TestSecret(t *testing.T) {
	r := NewRing(small(t, 10, 3, 55, 45, Slots))
	counts := make([]int, 3)
	for seed := range byte(64) {
		s := clone(r, r.DeriveSecret(Seed{seed}).Power(1))
		r.INTT(s)
		for i := range s[0] {
			v := coefficient(r, s, i)
			if v.Cmp(new(big.Int).Rsh(r.p.q, 1)) > 0 {
				v.Sub(v, r.p.q)
			}
			require.LessOrEqual(t, v.CmpAbs(big.NewInt(1)), 0)
			counts[v.Int64()+1]++
		}
	}
	third := float64(64*r.p.n) / 3
	require.Less(t, chiSquare(counts, []float64{third, third, third}), 25.0) // 2 degrees of freedom

	s := r.DeriveSecret(Seed{1})
	require.Equal(t, s.Power(1), r.DeriveSecret(Seed{1}).Power(1))
	require.NotEqual(t, s.Power(1), r.DeriveSecret(Seed{2}).Power(1))
	require.NotEqual(t, s.Power(1), NewRing(small(t, 10, 3, 55, 44, Slots)).DeriveSecret(Seed{1}).Power(1))
	square, cube := r.NewPoly(), r.NewPoly()
	r.Mul(s.Power(1), s.Power(1), square)
	r.Mul(square, s.Power(1), cube)
	require.Equal(t, cube, s.Power(3))
	require.Equal(t, square, s.Power(2))

	held := []Poly{s.Power(1), s.Power(2), s.Power(3)}
	s.Zero()
	for _, p := range held {
		require.Equal(t, r.NewPoly(), p)
	}
	e := NewEncryptor(r, Seed{1}, carnet.KeyID{})
	e.Zero()
	require.Equal(t, r.NewPoly(), e.s)
	require.Zero(t, e.errs)
}
