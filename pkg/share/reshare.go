package share

import (
	"bytes"
	"encoding/binary"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
)

// MaxHanded is the largest product of the numbers of parts of two committees between which a key is
// handed on: so many seeds and commitments there are.
const MaxHanded = 4096

// Move is a resharing: the holders of each part of a dealing give every part of another
// committee a seed of its own. It follows from the dealing and the committee alone, so
// that whoever repeats it makes the same seeds.
type Move struct {
	From      carnet.KeyID // dealing
	Old       Committee
	Committee carnet.Hash // statement hash of the new one
	New       Committee
}

// NewMove checks that the committees are not too large for it.
func NewMove(from carnet.KeyID, old Committee, committee carnet.Hash, to Committee) (Move, error) {
	if old.Parts()*to.Parts() > MaxHanded {
		return Move{}, carnet.E(carnet.Refused, "RESHARE_TOO_LARGE", "between committees of %d and %d parts a key can't be handed on, the limit is a product of %d",
			old.Parts(), to.Parts(), MaxHanded).Fix("its owner has to deal it again")
	}
	return Move{from, old, committee, to}, nil
}

// Nonce stands in the place of the nonce that an owner draws for a dealing. Seeds and
// commitments of two moves never fit each other.
func (m Move) Nonce() carnet.Nonce {
	return carnet.Nonce(carnet.Digest(tagReshare, m.From[:], m.Committee[:]))
}

// Seed is the seed that old part a, whose own seed is given, gives to new part b.
func (m Move) Seed(a Subset, seed [32]byte, b Subset) [32]byte {
	nonce := m.Nonce()
	return carnet.Keyed(seed[:], tagReshareSeed, nonce[:], u16(uint16(a)), u16(uint16(b)))
}

// Joined is the one seed of a part of all that it was given, in the order of the old
// parts. Masks and, in the next resharing, seeds are derived from it.
func Joined(b Subset, list [][32]byte) [32]byte {
	var secret []byte
	for i := range list {
		secret = append(secret, list[i][:]...)
	}
	return carnet.Keyed(secret, tagReshareJoin, u16(uint16(b)))
}

// CommitHanded is the commitment to the seed that old part number x, from 0, gives to part b.
func CommitHanded(nonce carnet.Nonce, x int, b Subset, seed [32]byte) carnet.Hash {
	return carnet.Digest(tagReshareCommit, nonce[:], u16(uint16(x)), u16(uint16(b)), seed[:])
}

// CommitList is the commitment to all seeds of part b, from those to each of them.
func CommitList(nonce carnet.Nonce, b Subset, all []carnet.Hash) carnet.Hash {
	fields := [][]byte{nonce[:], u16(uint16(b))}
	for i := range all {
		fields = append(fields, all[i][:])
	}
	return carnet.Digest(tagReshareList, fields...)
}

// SealedInfo is the HPKE context in which old keyholder number seals its seeds to member
// number of the new committee.
func (m Move) SealedInfo(from, to int) []byte {
	nonce := m.Nonce()
	h := carnet.Digest(tagReshareSealed, nonce[:], []byte{byte(from)}, []byte{byte(to)})
	return h[:]
}

// Handed is what the holders of one old part make of it.
type Handed struct {
	Part        Subset
	Seeds       map[Subset][32]byte // for every new part; secret
	Commitments []carnet.Hash       // ascending by new part
	Corrections []he.Poly           // what is added to the dealing's, power j at index j-1
}

// HandOver splits part a of a checked bundle: for each power, the part is replaced by the
// sum of what its seeds expand to, and the difference is public.
func (m Move) HandOver(r *he.Ring, b Bundle, a Subset, degree int) (*Handed, error) {
	if err := checkDegree(r, degree); err != nil {
		return nil, err
	}
	h, err := m.Split(b, a)
	if err != nil {
		return nil, err
	}
	part := r.NewPoly()
	for j := 1; j <= degree; j++ {
		sum := r.NewPoly()
		for _, seed := range b.expanded(a) {
			expandPart(r, seed, j, part)
			r.Add(sum, part, sum)
		}
		for _, seed := range h.Seeds {
			expandPart(r, seed, j, part)
			r.Sub(sum, part, sum)
		}
		h.Corrections = append(h.Corrections, sum)
	}
	return h, nil
}

// Split is HandOver without the corrections, which take by far the most time.
func (m Move) Split(b Bundle, a Subset) (*Handed, error) {
	if err := complete(m.Old, b); err != nil {
		return nil, err
	}
	own, held := b.Seeds[a]
	if b.Home != nil || !held {
		return nil, carnet.E(carnet.Invalid, "BAD_SEEDS", "part %03x can't be handed on", uint16(a))
	}
	h := &Handed{Part: a, Seeds: map[Subset][32]byte{}}
	nonce, x := m.Nonce(), indexOf(m.Old, a)
	for _, to := range m.New.Subsets() {
		seed := m.Seed(a, own, to)
		h.Seeds[to] = seed
		h.Commitments = append(h.Commitments, CommitHanded(nonce, x, to, seed))
	}
	return h, nil
}

func indexOf(c Committee, a Subset) int {
	for x, s := range c.Subsets() {
		if s == a {
			return x
		}
	}
	return -1
}

// expanded are the seeds whose expansions make up a part.
func (b Bundle) expanded(a Subset) [][32]byte {
	if b.Lists != nil {
		return b.Lists[a]
	}
	return [][32]byte{b.Seeds[a]}
}

// Commitments are those of the new dealing, from what was agreed on of every old part.
func (m Move) Commitments(agreed map[Subset]*carnet.HandedPart) []carnet.Hash {
	var out []carnet.Hash
	nonce := m.Nonce()
	for y, b := range m.New.Subsets() {
		var all []carnet.Hash
		for _, a := range m.Old.Subsets() {
			all = append(all, agreed[a].Commitments[y])
		}
		out = append(out, CommitList(nonce, b, all))
	}
	return out
}

// listVersion is the first byte of a bundle with lists.
const listVersion = 2

// AppendLists appends the canonical bytes of a bundle after a resharing: version 2,
// keyholder number, number of its parts, seeds of each (a byte each); then, ascending by
// subset, the subset as 2 bytes big-endian and its seeds in the order of the old parts.
func (b Bundle) AppendLists(dst []byte, c Committee) []byte {
	held := c.held(b.Number)
	dst = append(dst, listVersion, byte(b.Number), byte(len(held)), byte(len(b.Lists[held[0]])))
	for _, a := range held {
		dst = binary.BigEndian.AppendUint16(dst, uint16(a))
		for _, seed := range b.Lists[a] {
			dst = append(dst, seed[:]...)
		}
	}
	return dst
}

// ParseLists reads exactly one such bundle of a committee in canonical form.
func ParseLists(c Committee, data []byte) (Bundle, error) {
	bad := carnet.E(carnet.Invalid, "BAD_BUNDLE", "the seed bundle is malformed")
	if len(data) < 4 || data[0] != listVersion || data[1] < 1 || int(data[1]) > c.N {
		return Bundle{}, bad
	}
	b := Bundle{Number: int(data[1]), Seeds: map[Subset][32]byte{}, Lists: map[Subset][][32]byte{}}
	held, each := c.held(b.Number), int(data[3])
	if int(data[2]) != len(held) || each == 0 || len(data) != 4+len(held)*(2+32*each) {
		return Bundle{}, bad
	}
	data = data[4:]
	for _, a := range held {
		if !bytes.Equal(data[:2], u16(uint16(a))) {
			return Bundle{}, bad
		}
		data = data[2:]
		for range each {
			b.Lists[a] = append(b.Lists[a], [32]byte(data[:32]))
			data = data[32:]
		}
		b.Seeds[a] = Joined(a, b.Lists[a])
	}
	return b, nil
}
