package independent_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math"
	"math/big"
	"os"
	"testing"
)

type vectors struct {
	Samples []struct{ Key, Variance, Value string }
	Parts   []struct {
		Mask, F, Variance, Noise, T, Added string
		N                                  int
	}
	Amounts []struct{ Sensitivity, Rho, Variance, Cost, Tail, Epsilon string }
}

func load(t *testing.T) (v vectors) {
	b, err := os.ReadFile("../../../docs/formats/vectors/noise.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Samples) < 40 || len(v.Parts) < 2 || len(v.Amounts) < 5 {
		t.Fatal("vectors are missing")
	}
	return v
}

func number(s string) *big.Int {
	n, ok := new(big.Int).SetString(s, 10)
	if !ok {
		panic("no number: " + s)
	}
	return n
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

// source is the key stream, one byte after the other.
type source struct{ stream cipher.Stream }

func newSource(key []byte) *source {
	c, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	return &source{cipher.NewCTR(c, make([]byte, 16))}
}

func (s *source) octet() byte {
	b := []byte{0}
	s.stream.XORKeyStream(b, b)
	return b[0]
}

func (s *source) below(m *big.Int) *big.Int {
	bits := new(big.Int).Sub(m, big.NewInt(1)).BitLen()
	mask := new(big.Int).Lsh(big.NewInt(1), uint(bits))
	mask.Sub(mask, big.NewInt(1))
	for {
		v := new(big.Int)
		for range (bits + 7) / 8 {
			v.Lsh(v, 8).Add(v, big.NewInt(int64(s.octet())))
		}
		if v.And(v, mask); v.Cmp(m) < 0 {
			return v
		}
	}
}

func (s *source) fraction(a, b *big.Int) bool {
	k := int64(1)
	for s.below(new(big.Int).Mul(b, big.NewInt(k))).Cmp(a) < 0 {
		k++
	}
	return k%2 == 1
}

func (s *source) exp(a, b *big.Int) bool {
	for a.Cmp(b) >= 0 {
		if !s.fraction(big.NewInt(1), big.NewInt(1)) {
			return false
		}
		a = new(big.Int).Sub(a, b)
	}
	return s.fraction(a, b)
}

func (s *source) laplace(t *big.Int) *big.Int {
	for {
		u := s.below(t)
		if !s.fraction(u, t) {
			continue
		}
		for s.fraction(big.NewInt(1), big.NewInt(1)) {
			u = new(big.Int).Add(u, t)
		}
		if s.octet()%2 == 0 {
			return u
		}
		if u.Sign() != 0 {
			return new(big.Int).Neg(u)
		}
	}
}

func sample(key []byte, v *big.Int) *big.Int {
	s := newSource(key)
	t := new(big.Int).Sqrt(v)
	t.Add(t, big.NewInt(1))
	for {
		y := s.laplace(t)
		a := new(big.Int).Abs(y)
		a.Mul(a, t).Sub(a, v).Exp(a, big.NewInt(2), nil)
		b := new(big.Int).Mul(t, t)
		b.Mul(b, v).Mul(b, big.NewInt(2))
		if s.exp(a, b) {
			return y
		}
	}
}

func TestSamples(t *testing.T) {
	for _, x := range load(t).Samples {
		if got := sample(unhex(x.Key), number(x.Variance)).String(); got != x.Value {
			t.Errorf("key %s, variance %s: %s, want %s", x.Key, x.Variance, got, x.Value)
		}
	}
}

func TestParts(t *testing.T) {
	for _, x := range load(t).Parts {
		h := hmac.New(sha256.New, unhex(x.Mask))
		for _, field := range [][]byte{[]byte("carnet/noise/1"), unhex(x.F), []byte(x.Variance)} {
			h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(field))))
			h.Write(field)
		}
		noise := sample(h.Sum(nil), number(x.Variance))
		if noise.String() != x.Noise {
			t.Errorf("noise %s, want %s", noise, x.Noise)
		}
		if x.N > 0 {
			noise.Mul(noise, new(big.Int).ModInverse(big.NewInt(int64(x.N)), number(x.T)))
		}
		if noise.Mod(noise, number(x.T)).String() != x.Added {
			t.Errorf("added %s, want %s", noise, x.Added)
		}
	}
}

func TestAmounts(t *testing.T) {
	million := big.NewInt(1_000_000)
	up := func(a, b *big.Int) *big.Int {
		return new(big.Int).Quo(new(big.Int).Sub(new(big.Int).Add(a, b), big.NewInt(1)), b)
	}
	for _, x := range load(t).Amounts {
		d := number(x.Sensitivity)
		if d.Sign() == 0 {
			d = big.NewInt(1)
		}
		d.Mul(d, d).Mul(d, million)
		v := up(d, new(big.Int).Mul(big.NewInt(2), number(x.Rho)))
		cost := up(d, new(big.Int).Mul(big.NewInt(2), v))
		if v.String() != x.Variance || cost.String() != x.Cost {
			t.Errorf("sensitivity %s: variance %s, cost %s; want %s, %s", x.Sensitivity, v, cost, x.Variance, x.Cost)
		}
		tail := new(big.Int).Mul(v, big.NewInt(169))
		root := new(big.Int).Sqrt(tail)
		if new(big.Int).Mul(root, root).Cmp(tail) < 0 {
			root.Add(root, big.NewInt(1))
		}
		if root.String() != x.Tail {
			t.Errorf("tail %s, want %s", root, x.Tail)
		}
		rho, _ := new(big.Float).SetInt(cost).Float64()
		epsilon := rho + 2*math.Sqrt(rho*1e6*9*math.Ln10)
		got, _ := new(big.Float).SetInt(number(x.Epsilon)).Float64()
		if got < epsilon-1e-6*epsilon || got > epsilon*(1+1e-6)+3 {
			t.Errorf("epsilon %v, want %v", got, epsilon)
		}
	}
}
