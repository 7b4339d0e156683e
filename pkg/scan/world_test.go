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
	"github.com/carnet-network/carnet/pkg/columnfile"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/plain"
	"github.com/carnet-network/carnet/pkg/scan"
)

func profile(t testing.TB, logN, limbs, bits, tBits int, e he.Encoding) *he.Profile {
	degree := limbs - 2 // 4 limbs: 2, 5: 3, 6: 4
	if e == he.Coefficients {
		degree = 1
	}
	p, err := he.NewProfile(he.Literal{Name: "test", LogN: logN, Limbs: limbs, LimbBits: bits, TBits: tBits, MaxDegree: max(degree, 1), Encoding: e})
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
	reads map[read]int
	held  int // chunks not released
	fail  error
	c0    map[he.BlockID]he.Poly
	plain map[he.BlockID][]uint64
}

type read struct {
	id   scan.ChunkID
	limb int
}

func (w *world) Chunk(ctx context.Context, id scan.ChunkID, limb int) ([]uint64, func(), error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fail != nil {
		return nil, nil, w.fail
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	w.reads[read{id, limb}]++
	n := w.r.Profile().N()
	for _, f := range w.files {
		if f.nonce != id.File {
			continue
		}
		first := id.Chunk * scan.ChunkBlocks
		g := int(min(scan.ChunkBlocks, f.blocks-first))
		words := make([]uint64, g*n)
		for b := range g {
			columnfile.Put(words, g, b, w.c0[he.BlockID{File: id.File, Column: id.Column, Block: first + uint32(b)}][limb])
		}
		w.held++
		once := false
		return words, func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			if once {
				panic("released twice")
			}
			once = true
			for i := range words {
				words[i] = 1<<64 - 1 // whoever still reads them gets a wrong result
			}
			w.held--
		}, nil
	}
	return nil, nil, errors.New("no such file")
}

func (w *world) Values(id he.BlockID) ([]uint64, error) { return w.plain[id], nil }

// newWorld makes keys with two files each, of the given columns and at most
// maxBlocks blocks; the last block of a file is partially filled.
func newWorld(t testing.TB, p *he.Profile, keys, columns, maxBlocks int, seed uint64) *world {
	return makeWorld(t, p, keys, columns, seed, func(r *rand.Rand) uint32 { return 1 + r.Uint32N(uint32(maxBlocks)) })
}

// makeWorld is newWorld with files of as many blocks as the function says.
func makeWorld(t testing.TB, p *he.Profile, keys, columns int, seed uint64, blocks func(r *rand.Rand) uint32) *world {
	w := &world{
		r: he.NewRing(p), rnd: rand.New(rand.NewPCG(seed, 2)), seeds: map[carnet.KeyID]he.Seed{},
		reads: map[read]int{}, c0: map[he.BlockID]he.Poly{}, plain: map[he.BlockID][]uint64{},
	}
	for k := range keys {
		key := carnet.KeyID{byte(w.rnd.Uint32()), byte(k)}
		w.seeds[key] = he.Seed{byte(k), byte(seed)}
		e := he.NewEncryptor(w.r, w.seeds[key], key)
		for n := range 2 {
			f := file{nonce: carnet.Nonce{byte(w.rnd.Uint32()), byte(k), byte(n)}, key: key, blocks: blocks(w.rnd)}
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

// product makes a random functional of the given degree and returns how many products
// of blocks it adds up.
func (w *world) product(columns, degree int) (f *functional.Functional, terms int64) {
	byKey := map[carnet.KeyID]*functional.KeyTerms{}
	for i, x := range w.files {
		if i > 0 && w.rnd.IntN(4) == 0 {
			continue
		}
		if byKey[x.key] == nil {
			byKey[x.key] = &functional.KeyTerms{Key: x.key}
		}
		p := functional.Product{File: x.nonce, Blocks: x.blocks}
		all := w.rnd.Perm(columns)
		count := int64(x.blocks)
		for left := degree; left > 0; left-- {
			take := 1
			if len(all) > left {
				take += w.rnd.IntN(min(len(all)-left, 8)) // also wide ones
			}
			var some []uint32
			for _, c := range all[:take] {
				some = append(some, uint32(c))
			}
			all = all[take:]
			slices.Sort(some)
			p.Factors = append(p.Factors, w.factor(some))
			count *= int64(take)
			if take == 1 && left > 1 && w.rnd.IntN(2) == 0 { // a square
				p.Factors = append(p.Factors, p.Factors[len(p.Factors)-1])
				left--
			}
		}
		terms += count
		byKey[x.key].Products = append(byKey[x.key].Products, p)
	}
	return assemble(degree, byKey), terms
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
