package he

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tuneinsight/lattigo/v5/core/rlwe"
	"github.com/tuneinsight/lattigo/v5/ring"
	"github.com/tuneinsight/lattigo/v5/schemes/bgv"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// lattigo decrypts ciphertexts of a profile with Lattigo's own decryptor.
type lattigo struct {
	r      *Ring
	params bgv.Parameters
	dec    *rlwe.Decryptor
	enc    *bgv.Encoder
}

func newLattigo(t testing.TB, r *Ring, s *Secret) *lattigo {
	p := r.p
	params, err := bgv.NewParametersFromLiteral(bgv.ParametersLiteral{LogN: p.LogN(), Q: p.Primes(), PlaintextModulus: p.T()})
	require.NoError(t, err)
	sk := rlwe.NewSecretKey(params)
	params.RingQ().MForm(ring.Poly{Coeffs: [][]uint64(s.Power(1))}, sk.Value.Q)
	return &lattigo{r, params, bgv.NewDecryptor(params, sk), bgv.NewEncoder(params)}
}

func (x *lattigo) decrypt(t testing.TB, parts ...Poly) []uint64 {
	ct := bgv.NewCiphertext(x.params, len(parts)-1, x.params.MaxLevel())
	for i, p := range parts {
		for l := range p {
			copy(ct.Value[i].Coeffs[l], p[l])
		}
	}
	ct.IsBatched = x.r.p.Encoding() == Slots
	out := make([]uint64, x.r.p.n)
	require.NoError(t, x.enc.Decode(x.dec.DecryptNew(ct), out))
	return out
}

// times returns a * T^e, which turns a product of degree e+1 into the form Lattigo
// decrypts.
func times(r *Ring, a Poly, e int) Poly {
	t, f := r.NewPoly(), r.NewPoly()
	for l := range t {
		for i := range t[l] {
			t[l][i] = r.p.T()
		}
	}
	r.Add(f, a, f)
	for range e {
		r.Mul(f, t, f)
	}
	return f
}

func TestLattigoDecrypts(t *testing.T) {
	key, seed := carnet.KeyID{7}, Seed{8}
	for _, p := range Profiles() {
		t.Run(p.Name(), func(t *testing.T) {
			r := NewRing(p)
			s := r.DeriveSecret(seed)
			lat, e := newLattigo(t, r, s), NewEncryptor(r, seed, key)
			rnd := rand.New(rand.NewPCG(1, 2))
			var values [2][]uint64
			var c0, a [2]Poly
			for c := range values {
				values[c] = make([]uint64, p.N())
				for i := range values[c] {
					values[c][i] = rnd.Uint64N(p.T())
				}
				copy(values[c], []uint64{0, 1, p.T() - 1, p.T() / 2, p.T()/2 + 1})
				id := BlockID{File: [32]byte{1}, Column: uint32(c), Block: 9}
				c0[c] = encrypt(t, e, id, values[c])
				a[c] = r.NewPoly()
				r.PublicBlock(key, id, a[c])
				require.Equal(t, values[c], lat.decrypt(t, c0[c], a[c]))
			}
			sum := [2]Poly{r.NewPoly(), r.NewPoly()}
			r.Add(c0[0], c0[1], sum[0])
			r.Add(a[0], a[1], sum[1])
			want := make([]uint64, p.N())
			for i := range want {
				want[i] = (values[0][i] + values[1][i]) % p.T()
			}
			require.Equal(t, want, lat.decrypt(t, sum[0], sum[1]))
			// One factor more each time: D_j of the product gets D_j*c0 + D_(j-1)*a.
			d := []Poly{c0[0], a[0]}
			copy(want, values[0])
			for degree := 2; degree <= p.MaxDegree(); degree++ {
				y := (degree + 1) % 2
				next := make([]Poly, degree+1)
				for j := range next {
					next[j] = r.NewPoly()
					if j < degree {
						r.MulAdd(d[j], c0[y], next[j])
					}
					if j > 0 {
						r.MulAdd(d[j-1], a[y], next[j])
					}
				}
				d = next
				total := uint64(0)
				for i := range want {
					want[i] = mulMod(want[i], values[y][i], p.T())
					total = (total + want[i]) % p.T()
				}
				scaled := make([]Poly, len(d))
				powers := make([]Poly, degree)
				for j := range d {
					scaled[j] = times(r, d[j], degree-1)
					if j > 0 {
						powers[j-1] = s.Power(j)
					}
				}
				require.Equal(t, want, lat.decrypt(t, scaled...), "degree %d", degree)

				// our own opening of the same polynomials
				open := r.ScalarAdd(r.Const(d[0]), r.InnerConst(d[1:], powers))
				value, quotient := r.Decode(open, degree)
				require.Equal(t, total, value)
				require.Positive(t, quotient.Sign())
			}
		})
	}
}

func mulMod(x, y, m uint64) uint64 {
	return ring.BRed(x, y, m, ring.BRedConstant(m))
}

// TestLattigoDecryptsAcrossKeys: the product of ciphertexts of two keys has four parts. With
// one secret put in, two are left, which Lattigo decrypts with the other to the product.
func TestLattigoDecryptsAcrossKeys(t *testing.T) {
	p, err := Lookup("records")
	require.NoError(t, err)
	r := NewRing(p)
	rnd := rand.New(rand.NewPCG(3, 4))
	var secrets [2]*Secret
	var values [2][]uint64
	var c0, a [2]Poly
	for k := range secrets {
		key, seed := carnet.KeyID{byte(k)}, Seed{byte(20 + k)}
		secrets[k] = r.DeriveSecret(seed)
		values[k] = make([]uint64, p.N())
		for i := range values[k] {
			values[k][i] = rnd.Uint64N(p.T())
		}
		id := BlockID{File: [32]byte{byte(k)}}
		c0[k] = encrypt(t, NewEncryptor(r, seed, key), id, values[k])
		a[k] = r.NewPoly()
		r.PublicBlock(key, id, a[k])
	}
	product := func(x, y Poly) Poly {
		out := r.NewPoly()
		r.Mul(x, y, out)
		return out
	}
	one, two := product(c0[0], c0[1]), product(a[0], c0[1])
	r.MulAdd(product(c0[0], a[1]), secrets[1].Power(1), one)
	r.MulAdd(product(a[0], a[1]), secrets[1].Power(1), two)
	want := make([]uint64, p.N())
	for i := range want {
		want[i] = mulMod(values[0][i], values[1][i], p.T())
	}
	require.Equal(t, want, newLattigo(t, r, secrets[0]).decrypt(t, times(r, one, 1), times(r, two, 1)))
}
