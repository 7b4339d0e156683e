package he

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"math/big"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
)

var update = flag.Bool("update", false, "write docs/formats/vectors/encryption.json anew")

const vectorFile = "../../docs/formats/vectors/encryption.json"

type (
	vectors struct {
		Comment  string          `json:"comment"`
		Gauss    []string        `json:"gauss_table"`
		Profiles []profileVector `json:"profiles"`
		Blocks   []blockVector   `json:"blocks"`
		Uniform  uniformVector   `json:"uniform"`
		Decode   []decodeVector  `json:"decode"`
		Delta    string          `json:"delta"` // of the first block, as correction for s^2
	}
	profileVector struct {
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
	blockVector struct {
		Profile      string   `json:"profile"`
		Seed         string   `json:"seed"`
		Key          string   `json:"key"`
		File         string   `json:"file"`
		Column       uint32   `json:"column"`
		Block        uint32   `json:"block"`
		Count        int      `json:"count"` // of values; value i is i^3 + 17*i + 3 mod T
		SecretKey    string   `json:"secret_aes_key"`
		SecretFirst  []int64  `json:"secret_first"`
		SecretSHA256 string   `json:"secret_sha256"`
		ErrorSubkey  string   `json:"error_subkey"`
		ErrorKey     string   `json:"error_aes_key"`
		ErrorFirst   []int64  `json:"error_first"`
		ErrorSHA256  string   `json:"error_sha256"`
		UniformKey   string   `json:"uniform_key"`
		PublicFirst  []uint64 `json:"public_first"`
		PublicSHA256 string   `json:"public_sha256"`
		C0First      []uint64 `json:"c0_first"`
		C0           string   `json:"c0,omitempty"`
		C0SHA256     string   `json:"c0_sha256"`
	}
	uniformVector struct {
		Profile string   `json:"profile"`
		Key     string   `json:"key"`
		AESKey  string   `json:"aes_key"`
		First   []uint64 `json:"first"` // words 0..15 of limb 0
		SHA256  string   `json:"sha256"`
	}
	decodeVector struct {
		Profile  string   `json:"profile"`
		Sum      []uint64 `json:"sum"`
		Degree   int      `json:"degree"`
		Value    uint64   `json:"value"`
		Quotient string   `json:"quotient"`
	}
)

// vectorProfiles are small enough to follow by hand; the last one has primes so far
// below a power of two that words are rejected.
var vectorProfiles = []Literal{
	{Name: "vector-slots", LogN: 4, Limbs: 2, LimbBits: 30, TBits: 20, MaxDegree: 2, Encoding: Slots},
	{Name: "vector-coefficients", LogN: 4, Limbs: 2, LimbBits: 30, TBits: 20, MaxDegree: 1, Encoding: Coefficients},
	{Name: "vector-rejecting", LogN: 10, Limbs: 3, LimbBits: 20, TBits: 16, MaxDegree: 2, Encoding: Slots},
}

// canonical writes a polynomial as package wire does, which this package cannot
// import.
func canonical(a Poly) []byte {
	var b []byte
	for _, limb := range a {
		for _, v := range limb {
			for range 8 {
				b = append(b, byte(v))
				v >>= 8
			}
		}
	}
	return b
}

func small8(xs []int64) string {
	b := make([]byte, len(xs))
	for i, x := range xs {
		b[i] = byte(int8(x))
	}
	return shaHex(b)
}

func shaHex(b []byte) string { return fmt.Sprintf("%x", sha256.Sum256(b)) }

func makeBlockVector(t *testing.T, p *Profile, count int) blockVector {
	r := NewRing(p)
	var seed Seed
	var key carnet.KeyID
	id := BlockID{Column: 7, Block: 3}
	for i := range seed {
		seed[i], key[i], id.File[i] = byte(i), byte(0x40+i), byte(0x80+i)
	}
	e, s := NewEncryptor(r, seed, key), r.DeriveSecret(seed)
	values := make([]uint64, count)
	for i := range values {
		x := big.NewInt(int64(i))
		x.Exp(x, big.NewInt(3), nil).Add(x, big.NewInt(17*int64(i)+3))
		values[i] = x.Mod(x, new(big.Int).SetUint64(p.t)).Uint64()
	}
	c0, a := encrypt(t, e, id, values), r.NewPoly()
	r.PublicBlock(key, id, a)
	sc := clone(r, s.Power(1))
	r.INTT(sc)
	secret := make([]int64, p.n)
	for i := range secret {
		secret[i] = Centre(sc[0][i], p.mods[0].q)
	}
	errs := make([]int64, p.n)
	for i, v := range phase(r, key, s, id, c0) {
		_, errs[i] = split(r, v)
	}
	secretKey := carnet.Keyed(seed[:], tagSecret, p.id[:])
	errorKey := carnet.Keyed(e.errs[:], tagErrorBlock, p.id[:], key[:], id.File[:], u32(id.Column), u32(id.Block))
	uniform := carnet.Digest(tagPublic, p.id[:], key[:], id.File[:], u32(id.Column), u32(id.Block))
	v := blockVector{
		Profile: p.Name(), Seed: hex.EncodeToString(seed[:]), Key: key.String(), File: id.File.String(), Column: id.Column, Block: id.Block, Count: count,
		SecretKey: hex.EncodeToString(secretKey[:]), SecretFirst: secret[:16], SecretSHA256: small8(secret),
		ErrorSubkey: hex.EncodeToString(e.errs[:]), ErrorKey: hex.EncodeToString(errorKey[:]), ErrorFirst: errs[:16], ErrorSHA256: small8(errs),
		UniformKey: uniform.String(), PublicFirst: a[0][:4], PublicSHA256: shaHex(canonical(a)),
		C0First: c0[0][:4], C0SHA256: shaHex(canonical(c0)),
	}
	if p.n <= 16 {
		v.C0 = hex.EncodeToString(canonical(c0))
	}
	return v
}

func makeVectors(t *testing.T) vectors {
	v := vectors{Comment: "Test vectors of docs/formats/encryption.md. Hexadecimal strings are bytes; *_sha256 of secrets and errors hash one signed byte per coefficient, of polynomials their canonical bytes. Numbers have up to 64 bits."}
	for _, e := range gaussTable {
		v.Gauss = append(v.Gauss, fmt.Sprintf("%016x%016x", e[0], e[1]))
	}
	all := map[string]*Profile{}
	ps := Profiles()
	for _, l := range vectorProfiles {
		p, err := NewProfile(l)
		require.NoError(t, err)
		ps = append(ps, p)
	}
	for _, p := range ps {
		all[p.Name()] = p
		v.Profiles = append(v.Profiles, profileVector{p.Name(), p.LogN(), p.Limbs(), p.LimbBits(), p.lit.TBits, p.MaxDegree(), p.Encoding().String(), p.Primes(), p.T(), p.ID().String()})
	}
	for name, count := range map[string]int{"vector-slots": 16, "vector-coefficients": 13} {
		v.Blocks = append(v.Blocks, makeBlockVector(t, all[name], count))
	}
	if v.Blocks[0].Profile != "vector-slots" {
		v.Blocks[0], v.Blocks[1] = v.Blocks[1], v.Blocks[0]
	}
	v.Blocks = append(v.Blocks, makeBlockVector(t, all["cube"], 1<<14), makeBlockVector(t, all["records"], 16000))

	first, _ := hex.DecodeString(v.Blocks[0].C0)
	v.Delta = carnet.Digest("carnet/delta/1", u32(2), first).String()

	p := all["vector-rejecting"]
	u, key := NewRing(p).NewPoly(), [32]byte{1, 2, 3}
	NewRing(p).Uniform(key, u)
	aes := carnet.Digest(tagXOF, p.id[:], key[:])
	v.Uniform = uniformVector{p.Name(), hex.EncodeToString(key[:]), aes.String(), u[0][:16], shaHex(canonical(u))}

	for _, name := range []string{"cube-wide", "records", "records-4"} {
		p := all[name]
		r := NewRing(p)
		for d := 1; d <= p.MaxDegree(); d++ {
			for _, noise := range []string{"0", "1234567890123456789", "-1234567890123456789012345"} {
				for _, m := range []int64{0, 1, int64(p.T() / 2), int64(p.T()/2) + 1} { // V = T*noise + m, divided by T^d
					x, _ := new(big.Int).SetString(noise, 10)
					x.Mul(x, new(big.Int).SetUint64(p.T())).Add(x, big.NewInt(m))
					sum := r.ScalarMul(r.ScalarFromBig(x), r.TInv(d))
					value, quotient := r.Decode(sum, d)
					v.Decode = append(v.Decode, decodeVector{name, sum[:p.Limbs()], d, value, quotient.String()})
				}
			}
		}
	}
	return v
}

// TestVectors checks that this package still makes exactly the documented bytes.
func TestVectors(t *testing.T) {
	have, err := json.MarshalIndent(makeVectors(t), "", "  ")
	require.NoError(t, err)
	have = append(have, '\n')
	if *update {
		require.NoError(t, os.WriteFile(vectorFile, have, 0o644))
	}
	want, err := os.ReadFile(vectorFile)
	require.NoError(t, err)
	require.Equal(t, strings.Split(string(want), "\n"), strings.Split(string(have), "\n"), "published bytes never change; a new format gets new tags")
}
