package share

import (
	"bytes"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
)

// span is the vector space over the prime q of linear combinations of symbols: what a
// coalition has learned. Each symbol stands for s^j, or for the expansion of one seed for
// one power, which is uniform and independent of the others for whoever has not the seed.
type span struct {
	q    uint64
	rows [][]uint64 // reduced: each has a pivot that the others do not
}

func (v *span) add(row []uint64) {
	row = v.reduce(slices.Clone(row))
	at := slices.IndexFunc(row, func(x uint64) bool { return x != 0 })
	if at < 0 {
		return
	}
	inv := pow(row[at], v.q-2, v.q)
	for i := range row {
		row[i] = row[i] * inv % v.q
	}
	for _, r := range v.rows {
		f := r[at]
		for i := range r {
			r[i] = (r[i] + (v.q-f)*row[i]) % v.q
		}
	}
	v.rows = append(v.rows, row)
}

func (v *span) reduce(row []uint64) []uint64 {
	for _, r := range v.rows {
		at := slices.IndexFunc(r, func(x uint64) bool { return x != 0 })
		f := row[at]
		for i := range r {
			row[i] = (row[i] + (v.q-f)*r[i]) % v.q
		}
	}
	return row
}

func (v *span) has(row []uint64) bool {
	return !slices.ContainsFunc(v.reduce(slices.Clone(row)), func(x uint64) bool { return x != 0 })
}

func pow(b, e, q uint64) uint64 {
	out := uint64(1)
	for ; e > 0; e >>= 1 {
		if e&1 == 1 {
			out = out * b % q
		}
		b = b * b % q
	}
	return out
}

// symbols numbers what is unknown: 0 is s.
type symbols struct{ index map[string]int }

func (s *symbols) of(name string) int {
	if _, ok := s.index[name]; !ok {
		s.index[name] = len(s.index) + 1
	}
	return s.index[name]
}

// TestAttackReshareCoalitions: exactly, for every coalition of members of an old committee and of the
// two it handed the key to, one after the other or side by side: it can express s by what
// is public and by seeds it holds if and only if it has t members of one of the three. Everything
// public of both resharings is known to all of them, also that of a resharing that never ended.
func TestAttackReshareCoalitions(t *testing.T) {
	const q = 2147483629
	for _, shape := range []struct {
		c     [3]Committee
		chain bool // the third committee gets it from the second, else from the first as well
	}{
		{[3]Committee{{3, 2}, {3, 2}, {2, 2}}, true}, {[3]Committee{{3, 2}, {3, 2}, {2, 2}}, false},
		{[3]Committee{{4, 3}, {3, 2}, {3, 2}}, true}, {[3]Committee{{4, 3}, {3, 2}, {3, 2}}, false},
	} {
		syms := &symbols{index: map[string]int{}}
		name := func(committee int, labels ...Subset) int {
			n := string(rune('0' + committee))
			for _, a := range labels {
				n += "/" + string(rune('a'+a))
			}
			return syms.of(n)
		}
		// lists names the seeds that part a of a committee expands.
		from := [3]int{0, 0, 0}
		if shape.chain {
			from[2] = 1
		}
		lists := func(committee int, a Subset) (out []int) {
			if committee == 0 {
				return []int{name(0, a)}
			}
			for _, old := range shape.c[from[committee]].Subsets() {
				out = append(out, name(committee, old, a))
			}
			return out
		}
		for k := range 3 { // number all of them before rows are made
			for _, a := range shape.c[k].Subsets() {
				lists(k, a)
			}
		}
		width := len(syms.index) + 1
		row := func() []uint64 { return make([]uint64, width) }
		secret := row()
		secret[0] = 1
		var public [][]uint64
		first := row() // delta = s - sum of all parts
		first[0] = 1
		for _, a := range shape.c[0].Subsets() {
			first[name(0, a)] = q - 1
		}
		public = append(public, first)
		for k := 1; k < 3; k++ {
			for _, a := range shape.c[from[k]].Subsets() { // D_A
				d := row()
				for _, x := range lists(from[k], a) {
					d[x] = 1
				}
				for _, b := range shape.c[k].Subsets() {
					d[name(k, a, b)] = q - 1
				}
				public = append(public, d)
			}
		}
		bits := shape.c[0].N + shape.c[1].N + shape.c[2].N
		for coalition := range 1 << bits {
			v := &span{q: q}
			for _, r := range public {
				v.add(r)
			}
			enough := false
			for k, rest := 0, coalition; k < 3; k++ {
				var members []int
				for i := 1; i <= shape.c[k].N; i, rest = i+1, rest>>1 {
					if rest&1 == 1 {
						members = append(members, i)
					}
				}
				enough = enough || len(members) >= shape.c[k].T
				for _, a := range shape.c[k].Subsets() {
					if !slices.ContainsFunc(members, func(i int) bool { return shape.c[k].Holds(i, a) }) {
						continue
					}
					know := lists(k, a)
					for to := 1; to < 3; to++ { // its seeds for others follow from its own
						if from[to] == k {
							for _, b := range shape.c[to].Subsets() {
								know = append(know, name(to, a, b))
							}
						}
					}
					for _, x := range know {
						r := row()
						r[x] = 1
						v.add(r)
					}
				}
			}
			require.Equal(t, enough, v.has(secret), "%v coalition %b", shape, coalition)
		}
	}
}

// TestAttackReshareSeen: the same with real expansions: what is left of every correction
// for fewer than t old and fewer than t' new keyholders together is uniform.
func TestAttackReshareSeen(t *testing.T) {
	p := must(he.NewProfile(he.Literal{Name: "test-wide", LogN: 10, Limbs: 4, LimbBits: 55, TBits: 45, MaxDegree: 2, Encoding: he.Slots}))
	s := newSystem(t, p, 5, 3, 0)
	o := s.owners[0]
	to := must(NewCommittee(4, 2))
	h := s.holding(o)
	got := s.reshare(h, carnet.Hash{1}, to, 1, 2, 3, 4, 5)
	for j := 1; j <= 2; j++ {
		require.Equal(t, o.secret.Power(j), unmask(s.r, got.corrections[j-1], j, got.known(1, 4)...), "t' new keyholders open")
		for _, new := range []int{1, 3} {
			// Old keyholders 2 and 4 miss part 01010; new keyholder misses its own.
			seen := unmask(s.r, got.corrections[j-1], j, append(got.known(new), got.handedBy(Subset(1)<<(new-1), 2, 4)...)...)
			require.NotEqual(t, o.secret.Power(j), seen)
			requireUniformPoly(t, s.r, seen)
			s.r.Sub(seen, o.secret.Power(j), seen)
			requireUniformPoly(t, s.r, seen)
			s.r.INTT(seen)
			requireUniformPoly(t, s.r, seen)
			// The difference of the corrections of the two dealings hides, too.
			s.r.Sub(got.corrections[j-1], h.corrections[j-1], seen)
			requireUniformPoly(t, s.r, seen)
		}
	}
}

// known are the seeds that new keyholders hold together.
func (g *moved) known(members ...int) (seeds [][32]byte) {
	for _, b := range g.c.Subsets() {
		for _, i := range members {
			if g.c.Holds(i, b) {
				seeds = append(seeds, g.bundles[i].expanded(b)...)
				break
			}
		}
	}
	return seeds
}

// handedBy are the seeds of new part b that old keyholders derive together.
func (g *moved) handedBy(b Subset, old ...int) (seeds [][32]byte) {
	for _, a := range g.m.Old.Subsets() {
		for _, i := range old {
			if h := g.handed[i][a]; h != nil {
				seeds = append(seeds, h.Seeds[b])
				break
			}
		}
	}
	return seeds
}

// TestAttackReshareLiar: whatever t-1 holders say together, with n >= 3t-2 the rest decides
// and they are named; with fewer, nothing is agreed on and both sides are named. A part is
// never taken as they say.
func TestAttackReshareLiar(t *testing.T) {
	for _, c := range []struct {
		n, t    int
		liars   []int
		decided bool
	}{{4, 2, []int{2}, true}, {7, 3, []int{3, 5}, true}, {3, 2, []int{1}, false}, {5, 3, []int{1, 4}, false}} {
		s := newSystem(t, smallRecords, c.n, c.t, 0)
		h := s.holding(s.owners[0])
		m := must(NewMove(h.id, s.c, carnet.Hash{1}, must(NewCommittee(3, 2))))
		truth, said := map[int]*carnet.Contribution{}, map[int]*carnet.Contribution{}
		for i := 1; i <= c.n; i++ {
			truth[i], _ = s.contribute(h, m, i)
			said[i], _ = s.contribute(h, m, i)
		}
		for _, what := range []func(p *carnet.HandedPart){
			func(p *carnet.HandedPart) { p.Commitments[2][0] ^= 1 },
			func(p *carnet.HandedPart) { p.Corrections[1][0] ^= 1 },
		} {
			for _, i := range c.liars { // all of them the same lie, where they hold the part
				for x := range said[i].Parts {
					what(&said[i].Parts[x])
				}
			}
			got := m.Agree(said)
			require.Equal(t, c.decided, got.Enough)
			for a, p := range got.Parts {
				for i, honest := range truth {
					if x := slices.IndexFunc(honest.Parts, func(q carnet.HandedPart) bool { return q.Part == int(a) }); x >= 0 {
						require.Equal(t, honest.Parts[x], *p, "part %03x as keyholder %d has it", a, i)
					}
				}
			}
			if c.decided {
				require.Equal(t, c.liars, got.Liars)
				require.Empty(t, got.Split)
			} else {
				require.NotEmpty(t, got.Split)
				for _, split := range got.Split {
					require.Len(t, split.Sides, 2)
					require.Subset(t, slices.Concat(split.Sides...), []int{split.Sides[0][0], split.Sides[1][0]})
				}
			}
			for _, i := range c.liars {
				said[i], _ = s.contribute(h, m, i)
			}
		}
		require.True(t, m.Agree(said).Enough)
	}
}

// TestAttackReshareTooFew: fewer votes than t could all be lies. Hiding contributions gets
// a gateway no further than nothing.
func TestAttackReshareTooFew(t *testing.T) {
	for _, nt := range [][2]int{{3, 2}, {5, 3}, {7, 3}, {4, 3}} {
		s := newSystem(t, smallRecords, nt[0], nt[1], 0)
		h := s.holding(s.owners[0])
		m := must(NewMove(h.id, s.c, carnet.Hash{1}, must(NewCommittee(3, 2))))
		said := map[int]*carnet.Contribution{}
		for i := 1; i <= m.Contributors(); i++ {
			require.False(t, m.Agree(said).Enough, "%d of %v", i-1, nt)
			said[i], _ = s.contribute(h, m, i)
		}
		require.True(t, m.Agree(said).Enough)
	}
	// More than t-1 liars can make two sides that both have enough.
	s := newSystem(t, smallRecords, 5, 2, 0)
	h := s.holding(s.owners[0])
	m := must(NewMove(h.id, s.c, carnet.Hash{1}, s.c))
	said := map[int]*carnet.Contribution{}
	for i := 1; i <= 5; i++ {
		said[i], _ = s.contribute(h, m, i)
		if i <= 2 {
			said[i].Parts[len(said[i].Parts)-1].Corrections[0][0] ^= 1
		}
	}
	got := m.Agree(said)
	require.False(t, got.Enough)
	require.NotEmpty(t, got.Split)
}

// TestAttackReshareMixed: seeds and commitments of two resharings never fit each other, be
// they of one dealing to two committees or of two dealings to one.
func TestAttackReshareMixed(t *testing.T) {
	s := newSystem(t, smallRecords, 3, 2, 0, 0)
	h := s.holding(s.owners[0])
	to := must(NewCommittee(3, 2))
	one := s.reshare(h, carnet.Hash{1}, to, 1, 2, 3)
	two := s.reshare(h, carnet.Hash{2}, to, 1, 2, 3)
	other := s.reshare(s.holding(s.owners[1]), carnet.Hash{1}, to, 1, 2, 3)
	agreed := one.m.Agree(one.said).Parts
	for _, foreign := range []*moved{two, other} {
		requireReason(t, "BAD_CONTRIBUTION", one.m.CheckContribution(foreign.said[1], 2))
		require.NotEqual(t, one.m.SealedInfo(1, 2), foreign.m.SealedInfo(1, 2), "nor are they opened")
		g := one.m.Gather(2, agreed)
		requireReason(t, "BAD_HANDED_SEEDS", g.Add(1, foreign.sealed[1][2]))
		require.False(t, g.Complete())
		_, err := g.Bundle()
		requireReason(t, "RESHARE_INCOMPLETE", err)
		requireReason(t, "BAD_SEEDS", CheckBundle(to, one.body, foreign.bundles[1]))
		for b, list := range foreign.bundles[1].Lists {
			for _, seed := range list {
				require.NotContains(t, one.bundles[1].Lists[b], seed)
			}
			require.NotEqual(t, one.bundles[1].Seeds[b], foreign.bundles[1].Seeds[b], "so floods are others")
		}
	}
	// What one member is handed is nothing to another, and of one holder not another's.
	g := one.m.Gather(2, agreed)
	requireReason(t, "BAD_HANDED_SEEDS", g.Add(1, one.sealed[1][3]))
	requireReason(t, "BAD_HANDED_SEEDS", g.Add(2, one.sealed[1][2]))
	// A liar's seeds are left out, those of the others are enough.
	lie := bytes.Clone(one.sealed[1][2])
	lie[10] ^= 1
	requireReason(t, "BAD_HANDED_SEEDS", g.Add(1, lie))
	require.NoError(t, g.Add(2, one.sealed[2][2]))
	require.NoError(t, g.Add(3, one.sealed[3][2]))
	b, err := g.Bundle()
	require.NoError(t, err)
	require.Equal(t, one.bundles[2], b)
}

// TestAttackReshareDerivations: no seed of a resharing is published, none is that of
// another purpose, and an old part's own seed is not to be had from what it gave.
func TestAttackReshareDerivations(t *testing.T) {
	s := newSystem(t, smallRecords, 3, 2, 0)
	h := s.holding(s.owners[0])
	got := s.reshare(h, carnet.Hash{1}, must(NewCommittee(4, 2)), 1, 2, 3)
	seen := map[[32]byte]bool{got.m.Nonce(): true, got.id: true}
	for _, list := range [][]carnet.Hash{h.body.Commitments, got.body.Commitments} {
		for _, c := range list {
			seen[c] = true
		}
	}
	for _, seed := range s.owners[0].deal.Seeds {
		require.False(t, seen[seed])
		seen[seed] = true
		seen[partKey(s.p, seed, 1)] = true
	}
	joined := map[Subset]bool{}
	for i := 1; i <= 4; i++ {
		for b, list := range got.bundles[i].Lists {
			if joined[b] {
				continue
			}
			joined[b] = true
			for _, seed := range append(list, got.bundles[i].Seeds[b]) {
				require.False(t, seen[seed])
				seen[seed] = true
			}
		}
	}
}
