package privacy

import (
	"crypto/aes"
	"crypto/cipher"
	"math/big"
)

// streamLimit is how many bytes one sample may take. A sample takes some hundreds; one in
// 2^1000 would take more than this, and is 0.
const streamLimit = 1 << 20

// Stream is the randomness of one sample: the key stream of AES-256-CTR, counter from
// zero. It is not safe for concurrent use.
type Stream struct {
	ctr  cipher.Stream
	used int
	buf  [64]byte
	have []byte // unread bytes of buf
}

// NewStream returns the stream of a key. A key serves one sample.
func NewStream(key [32]byte) *Stream {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // 32 bytes are a key
	}
	return &Stream{ctr: cipher.NewCTR(block, make([]byte, aes.BlockSize))}
}

// read fills out with the next bytes; false at the limit.
func (s *Stream) read(out []byte) bool {
	s.used += len(out)
	if s.used > streamLimit {
		return false
	}
	for len(out) > 0 {
		if len(s.have) == 0 {
			clear(s.buf[:])
			s.ctr.XORKeyStream(s.buf[:], s.buf[:])
			s.have = s.buf[:]
		}
		n := copy(out, s.have)
		out, s.have = out[n:], s.have[n:]
	}
	return true
}

// below returns a uniform integer in [0, m), m >= 1: as many bytes as m-1 has, big-endian,
// cut to the lowest bits that m-1 has, and again while that is m or more. ok is false at
// the limit.
func (s *Stream) below(m *big.Int) (v *big.Int, ok bool) {
	width := new(big.Int).Sub(m, one).BitLen()
	b := make([]byte, (width+7)/8)
	v = new(big.Int)
	for {
		if !s.read(b) {
			return nil, false
		}
		if width%8 != 0 {
			b[0] &= 1<<(width%8) - 1
		}
		if v.SetBytes(b); v.Cmp(m) < 0 {
			return v, true
		}
	}
}

var one = big.NewInt(1)
