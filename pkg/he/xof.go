package he

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"math/bits"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he/internal/vaes"
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
	n        int
	primes   []modulus
	schedule *vaes.Schedule // nil: the portable way only

	key    [32]byte
	block  cipher.Block // made on first use
	stream cipher.Stream
	next   uint64 // word the stream is at
	buf    []byte
}

// newExpansion makes the expansion of an AES key, the portable way if wanted or if
// the processor has no other.
func newExpansion(key *[32]byte, n int, primes []modulus, portable bool) *Expansion {
	x := &Expansion{key: *key, n: n, primes: primes}
	if vaes.Available && !portable {
		x.schedule = new(vaes.Schedule)
		vaes.Expand(key, x.schedule)
	}
	return x
}

// Words sets out to the words from index on of the given limb. The range must lie
// within the limb.
func (x *Expansion) Words(limb, index int, out []uint64) {
	w := uint64(limb*x.n + index)
	q := x.primes[limb].q
	if x.schedule == nil {
		x.portable(w, q, out)
		return
	}
	head := min(int(-w%vaes.Step), len(out))
	whole := (len(out) - head) / vaes.Step * vaes.Step
	if head > 0 {
		x.portable(w, q, out[:head])
	}
	if middle := out[head : head+whole]; whole > 0 && vaes.Stream(x.schedule, w+uint64(head), middle, wordMask(q), q-1) {
		x.replace(w+uint64(head), q, middle)
	}
	if tail := out[head+whole:]; len(tail) > 0 {
		x.portable(w+uint64(head+whole), q, tail)
	}
}

// wordMask keeps the bits that a residue modulo q can have.
func wordMask(q uint64) uint64 { return uint64(1)<<bits.Len64(q) - 1 }

// portable makes the words from w on with the standard library.
func (x *Expansion) portable(w, q uint64, out []uint64) {
	mask := wordMask(q)
	for len(out) > 0 {
		part := out[:min(len(out), chunkWords)]
		b := x.bytes(w, len(part))
		rejected := uint64(0)
		for i := range part {
			v := binary.LittleEndian.Uint64(b[8*i:8*i+8]) & mask
			rejected |= q - 1 - v // the top bit is set if v >= q
			part[i] = v
		}
		if rejected>>63 != 0 {
			x.replace(w, q, part)
		}
		w += uint64(len(part))
		out = out[len(part):]
	}
}

// bytes returns the key stream of at most chunkWords words from w on, until the next
// call.
func (x *Expansion) bytes(w uint64, words int) []byte {
	if x.buf == nil {
		x.buf = make([]byte, 8*chunkWords)
	}
	return x.into(x.buf[:8*words], w)
}

// into sets b to the key stream from word w on.
func (x *Expansion) into(b []byte, w uint64) []byte {
	if x.stream == nil || x.next != w {
		x.seek(w)
	}
	x.stream.XORKeyStream(b, zeros[:len(b)])
	x.next = w + uint64(len(b)/8)
	return b
}

// replace puts the words of the overflow stream where words are not below q.
func (x *Expansion) replace(w, q uint64, words []uint64) {
	for i, v := range words {
		if v >= q {
			words[i] = x.overflow(w+uint64(i), q)
		}
	}
}

// cipher returns the AES block cipher of the key.
func (x *Expansion) cipher() cipher.Block {
	if x.block == nil {
		x.block = newAES(&x.key)
	}
	return x.block
}

func newAES(key *[32]byte) cipher.Block {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // impossible: the key has 32 bytes
	}
	return block
}

// seek puts the stream at word w: two words per counter block.
func (x *Expansion) seek(w uint64) {
	var iv [16]byte
	binary.BigEndian.PutUint64(iv[8:], w/2)
	x.stream = cipher.NewCTR(x.cipher(), iv[:])
	if w%2 == 1 {
		var skipped [8]byte
		x.stream.XORKeyStream(skipped[:], zeros[:8])
	}
}

func (x *Expansion) overflow(w, q uint64) uint64 {
	var iv [16]byte
	binary.BigEndian.PutUint64(iv[:8], w+1)
	s := cipher.NewCTR(x.cipher(), iv[:])
	var b [8]byte
	for {
		s.XORKeyStream(b[:], zeros[:8])
		if v := binary.LittleEndian.Uint64(b[:]) & wordMask(q); v < q {
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
	k := r.aesKey(key)
	return newExpansion(&k, r.p.n, r.p.mods, r.portable)
}

func (r *Ring) aesKey(key [32]byte) [32]byte { return carnet.Digest(tagXOF, r.p.id[:], key[:]) }

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
	return r.expansion(r.publicKey(key, id))
}

// publicKey is the key of a block's public half, which is nothing secret.
func (r *Ring) publicKey(key carnet.KeyID, id BlockID) [32]byte {
	return carnet.Digest(tagPublic, r.p.id[:], key[:], id.File[:], u32(id.Column), u32(id.Block))
}

// PublicBlock sets out to the public half a of a block, in the NTT domain.
func (r *Ring) PublicBlock(key carnet.KeyID, id BlockID, out Poly) { r.Expand(key, id).fill(out) }
