package main

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"math/big"
	"math/bits"
)

type selection struct {
	N, T, Number, Weight, Spare, Degree, K        int
	Request, Deltas, Bundle, Hash, Logged         string
	Commitments, View, Rho, Keys, Bundles, Checks []string
	Contents                                      []string
	Content, ID                                   string
	Values                                        []string
	Answer                                        string
}

// parts reads a bundle: the seeds by part.
func parts(text string) map[int][]byte {
	b := unhex(text)
	seeds := map[int][]byte{}
	for b = b[4:]; len(b) >= 34; b = b[34:] {
		seeds[int(binary.BigEndian.Uint16(b))] = b[2:34]
	}
	return seeds
}

// subsets lists the names of all parts.
func subsets(n, t int) (all []int) {
	for a := range 1 << n {
		if bits.OnesCount(uint(a)) == t-1 {
			all = append(all, a)
		}
	}
	return all
}

// checkSelections recomputes what one keyholder computes for a private parameter.
func checkSelections(d *document) {
	params, primes := unhex(d.Params.ID), []*big.Int{}
	for _, p := range d.Params.Primes {
		primes = append(primes, integer(p))
	}
	uniform := func(key []byte, index int) *big.Int { return xof(params, key, primes, int(d.Params.N), index) }
	for _, v := range d.Selections {
		kappas, deltas := parts(v.Bundle), unhex(v.Deltas)
		fields := [][]byte{unhex(v.Request), u32(v.Weight), deltas}
		for x, a := range subsets(v.N, v.T) {
			fields = append(fields, unhex(v.Commitments[x]))
			if kappa := kappas[a]; kappa != nil {
				same("commitment of a selection", v.Commitments[x], digest("carnet/select/commit/1", unhex(v.Request), u16(a), kappa))
			}
		}
		if v.Spare > 0 {
			same("hash of a selection", v.Hash, digest("carnet/select/spare/1", append([][]byte{u32(v.Spare)}, fields...)...))
		} else {
			same("hash of a selection", v.Hash, digest("carnet/select/1", fields...))
		}

		view := make([]*big.Int, len(v.View))
		for g := range view {
			w := new(big.Int).Sub(big.NewInt(1), new(big.Int).SetBytes(deltas[11*g:11*g+11]))
			for a, kappa := range kappas {
				f := coefficient(a, v.Number)
				w.Add(w, f.Mul(f, omega(mac(kappa, "carnet/select/share/1", unhex(v.Request)), g)))
			}
			view[g] = w.Mod(w, q)
			equal("view of a selection", v.View[g], w.String())
		}

		one, two := new(big.Int), big.NewInt(int64(-v.Weight))
		rho := digest("carnet/select/rho/1", unhex(v.Logged), u32(0))
		for g, w := range view {
			r := uniform(rho, g)
			equal("rho", v.Rho[g], r.String())
			square := new(big.Int).Mul(w, w)
			one.Add(one, r.Mul(r, square.Sub(square, w)))
			two.Add(two, w)
		}
		sum := new(big.Int)
		for g, w := range view[:len(view)-v.Spare] {
			x := integer(v.Values[g])
			sum.Add(sum, x.Mul(x, w))
		}
		scale := power(new(big.Int).ModInverse(t, q), v.Degree-1)
		for a := range kappas {
			var seeds [][]byte
			for _, b := range v.Bundles {
				seeds = append(seeds, parts(b)[a])
			}
			key := maskTagged("carnet/mask/select/1", v.Keys, a, append(seeds, kappas[a]))
			f := coefficient(a, v.Number)
			zero := func(key []byte, from int) *big.Int { // sum of i^m times the m-th uniform scalar
				s := new(big.Int)
				for m := 1; m < v.T; m++ {
					s.Add(s, new(big.Int).Mul(power(big.NewInt(int64(v.Number)), m), uniform(key, from+m-1)))
				}
				return s.Mul(s, f)
			}
			check := mac(key, "carnet/select/check/1", unhex(v.Logged))
			one.Add(one, zero(check, 0))
			two.Add(two, zero(check, v.T-1))
			x := new(big.Int).Mul(scale, flood(key, unhex(v.ID), v.K))
			sum.Add(sum, x.Mul(x, f))
			sum.Add(sum, zero(mac(key, "carnet/zero/1", unhex(v.ID)), 0))
		}
		equal("first check scalar", v.Checks[0], one.Mod(one, q).String())
		equal("second check scalar", v.Checks[1], two.Mod(two, q).String())
		same("content", v.Content, digest("carnet/HD/select/1", unhexAll(v.Contents)...))
		equal("answer with a selection", v.Answer, sum.Mod(sum, q).String())
	}
}

// omega is the g-th additive share that an expanded part seed stands for.
func omega(key []byte, g int) *big.Int {
	block, _ := aes.NewCipher(key)
	var counter, out [16]byte
	binary.BigEndian.PutUint64(counter[8:], uint64(g))
	block.Encrypt(out[:], counter[:])
	return new(big.Int).SetBytes(out[:10])
}

// xof returns, as a number modulo Q, the residues at one index of a uniform polynomial.
func xof(params, key []byte, primes []*big.Int, n, index int) *big.Int {
	block, _ := aes.NewCipher(digest("carnet/xof/1", params, key))
	word := func(counter [16]byte, skip int, p *big.Int) *big.Int {
		stream := cipher.NewCTR(block, counter[:])
		b := make([]byte, 8)
		for range skip + 1 {
			clear(b)
			stream.XORKeyStream(b, b)
		}
		v := binary.LittleEndian.Uint64(b) & (1<<p.BitLen() - 1)
		return new(big.Int).SetUint64(v)
	}
	sum := new(big.Int)
	for l, p := range primes {
		w := l*n + index
		var counter [16]byte
		binary.BigEndian.PutUint64(counter[8:], uint64(w/2))
		v := word(counter, w%2, p)
		for skip := 0; v.Cmp(p) >= 0; skip++ { // rejected: from the overflow stream
			var overflow [16]byte
			binary.BigEndian.PutUint64(overflow[:8], uint64(w+1))
			v = word(overflow, skip, p)
		}
		rest := new(big.Int).Quo(q, p)
		sum.Add(sum, v.Mul(v, rest).Mul(v, new(big.Int).ModInverse(rest, p)))
	}
	return sum.Mod(sum, q)
}
