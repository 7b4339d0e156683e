package share

import (
	"crypto/sha256"
	"encoding"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
)

// unmask adds to a correction the parts with the given seeds.
func unmask(r *he.Ring, correction he.Poly, j int, seeds ...[32]byte) he.Poly {
	sum, part := r.NewPoly(), r.NewPoly()
	r.Add(sum, correction, sum)
	for _, seed := range seeds {
		expandPart(r, seed, j, part)
		r.Add(sum, part, sum)
	}
	return sum
}

// known are the seeds that these keyholders hold together.
func (s *system) known(o *owner, members ...int) [][32]byte {
	var seeds [][32]byte
	for _, a := range s.c.Subsets() {
		for _, i := range members {
			if s.c.Holds(i, a) {
				seeds = append(seeds, o.deal.Seeds[a])
				break
			}
		}
	}
	return seeds
}

// TestAttackFewerThanThreshold: for t-1 keyholders, a correction less all parts they
// know is still masked by the part they miss; t keyholders read the secret. Each
// power has its own mask: under one mask the difference of two corrections would
// show s^2 - s.
func TestAttackFewerThanThreshold(t *testing.T) {
	p := must(he.NewProfile(he.Literal{Name: "test-wide", LogN: 10, Limbs: 4, LimbBits: 55, TBits: 45, MaxDegree: 2, Encoding: he.Slots}))
	s := newSystem(t, p, 5, 3, 0)
	o := s.owners[0]
	for j := 1; j <= 2; j++ {
		secret, delta := o.secret.Power(j), o.deal.Corrections[j-1]
		require.Equal(t, secret, unmask(s.r, delta, j, s.known(o, 1, 2, 5)...), "t keyholders open")
		for _, coalition := range [][]int{{1, 2}, {2, 4}, {4, 5}} {
			seen := unmask(s.r, delta, j, s.known(o, coalition...)...)
			require.NotEqual(t, secret, seen)
			requireUniformPoly(t, s.r, seen)
			s.r.Sub(seen, secret, seen)
			requireUniformPoly(t, s.r, seen)
			s.r.INTT(seen)
			requireUniformPoly(t, s.r, seen)
		}
	}

	weak := s.r.NewPoly() // s^2 under the mask of s
	for _, seed := range o.deal.Seeds {
		weak = unmask(s.r, weak, 1, seed)
	}
	s.r.Sub(o.secret.Power(2), weak, weak)
	s.r.Sub(weak, o.deal.Corrections[0], weak)
	leak := s.r.NewPoly()
	s.r.Sub(o.secret.Power(2), o.secret.Power(1), leak)
	require.Equal(t, leak, weak, "one mask for two powers gives s^2 - s to everybody")
	apart := s.r.NewPoly()
	s.r.Sub(o.deal.Corrections[1], o.deal.Corrections[0], apart)
	requireUniformPoly(t, s.r, apart)
}

// requireUniformPoly tests the high and the low bits of all residues.
func requireUniformPoly(t testing.TB, r *he.Ring, a he.Poly) {
	t.Helper()
	high, low := make([]int, 64), make([]int, 64)
	for l, q := range r.Profile().Primes() {
		for _, v := range a[l] {
			high[v/(q/64+1)]++
			low[v%64]++
		}
	}
	requireUniform(t, high)
	requireUniform(t, low)
}

// TestAttackWrongSeed: an owner that deals one keyholder another seed for a part than
// the others would push it off the codeword, to have it named a liar or to compare
// two answers. The commitments, which are part of the key id, give it away.
func TestAttackWrongSeed(t *testing.T) {
	s := newSystem(t, smallRecords, 5, 3, 0)
	o := s.owners[0]
	for i := 1; i <= s.c.N; i++ {
		for _, a := range s.c.held(i) {
			b := o.deal.Bundle(s.c, i, 0)
			seed := b.Seeds[a]
			seed[0] ^= 1
			b.Seeds[a] = seed
			requireReason(t, "BAD_SEEDS", CheckBundle(s.c, o.dealing(), b))

			k := must(NewKeyShare(s.r, s.c, o.key, b, 1)) // what accepting it would do
			if i == 1 && a == 0b00110 {
				open := s.open(s.linear(0))
				rs := must(NewResponder(s.r, s.c, 1, []*KeyShare{k}))
				open.answers[0].Value = rs.Respond(open.id, 1, open.k, nil, s.value([]*KeyShare{k}, open.f))
				_, _, err := Combine(s.r, s.c, open.answers)
				requireReason(t, "INCONSISTENT_ANSWERS", err)
			}
		}
	}
}

// TestAttackCommitmentAsKey: commitments are public, so none may be a key or lead to
// one (hard rule 9). Keyed by commitments, floods would be stripped by anyone; with
// SHA-256(seed) as commitment and SHA-256(seed ‖ label) as key, the key would follow
// from the commitment by length extension.
func TestAttackCommitmentAsKey(t *testing.T) {
	s := newSystem(t, smallRecords, 3, 2, 0)
	dealer := s.owners[0]
	o := s.open(s.linear(0))
	public := func(ow *owner, a Subset) [32]byte { return Commit(ow.nonce, a, ow.deal.Seeds[a]) }

	weakMasks := s.masksOf(s.c.Subsets(), public)
	weak := s.clean(o)
	for _, m := range weakMasks {
		weak = s.r.ScalarAdd(weak, s.r.ScalarFromBig(Flood(m, o.id, o.k)))
	}
	require.Equal(t, s.clean(o), s.strip(o, weak, weakMasks...))
	total := s.total(o, o.answers)
	require.True(t, s.hidden(o, s.strip(o, total, weakMasks...)))
	var bare [][32]byte // the commitments themselves as mask keys
	for _, c := range dealer.deal.Commitments {
		bare = append(bare, c)
	}
	require.True(t, s.hidden(o, s.strip(o, total, bare...)))

	published := map[[32]byte]bool{o.id: true, s.p.ID(): true, dealer.key: true, dealer.nonce: true}
	for _, c := range dealer.deal.Commitments {
		published[c] = true
	}
	derived := map[[32]byte]bool{}
	for x, m := range s.masksOf(s.c.Subsets(), dealt) {
		seed := dealer.deal.Seeds[s.c.Subsets()[x]]
		for _, key := range [][32]byte{seed, m, partKey(s.p, seed, 1), partKey(s.p, seed, 2), carnet.Keyed(m[:], tagFlood, o.id[:], u32(uint32(o.k)), u32(0))} {
			require.False(t, published[key], "a published value is a key")
			require.False(t, derived[key], "two derivations give one key")
			derived[key] = true
		}
	}

	seed := dealer.deal.Seeds[0b001]
	label := []byte("any label")
	padding := append([]byte{0x80}, make([]byte, 31)...)
	binary.BigEndian.PutUint64(padding[24:], 8*32)
	weakCommitment := sha256.Sum256(seed[:])
	weakKey := sha256.Sum256(append(append(seed[:], padding...), label...))
	require.Equal(t, weakKey, extend(weakCommitment, 64, label), "derived without the seed")
	for _, length := range []uint64{64, 128, 192} { // whatever was hashed before
		for _, c := range dealer.deal.Commitments {
			require.False(t, derived[extend(c, length, label)])
		}
	}
	h := carnet.Keyed(seed[:], tagPart, label)
	require.NotEqual(t, carnet.Keyed(seed[:], tagPart, label, label), extend(h, 128, label))
}

// extend continues a SHA-256 from its result, as if length bytes had been hashed.
func extend(digest [32]byte, length uint64, more []byte) (out [32]byte) {
	state := append([]byte("sha\x03"), digest[:]...)
	state = append(state, make([]byte, 64)...)
	state = binary.BigEndian.AppendUint64(state, length)
	h := sha256.New()
	if err := h.(encoding.BinaryUnmarshaler).UnmarshalBinary(state); err != nil {
		panic(err)
	}
	h.Write(more)
	h.Sum(out[:0])
	return out
}

// TestAttackDealTwice: seeds are drawn anew for every dealing. If they followed from
// the dataset key and the part's name, t-1 people of an old committee and t-1 of a
// new one under other numbers would hold all of them.
func TestAttackDealTwice(t *testing.T) {
	s := newSystem(t, smallRecords, 5, 3, 0)
	o := s.owners[0]
	rng := stream("again")
	nonce := carnet.Nonce{1}
	again := must(NewDeal(s.r, o.secret, s.c, nonce, 2, false, rng))
	seen := map[[32]byte]bool{}
	for _, d := range []*Deal{o.deal, again} {
		for _, seed := range d.Seeds {
			require.False(t, seen[seed])
			seen[seed] = true
		}
	}
	require.NotEqual(t, o.deal.Corrections, again.Corrections)
	require.NotContains(t, again.Commitments, o.deal.Commitments[0])

	// Old keyholders 1 and 2 pool with new keyholders 3 and 4.
	pool := func(first, second *Deal) (seeds [][32]byte) {
		for _, a := range s.c.Subsets() {
			switch {
			case s.c.Holds(1, a) || s.c.Holds(2, a):
				seeds = append(seeds, first.Seeds[a])
			case s.c.Holds(3, a) || s.c.Holds(4, a):
				seeds = append(seeds, second.Seeds[a])
			}
		}
		return seeds
	}
	weak := must(NewDeal(s.r, o.secret, s.c, o.nonce, 2, false, stream("derived from the key")))
	same := must(NewDeal(s.r, o.secret, s.c, nonce, 2, false, stream("derived from the key")))
	require.Equal(t, o.secret.Power(1), unmask(s.r, weak.Corrections[0], 1, pool(weak, same)...))
	require.NotEqual(t, o.secret.Power(1), unmask(s.r, o.deal.Corrections[0], 1, pool(o.deal, again)...))
	require.NotEqual(t, o.secret.Power(1), unmask(s.r, again.Corrections[0], 1, pool(o.deal, again)...))
}
