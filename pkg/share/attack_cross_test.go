package share

import (
	"math/big"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/scan"
)

// tinyRecords has as few slots as a test has products of two columns.
var tinyRecords = must(he.NewProfile(he.Literal{Name: "test-records-tiny", LogN: 4, Limbs: 4, LimbBits: 55, TBits: 45, MaxDegree: 2, Encoding: he.Slots}))

// products are openings of every column of owner 0 times every column of owner 1.
func (s *system) products() (all []*crossing) {
	for c := range uint32(testColumns) {
		for d := range uint32(testColumns) {
			all = append(all, s.crossing(s.cross(0, 1, functional.Sum(c), functional.Sum(d))))
		}
	}
	return all
}

// unmasked is an answer without its zero sharing.
func (x *crossing) unmasked(i int) he.Scalar {
	r := x.s.r
	rs, value := x.responder(i)
	v := rs.Respond(x.id, x.k, nil, value)
	for _, m := range rs.masks {
		z := zeroSharings(r, rs.t, i, carnet.Keyed(m.key[:], tagZero, x.id[:]), 1)[0]
		v = r.ScalarSub(v, r.ScalarMul(m.factor, z))
	}
	return v
}

// TestAttackNoZeroSharing: products of shares lie on a polynomial of degree 2(t-1), and
// floods on one of degree t-1. Without a zero sharing the highest coefficient of the
// answers is an exact product: E11 times the highest coefficients of both owners' shares.
// One owner knows its own, has as many equations as releases on the other's, and one
// curious keyholder makes the other owner's whole key of them.
func TestAttackNoZeroSharing(t *testing.T) {
	s := newSystem(t, tinyRecords, 3, 2, 0, 0)
	q := new(big.Int).SetUint64(s.p.Prime(0))
	n := s.p.N()
	parts := func(o *owner, a Subset) he.Poly {
		p := s.r.NewPoly()
		expandPart(s.r, o.deal.Seeds[a], 1, p)
		return p
	}
	// highest adds up the parts times the highest coefficient of f_A, which is -1/j for
	// the part of keyholder j.
	highest := func(o *owner, of ...Subset) he.Poly {
		sum := s.r.NewPoly()
		for _, a := range of {
			j := int64(slices.Index([]Subset{0b001, 0b010, 0b100}, a) + 1)
			f := new(big.Int).ModInverse(big.NewInt(j), s.p.Q())
			s.r.MulScalarAdd(parts(o, a), s.r.ScalarFromBig(f.Neg(f)), sum)
		}
		return sum
	}
	victim, attacker := s.owners[0], s.owners[1]
	known := highest(attacker, s.c.Subsets()...)

	all := s.products()
	require.Len(t, all, n)
	recover_ := func(answer func(x *crossing, i int) he.Scalar) []uint64 {
		var rows [][]*big.Int
		for _, x := range all {
			var ys [3]*big.Int
			for i := range ys {
				ys[i] = s.r.ScalarBig(answer(x, i+1))
			}
			// (y1 - 2*y2 + y3)/2 is the coefficient of i^2, N times it what the sum over
			// the slots is.
			top := new(big.Int).Sub(ys[0], ys[1])
			top.Sub(top, ys[1]).Add(top, ys[2]).Mul(top, big.NewInt(int64(n/2)))
			e := s.r.NewPoly()
			s.r.Mul(x.parts.Pairs[0].E, known, e)
			var row []*big.Int
			for i := range n {
				row = append(row, new(big.Int).SetUint64(e[0][i]))
			}
			rows = append(rows, append(row, top.Mod(top, q)))
		}
		solution := gauss(rows, q)
		// Keyholder 1 helps: it has all parts but its own, whose factor is -1.
		rest := highest(victim, 0b010, 0b100)
		secret := s.r.NewPoly()
		s.r.Add(victim.deal.Corrections[0], parts(victim, 0b010), secret)
		s.r.Add(secret, parts(victim, 0b100), secret)
		out := make([]uint64, n)
		for i := range out {
			missing := new(big.Int).Sub(new(big.Int).SetUint64(rest[0][i]), solution[i])
			missing.Add(missing, new(big.Int).SetUint64(secret[0][i]))
			out[i] = missing.Mod(missing, q).Uint64()
		}
		return out
	}
	secret := victim.secret.Power(1)[0]
	require.Equal(t, secret, recover_((*crossing).unmasked), "floods hide nothing here: the whole key")
	hidden := recover_(func(x *crossing, i int) he.Scalar {
		rs, value := x.responder(i)
		return rs.Respond(x.id, x.k, nil, value)
	})
	for i := range secret {
		require.NotEqual(t, secret[i], hidden[i])
	}
}

// TestAttackSeparateTerms: what belongs to one polynomial of a product never leaves a
// keyholder alone. Unflooded, as many scalars as slots give its share of a key; and the
// other terms of an answer don't help who has one of them, since they are all in one sum.
func TestAttackSeparateTerms(t *testing.T) {
	s := newSystem(t, tinyRecords, 3, 2, 0, 0)
	q, n := new(big.Int).SetUint64(s.p.Prime(0)), s.p.N()
	ks, _ := s.keyholder(2)
	share := ks[0].Power(1)
	var rows [][]*big.Int
	for _, x := range s.products() {
		var row []*big.Int
		for i := range n {
			row = append(row, new(big.Int).SetUint64(x.parts.Own[0][0][i]))
		}
		alone := s.r.InnerConst([]he.Poly{x.parts.Own[0]}, []he.Poly{share})
		row = append(row, new(big.Int).Mul(new(big.Int).SetUint64(alone[0]), big.NewInt(int64(n))))
		rows = append(rows, row)
	}
	for i, v := range gauss(rows, q) {
		require.Equal(t, share[0][i], v.Uint64())
	}
}

// cleanCross is a total without flooding: what must stay hidden.
func (x *crossing) clean() he.Scalar {
	secrets := map[carnet.KeyID]he.Poly{}
	for _, o := range x.s.owners {
		secrets[o.key] = o.secret.Power(1)
	}
	return x.parts.Value(x.s.r, secrets)
}

// TestAttackStripFloodsAcrossKeys: whoever knows all mask keys reads the noise; an owner,
// who knows one owner's seeds, and t-1 keyholders, who lack one part, don't.
func TestAttackStripFloodsAcrossKeys(t *testing.T) {
	s := newSystem(t, smallRecords, 5, 3, 0, 0)
	x := s.crossing(s.squaredDifferences(0, 1)...)
	o := &opening{f: x.f, id: x.id, bound: x.bound, k: x.k}
	total := x.total(x.answers())
	require.True(t, s.hidden(o, total))
	stripped := s.strip(o, total, s.masksOf(s.c.Subsets(), dealt)...)
	require.Equal(t, x.clean(), stripped)
	require.False(t, s.hidden(o, stripped))

	var known []Subset // keyholders 2 and 4 together
	for _, a := range s.c.Subsets() {
		if a != 0b01010 {
			known = append(known, a)
		}
	}
	require.True(t, s.hidden(o, s.strip(o, total, s.masksOf(known, dealt)...)))
	for attacker := range s.owners {
		own := s.masksOf(s.c.Subsets(), func(o *owner, a Subset) [32]byte { return s.owners[attacker].deal.Seeds[a] })
		require.True(t, s.hidden(o, s.strip(o, total, own...)))
		var alone [][32]byte
		for _, a := range s.c.Subsets() {
			alone = append(alone, maskKey([]carnet.KeyID{s.owners[attacker].key}, a, [][32]byte{s.owners[attacker].deal.Seeds[a]}))
		}
		require.True(t, s.hidden(o, s.strip(o, total, alone...)))
	}
}

// TestAttackTwoCorrections: an answer depends on the corrections, which F has through the
// key id, the hash of the signed dealing. If an owner could have two corrections under one
// id, the difference of two answers would be an exact equation on the other's share.
func TestAttackTwoCorrections(t *testing.T) {
	s := newSystem(t, smallRecords, 3, 2, 0, 0)
	x := s.crossing(s.cross(0, 1, functional.Sum(0), functional.Sum(1)))
	ks, _ := s.keyholder(1)
	rs, one := x.responder(1)
	shift := s.r.NewPoly()
	s.r.Uniform([32]byte{5}, shift)
	corrections, shares := s.corrections(), map[carnet.KeyID]he.Poly{}
	for _, k := range ks {
		shares[k.Key()] = k.Power(1)
	}
	changed := s.r.NewPoly()
	s.r.Add(corrections[x.parts.Keys[1]], shift, changed)
	corrections[x.parts.Keys[1]] = changed
	two := x.parts.Share(s.r, shares, corrections)
	exact := s.r.NewPoly()
	s.r.Mul(shift, shares[x.parts.Keys[0]], exact)
	require.Equal(t, s.r.InnerConst([]he.Poly{x.parts.Pairs[0].E}, []he.Poly{exact}),
		s.r.ScalarSub(rs.Respond(x.id, x.k, nil, two), rs.Respond(x.id, x.k, nil, one)), "under one id nothing hides the victim's share")
	again := *x.f
	again.Keys = slices.Clone(x.f.Keys)
	again.Keys[1].Key[0] ^= 1
	require.NotEqual(t, x.id, FunctionalID(s.p, &again, x.k, nil, x.parts.Contents(s.r)), "another dealing is another key")
}

// TestAttackCrossInputs: what an answer depends on changes F, and nothing else does.
func TestAttackCrossInputs(t *testing.T) {
	s := newSystem(t, smallRecords, 3, 2, 0, 0, 0)
	x := s.crossing(s.cross(0, 1, functional.Sum(0), functional.Sum(1)), s.cross(1, 2, functional.Sum(0), functional.Sum(1)))
	id := func(parts *scan.CrossParts) carnet.Hash { return FunctionalID(s.p, x.f, x.k, nil, parts.Contents(s.r)) }
	require.Equal(t, x.id, id(s.crossParts(x.f)))
	seen := map[carnet.Hash]bool{x.id: true, FunctionalID(s.p, x.f, x.k-1, nil, x.parts.Contents(s.r)): true}
	plain := *x.f
	plain.Cross = nil
	seen[FunctionalID(s.p, &plain, x.k, nil, x.parts.Contents(s.r))] = true
	require.Len(t, seen, 3, "k and the operation")
	rs, value := x.responder(1)
	answer := rs.Respond(x.id, x.k, nil, value)
	polys := append(slices.Clone(x.parts.Own), x.parts.Pairs[0].E, x.parts.Pairs[1].E)
	for _, p := range polys {
		p[2][5] ^= 1
		f := id(x.parts)
		require.False(t, seen[f])
		seen[f] = true
		require.NotEqual(t, answer, rs.Respond(f, x.k, nil, value), "other masks for another functional")
		p[2][5] ^= 1
	}
	x.parts.Pairs[0], x.parts.Pairs[1] = scan.CrossPair{A: 0, B: 1, E: x.parts.Pairs[1].E}, scan.CrossPair{A: 1, B: 2, E: x.parts.Pairs[0].E}
	require.False(t, seen[id(x.parts)], "polynomials swapped")
	x.parts = s.crossParts(x.f)
	x.parts.Stored[0][0] ^= 1
	require.Equal(t, x.id, id(x.parts), "the public part, which the gateway could vary, has no influence")

	// Repeated, restored, other active sets: the same bytes.
	x = s.crossing(x.f.Cross...)
	require.Equal(t, x.answers(), s.crossing(x.f.Cross...).answers())
}

// TestAttackCrossLiars: with 3t-2 answers t-1 lies that agree with each other are found,
// and with fewer as many as there are answers beyond 2t-1.
func TestAttackCrossLiars(t *testing.T) {
	for _, nt := range [][2]int{{3, 2}, {4, 2}, {5, 2}, {7, 3}, {9, 3}} {
		s := newSystem(t, smallRecords, nt[0], nt[1], 0, 0)
		x := s.crossing(s.cross(0, 1, functional.Sum(2), functional.Sum(3)))
		honest := x.answers()
		want := x.total(honest)
		for m := 2*s.c.T - 1; m <= s.c.N; m++ {
			detected, corrected := s.c.CrossGuarantees(m)
			for lies := 1; lies <= detected; lies++ {
				bad := slices.Clone(honest[:m])
				for i := range lies {
					bad[i] = shift(s.r, bad[i], int64(i+1))
				}
				sum, liars, err := x.combine(bad)
				if lies > corrected {
					requireReason(t, "INCONSISTENT_ANSWERS", err)
					continue
				}
				require.NoError(t, err)
				require.Len(t, liars, lies)
				require.Equal(t, want, s.r.ScalarAdd(sum, x.parts.Value(s.r, s.corrections())))
			}
		}
		_, _, err := x.combine(honest[:2*s.c.T-2])
		requireReason(t, "TOO_FEW_ANSWERS", err)
	}
}

// TestAttackPlantedPhase: an owner that encrypts the phase T^-1*(1 + T*2^j)*X^-i, which is
// no encryption of numbers, lifts coefficient i of the other owner's noise by j bits. Where
// floods are smaller than they could be, it reads that noise exactly, and with enough of it
// the key. With the largest k that fits, the lifted noise wraps around before it rises above
// the floods.
func TestAttackPlantedPhase(t *testing.T) {
	s := newSystem(t, smallRecords, 5, 3, 0, 0)
	victim, attacker := s.owners[0], s.owners[1]
	modulus := new(big.Int).SetUint64(s.p.T())
	const lift = 123 // 2^j * 20 * T^2 is a quarter of Q
	// noise is the true one: the phase of the victim's first block, divided by T.
	phase := s.r.NewPoly()
	s.r.Mul(s.public(victim, 0, 0), victim.secret.Power(1), phase)
	s.r.Add(phase, victim.c0[0][0], phase)
	s.r.INTT(phase)
	noise := func(i int) int64 {
		var v he.Scalar
		for l := range phase {
			v[l] = phase[l][i]
		}
		return new(big.Int).Div(centred(s.r, v, 1), modulus).Int64()
	}
	planted := s.r.ScalarAdd(s.r.TInv(1), s.r.ScalarFromBig(new(big.Int).Lsh(big.NewInt(1), lift)))
	plant := func(i int) {
		for block := range testBlocks {
			c0 := attacker.c0[0][block]
			for l := range c0 {
				clear(c0[l])
				if block == 0 && i == 0 {
					c0[l][0] = planted[l]
				} else if block == 0 {
					c0[l][s.p.N()-i] = s.p.Prime(l) - planted[l] // X^-i
				}
			}
			s.r.NTT(c0)
			as := s.r.NewPoly()
			s.r.Mul(s.public(attacker, 0, block), attacker.secret.Power(1), as)
			s.r.Sub(c0, as, c0)
		}
	}
	read := func(k int, x *crossing) int64 {
		x.k = k
		x.id = FunctionalID(s.p, x.f, k, nil, x.parts.Contents(s.r))
		v := centred(s.r, x.total(x.answers()), 2)
		v.Quo(v, modulus)
		v.Rsh(v, lift)
		return v.Div(v, modulus).Int64()
	}
	weak, full := 0, 0
	const trials = 24
	for i := range trials {
		plant(i)
		x := s.crossing(s.cross(0, 1, functional.Sum(0), functional.Sum(0)))
		k := x.k
		if read(k-20, x) == noise(i) {
			weak++
		}
		if read(k, x) == noise(i) {
			full++
		}
	}
	require.Equal(t, trials, weak)
	require.Less(t, full, trials/3)
}
