package scan_test

import (
	"bytes"
	"context"
	"errors"
	"math/big"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/plain"
)

func profile(t testing.TB, logN, limbs, bits, tBits int, e he.Encoding) *he.Profile {
	degree := 2
	if e == he.Coefficients {
		degree = 1
	}
	p, err := he.NewProfile(he.Literal{Name: "test", LogN: logN, Limbs: limbs, LimbBits: bits, TBits: tBits, MaxDegree: degree, Encoding: e})
	require.NoError(t, err)
	return p
}

// file is a table of one key: plaintext values by column and block.
type file struct {
	nonce  carnet.Nonce
	key    carnet.KeyID
	blocks uint32
}

// world is some keys with files, in the clear and encrypted.
type world struct {
	r     *he.Ring
	rnd   *rand.Rand
	files []file
	seeds map[carnet.KeyID]he.Seed

	mu    sync.Mutex
	reads int
	fail  error
	c0    map[he.BlockID]he.Poly
	plain map[he.BlockID][]uint64
}

func (w *world) Block(ctx context.Context, id he.BlockID, out he.Poly) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reads++
	if w.fail != nil {
		return w.fail
	}
	src, ok := w.c0[id]
	if !ok {
		return errors.New("no such block")
	}
	for l := range src {
		copy(out[l], src[l])
	}
	return ctx.Err()
}

func (w *world) Values(id he.BlockID) ([]uint64, error) { return w.plain[id], nil }

// newWorld makes keys with two files each, of the given columns and at most
// maxBlocks blocks; the last block of a file is partially filled.
func newWorld(t testing.TB, p *he.Profile, keys, columns, maxBlocks int, seed uint64) *world {
	w := &world{
		r: he.NewRing(p), rnd: rand.New(rand.NewPCG(seed, 2)), seeds: map[carnet.KeyID]he.Seed{},
		c0: map[he.BlockID]he.Poly{}, plain: map[he.BlockID][]uint64{},
	}
	for k := range keys {
		key := carnet.KeyID{byte(w.rnd.Uint32()), byte(k)}
		w.seeds[key] = he.Seed{byte(k), byte(seed)}
		e := he.NewEncryptor(w.r, w.seeds[key], key)
		for n := range 2 {
			f := file{nonce: carnet.Nonce{byte(w.rnd.Uint32()), byte(k), byte(n)}, key: key, blocks: 1 + w.rnd.Uint32N(uint32(maxBlocks))}
			filled := 1 + w.rnd.IntN(p.N())
			for c := range columns {
				for b := range f.blocks {
					values := make([]uint64, p.N())
					if b == f.blocks-1 {
						values = values[:filled]
					}
					for i := range values {
						values[i] = w.value(p.T())
					}
					id := he.BlockID{File: f.nonce, Column: uint32(c), Block: b}
					w.plain[id] = values
					w.c0[id] = w.r.NewPoly()
					require.NoError(t, e.EncryptBlock(id, values, w.c0[id]))
				}
			}
			w.files = append(w.files, f)
		}
	}
	slices.SortFunc(w.files, func(a, b file) int { return bytes.Compare(a.nonce[:], b.nonce[:]) })
	return w
}

func (w *world) value(t uint64) uint64 {
	switch w.rnd.IntN(8) {
	case 0:
		return t - 1
	case 1:
		return t / 2
	case 2:
		return t/2 + 1
	case 3:
		return 0
	}
	return w.rnd.Uint64N(t)
}

func (w *world) subset(n int) (out []uint32) {
	for i := range n {
		if w.rnd.IntN(2) == 0 {
			out = append(out, uint32(i))
		}
	}
	if out == nil {
		out = []uint32{w.rnd.Uint32N(uint32(n))}
	}
	return out
}

// linear makes a random functional of degree 1 and returns how many blocks, or
// cells, it adds up.
func (w *world) linear(columns int) (f *functional.Functional, terms int64) {
	p := w.r.Profile()
	byKey := map[carnet.KeyID]*functional.KeyTerms{}
	for i, x := range w.files {
		if i > 0 && w.rnd.IntN(4) == 0 {
			continue
		}
		if byKey[x.key] == nil {
			byKey[x.key] = &functional.KeyTerms{Key: x.key}
		}
		for _, c := range w.subset(columns) {
			l := functional.Linear{File: x.nonce, Column: c, Blocks: x.blocks, Minus: w.rnd.IntN(3) == 0}
			if p.Encoding() == he.Coefficients {
				l.Cells = w.subset(int(x.blocks) * p.N())
			}
			terms += max(int64(len(l.Cells)), int64(x.blocks))
			byKey[x.key].Linear = append(byKey[x.key].Linear, l)
		}
	}
	return assemble(1, byKey), terms
}

// product makes a random functional of degree 2 and returns how many products of
// blocks it adds up.
func (w *world) product(columns int) (f *functional.Functional, terms int64) {
	byKey := map[carnet.KeyID]*functional.KeyTerms{}
	for i, x := range w.files {
		if i > 0 && w.rnd.IntN(4) == 0 {
			continue
		}
		if byKey[x.key] == nil {
			byKey[x.key] = &functional.KeyTerms{Key: x.key}
		}
		a := w.subset(columns)
		b := a
		if len(a) > 1 || w.rnd.IntN(2) == 0 { // else a square
			b = []uint32{}
			for c := range uint32(columns) {
				if !slices.Contains(a, c) {
					b = append(b, c)
				}
			}
			if len(b) == 0 {
				a, b = a[:1], a[1:]
			}
		}
		p := functional.Product{File: x.nonce, Blocks: x.blocks, Factors: []functional.Factor{w.factor(a), w.factor(b)}}
		if a[0] == b[0] {
			p.Factors[1] = p.Factors[0]
		}
		terms += int64(len(a)) * int64(len(b)) * int64(x.blocks)
		byKey[x.key].Products = append(byKey[x.key].Products, p)
	}
	return assemble(2, byKey), terms
}

// factor adds some of the columns and subtracts the others.
func (w *world) factor(columns []uint32) (f functional.Factor) {
	for _, c := range columns {
		if w.rnd.IntN(3) == 0 {
			f.Minus = append(f.Minus, c)
		} else {
			f.Plus = append(f.Plus, c)
		}
	}
	return f
}

func assemble(degree int, byKey map[carnet.KeyID]*functional.KeyTerms) *functional.Functional {
	f := &functional.Functional{Degree: degree}
	for _, k := range byKey {
		f.Keys = append(f.Keys, *k)
	}
	f.Sort()
	return f
}

// power returns s^j of every key.
func (w *world) power(j int) map[carnet.KeyID]he.Poly {
	out := map[carnet.KeyID]he.Poly{}
	for k, seed := range w.seeds {
		out[k] = w.r.DeriveSecret(seed).Power(j)
	}
	return out
}

// open decodes a sum, compares it with the twin and checks the noise certificate
// terms * N^(d-1) * T^(d-1) * 20^d, which in coefficient encoding is terms * 20.
func (w *world) open(t *testing.T, f *functional.Functional, terms int64, sum he.Scalar) {
	t.Helper()
	p := w.r.Profile()
	want, err := plain.Eval(p, f, w)
	require.NoError(t, err)
	have, quotient := w.r.Decode(sum, f.Degree)
	require.Equal(t, want, have)
	bound := big.NewInt(terms)
	for d := range f.Degree {
		bound.Mul(bound, big.NewInt(20))
		if d > 0 {
			bound.Mul(bound, big.NewInt(int64(p.N())))
			bound.Mul(bound, new(big.Int).SetUint64(p.T()))
		}
	}
	require.LessOrEqual(t, quotient.Cmp(bound), 0, "noise %d, certificate %d", quotient, bound)
}
