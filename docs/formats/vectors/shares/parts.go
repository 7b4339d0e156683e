package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/big"
	"os"
)

func joined(tag string, fields ...[]byte) []byte {
	var b []byte
	for _, f := range append([][]byte{[]byte(tag)}, fields...) {
		b = append(append(b, u32(len(f))...), f...)
	}
	return b
}

func digest(tag string, fields ...[]byte) []byte {
	h := sha256.Sum256(joined(tag, fields...))
	return h[:]
}

func mac(key []byte, tag string, fields ...[]byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(joined(tag, fields...))
	return h.Sum(nil)
}

func mask(keys []string, subset int, seeds [][]byte) []byte {
	return maskTagged("carnet/mask/1", keys, subset, seeds)
}

func maskTagged(tag string, keys []string, subset int, seeds [][]byte) []byte {
	fields := append([][]byte{u32(len(keys))}, unhexAll(keys)...)
	return mac(bytes.Join(seeds, nil), tag, append(fields, u16(subset))...)
}

func flood(mask, id []byte, k int) *big.Int {
	var stream []byte
	size := (k + 1 + 7) / 8
	for block := 0; len(stream) < size; block++ {
		stream = append(stream, mac(mask, "carnet/flood/1", id, u32(k), u32(block))...)
	}
	f := new(big.Int).SetBytes(stream[:size])
	f.Mod(f, power(big.NewInt(2), k+1))
	return f.Sub(f, power(big.NewInt(2), k))
}

func coefficient(subset, i int) *big.Int {
	f := big.NewInt(1)
	for j := 1; j <= 12; j++ {
		if subset>>(j-1)&1 == 1 {
			f.Mul(f, big.NewInt(int64(j-i)))
			f.Mul(f, new(big.Int).ModInverse(big.NewInt(int64(j)), q)).Mod(f, q)
		}
	}
	return f
}

func interpolate(xs []int, ys []*big.Int, at int) *big.Int {
	sum := new(big.Int)
	for i, x := range xs {
		w := new(big.Int).Set(ys[i])
		for _, other := range xs {
			if other != x {
				d := new(big.Int).Mod(big.NewInt(int64(x-other)), q)
				w.Mul(w, big.NewInt(int64(at-other))).Mul(w, d.ModInverse(d, q)).Mod(w, q)
			}
		}
		sum.Add(sum, w)
	}
	return sum.Mod(sum, q)
}

func power(x *big.Int, e int) *big.Int { return new(big.Int).Exp(x, big.NewInt(int64(e)), nil) }

func u16(v int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(v)) }
func u32(v int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(v)) }

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		fail("%v", err)
	}
	return b
}

func unhexAll(ss []string) (bs [][]byte) {
	for _, s := range ss {
		bs = append(bs, unhex(s))
	}
	return bs
}

func integer(s string) *big.Int {
	x, ok := new(big.Int).SetString(s, 10)
	if !ok {
		fail("%q is not an integer", s)
	}
	return x
}

func same(what, want string, have []byte) { equal(what, want, hex.EncodeToString(have)) }

func equal(what, want, have string) {
	if want != have {
		fail("%s: the file says %s, computed %s", what, want, have)
	}
	agreed++
}

func fail(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(1)
}
