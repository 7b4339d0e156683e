package independent_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"math/bits"
	"os"
	"reflect"
	"testing"
)

type profile struct {
	Name      string   `json:"name"`
	LogN      int      `json:"log_n"`
	Limbs     int      `json:"limbs"`
	LimbBits  int      `json:"limb_bits"`
	TBits     int      `json:"t_bits"`
	MaxDegree int      `json:"max_degree"`
	Encoding  string   `json:"encoding"`
	Primes    []uint64 `json:"primes"`
	T         uint64   `json:"t"`
	ID        string   `json:"id"`
}

type file struct {
	Gauss    []string  `json:"gauss_table"`
	Profiles []profile `json:"profiles"`
	Blocks   []struct {
		Profile, Seed, Key, File string
		Column, Block            uint32
		Count                    int
		SecretKey                string   `json:"secret_aes_key"`
		SecretFirst              []int64  `json:"secret_first"`
		SecretSHA256             string   `json:"secret_sha256"`
		ErrorSubkey              string   `json:"error_subkey"`
		ErrorKey                 string   `json:"error_aes_key"`
		ErrorFirst               []int64  `json:"error_first"`
		ErrorSHA256              string   `json:"error_sha256"`
		UniformKey               string   `json:"uniform_key"`
		PublicFirst              []uint64 `json:"public_first"`
		PublicSHA256             string   `json:"public_sha256"`
		C0First                  []uint64 `json:"c0_first"`
		C0                       string   `json:"c0"`
		C0SHA256                 string   `json:"c0_sha256"`
	} `json:"blocks"`
	Uniform struct {
		Profile, Key, SHA256 string
		AESKey               string `json:"aes_key"`
		First                []uint64
	} `json:"uniform"`
	Decode []struct {
		Profile  string
		Sum      []uint64
		Degree   int
		Value    uint64
		Quotient string
	} `json:"decode"`
	Delta string `json:"delta"`
}

func load(t *testing.T) (f file, byName map[string]profile) {
	raw, err := os.ReadFile("../../../docs/formats/vectors/encryption.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &f); err != nil {
		t.Fatal(err)
	}
	byName = map[string]profile{}
	for _, p := range f.Profiles {
		byName[p.Name] = p
	}
	return f, byName
}

func same(t *testing.T, what string, have, want any) {
	t.Helper()
	if !reflect.DeepEqual(have, want) {
		t.Errorf("%s: have %v, want %v", what, have, want)
	}
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

func u32(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }

// label joins the tag and the fields, each preceded by its length.
func label(tag string, fields ...[]byte) []byte {
	out := append(u32(uint32(len(tag))), tag...)
	for _, f := range fields {
		out = append(append(out, u32(uint32(len(f)))...), f...)
	}
	return out
}

func digest(tag string, fields ...[]byte) []byte {
	h := sha256.Sum256(label(tag, fields...))
	return h[:]
}

func keyed(key []byte, tag string, fields ...[]byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(label(tag, fields...))
	return h.Sum(nil)
}

// stream returns n bytes of AES-256-CTR, the counter block starting at hi, lo.
func stream(key []byte, hi, lo uint64, n int) []byte {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	iv := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, hi), lo)
	out := make([]byte, n)
	cipher.NewCTR(block, iv).XORKeyStream(out, out)
	return out
}

// uniform returns the polynomial of a uniform key, and how many words needed the
// overflow stream.
func uniform(p profile, key []byte) (out [][]uint64, rejected int) {
	n := 1 << p.LogN
	k := digest("carnet/xof/1", unhex(p.ID), key)
	words := stream(k, 0, 0, 8*n*p.Limbs)
	for l, q := range p.Primes {
		limb := make([]uint64, n)
		mask := uint64(1)<<bits.Len64(q) - 1
		for i := range limb {
			w := l*n + i
			v := binary.LittleEndian.Uint64(words[8*w:]) & mask
			if v >= q {
				rejected++
				for at := 0; v >= q; at += 8 {
					v = binary.LittleEndian.Uint64(stream(k, uint64(w)+1, 0, at+8)[at:]) & mask
				}
			}
			limb[i] = v
		}
		out = append(out, limb)
	}
	return out, rejected
}

func canonical(a [][]uint64) (b []byte) {
	for _, limb := range a {
		for _, v := range limb {
			b = binary.LittleEndian.AppendUint64(b, v)
		}
	}
	return b
}

func sha(b []byte) string { return fmt.Sprintf("%x", sha256.Sum256(b)) }

func sha8(xs []int64) string {
	b := make([]byte, len(xs))
	for i, x := range xs {
		b[i] = byte(x)
	}
	return sha(b)
}

func ternary(key []byte, n int) (out []int64) {
	for _, b := range stream(key, 0, 0, n) { // three of four pairs of bits are used
		for shift := 0; shift < 8 && len(out) < n; shift += 2 {
			switch b >> shift & 3 {
			case 0:
				out = append(out, 0)
			case 1:
				out = append(out, 1)
			case 2:
				out = append(out, -1)
			}
		}
	}
	return out
}

func gaussian(table []string, key []byte, n int) []int64 {
	bytes, out := stream(key, 0, 0, 16*n), make([]int64, n)
	for i := range out {
		b := bytes[16*i : 16*i+16]
		u := new(big.Int).SetUint64(binary.LittleEndian.Uint64(b[8:]))
		u.Lsh(u, 64).Or(u, new(big.Int).SetUint64(binary.LittleEndian.Uint64(b)))
		negative := u.Bit(0) == 1
		u.Rsh(u, 1)
		for _, entry := range table {
			if c, _ := new(big.Int).SetString(entry, 16); u.Cmp(c) >= 0 {
				out[i]++
			}
		}
		if negative {
			out[i] = -out[i]
		}
	}
	return out
}
