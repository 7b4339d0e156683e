package independent_test

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/big"
	"testing"
)

func TestProfiles(t *testing.T) {
	f, _ := load(t)
	for _, p := range f.Profiles {
		n := 1 << p.LogN
		same(t, p.Name+" primes", primes(p.LimbBits, n, p.Limbs), p.Primes)
		same(t, p.Name+" T", primes(p.TBits, n, 1)[0], p.T)
		var qs []byte
		for _, q := range p.Primes {
			qs = binary.BigEndian.AppendUint64(qs, q)
		}
		id := digest("carnet/params/1", []byte(p.Name), u32(uint32(p.LogN)), u32(uint32(p.Limbs)), qs,
			binary.BigEndian.AppendUint64(nil, p.T), []byte("3.2"), u32(19), u32(uint32(p.MaxDegree)), []byte(p.Encoding))
		same(t, p.Name+" id", hex.EncodeToString(id), p.ID)
	}
}

func TestUniform(t *testing.T) {
	f, byName := load(t)
	p := byName[f.Uniform.Profile]
	same(t, "AES key", hex.EncodeToString(digest("carnet/xof/1", unhex(p.ID), unhex(f.Uniform.Key))), f.Uniform.AESKey)
	a, rejected := uniform(p, unhex(f.Uniform.Key))
	same(t, "words", a[0][:len(f.Uniform.First)], f.Uniform.First)
	same(t, "polynomial", sha(canonical(a)), f.Uniform.SHA256)
	if rejected < 10 {
		t.Errorf("only %d rejected words", rejected)
	}
}

func TestBlocks(t *testing.T) {
	f, byName := load(t)
	for _, v := range f.Blocks {
		t.Run(v.Profile, func(t *testing.T) {
			p := byName[v.Profile]
			n, id := 1<<p.LogN, unhex(p.ID)
			seed, name := unhex(v.Seed), [][]byte{id, unhex(v.Key), unhex(v.File), u32(v.Column), u32(v.Block)}

			sk := keyed(seed, "carnet/sk/1", id)
			same(t, "secret key", hex.EncodeToString(sk), v.SecretKey)
			s := ternary(sk, n)
			same(t, "secret", s[:16], v.SecretFirst)
			same(t, "secret", sha8(s), v.SecretSHA256)

			sub := keyed(seed, "carnet/err/1", id)
			same(t, "error sub-key", hex.EncodeToString(sub), v.ErrorSubkey)
			ek := keyed(sub, "carnet/err/block/1", name...)
			same(t, "error key", hex.EncodeToString(ek), v.ErrorKey)
			e := gaussian(f.Gauss, ek, n)
			same(t, "error", e[:16], v.ErrorFirst)
			same(t, "error", sha8(e), v.ErrorSHA256)

			uk := digest("carnet/public/1", name...)
			same(t, "uniform key", hex.EncodeToString(uk), v.UniformKey)
			a, _ := uniform(p, uk)
			same(t, "public half", a[0][:4], v.PublicFirst)
			same(t, "public half", sha(canonical(a)), v.PublicSHA256)

			m := make([]uint64, n)
			for i := range v.Count {
				x := uint64(i)
				m[i] = (x*x*x + 17*x + 3) % p.T // below 2^64 for i < 2^16
			}
			if p.Encoding == "slots" {
				m = slots(m, p.T)
			}
			c0 := make([][]uint64, p.Limbs)
			for l, q := range p.Primes {
				plain, secret, back := make([]uint64, n), make([]uint64, n), inverse(p.T, q)
				for i := range n {
					plain[i] = (mul(m[i], back, q) + signed(e[i], q)) % q
					secret[i] = signed(s[i], q)
				}
				plain, secret = evaluate(plain, q), evaluate(secret, q)
				c0[l] = make([]uint64, n)
				for j := range n {
					c0[l][j] = (plain[j] + q - mul(a[l][j], secret[j], q)) % q
				}
			}
			same(t, "c0", c0[0][:4], v.C0First)
			same(t, "block hash", sha(canonical(c0)), v.C0SHA256)
			if v.C0 != "" {
				same(t, "c0", hex.EncodeToString(canonical(c0)), v.C0)
			}
		})
	}
	same(t, "delta", hex.EncodeToString(digest("carnet/delta/1", u32(2), unhex(f.Blocks[0].C0))), f.Delta)
}

func TestDecode(t *testing.T) {
	f, byName := load(t)
	for i, v := range f.Decode {
		p := byName[v.Profile]
		q, t0 := big.NewInt(1), new(big.Int).SetUint64(p.T)
		for _, prime := range p.Primes {
			q.Mul(q, new(big.Int).SetUint64(prime))
		}
		x := new(big.Int) // Chinese remainders
		for l, prime := range p.Primes {
			b := new(big.Int).SetUint64(prime)
			rest := new(big.Int).Div(q, b)
			c := new(big.Int).ModInverse(rest, b)
			x.Add(x, c.Mul(c, rest).Mul(c, new(big.Int).SetUint64(v.Sum[l])))
		}
		x.Mul(x, new(big.Int).Exp(t0, big.NewInt(int64(v.Degree)), nil)).Mod(x, q)
		if new(big.Int).Lsh(x, 1).Cmp(q) > 0 {
			x.Sub(x, q)
		}
		m := new(big.Int).Mod(x, t0)
		if p.Encoding == "slots" {
			m.Mul(m, big.NewInt(1<<p.LogN)).Mod(m, t0)
		}
		same(t, fmt.Sprint("value ", i), m.Uint64(), v.Value)
		same(t, fmt.Sprint("quotient ", i), x.Quo(x.Abs(x), t0).String(), v.Quotient)
	}
}
