package share

import (
	"bytes"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// handedVersion is the first byte of the seeds that one keyholder hands to another.
const handedVersion = 1

// AppendSeeds appends what old keyholder from hands to member to of the new committee, to
// be sealed: version 1, the two numbers (a byte each); then, ascending by the old part and
// by the new part, for every one that the two hold: both as 2 bytes big-endian, and the seed.
func (m Move) AppendSeeds(dst []byte, from, to int, handed map[Subset]*Handed) []byte {
	dst = append(dst, handedVersion, byte(from), byte(to))
	for _, a := range m.Old.held(from) {
		for _, b := range m.New.held(to) {
			seed := handed[a].Seeds[b]
			dst = append(append(append(dst, u16(uint16(a))...), u16(uint16(b))...), seed[:]...)
		}
	}
	return dst
}

// Gathering collects what a member of the new committee is handed, until it has a seed
// that fits its commitment for every pair of an old part and a part of its own.
type Gathering struct {
	m      Move
	to     int
	agreed map[Subset]*carnet.HandedPart
	seeds  map[Subset]map[Subset][32]byte // by new, then old part
	need   int
}

// Gather begins with what was agreed on of every old part. A part that is missing there
// fits nothing.
func (m Move) Gather(to int, agreed map[Subset]*carnet.HandedPart) *Gathering {
	g := &Gathering{m: m, to: to, agreed: agreed, seeds: map[Subset]map[Subset][32]byte{}}
	for _, b := range m.New.held(to) {
		g.seeds[b] = map[Subset][32]byte{}
		g.need += m.Old.Parts()
	}
	return g
}

// Add takes the opened seeds of one old keyholder. It keeps those that fit, and reports
// by an error (BAD_HANDED_SEEDS) that some did not or that the message is malformed.
func (g *Gathering) Add(from int, data []byte) error {
	bad := carnet.E(carnet.Refused, "BAD_HANDED_SEEDS", "keyholder %d handed on seeds that are not those it committed to", from).
		Fix("nothing is lost: the seeds of the other holders count")
	held, mine := g.m.Old.held(from), g.m.New.held(g.to)
	if len(data) != 3+len(held)*len(mine)*36 || data[0] != handedVersion || int(data[1]) != from || int(data[2]) != g.to {
		return bad
	}
	nonce, wrong := g.m.Nonce(), false
	data = data[3:]
	for _, a := range held {
		x, agreed := indexOf(g.m.Old, a), g.agreed[a]
		for _, b := range mine {
			seed := [32]byte(data[4:36])
			fits := agreed != nil && bytes.Equal(data[:2], u16(uint16(a))) && bytes.Equal(data[2:4], u16(uint16(b))) &&
				CommitHanded(nonce, x, b, seed) == agreed.Commitments[indexOf(g.m.New, b)]
			if _, have := g.seeds[b][a]; fits && !have {
				g.seeds[b][a] = seed
				g.need--
			}
			wrong = wrong || !fits
			data = data[36:]
		}
	}
	if wrong {
		return bad
	}
	return nil
}

// Complete reports whether no seed is missing.
func (g *Gathering) Complete() bool { return g.need == 0 }

// Bundle is what the member keeps. Error: Unavailable (RESHARE_INCOMPLETE).
func (g *Gathering) Bundle() (Bundle, error) {
	if !g.Complete() {
		return Bundle{}, carnet.E(carnet.Unavailable, "RESHARE_INCOMPLETE", "%d seeds have not arrived as they were committed to", g.need).
			Fix("more holders of the old dealing have to hand on their parts")
	}
	out := Bundle{Number: g.to, Seeds: map[Subset][32]byte{}, Lists: map[Subset][][32]byte{}}
	for b, given := range g.seeds {
		for _, a := range g.m.Old.Subsets() {
			out.Lists[b] = append(out.Lists[b], given[a])
		}
		out.Seeds[b] = Joined(b, out.Lists[b])
	}
	return out, nil
}
