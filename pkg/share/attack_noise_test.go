package share

import (
	"fmt"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
)

// openNoisy is open with privacy noise of the given variance.
func (s *system) openNoisy(f *functional.Functional, variance *big.Int) *opening {
	o := &opening{f: f, home: map[int][]he.Scalar{}, z: s.z(f)}
	o.bound, o.k = s.certificate(f)
	o.id = FunctionalID(s.p, f, o.k, variance, s.contents(f))
	for i := 1; i <= s.c.N; i++ {
		ks, rs := s.keyholder(i)
		o.answers = append(o.answers, Answer{i, rs.Respond(o.id, f.Degree, o.k, variance, s.value(ks, f))})
		if rs.Home() {
			o.home[i] = []he.Scalar{rs.RespondHome(o.id, f.Degree, o.k, variance, s.homeValue(ks, f))}
		}
	}
	return o
}

// shift is how far an opening is from the one without noise, centred modulo T.
func (s *system) shift(noisy, plain *opening) int64 {
	decode := func(o *opening) uint64 {
		v, _ := s.r.Decode(s.total(o, o.answers[:s.c.T]), o.f.Degree)
		return v
	}
	t := s.p.T()
	return he.Centre((decode(noisy)+t-decode(plain))%t, t)
}

// partNoises are what the parts of the committee, and the homes, add: recomputed from all
// seeds, which nobody but the owners together has.
func (s *system) partNoises(o *opening, variance *big.Int) (out []*big.Int) {
	var ids []carnet.KeyID
	for _, w := range s.owners {
		ids = append(ids, w.key)
	}
	for _, a := range s.c.Subsets() {
		var seeds [][32]byte
		for _, w := range s.owners {
			seeds = append(seeds, w.deal.Seeds[a])
		}
		out = append(out, Noise(maskKey(ids, a, seeds), o.id, variance))
	}
	return out
}

// What a buyer opens is the total and one whole noise of every part, exactly, in both
// encodings, for every degree and over unions. At any other scale it would vanish modulo T
// without a trace (scheme §5).
func TestNoiseArrives(t *testing.T) {
	variance := big.NewInt(1_000_000)
	for name, x := range map[string]struct {
		s *system
		f func(s *system) *functional.Functional
	}{
		"slots":   {newSystem(t, smallRecords, 3, 2, 0), func(s *system) *functional.Functional { return s.linear(0) }},
		"product": {newSystem(t, smallRecords, 5, 3, 0), func(s *system) *functional.Functional { return s.product([]uint32{0}, []uint32{1, 2}) }},
		"degree 4": {newSystem(t, smallFour, 3, 2, 0), func(s *system) *functional.Functional {
			return s.multiply(functional.Sum(0), functional.Sum(1), functional.Sum(2), functional.Sum(3))
		}},
		"cells":       {newSystem(t, smallCube, 3, 2, 0), func(s *system) *functional.Functional { return s.linear(1, 0, 3, 70) }},
		"union":       {newSystem(t, smallRecords, 5, 3, 0, 0), func(s *system) *functional.Functional { return s.product([]uint32{0}, []uint32{1}) }},
		"cells union": {newSystem(t, smallCube, 5, 3, 0, 0), func(s *system) *functional.Functional { return s.linear(1, 5) }},
	} {
		t.Run(name, func(t *testing.T) {
			f := x.f(x.s)
			noisy, plain := x.s.openNoisy(f, variance), x.s.open(f)
			sum := new(big.Int)
			for _, eta := range x.s.partNoises(noisy, variance) {
				sum.Add(sum, eta)
				require.LessOrEqual(t, eta.CmpAbs(big.NewInt(13_000)), 0)
			}
			require.NotZero(t, sum.Sign())
			require.Equal(t, sum.Int64(), x.s.shift(noisy, plain))
			require.NotEqual(t, noisy.id, plain.id, "noise is in F")
		})
	}
}

// Across keys and with a private parameter, noise arrives as it does elsewhere.
func TestNoiseArrivesAcrossAndSelected(t *testing.T) {
	variance := big.NewInt(1_000_000)
	sum := func(keys []carnet.KeyID, seedsOf func(a Subset) [][32]byte, tag string, c Committee, id carnet.Hash) int64 {
		total := new(big.Int)
		for _, a := range c.Subsets() {
			total.Add(total, Noise(maskKeyTagged(tag, keys, a, seedsOf(a)), id, variance))
		}
		require.NotZero(t, total.Sign())
		return total.Int64()
	}
	centred := func(s *system, noisy, plain uint64) int64 {
		return he.Centre((noisy+s.p.T()-plain)%s.p.T(), s.p.T())
	}
	t.Run("across", func(t *testing.T) {
		s := newSystem(t, smallRecords, 5, 3, 0, 0)
		x := s.crossing(s.cross(0, 1, functional.Sum(0), functional.Sum(1)))
		plain, _ := s.r.Decode(x.total(x.answers()), 2)
		id := FunctionalID(s.p, x.f, x.k, variance, x.parts.Contents(s.r))
		var answers []Answer
		for i := 1; i <= s.c.N; i++ {
			rs, value := x.responder(i)
			answers = append(answers, Answer{i, rs.Respond(id, x.k, variance, value)})
		}
		noisy, _ := s.r.Decode(x.total(answers), 2)
		var keys []carnet.KeyID
		for _, o := range s.owners {
			keys = append(keys, o.key)
		}
		want := sum(keys, func(a Subset) (seeds [][32]byte) {
			for _, o := range s.owners {
				seeds = append(seeds, o.deal.Seeds[a])
			}
			return seeds
		}, tagMask, s.c, id)
		require.Equal(t, want, centred(s, noisy, plain))
	})
	for degree := 1; degree <= 2; degree++ {
		t.Run(fmt.Sprint("selected, degree ", degree), func(t *testing.T) {
			s := newSystem(t, smallRecords, 5, 2, 0)
			a := s.ask("noisy", s.choices(degree), 1)
			plain, _ := a.open(a.answers())
			var hd [][]carnet.Hash
			for _, f := range a.fs {
				hd = append(hd, s.contents(f))
			}
			id := SelectionID(s.p, a.fs, a.k, variance, hd, a.sel.Hash())
			var answers []Answer
			for i := 1; i <= s.c.N; i++ {
				ks, rs := a.responder(i)
				answers = append(answers, Answer{i, rs.Respond(id, a.fs[0].Degree, a.k, variance, a.values(ks))})
			}
			noisy, _ := a.open(answers)
			o := s.owners[0]
			want := sum([]carnet.KeyID{o.key}, func(b Subset) [][32]byte { return [][32]byte{o.deal.Seeds[b], a.seeds[b]} }, tagSelectMask, s.c, id)
			require.Equal(t, want, centred(s, noisy, plain))
		})
	}
}

// The home part adds noise of its own: keyholders without it may all collude.
func TestNoiseOfHome(t *testing.T) {
	s, variance := newSystem(t, smallRecords, 3, 2, 2), big.NewInt(1_000_000)
	f := s.linear(0)
	noisy, plain := s.openNoisy(f, variance), s.open(f)
	sum := new(big.Int)
	for _, eta := range s.partNoises(noisy, variance) {
		sum.Add(sum, eta)
	}
	home := Noise(maskKey([]carnet.KeyID{s.owners[0].key}, HomeLabel, [][32]byte{*s.owners[0].deal.Home}), noisy.id, variance)
	require.NotZero(t, home.Sign())
	require.Equal(t, sum.Add(sum, home).Int64(), s.shift(noisy, plain))
}

// Averaging: whatever set of keyholders answers, and however often, the noise is the same.
func TestAttackAveragingRepeats(t *testing.T) {
	s, variance := newSystem(t, smallRecords, 5, 3, 0), big.NewInt(1_000_000)
	f := s.linear(0)
	first := s.openNoisy(f, variance)
	want, _ := s.r.Decode(s.total(first, first.answers[:3]), 1)
	for range 5 {
		again := s.openNoisy(f, variance)
		require.Equal(t, first.answers, again.answers)
		for _, active := range [][]int{{0, 1, 2}, {2, 3, 4}, {0, 2, 4}} {
			var answers []Answer
			for _, i := range active {
				answers = append(answers, again.answers[i])
			}
			got, _ := s.r.Decode(s.total(again, answers), 1)
			require.Equal(t, want, got)
		}
	}
}

// A coalition of t-1 keyholders and the buyer knows the noise of all parts but one. What is
// left has the whole variance, and the owner's colluding with it uncovers no noise of a union.
func TestAttackNoiseOfCoalition(t *testing.T) {
	s := newSystem(t, smallRecords, 3, 2, 0, 0)
	variance := big.NewInt(1_000_000)
	var square, n float64
	for column := range uint32(testColumns) {
		for cut := range 40 {
			f := s.linear(column)
			id := FunctionalID(s.p, f, 100+cut, variance, s.contents(f))
			known, all := new(big.Int), new(big.Int)
			_, spy := s.keyholder(1)
			for _, m := range spy.masks {
				known.Add(known, Noise(m.key, id, variance))
			}
			for _, eta := range s.partNoises(&opening{id: id}, variance) {
				all.Add(all, eta)
			}
			left, _ := new(big.Float).SetInt(new(big.Int).Sub(all, known)).Float64()
			square, n = square+left*left, n+1
		}
	}
	require.InDelta(t, 1_000_000, square/n, 500_000, "the variance that the coalition does not know")

	f := s.linear(0)
	id := FunctionalID(s.p, f, 100, variance, s.contents(f))
	a := s.c.Subsets()[0]
	both := maskKey([]carnet.KeyID{s.owners[0].key, s.owners[1].key}, a, [][32]byte{s.owners[0].deal.Seeds[a], s.owners[1].deal.Seeds[a]})
	one := maskKey([]carnet.KeyID{s.owners[0].key}, a, [][32]byte{s.owners[0].deal.Seeds[a]})
	require.NotEqual(t, Noise(both, id, variance), Noise(one, id, variance))
}

// Noise on and off, or of two sizes, under one functional id would be one flood twice: the
// difference of the answers would be the noise itself.
func TestAttackNoiseInF(t *testing.T) {
	s := newSystem(t, smallRecords, 3, 2, 0)
	f := s.linear(0)
	id := func(v *big.Int) carnet.Hash { return FunctionalID(s.p, f, 100, v, nil) }
	seen := map[carnet.Hash]bool{}
	for _, v := range []*big.Int{nil, big.NewInt(1), big.NewInt(2), big.NewInt(100)} {
		require.False(t, seen[id(v)])
		seen[id(v)] = true
	}
	require.NotEqual(t, Noise([32]byte{1}, carnet.Hash{1}, big.NewInt(1<<40)), Noise([32]byte{1}, carnet.Hash{2}, big.NewInt(1<<40)))
	require.NotEqual(t, Noise([32]byte{1}, carnet.Hash{1}, big.NewInt(1<<40)), Noise([32]byte{2}, carnet.Hash{1}, big.NewInt(1<<40)))
}

func TestNoiseTail(t *testing.T) {
	c := must(NewCommittee(5, 3))
	require.Equal(t, "1300", NoiseTail(c, 0, big.NewInt(100)).String(), "13 standard deviations of 10 parts")
	require.Equal(t, "1430", NoiseTail(c, 1, big.NewInt(100)).String(), "and of a home part")
	require.Zero(t, NoiseTail(c, 3, nil).Sign())
}
