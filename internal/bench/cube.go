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

// cubeFigure is GROUP BY over a square cube: one sum for each code of one of its two
// dimensions, all cells in one group each. The gateway's part is measured, with the
// set-up kept from before and with nothing kept; a keyholder's is the same work.
func cubeFigure(ctx context.Context, b *bench, r *Report) error {
	c, err := newCube(b.cubeSide)
	if err != nil {
		return err
	}
	fresh, kept := scan.NewCubes(0), scan.NewCubes(1<<30)
	cells := float64(len(c.values))
	work := fmt.Sprintf("cube of %s cells, GROUP BY %d groups", millions(cells), b.cubeSide)
	outer, inner := c.groups(true), c.groups(false)
	for _, g := range []*cubeGroups{outer, inner} { // fills the cache
		if err := c.sum(ctx, kept, g, 1); err != nil {
			return err
		}
	}
	rows, err := b.race(ctx, r, work, "M cells/s",
		task{"set-up made anew, inner dimension", 1, cells / 1e6, func() error { return c.sum(ctx, fresh, inner, 1) }},
		task{"set-up kept, inner dimension", 1, cells / 1e6, func() error { return c.sum(ctx, kept, inner, 1) }},
		task{"set-up kept, outer dimension", 1, cells / 1e6, func() error { return c.sum(ctx, kept, outer, 1) }},
		task{"set-up kept, inner dimension", 2, cells / 1e6, func() error { return c.sum(ctx, kept, inner, 2) }},
		task{"plain int64 loop over plaintext", 1, cells / 1e6, func() error { return c.plain(inner) }})
	if err != nil {
		return err
	}
	r.atMost(work+", set-up done, one thread", "under 20 ms", 20, 1000*max(rows[1].Seconds, rows[2].Seconds), "ms")
	return nil
}

// cube is one column of cells of a square cube in memory, encrypted.
type cube struct {
	r      *he.Ring
	key    carnet.KeyID
	file   carnet.Nonce
	side   int
	blocks int
	secret he.Poly
	stored *scan.Memory
	values []int64
}

// cubeGroups are the sums of one GROUP BY and what they come to.
type cubeGroups struct {
	fs   []*functional.Functional
	want []int64
	of   func(cell int) int
}

func newCube(side int) (*cube, error) {
	p, err := he.Lookup("cube")
	if err != nil {
		return nil, err
	}
	seed := he.Seed{1}
	c := &cube{r: he.NewRing(p), key: carnet.KeyID{2}, file: carnet.Nonce{3}, side: side, blocks: (side*side + p.N() - 1) / p.N(),
		stored: scan.NewMemory(p), values: make([]int64, side*side)}
	c.secret = c.r.DeriveSecret(seed).Power(1)
	rnd := rand.New(rand.NewPCG(3, 4))
	for i := range c.values {
		c.values[i] = rnd.Int64N(1 << 20)
	}
	e, c0, block := he.NewEncryptor(c.r, seed, c.key), c.r.NewPoly(), make([]uint64, p.N())
	for b := range c.blocks {
		clear(block)
		for i, v := range c.values[b*p.N() : min((b+1)*p.N(), len(c.values))] {
			block[i] = uint64(v)
		}
		id := he.BlockID{File: c.file, Block: uint32(b)}
		if err := e.EncryptBlock(id, block, c0); err != nil {
			return nil, err
		}
		c.stored.Put(id, c.blocks, c0)
	}
	return c, nil
}

func (c *cube) groups(outer bool) *cubeGroups {
	g := &cubeGroups{want: make([]int64, c.side), of: func(cell int) int { return cell % c.side }}
	if outer {
		g.of = func(cell int) int { return cell / c.side }
	}
	lists := make([][]uint32, c.side)
	for i, v := range c.values {
		lists[g.of(i)] = append(lists[g.of(i)], uint32(i))
		g.want[g.of(i)] += v
	}
	for _, cells := range lists {
		g.fs = append(g.fs, &functional.Functional{Degree: 1, Keys: []functional.KeyTerms{{Key: c.key, Linear: []functional.Linear{
			{File: c.file, Blocks: uint32(c.blocks), Cells: cells},
		}}}})
	}
	return g
}

// sum adds up, opens with the secret and checks every group.
func (c *cube) sum(ctx context.Context, cubes *scan.Cubes, g *cubeGroups, workers int) error {
	sums, err := cubes.Linear(ctx, c.r, scan.RolePublic, g.fs, map[carnet.KeyID]he.Poly{c.key: c.secret}, c.stored, scan.Options{Workers: workers})
	if err != nil {
		return err
	}
	for i, s := range sums {
		value, _ := c.r.Decode(s, 1)
		if have := he.Centre(value, c.r.Profile().T()); have != g.want[i] {
			return fmt.Errorf("group %d is %d, want %d", i, have, g.want[i])
		}
	}
	return nil
}

func (c *cube) plain(g *cubeGroups) error {
	sums := make([]int64, c.side)
	for i, v := range c.values {
		sums[g.of(i)] += v
	}
	for i, s := range sums {
		if s != g.want[i] {
			return fmt.Errorf("group %d is %d, want %d", i, s, g.want[i])
		}
	}
	return nil
}
