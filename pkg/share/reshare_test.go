package share

import (
	"bytes"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
)

// holding is a dealing with everybody's seeds, as tests see it.
type holding struct {
	id          carnet.KeyID
	c           Committee
	bundles     map[int]Bundle
	body        *carnet.Dealing
	corrections []he.Poly
}

func (s *system) holding(o *owner) *holding {
	h := &holding{id: o.key, c: s.c, bundles: map[int]Bundle{}, body: o.dealing(), corrections: o.deal.Corrections}
	for i := 1; i <= s.c.N; i++ {
		h.bundles[i] = o.deal.Bundle(s.c, i, 0)
	}
	return h
}

// moved is what a resharing made, with what went over the wire.
type moved struct {
	*holding
	m       Move
	said    map[int]*carnet.Contribution
	handed  map[int]map[Subset]*Handed
	sealed  map[int]map[int][]byte // from, to: not sealed in these tests
	publish map[Subset][]he.Poly
}

// contribute is what one holder hands on; change lies.
func (s *system) contribute(h *holding, m Move, i int) (*carnet.Contribution, map[Subset]*Handed) {
	c := &carnet.Contribution{From: m.From, Committee: m.Committee, Number: i, Sealed: make([]carnet.Hash, m.New.N)}
	parts := map[Subset]*Handed{}
	for _, a := range h.c.held(i) {
		p := must(m.HandOver(s.r, h.bundles[i], a, len(h.corrections)))
		parts[a] = p
		said := carnet.HandedPart{Part: int(a), Commitments: p.Commitments}
		for j, poly := range p.Corrections {
			said.Corrections = append(said.Corrections, polyDigest(j+1, poly))
		}
		c.Parts = append(c.Parts, said)
	}
	return c, parts
}

func polyDigest(j int, p he.Poly) carnet.Hash {
	fields := [][]byte{u32(uint32(j))}
	for l := range p {
		for _, v := range p[l] {
			fields = append(fields, u32(uint32(v>>32)), u32(uint32(v)))
		}
	}
	return carnet.Digest("test/poly", fields...)
}

// reshare lets the given old keyholders hand a dealing on to a new committee.
func (s *system) reshare(h *holding, committee carnet.Hash, to Committee, contributors ...int) *moved {
	m := must(NewMove(h.id, h.c, committee, to))
	out := &moved{m: m, said: map[int]*carnet.Contribution{}, handed: map[int]map[Subset]*Handed{}, sealed: map[int]map[int][]byte{}, publish: map[Subset][]he.Poly{}}
	for _, i := range contributors {
		c, parts := s.contribute(h, m, i)
		require.NoError(s.t, m.CheckContribution(c, len(h.corrections)))
		out.said[i], out.handed[i], out.sealed[i] = c, parts, map[int][]byte{}
		for to := 1; to <= m.New.N; to++ {
			out.sealed[i][to] = m.AppendSeeds(nil, i, to, parts)
		}
		for a, p := range parts {
			out.publish[a] = p.Corrections
		}
	}
	agreed := m.Agree(out.said)
	require.True(s.t, agreed.Enough)
	require.Empty(s.t, agreed.Liars)
	out.holding = &holding{id: carnet.KeyID(m.Nonce()), c: to, bundles: map[int]Bundle{}}
	out.body = &carnet.Dealing{Nonce: m.Nonce(), Commitments: m.Commitments(agreed.Parts)}
	for j := range h.corrections {
		sum := s.r.NewPoly()
		s.r.Add(sum, h.corrections[j], sum)
		for _, ps := range out.publish {
			s.r.Add(sum, ps[j], sum)
		}
		out.corrections = append(out.corrections, sum)
	}
	for to := 1; to <= m.New.N; to++ {
		g := m.Gather(to, agreed.Parts)
		for _, i := range contributors {
			require.NoError(s.t, g.Add(i, out.sealed[i][to]))
		}
		b := must(g.Bundle())
		got, err := ParseLists(m.New, b.AppendLists(nil, m.New))
		require.NoError(s.t, err)
		require.Equal(s.t, b, got)
		require.NoError(s.t, CheckBundle(m.New, out.body, b))
		out.bundles[to] = b
	}
	return out
}

// opens reports whether these members together find the secret.
func (s *system) opens(o *owner, h *holding, members ...int) bool {
	for j := range h.corrections {
		var seeds [][32]byte
		for _, a := range h.c.Subsets() {
			for _, i := range members {
				if h.c.Holds(i, a) {
					seeds = append(seeds, h.bundles[i].expanded(a)...)
					break
				}
			}
		}
		if !slices.EqualFunc(unmask(s.r, h.corrections[j], j+1, seeds...), o.secret.Power(j+1), slices.Equal) {
			return false
		}
	}
	return true
}

// TestReshare: what the holders of the parts hand on opens as before: in shape, as shares
// on one polynomial, and again after handing on what was handed on. The owner is not asked.
func TestReshare(t *testing.T) {
	for _, nt := range [][4]int{{3, 2, 5, 3}, {5, 3, 3, 2}, {4, 2, 4, 3}, {3, 1, 2, 2}, {2, 2, 3, 1}} {
		s := newSystem(t, smallRecords, nt[0], nt[1], 0)
		o := s.owners[0]
		to := must(NewCommittee(nt[2], nt[3]))
		first := s.holding(o)
		contributors := []int{1, 2, 3, 4, 5}[:must(NewMove(o.key, s.c, carnet.Hash{1}, to)).Contributors()]
		once := s.reshare(first, carnet.Hash{1}, to, contributors...)
		again := s.reshare(once.holding, carnet.Hash{2}, s.c, []int{1, 2, 3, 4, 5}[:to.N]...)
		for _, h := range []*holding{first, once.holding, again.holding} {
			require.True(t, s.opens(o, h, []int{1, 2, 3, 4, 5}[:h.c.T]...))
			require.False(t, s.opens(o, h, []int{1, 2, 3, 4, 5}[:h.c.T-1]...))
			// R_{i,1} are values of one polynomial whose value at 0 is s less the correction.
			want := s.r.NewPoly()
			s.r.Sub(o.secret.Power(1), h.corrections[0], want)
			s.r.INTT(want)
			var answers []Answer
			for i := 1; i <= h.c.N; i++ {
				k := must(NewKeyShare(s.r, h.c, o.key, h.bundles[i], 2))
				p := s.r.NewPoly()
				s.r.Add(p, k.Power(1), p)
				s.r.INTT(p)
				var v he.Scalar
				for l := range p {
					v[l] = p[l][0]
				}
				answers = append(answers, Answer{Number: i, Value: v})
			}
			got, liars, err := Combine(s.r, h.c, answers)
			require.NoError(t, err)
			require.Empty(t, liars)
			for l := range want {
				require.Equal(t, want[l][0], got[l])
			}
		}
		require.Equal(t, once.bundles, s.reshare(first, carnet.Hash{1}, to, contributors...).bundles, "repeated, it is the same")
	}
}

func TestMoveTooLarge(t *testing.T) {
	_, err := NewMove(carnet.KeyID{}, Committee{9, 5}, carnet.Hash{}, Committee{9, 5})
	requireReason(t, "RESHARE_TOO_LARGE", err)
	_, err = NewMove(carnet.KeyID{}, Committee{8, 4}, carnet.Hash{}, Committee{8, 4})
	require.NoError(t, err)
}

func TestHandOverRefuses(t *testing.T) {
	s := newSystem(t, smallRecords, 3, 2, 1)
	m := must(NewMove(s.owners[0].key, s.c, carnet.Hash{1}, s.c))
	with := s.owners[0].deal.Bundle(s.c, 1, 1)
	_, err := m.HandOver(s.r, with, 0b010, 2)
	requireReason(t, "BAD_SEEDS", err, "a home part is its keyholder's alone")
	without := s.owners[0].deal.Bundle(s.c, 2, 1)
	_, err = m.HandOver(s.r, without, 0b010, 2)
	requireReason(t, "BAD_SEEDS", err, "a part it does not hold")
	_, err = m.HandOver(s.r, without, 0b001, 3)
	requireReason(t, "BAD_DEGREE", err)
	delete(without.Seeds, 0b100)
	_, err = m.HandOver(s.r, without, 0b001, 2)
	requireReason(t, "BAD_SEEDS", err)
}

func TestCheckContribution(t *testing.T) {
	s := newSystem(t, smallRecords, 3, 2, 0)
	h := s.holding(s.owners[0])
	m := must(NewMove(h.id, s.c, carnet.Hash{1}, must(NewCommittee(4, 2))))
	for name, change := range map[string]func(c *carnet.Contribution){
		"of another dealing":     func(c *carnet.Contribution) { c.From[0] ^= 1 },
		"to another committee":   func(c *carnet.Contribution) { c.Committee[0] ^= 1 },
		"of nobody":              func(c *carnet.Contribution) { c.Number = 0 },
		"of a stranger":          func(c *carnet.Contribution) { c.Number = 4 },
		"of another member":      func(c *carnet.Contribution) { c.Number = 2 },
		"part missing":           func(c *carnet.Contribution) { c.Parts = c.Parts[1:] },
		"parts in another order": func(c *carnet.Contribution) { slices.Reverse(c.Parts) },
		"part twice":             func(c *carnet.Contribution) { c.Parts[1] = c.Parts[0] },
		"commitments":            func(c *carnet.Contribution) { c.Parts[0].Commitments = c.Parts[0].Commitments[1:] },
		"corrections":            func(c *carnet.Contribution) { c.Parts[0].Corrections = nil },
		"sealed":                 func(c *carnet.Contribution) { c.Sealed = c.Sealed[1:] },
	} {
		c, _ := s.contribute(h, m, 1)
		require.NoError(t, m.CheckContribution(c, 2))
		change(c)
		requireReason(t, "BAD_CONTRIBUTION", m.CheckContribution(c, 2), name)
	}
}

func TestParseListsRefuses(t *testing.T) {
	s := newSystem(t, smallRecords, 3, 2, 0)
	got := s.reshare(s.holding(s.owners[0]), carnet.Hash{1}, s.c, 1, 2, 3)
	good := got.bundles[1].AppendLists(nil, s.c)
	require.Len(t, good, 4+2*(2+3*32))
	set := func(at int, v byte) []byte { b := bytes.Clone(good); b[at] = v; return b }
	for name, data := range map[string][]byte{
		"empty": {}, "header": good[:4], "cut": good[:len(good)-1], "long": append(bytes.Clone(good), 0),
		"version": set(0, 1), "nobody": set(1, 0), "stranger": set(1, 4), "another member": set(1, 2), "parts": set(2, 1),
		"seeds": set(3, 2), "no seeds": set(3, 0), "part not held": set(5, 0b001), "order": set(5, 0b100),
		"a dealing's": s.owners[0].deal.Bundle(s.c, 1, 0).Append(nil),
	} {
		_, err := ParseLists(s.c, data)
		requireReason(t, "BAD_BUNDLE", err, name)
	}
	_, err := ParseBundle(good)
	requireReason(t, "BAD_BUNDLE", err, "an owner deals no lists")
	for at := 6; at < len(good); at += 17 {
		b, err := ParseLists(s.c, set(at, good[at]^1))
		if err == nil {
			requireReason(t, "BAD_SEEDS", CheckBundle(s.c, got.body, b))
		}
	}
}

func FuzzParseLists(f *testing.F) {
	s := newSystem(f, smallRecords, 3, 2, 0)
	got := s.reshare(s.holding(s.owners[0]), carnet.Hash{1}, s.c, 1, 2, 3)
	for i := 1; i <= 3; i++ {
		f.Add(got.bundles[i].AppendLists(nil, s.c))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := ParseLists(s.c, data)
		if err != nil {
			requireReason(t, "BAD_BUNDLE", err)
			return
		}
		require.Equal(t, data, b.AppendLists(nil, s.c))
		_ = CheckBundle(s.c, got.body, b)
	})
}

// TestGatherWithoutAgreement: seeds of a part on which nothing was agreed fit nothing.
func TestGatherWithoutAgreement(t *testing.T) {
	s := newSystem(t, smallRecords, 3, 2, 0)
	got := s.reshare(s.holding(s.owners[0]), carnet.Hash{1}, s.c, 1, 2, 3)
	agreed := got.m.Agree(got.said).Parts
	delete(agreed, s.c.Subsets()[2])
	g := got.m.Gather(2, agreed)
	requireReason(t, "BAD_HANDED_SEEDS", g.Add(1, got.sealed[1][2]))
	require.NoError(t, g.Add(3, got.sealed[3][2]))
	require.False(t, g.Complete())
}

func FuzzGather(f *testing.F) {
	s := newSystem(f, smallRecords, 3, 2, 0)
	got := s.reshare(s.holding(s.owners[0]), carnet.Hash{1}, s.c, 1, 2, 3)
	f.Add(got.sealed[1][2])
	f.Add(got.sealed[2][1])
	agreed := got.m.Agree(got.said).Parts
	f.Fuzz(func(t *testing.T, data []byte) {
		g := got.m.Gather(2, agreed)
		err := g.Add(1, data)
		if err != nil {
			requireReason(t, "BAD_HANDED_SEEDS", err)
		}
		require.Equal(t, err == nil, bytes.Equal(data, got.sealed[1][2]), "only what was committed to")
	})
}
