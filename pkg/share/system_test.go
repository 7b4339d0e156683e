package share

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
)

// Small rings of the shape of the real profiles: fast, and without any security.
var (
	smallRecords = must(he.NewProfile(he.Literal{Name: "test-records", LogN: 6, Limbs: 4, LimbBits: 55, TBits: 45, MaxDegree: 2, Encoding: he.Slots}))
	smallThree   = must(he.NewProfile(he.Literal{Name: "test-records-3", LogN: 6, Limbs: 5, LimbBits: 55, TBits: 42, MaxDegree: 3, Encoding: he.Slots}))
	smallFour    = must(he.NewProfile(he.Literal{Name: "test-records-4", LogN: 6, Limbs: 6, LimbBits: 55, TBits: 40, MaxDegree: 4, Encoding: he.Slots}))
	smallCube    = must(he.NewProfile(he.Literal{Name: "test-cube", LogN: 6, Limbs: 3, LimbBits: 55, TBits: 45, MaxDegree: 1, Encoding: he.Coefficients}))
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// stream is a deterministic source of random bytes for tests.
func stream(label string) *rand.ChaCha8 { return rand.NewChaCha8(sha256.Sum256([]byte(label))) }

func newRand(label string) *rand.Rand { return rand.New(stream(label)) }

// owner is a data owner with one file of encrypted columns and one dealing.
type owner struct {
	key    carnet.KeyID
	nonce  carnet.Nonce // of the dealing
	file   carnet.Nonce
	secret *he.Secret
	deal   *Deal
	home   int // home keyholder, 0 without
	values [][][]uint64
	c0     [][]he.Poly
}

func (o *owner) dealing() *carnet.Dealing {
	d := &carnet.Dealing{Nonce: o.nonce, Commitments: o.deal.Commitments}
	if o.home != 0 {
		d.Home = &carnet.HomePart{Member: o.home, Commitment: o.deal.HomeCommitment}
	}
	return d
}

// system is a committee and owners that dealt to it, all in one process.
type system struct {
	t      testing.TB
	p      *he.Profile
	r      *he.Ring
	c      Committee
	owners []*owner // ascending by key id
}

const testColumns, testBlocks = 4, 2

// newSystem makes one owner per entry of homes: its home keyholder, 0 without.
func newSystem(t testing.TB, p *he.Profile, n, threshold int, homes ...int) *system {
	s := &system{t: t, p: p, r: he.NewRing(p), c: must(NewCommittee(n, threshold))}
	for i, home := range homes {
		rng := stream(fmt.Sprint("owner", p.Name(), n, threshold, i, homes))
		o := &owner{home: home}
		var seed he.Seed
		for _, b := range [][]byte{seed[:], o.key[:], o.nonce[:], o.file[:]} {
			rng.Read(b)
		}
		o.secret = s.r.DeriveSecret(seed)
		o.deal = must(NewDeal(s.r, o.secret, s.c, o.nonce, p.MaxDegree(), home != 0, rng))
		enc := he.NewEncryptor(s.r, seed, o.key)
		for column := range testColumns {
			var vs [][]uint64
			var cs []he.Poly
			for block := range testBlocks {
				v, c0 := make([]uint64, p.N()), s.r.NewPoly()
				for j := range v {
					v[j] = rng.Uint64() % p.T()
				}
				require.NoError(t, enc.EncryptBlock(he.BlockID{File: o.file, Column: uint32(column), Block: uint32(block)}, v, c0))
				vs, cs = append(vs, v), append(cs, c0)
			}
			o.values, o.c0 = append(o.values, vs), append(o.c0, cs)
		}
		s.owners = append(s.owners, o)
	}
	slices.SortFunc(s.owners, func(a, b *owner) int { return bytes.Compare(a.key[:], b.key[:]) })
	return s
}

func (s *system) homes() []int {
	var ms []int
	for _, o := range s.owners {
		if o.home != 0 && !slices.Contains(ms, o.home) {
			ms = append(ms, o.home)
		}
	}
	return ms
}

// linear sums a column over all owners, over the given cells if there are any.
func (s *system) linear(column uint32, cells ...uint32) *functional.Functional {
	f := &functional.Functional{Degree: 1}
	for _, o := range s.owners {
		f.Keys = append(f.Keys, functional.KeyTerms{Key: o.key, Linear: []functional.Linear{
			{File: o.file, Column: column, Blocks: testBlocks, Cells: cells}}})
	}
	return f
}

// product sums (sum of columns a)*(sum of columns b) over all owners.
func (s *system) product(a, b []uint32) *functional.Functional {
	return s.multiply(functional.Sum(a...), functional.Sum(b...))
}

// multiply sums the product of the factors over all owners.
func (s *system) multiply(factors ...functional.Factor) *functional.Functional {
	f := &functional.Functional{Degree: len(factors)}
	for _, o := range s.owners {
		f.Keys = append(f.Keys, functional.KeyTerms{Key: o.key, Products: []functional.Product{
			{File: o.file, Blocks: testBlocks, Factors: slices.Clone(factors)}}})
	}
	f.Sort()
	return f
}

// keyholder returns keyholder i's shares of all keys, from the bytes it was sent.
func (s *system) keyholder(i int) ([]*KeyShare, *Responder) {
	var ks []*KeyShare
	for _, o := range s.owners {
		b := must(ParseBundle(o.deal.Bundle(s.c, i, o.home).Append(nil)))
		require.NoError(s.t, CheckBundle(s.c, o.dealing(), b))
		ks = append(ks, must(NewKeyShare(s.r, s.c, o.key, b, s.p.MaxDegree())))
	}
	return ks, must(NewResponder(s.r, s.c, i, ks))
}

// value is what keyholder i's shares make of the functional, before flooding.
func (s *system) value(ks []*KeyShare, f *functional.Functional) (sum he.Scalar) {
	for k := range f.Keys {
		sum = s.r.ScalarAdd(sum, s.inner(k, f, ks[k].Power, false))
	}
	return sum
}

func (s *system) homeValue(ks []*KeyShare, f *functional.Functional) (sum he.Scalar) {
	for k := range f.Keys {
		if ks[k].Home() {
			sum = s.r.ScalarAdd(sum, s.inner(k, f, ks[k].HomePower, false))
		}
	}
	return sum
}

// z is the public value.
func (s *system) z(f *functional.Functional) (sum he.Scalar) {
	for k, o := range s.owners {
		w := func(j int) he.Poly { return o.deal.Corrections[j-1] }
		sum = s.r.ScalarAdd(sum, s.inner(k, f, w, true))
	}
	return sum
}

// certificate returns B and k.
func (s *system) certificate(f *functional.Functional) (*big.Int, int) {
	b := NoiseBound(s.p, f.Degree, Terms(f))
	k, _, err := FloodBits(s.p, s.c, len(s.homes()), b)
	require.NoError(s.t, err)
	return b, k
}

// opening is everything the buyer gets for one functional.
type opening struct {
	f       *functional.Functional
	id      carnet.Hash
	bound   *big.Int
	k       int
	answers []Answer
	home    map[int][]he.Scalar
	z       he.Scalar
}

// open lets all keyholders answer.
func (s *system) open(f *functional.Functional) *opening {
	o := &opening{f: f, home: map[int][]he.Scalar{}, z: s.z(f)}
	o.bound, o.k = s.certificate(f)
	o.id = FunctionalID(s.p, f, o.k, nil, s.contents(f))
	for i := 1; i <= s.c.N; i++ {
		ks, rs := s.keyholder(i)
		o.answers = append(o.answers, Answer{i, rs.Respond(o.id, f.Degree, o.k, nil, s.value(ks, f))})
		if rs.Home() {
			o.home[i] = []he.Scalar{rs.RespondHome(o.id, f.Degree, o.k, nil, s.homeValue(ks, f))}
		}
	}
	return o
}

// total combines the given answers and adds what is public.
func (s *system) total(o *opening, answers []Answer) he.Scalar {
	sum, liars, err := Combine(s.r, s.c, answers)
	require.NoError(s.t, err)
	require.Empty(s.t, liars)
	sums := []he.Scalar{sum}
	require.NoError(s.t, AddHome(s.r, sums, s.homes(), o.home))
	return s.r.ScalarAdd(sums[0], o.z)
}
