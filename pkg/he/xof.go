package he

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"math/bits"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// chunkWords is how many words are taken from AES at a time: enough for its
// pipeline, few enough to stay in the first-level cache.
const chunkWords = 512

var zeros [8 * chunkWords]byte

// Expansion produces the words of one uniform polynomial, any range at a time.
//
// Word w = limb*N + index comes from 8 bytes of the AES-256-CTR stream at offset
// 8*w, little-endian, cut to the bit length of q. If that is not below q, the word
// is the first value below q of the overflow stream: the same key, with w+1 in the
// high half of the counter block. So every word is exactly uniform and none depends
// on how many words before it were rejected. An Expansion is not safe for
// concurrent use; ranges in ascending order are fastest.
type Expansion struct {
	block  cipher.Block
	stream cipher.Stream
	next   uint64 // word the stream is at
	n      int
	primes []modulus
	buf    []byte
}

func newExpansion(key *[32]byte, n int, primes []modulus) *Expansion {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // impossible: the key has 32 bytes
	}
	return &Expansion{block: block, n: n, primes: primes, buf: make([]byte, 8*chunkWords)}
}

// Words sets out to the words from index on of the given limb. The range must lie
// within the limb.
func (x *Expansion) Words(limb, index int, out []uint64) {
	w := uint64(limb*x.n + index)
	if x.stream == nil || x.next != w {
		x.seek(w)
	}
	q := x.primes[limb].q
	mask := uint64(1)<<bits.Len64(q) - 1
	for len(out) > 0 {
		part := out[:min(len(out), chunkWords)]
		b := x.buf[:8*len(part)]
		x.stream.XORKeyStream(b, zeros[:len(b)])
		rejected := uint64(0)
		for i := range part {
			v := binary.LittleEndian.Uint64(b[8*i:8*i+8]) & mask
			rejected |= q - 1 - v // the top bit is set if v >= q
			part[i] = v
		}
		if rejected>>63 != 0 {
			for i, v := range part {
				if v >= q {
					part[i] = x.overflow(w+uint64(i), q, mask)
				}
			}
		}
		w += uint64(len(part))
		out = out[len(part):]
	}
	x.next = w
}

// seek puts the stream at word w: two words per counter block.
func (x *Expansion) seek(w uint64) {
	var iv [16]byte
	binary.BigEndian.PutUint64(iv[8:], w/2)
	x.stream = cipher.NewCTR(x.block, iv[:])
	if w%2 == 1 {
		x.stream.XORKeyStream(x.buf[:8], zeros[:8])
	}
}

func (x *Expansion) overflow(w, q, mask uint64) uint64 {
	var iv [16]byte
	binary.BigEndian.PutUint64(iv[:8], w+1)
	s := cipher.NewCTR(x.block, iv[:])
	var b [8]byte
	for {
		s.XORKeyStream(b[:], zeros[:8])
		if v := binary.LittleEndian.Uint64(b[:]) & mask; v < q {
			return v
		}
	}
}

func (x *Expansion) fill(out Poly) {
	for l := range out {
		x.Words(l, 0, out[l])
	}
}

func (r *Ring) expansion(key [32]byte) *Expansion {
	k := [32]byte(carnet.Digest(tagXOF, r.p.id[:], key[:]))
	return newExpansion(&k, r.p.n, r.p.mods)
}

// Uniform sets out to the uniform polynomial, in the NTT domain, that the key
// names. Whoever knows the key and the profile gets the same polynomial.
func (r *Ring) Uniform(key [32]byte, out Poly) { r.expansion(key).fill(out) }

// BlockID names one ciphertext block of a dataset key.
type BlockID struct {
	File          carnet.Nonce
	Column, Block uint32
}

// Expand returns the expansion of the public half a of a block.
func (r *Ring) Expand(key carnet.KeyID, id BlockID) *Expansion {
	return r.expansion(carnet.Digest(tagPublic, r.p.id[:], key[:], id.File[:], u32(id.Column), u32(id.Block)))
}

// PublicBlock sets out to the public half a of a block, in the NTT domain.
func (r *Ring) PublicBlock(key carnet.KeyID, id BlockID, out Poly) { r.Expand(key, id).fill(out) }
