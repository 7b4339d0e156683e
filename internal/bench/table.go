package main

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/scan"
)

// table is one file in memory: a measure of up to 20 bits in column 0, and after it
// 0/1 indicators of which every row has exactly one, chosen at random; of a single
// one, half of the rows.
type table struct {
	r      *he.Ring
	seed   he.Seed
	key    carnet.KeyID
	file   carnet.Nonce
	blocks int
	plain  [][]int64 // by column, all rows
	stored *scan.Memory
	sums   []int64 // SUM(measure) where the indicator of column 1+i is 1
	total  int64   // SUM(measure)
}

func newTable(profile string, blocks, groups int) (*table, error) {
	p, err := he.Lookup(profile)
	if err != nil {
		return nil, err
	}
	t := &table{r: he.NewRing(p), seed: he.Seed{1}, key: carnet.KeyID{2}, file: carnet.Nonce{3}, blocks: blocks,
		stored: scan.NewMemory(p), sums: make([]int64, groups), plain: make([][]int64, 1+groups)}
	rows := blocks * p.N()
	for c := range t.plain {
		t.plain[c] = make([]int64, rows)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range rows {
		v, g := rnd.Int64N(1<<20), rnd.IntN(max(2, groups))
		t.plain[0][i] = v
		t.total += v
		if g < groups {
			t.plain[1+g][i] = 1
			t.sums[g] += v
		}
	}
	e, c0 := he.NewEncryptor(t.r, t.seed, t.key), t.r.NewPoly()
	for c := range t.plain {
		for b := range blocks {
			if err := e.EncryptBlock(t.id(c, b), t.values(c, b), c0); err != nil {
				return nil, err
			}
			t.stored.Put(t.id(c, b), blocks, c0)
		}
	}
	return t, nil
}

func (t *table) id(column, block int) he.BlockID {
	return he.BlockID{File: t.file, Column: uint32(column), Block: uint32(block)}
}

func (t *table) rows() float64 { return float64(len(t.plain[0])) }

// values are a block's values, none of which is negative.
func (t *table) values(column, block int) []uint64 {
	n := t.r.Profile().N()
	out := make([]uint64, n)
	for i, v := range t.plain[column][block*n : (block+1)*n] {
		out[i] = uint64(v)
	}
	return out
}

// filtered is SUM(measure) for every indicator.
func (t *table) filtered() (fs []*functional.Functional) {
	for g := range t.sums {
		fs = append(fs, &functional.Functional{Degree: 2, Keys: []functional.KeyTerms{{Key: t.key, Products: []functional.Product{
			{File: t.file, Blocks: uint32(t.blocks), Factors: []functional.Factor{functional.Sum(0), functional.Sum(uint32(1 + g))}},
		}}}})
	}
	return fs
}

// sumWhere scans, opens every sum with the secret and checks it.
func (t *table) sumWhere(ctx context.Context, r *he.Ring, opt scan.Options) error {
	opt.MaxBytes = 1 << 30
	s := r.DeriveSecret(t.seed)
	return scan.Products(ctx, r, t.filtered(), t.stored, opt, func(i int, parts []scan.Parts) error {
		d := parts[0].D
		return t.check(r.ScalarAdd(r.Const(d[0]), r.InnerConst(d[1:], []he.Poly{s.Power(1), s.Power(2)})), 2, t.sums[i])
	})
}

// sumAll is SUM(measure), which needs a key's share of the public half only.
func (t *table) sumAll(ctx context.Context, opt scan.Options) error {
	f := &functional.Functional{Degree: 1, Keys: []functional.KeyTerms{{Key: t.key, Linear: []functional.Linear{
		{File: t.file, Blocks: uint32(t.blocks), Column: 0},
	}}}}
	w := map[carnet.KeyID]he.Poly{t.key: t.r.DeriveSecret(t.seed).Power(1)}
	sums, err := scan.Linear(ctx, t.r, []*functional.Functional{f}, w, t.stored, opt)
	if err != nil {
		return err
	}
	return t.check(sums[0], 1, t.total)
}

func (t *table) check(open he.Scalar, degree int, want int64) error {
	value, _ := t.r.Decode(open, degree)
	if have := he.Centre(value, t.r.Profile().T()); have != want {
		return fmt.Errorf("the sum is %d, want %d", have, want)
	}
	return nil
}

// plainSum is the loop that a program without encryption would run.
func (t *table) plainSum() error {
	var sum int64
	x, ind := t.plain[0], t.plain[1]
	for i := range x {
		sum += x[i] * ind[i]
	}
	if sum != t.sums[0] {
		return fmt.Errorf("the sum is %d, want %d", sum, t.sums[0])
	}
	return nil
}
