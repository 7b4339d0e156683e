package share

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
)

// centred is V: the sum times T^degree as an integer in (-Q/2, Q/2).
func centred(r *he.Ring, sum he.Scalar, degree int) *big.Int {
	p := r.Profile()
	v, q := r.ScalarBig(sum), p.Q()
	v.Mul(v, new(big.Int).Exp(new(big.Int).SetUint64(p.T()), big.NewInt(int64(degree)), nil)).Mod(v, q)
	if v.Cmp(new(big.Int).Rsh(q, 1)) > 0 {
		v.Sub(v, q)
	}
	return v
}

// clean is the total as it would be without any flooding: what must stay hidden.
func (s *system) clean(o *opening) he.Scalar {
	var answers []Answer
	home := map[int][]he.Scalar{}
	for i := 1; i <= s.c.N; i++ {
		ks, rs := s.keyholder(i)
		answers = append(answers, Answer{i, s.value(ks, o.f)})
		if rs.Home() {
			home[i] = []he.Scalar{s.homeValue(ks, o.f)}
		}
	}
	bare := *o
	bare.home = home
	return s.total(&bare, answers)
}

// strip subtracts the floods of the given mask keys from a total.
func (s *system) strip(o *opening, total he.Scalar, masks ...[32]byte) he.Scalar {
	sum := new(big.Int)
	for _, m := range masks {
		sum.Add(sum, Flood(m, o.id, o.k))
	}
	return s.r.ScalarSub(total, s.r.ScalarMul(s.r.TInv(o.f.Degree-1), s.r.ScalarFromBig(sum)))
}

// masksOf derives K_A of every part in from the seeds that seedOf returns.
func (s *system) masksOf(in []Subset, seedOf func(o *owner, a Subset) [32]byte) [][32]byte {
	var ids []carnet.KeyID
	for _, o := range s.owners {
		ids = append(ids, o.key)
	}
	var masks [][32]byte
	for _, a := range in {
		var seeds [][32]byte
		for _, o := range s.owners {
			seeds = append(seeds, seedOf(o, a))
		}
		masks = append(masks, maskKey(ids, a, seeds))
	}
	return masks
}

func dealt(o *owner, a Subset) [32]byte { return o.deal.Seeds[a] }

// hidden says whether a total still hides the noise: its quotient is far above B.
func (s *system) hidden(o *opening, total he.Scalar) bool {
	_, quotient := s.r.Decode(total, o.f.Degree)
	return quotient.Cmp(new(big.Int).Lsh(o.bound, 40)) > 0
}

// TestAttackStripFloods is the frame of the attacks on floods: whoever knows every
// mask key reads the noise, and with it an exact equation on the key; t-1 keyholders
// miss one flood of one part, and that one alone hides it.
func TestAttackStripFloods(t *testing.T) {
	s := newSystem(t, smallRecords, 5, 3, 0, 0)
	stripFloods(t, s, s.open(s.product([]uint32{0}, []uint32{1})))
	s = newSystem(t, smallFour, 5, 3, 0, 0)
	stripFloods(t, s, s.open(s.multiply(functional.Sum(0), functional.Sum(1), functional.Sum(2), functional.Sum(3))))
}

func stripFloods(t *testing.T, s *system, o *opening) {
	total := s.total(o, o.answers)
	require.True(t, s.hidden(o, total))

	stripped := s.strip(o, total, s.masksOf(s.c.Subsets(), dealt)...)
	require.Equal(t, s.clean(o), stripped)
	require.False(t, s.hidden(o, stripped))

	var known []Subset // keyholders 2 and 4 together
	for _, a := range s.c.Subsets() {
		if a != 0b01010 {
			known = append(known, a)
		}
	}
	require.Len(t, known, s.c.Parts()-1)
	require.True(t, s.hidden(o, s.strip(o, total, s.masksOf(known, dealt)...)))
}

// TestAttackWrongDegree: a keyholder computes the degree itself (hard rule 10). If it
// took a degree 1 from the gateway for an opening of degree 2, the flood would enter
// as T^2*f, and the total modulo T^2 would show m + T*E exactly: 45 bits of noise.
func TestAttackWrongDegree(t *testing.T) {
	s := newSystem(t, smallRecords, 3, 2, 0)
	o := s.open(s.product([]uint32{0}, []uint32{1, 2}))
	t2 := new(big.Int).SetUint64(s.p.T())
	t2.Mul(t2, t2)
	noise := new(big.Int).Mod(centred(s.r, s.clean(o), 2), t2)
	seen := func(total he.Scalar) *big.Int { return new(big.Int).Mod(centred(s.r, total, 2), t2) }

	var weak []Answer
	for i := 1; i <= s.c.N; i++ {
		ks, rs := s.keyholder(i)
		weak = append(weak, Answer{i, rs.Respond(o.id, 1, 120, nil, s.value(ks, o.f))})
	}
	require.Equal(t, noise, seen(s.total(o, weak)), "120 bits of flooding hide nothing")
	require.NotEqual(t, noise, seen(s.total(o, o.answers)))
}

// TestAttackUnionOwner: an owner knows the seeds it dealt. Mask keys contain the
// seeds of all owners of an opening, so that in a union it can't strip the floods
// from the others' noise; keyed by its own seeds alone it could.
func TestAttackUnionOwner(t *testing.T) {
	s := newSystem(t, smallRecords, 3, 2, 0, 0, 0)
	o := s.open(s.linear(0))
	attacker := s.owners[1]
	own := map[Subset][32]byte{}
	for _, a := range s.c.Subsets() {
		own[a] = maskKey([]carnet.KeyID{attacker.key}, a, [][32]byte{attacker.deal.Seeds[a]})
	}
	var ownMasks [][32]byte
	for _, a := range s.c.Subsets() {
		ownMasks = append(ownMasks, own[a])
	}

	weak := s.clean(o) // floods keyed by one owner's seeds
	for _, m := range ownMasks {
		weak = s.r.ScalarAdd(weak, s.r.ScalarFromBig(Flood(m, o.id, o.k)))
	}
	require.True(t, s.hidden(o, weak))
	require.Equal(t, s.clean(o), s.strip(o, weak, ownMasks...), "stripped by the owner alone")

	total := s.total(o, o.answers)
	require.True(t, s.hidden(o, s.strip(o, total, ownMasks...)))
	for _, others := range []func(*owner, Subset) [32]byte{
		func(*owner, Subset) [32]byte { return [32]byte{} },
		func(_ *owner, a Subset) [32]byte { return attacker.deal.Seeds[a] },
		func(o *owner, a Subset) [32]byte { return Commit(o.nonce, a, o.deal.Seeds[a]) }, // published
	} {
		guess := s.masksOf(s.c.Subsets(), func(o *owner, a Subset) [32]byte {
			if o == attacker {
				return o.deal.Seeds[a]
			}
			return others(o, a)
		})
		require.True(t, s.hidden(o, s.strip(o, total, guess...)))
	}
}

// TestAttackHome: a home part has a flood of its own. If all keyholders but the home
// keyholder collude, they know every other flood; without one on the home part they
// would read the noise.
func TestAttackHome(t *testing.T) {
	s := newSystem(t, smallRecords, 5, 3, 4)
	o := s.open(s.linear(0))
	total := s.total(o, o.answers)
	masks := s.masksOf(s.c.Subsets(), dealt)
	require.True(t, s.hidden(o, s.strip(o, total, masks...)))

	ks, rs := s.keyholder(4)
	weak := *o
	weak.home = map[int][]he.Scalar{4: {s.homeValue(ks, o.f)}}
	require.False(t, s.hidden(o, s.strip(o, s.total(&weak, o.answers), masks...)))
	require.Equal(t, s.clean(o), s.strip(o, total, append(masks, *rs.home)...), "and nothing else is hidden")

	// Without the home scalar, all others together get nothing that decodes.
	sum, _, err := Combine(s.r, s.c, o.answers)
	require.NoError(t, err)
	without := s.r.ScalarAdd(sum, o.z)
	value, _ := s.r.Decode(without, 1)
	require.NotEqual(t, s.plain(o.f), value)
	require.True(t, s.hidden(o, s.strip(o, without, masks...)))
}

// TestAttackTwoFloodSizes: if the floods of one functional under two sizes k shared
// bits, 2*(E+f') - (E+f) would be the noise but for one bit.
func TestAttackTwoFloodSizes(t *testing.T) {
	mask, id, noise := [32]byte{1}, carnet.Hash{2}, big.NewInt(12345)
	const k = 120
	leak := func(flood func(k int) *big.Int) *big.Int {
		small, large := new(big.Int).Add(noise, flood(k-1)), new(big.Int).Add(noise, flood(k))
		return small.Lsh(small, 1).Sub(small, large)
	}
	truncating := func(k int) *big.Int {
		h := carnet.Keyed(mask[:], tagFlood, id[:])
		f := new(big.Int).Rsh(new(big.Int).SetBytes(h[:]), uint(256-(k+1)))
		return f.Sub(f, new(big.Int).Lsh(big.NewInt(1), uint(k)))
	}
	require.LessOrEqual(t, new(big.Int).Sub(leak(truncating), noise).BitLen(), 1)
	require.Greater(t, leak(func(k int) *big.Int { return Flood(mask, id, k) }).BitLen(), k-20)
}

// TestAttackFloodSampler: a flood is one exact integer in [-2^k, 2^k), the same
// modulo every prime, and each of its bits is random. Samplers that multiply a float
// leave low bits zero, others draw each residue apart; both were attacked.
func TestAttackFloodSampler(t *testing.T) {
	const samples = 1 << 16
	for _, k := range []int{20, 115} {
		low, high, top := make([]int, 1024), make([]int, 1024), make([]int, 1024)
		bits := make([]int, k+1)
		limit := new(big.Int).Lsh(big.NewInt(1), uint(k))
		for i := range samples {
			var id carnet.Hash
			binary.BigEndian.PutUint32(id[:], uint32(i))
			f := Flood([32]byte{9}, id, k)
			require.True(t, f.Cmp(limit) < 0 && new(big.Int).Neg(limit).Cmp(f) <= 0)
			f.Add(f, limit)
			for b := range bits {
				bits[b] += int(f.Bit(b))
			}
			v := new(big.Int).And(f, big.NewInt(1<<20-1)).Uint64()
			low[v&1023]++
			high[v>>10]++
			top[f.Rsh(f, uint(k+1-10)).Uint64()]++
		}
		requireUniform(t, low)
		requireUniform(t, high)
		requireUniform(t, top)
		for b, ones := range bits {
			require.InDelta(t, samples/2, ones, 5*math.Sqrt(samples)/2, "bit %d", b)
		}
	}

	// In an answer: with one keyholder, what is added is one small integer modulo Q.
	s := newSystem(t, smallRecords, 1, 1, 0)
	_, rs := s.keyholder(1)
	for i := range 100 {
		id := carnet.Hash(sha256.Sum256([]byte{byte(i)}))
		added := rs.Respond(id, 2, 150, nil, he.Scalar{})
		require.Equal(t, Flood(rs.masks[0].key, id, 150), centred(s.r, added, 1))
	}
}

// requireUniform is a chi-square test at five standard deviations.
func requireUniform(t testing.TB, counts []int) {
	t.Helper()
	total := 0
	for _, n := range counts {
		total += n
	}
	want, chi := float64(total)/float64(len(counts)), 0.0
	for _, n := range counts {
		chi += (float64(n) - want) * (float64(n) - want) / want
	}
	df := float64(len(counts) - 1)
	require.InDelta(t, df, chi, 5*math.Sqrt(2*df))
}
