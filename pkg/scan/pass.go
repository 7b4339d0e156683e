package scan

import (
	"context"

	"github.com/carnet-network/carnet/pkg/he"
)

const (
	tileWords  = 512      // words of a limb treated at a time: accumulators and factors stay in cache
	groupUnits = 16       // blocks of a file read before they are multiplied
	groupBytes = 64 << 20 // and how much memory they may take together
)

// unit is one block number of a file: the same rows in all its columns.
type unit struct {
	f     *filePass
	block uint32
	c0    []he.Poly // by column
}

// runner holds the memory of successive passes.
type runner struct {
	r       *he.Ring
	c0      Blocks
	workers int
	meter   *meter
	acc     [][]wide  // by member, limb after limb
	pending []int     // by member: products since the accumulators were relieved
	free    []he.Poly // for c0
}

// run sets the accumulators of the pass' members to the sums over all its files.
func (r *runner) run(ctx context.Context, p *pass) error {
	size := r.r.Profile().Limbs() * r.r.Profile().N()
	for i := range p.members {
		if i < len(r.acc) {
			clear(r.acc[i])
		} else {
			r.acc = append(r.acc, make([]wide, size))
		}
	}
	r.pending = make([]int, len(p.members))
	var group []*unit
	columns := 0
	flush := func() error {
		err := r.group(ctx, p, group)
		group, columns = group[:0], 0
		return err
	}
	for _, f := range p.files {
		for b := range f.blocks {
			group = append(group, &unit{f: f, block: b})
			columns += len(f.columns)
			if len(group) >= groupUnits || columns*r.r.Profile().BlockBytes() >= groupBytes {
				if err := flush(); err != nil {
					return err
				}
			}
		}
	}
	return flush()
}

// group reads the blocks of the units, then multiplies them: the words are divided
// among the workers, so that every accumulator has one owner.
func (r *runner) group(ctx context.Context, p *pass, units []*unit) error {
	if len(units) == 0 {
		return nil
	}
	if err := r.read(ctx, units); err != nil {
		return err
	}
	n := r.r.Profile().N()
	tile := min(n, tileWords)
	tiles := r.r.Profile().Limbs() * n / tile
	workers := max(1, min(r.workers, tiles))
	pending := make([][]int, workers)
	err := each(ctx, workers, workers, func(_ context.Context, _, i int) error {
		lo, hi := tiles*i/workers, tiles*(i+1)/workers
		pending[i] = newTiler(r, p, units, tile).run(lo, hi)
		return nil
	})
	if err != nil {
		return err
	}
	r.pending = pending[0] // the same for all workers
	for _, u := range units {
		r.free = append(r.free, u.c0...)
	}
	return nil
}

func (r *runner) read(ctx context.Context, units []*unit) error {
	type one struct {
		u *unit
		c int
	}
	var all []one
	for _, u := range units {
		for c := range u.f.columns {
			if len(r.free) == 0 {
				r.free = append(r.free, r.r.NewPoly())
			}
			u.c0 = append(u.c0, r.free[len(r.free)-1])
			r.free = r.free[:len(r.free)-1]
			all = append(all, one{u, c})
		}
	}
	return each(ctx, r.workers, len(all), func(ctx context.Context, _, i int) error {
		u, c := all[i].u, all[i].c
		if err := r.c0.Block(ctx, he.BlockID{File: u.f.file, Column: u.f.columns[c], Block: u.block}, u.c0[c]); err != nil {
			return err
		}
		r.meter.add(1)
		return nil
	})
}

// result reduces the accumulators of a member.
func (r *runner) result(member int, d *[3]he.Poly) {
	n := r.r.Profile().N()
	for l := range r.r.Profile().Limbs() {
		finish(r.acc[member][l*n:(l+1)*n], r.r.Profile().Reducer(l), d[0][l], d[1][l], d[2][l])
	}
}
