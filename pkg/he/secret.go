package he

import (
	"crypto/aes"
	"crypto/cipher"
	"sync"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Seed is a dataset key: the only secret of a dataset that its owner keeps.
type Seed [32]byte

// Secret is the ternary polynomial of a seed, with its powers. It is safe for
// concurrent use until Zero.
type Secret struct {
	r      *Ring
	mu     sync.Mutex
	powers []Poly // s, s^2, ...
}

// DeriveSecret derives the secret of a seed under the ring's profile. Its
// coefficients are independent and uniform in {-1, 0, 1}.
func (r *Ring) DeriveSecret(seed Seed) *Secret {
	trits := ternary(carnet.Keyed(seed[:], tagSecret, r.p.id[:]), r.p.n)
	s := r.NewPoly()
	for l := range r.p.mods {
		q := r.p.mods[l].q
		for i, t := range trits {
			s[l][i] = uint64(t) + q&uint64(t>>63)
		}
	}
	clear(trits)
	r.NTT(s)
	return &Secret{r: r, powers: []Poly{s}}
}

// ternary takes two bits at a time from the AES-256-CTR stream of the key, low bits
// of each byte first: 00 is 0, 01 is 1, 10 is -1, 11 is skipped.
func ternary(key [32]byte, n int) []int64 {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // impossible: the key has 32 bytes
	}
	stream := cipher.NewCTR(block, make([]byte, aes.BlockSize))
	out := make([]int64, 0, n)
	buf := make([]byte, len(zeros))
	defer clear(buf)
	for {
		stream.XORKeyStream(buf, zeros[:])
		for _, b := range buf {
			for range 4 {
				if b&3 != 3 {
					out = append(out, int64(b&1)-int64(b>>1&1))
					if len(out) == n {
						return out
					}
				}
				b >>= 2
			}
		}
	}
}

// Power returns s^j in the NTT domain, j >= 1. The caller must not change it.
func (s *Secret) Power(j int) Poly {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.powers) < j {
		p := s.r.NewPoly()
		s.r.Mul(s.powers[len(s.powers)-1], s.powers[0], p)
		s.powers = append(s.powers, p)
	}
	return s.powers[j-1]
}

// Zero overwrites the secret and every power handed out. It must not be used
// afterwards.
func (s *Secret) Zero() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.powers {
		for l := range p {
			clear(p[l])
		}
	}
}
