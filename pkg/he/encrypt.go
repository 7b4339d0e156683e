package he

import (
	"crypto/aes"
	"crypto/cipher"
	"sync"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Encryptor encrypts blocks under one dataset key. EncryptBlock is safe for
// concurrent use. The result depends on the arguments only, so an interrupted
// upload repeats the same bytes; encrypting other values under a block id that was
// used before reveals the difference of the two.
type Encryptor struct {
	r    *Ring
	key  carnet.KeyID
	s    Poly // secret in the NTT domain, times 2^64
	errs [32]byte
	pool sync.Pool // *workspace
}

type workspace struct {
	m   []uint64 // plaintext coefficients, below T
	e   []int64  // error coefficients
	a   []uint64 // part of the public half
	buf []byte   // random bytes of the error
}

// NewEncryptor derives the secret and the error key of the seed. The key id is the
// one the seed was dealt under.
func NewEncryptor(r *Ring, seed Seed, key carnet.KeyID) *Encryptor {
	secret := r.DeriveSecret(seed)
	s := secret.Power(1)
	for l := range s {
		m := &r.p.mods[l]
		for i, x := range s[l] {
			s[l][i] = m.montgomery(x)
		}
	}
	e := &Encryptor{r: r, key: key, s: s, errs: carnet.Keyed(seed[:], tagErrors, r.p.id[:])}
	e.pool.New = func() any {
		return &workspace{
			m:   make([]uint64, r.p.n),
			e:   make([]int64, r.p.n),
			a:   make([]uint64, min(r.p.n, chunkWords)),
			buf: make([]byte, errorBytes*min(r.p.n, errorChunk)),
		}
	}
	return e
}

// Zero overwrites the secret. The encryptor must not be used afterwards.
func (e *Encryptor) Zero() {
	for l := range e.s {
		clear(e.s[l])
	}
	e.errs = [32]byte{}
}

// EncryptBlock sets out to the ciphertext half c0 of the block, in the NTT domain:
// at most N values, each below T, in the profile's encoding; the rest of the block
// is zero.
func (e *Encryptor) EncryptBlock(id BlockID, values []uint64, out Poly) error {
	p := e.r.p
	if len(values) > p.n {
		return carnet.E(carnet.Invalid, "BLOCK_TOO_LONG", "a block takes %d values, not %d", p.n, len(values))
	}
	for i, v := range values {
		if v >= p.t {
			return carnet.E(carnet.Invalid, "VALUE_RANGE", "value %d of the block is not below the plaintext modulus", i)
		}
	}
	w := e.pool.Get().(*workspace)
	defer func() { // nothing that depends on values or secret stays in the pool
		clear(w.m)
		clear(w.e)
		clear(w.buf)
		e.pool.Put(w)
	}()
	p.encode(values, w.m)
	e.blockError(id, w)
	public := e.r.Expand(e.key, id)
	for l := range p.mods {
		mod := &p.mods[l]
		q, qInv, tInv := mod.q, mod.qInv, mod.tInv
		o, errs := out[l], w.e[:len(out[l])]
		for i, m := range w.m[:len(o)] {
			v := redc(m, tInv, q, qInv) + uint64(errs[i]) + q&uint64(errs[i]>>63)
			if v >= q {
				v -= q
			}
			o[i] = v
		}
		mod.ntt.NTT(o, o)
		for lo := 0; lo < p.n; lo += len(w.a) {
			public.Words(l, lo, w.a)
			part, s := o[lo:lo+len(w.a)], e.s[l][lo:lo+len(w.a)]
			for i, a := range w.a {
				v, as := part[i], redc(a, s[i], q, qInv)
				if v < as {
					v += q
				}
				part[i] = v - as
			}
		}
	}
	return nil
}

// encode sets m to the plaintext polynomial's coefficients in [0, T).
func (p *Profile) encode(values, m []uint64) {
	if p.lit.Encoding == Coefficients {
		clear(m[copy(m, values):])
		return
	}
	clear(m)
	for i, v := range values {
		m[p.perm[i]] = v
	}
	p.tRing.INTT(m, m)
}

// blockError sets w.e to the block's error polynomial: integers, the same for all
// limbs. Its key binds everything the public half a depends on: two blocks with
// equal errors under different a would give the secret away.
func (e *Encryptor) blockError(id BlockID, w *workspace) {
	p := e.r.p
	key := carnet.Keyed(e.errs[:], tagErrorBlock, p.id[:], e.key[:], id.File[:], u32(id.Column), u32(id.Block))
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // impossible: the key has 32 bytes
	}
	stream := cipher.NewCTR(block, make([]byte, aes.BlockSize))
	for lo := 0; lo < p.n; lo += len(w.buf) / errorBytes {
		stream.XORKeyStream(w.buf, zeros[:len(w.buf)])
		gaussian(w.buf, w.e[lo:lo+len(w.buf)/errorBytes])
	}
}
