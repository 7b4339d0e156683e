package share

import (
	"maps"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// CheckContribution checks the shape of a contribution: exactly the parts its keyholder
// holds, ascending, a commitment for every new part, a digest for every power, and a
// sealed message for every new member.
func (m Move) CheckContribution(c *carnet.Contribution, degree int) error {
	bad := func(format string, args ...any) error {
		return carnet.E(carnet.Invalid, "BAD_CONTRIBUTION", "the contribution does not fit: "+format, args...)
	}
	if c.From != m.From || c.Committee != m.Committee {
		return bad("it is of another resharing")
	}
	if c.Number < 1 || c.Number > m.Old.N {
		return bad("there is no keyholder %d", c.Number)
	}
	held := m.Old.held(c.Number)
	if len(c.Parts) != len(held) || len(c.Sealed) != m.New.N {
		return bad("it has %d parts and %d sealed messages, want %d and %d", len(c.Parts), len(c.Sealed), len(held), m.New.N)
	}
	for i, p := range c.Parts {
		if p.Part != int(held[i]) || len(p.Commitments) != m.New.Parts() || len(p.Corrections) != degree {
			return bad("part %d of it", i+1)
		}
	}
	return nil
}

// Votes is how many holders of a part must say the same of it: t, of whom one at least is
// honest. Where a part has fewer than t holders (n < 2t-1) it takes all of them, and a lie
// that all of them agree on is not found out; it costs the answers, not the secret.
func (m Move) Votes() int { return min(m.Old.T, m.Old.N-m.Old.T+1) }

// Contributors is how many keyholders must contribute at least.
func (m Move) Contributors() int { return min(2*m.Old.T-1, m.Old.N) }

// Agreement is what contributions come to.
type Agreement struct {
	Parts  map[Subset]*carnet.HandedPart // what enough holders say of a part
	Liars  []int                         // who says something else than enough others do
	Split  []Split                       // parts of which holders say different things, none of them enough
	Enough bool                          // every part is agreed on
}

// Split is a part of which not all of its holders say the same.
type Split struct {
	Part  Subset  `json:"part"`
	Sides [][]int `json:"sides"` // keyholder numbers, the largest side first
}

// Agree compares contributions, of checked shape, by keyholder number. With n >= 3t-2 the
// honest holders of every part are enough whatever t-1 liars do; with fewer, a lie can
// stop the resharing, and both sides are named. With more than t-1 liars two sides can
// have enough votes; then nothing is agreed on.
func (m Move) Agree(said map[int]*carnet.Contribution) Agreement {
	out := Agreement{Parts: map[Subset]*carnet.HandedPart{}, Enough: true}
	liars := map[int]bool{}
	for _, a := range m.Old.Subsets() {
		sides := map[carnet.Hash][]int{}
		what := map[carnet.Hash]*carnet.HandedPart{}
		for _, i := range slices.Sorted(maps.Keys(said)) {
			for p := range said[i].Parts {
				if part := &said[i].Parts[p]; part.Part == int(a) {
					h := digestOf(part)
					sides[h], what[h] = append(sides[h], i), part
				}
			}
		}
		var enough []carnet.Hash
		for h, side := range sides {
			if len(side) >= m.Votes() {
				enough = append(enough, h)
			}
		}
		if len(enough) != 1 {
			out.Enough = false
			if len(sides) > 1 {
				out.Split = append(out.Split, Split{a, bySize(sides)})
			}
			continue
		}
		out.Parts[a] = what[enough[0]]
		for h, side := range sides {
			for _, i := range side {
				liars[i] = liars[i] || h != enough[0]
			}
		}
	}
	for i, lied := range liars {
		if lied {
			out.Liars = append(out.Liars, i)
		}
	}
	slices.Sort(out.Liars)
	return out
}

// digestOf tells apart what is said of a part.
func digestOf(p *carnet.HandedPart) carnet.Hash {
	fields := [][]byte{u32(uint32(len(p.Commitments)))}
	for i := range p.Commitments {
		fields = append(fields, p.Commitments[i][:])
	}
	for i := range p.Corrections {
		fields = append(fields, p.Corrections[i][:])
	}
	return carnet.Digest(tagReshareSays, fields...)
}

func bySize(sides map[carnet.Hash][]int) [][]int {
	out := slices.Collect(maps.Values(sides))
	slices.SortFunc(out, func(a, b []int) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return slices.Compare(a, b)
	})
	return out
}
