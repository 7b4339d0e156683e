package columnfile

import (
	"encoding/binary"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// The packed form is the words as one string of bits, `bits` of each, lowest bit of
// the lowest byte first. Eight words take exactly `bits` bytes, so runs of whole
// groups need no padding and every string of the right length is in its one form,
// provided that every word is below its prime.

// packing says where the words of a group lie in its bytes.
type packing struct {
	bits   int
	mask   uint64
	offset [group]int  // byte that the lowest bit is in
	shift  [group]uint // bits of that byte that belong to the word before
	simple bool        // every word lies within 8 bytes from its offset
}

func newPacking(bits int) packing {
	p := packing{bits: bits, mask: 1<<bits - 1, simple: true}
	for i := range p.offset {
		p.offset[i], p.shift[i] = i*bits/8, uint(i*bits%8)
		p.simple = p.simple && int(p.shift[i])+bits <= 64
	}
	return p
}

// AppendPacked appends words, each below 2^bits; their number is a multiple of 8,
// and bits is 8 to 60.
func AppendPacked(dst []byte, bits int, words []uint64) []byte {
	p := newPacking(bits)
	at := len(dst)
	dst = append(dst, make([]byte, len(words)/group*bits)...)
	out, words := packGroups(dst[at:], bits, words)
	if p.simple {
		// Stores overlap: what one leaves above its word, the next overwrites. The last
		// group has no room for that.
		for len(out) >= bits+8 {
			p.put(out, (*[group]uint64)(words))
			words, out = words[group:], out[bits:]
		}
	}
	for i, w := range words {
		bit := i * bits
		low, high := w<<(bit%8), w>>(64-bit%8)
		rest := out[bit/8:]
		for k := 0; k < 8 && k < len(rest); k++ {
			rest[k] |= byte(low >> (8 * k))
		}
		if len(rest) > 8 {
			rest[8] |= byte(high)
		}
	}
	return dst
}

// put writes a group to the first bytes of out, which has 8 more.
func (p *packing) put(out []byte, w *[group]uint64) {
	binary.LittleEndian.PutUint64(out, w[0])
	for i := 1; i < group; i++ {
		s := p.shift[i] & 63
		// the top of the word before shares this one's first byte
		binary.LittleEndian.PutUint64(out[p.offset[i]:], w[i]<<s|w[i-1]>>((uint(p.bits)-s)&63))
	}
}

// Unpack sets words, a multiple of 8 of them, from their packed form. It refuses
// every other length, and words that are not below q.
func Unpack(words []uint64, packed []byte, bits int, q uint64) error {
	if len(packed) != len(words)/group*bits {
		return carnet.E(carnet.Invalid, "BAD_LENGTH", "%d packed words have %d bytes, not %d", len(words), len(words)/group*bits, len(packed))
	}
	p := newPacking(bits)
	words, packed, rejected := unpackGroups(words, packed, bits, q)
	if p.simple {
		for len(packed) >= bits+8 {
			rejected |= p.get((*[group]uint64)(words), packed, q)
			words, packed = words[group:], packed[bits:]
		}
	}
	for i := range words {
		bit := i * bits
		var low, high uint64
		rest := packed[bit/8:]
		for k := 0; k < 8 && k < len(rest); k++ {
			low |= uint64(rest[k]) << (8 * k)
		}
		if len(rest) > 8 {
			high = uint64(rest[8])
		}
		v := (low>>(bit%8) | high<<(64-bit%8)) & p.mask
		rejected |= q - 1 - v // q is below 2^63: the top bit is set if v >= q
		words[i] = v
	}
	if rejected>>63 != 0 {
		return notCanonical()
	}
	return nil
}

// get reads a group from the first bytes of b, which has 8 more.
func (p *packing) get(w *[group]uint64, b []byte, q uint64) (rejected uint64) {
	for i := range w {
		v := binary.LittleEndian.Uint64(b[p.offset[i]:]) >> (p.shift[i] & 63) & p.mask
		rejected |= q - 1 - v
		w[i] = v
	}
	return rejected
}

func notCanonical() error {
	return carnet.E(carnet.Invalid, "NOT_CANONICAL", "a residue is not below its prime")
}
