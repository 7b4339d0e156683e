package scan

import (
	"math/bits"

	"github.com/carnet-network/carnet/pkg/columnfile"
	"github.com/carnet-network/carnet/pkg/he"
)

// cells is the contribution of a chunk of a column in coefficient encoding: one
// transform of each block gives all its cells.
func (s *linearState) cells(j *job, limb int, w, stored []uint64) {
	m := s.r.Profile().Reducer(limb)
	for i := range j.blocks {
		b := &j.blocks[i]
		x := s.r.Expand(j.key, he.BlockID{File: j.id.File, Column: j.id.Column, Block: b.block})
		cells := s.coefficients.of(s.r, x, limb, w, stored, j.rows, int(b.block-j.first))
		for _, u := range b.uses {
			s.sum(u.use, limb, sumCells(cells, u.cells, m))
		}
	}
}

// coefficients is one worker's memory for the cells of a block.
type coefficients struct{ a, c0 []uint64 }

// of returns one limb of INTT(c0 + a*w) of a block, until the next call: an integer for
// each cell. x expands a; c0 is row number row of the stored words of a chunk of rows
// blocks, or zero if there are none. The result depends on the block and on w only, so it
// can be kept between queries.
func (c *coefficients) of(r *he.Ring, x *he.Expansion, limb int, w, stored []uint64, rows, row int) []uint64 {
	if c.a == nil {
		c.a, c.c0 = make([]uint64, r.Profile().N()), make([]uint64, r.Profile().N())
	}
	x.Words(limb, 0, c.a)
	var c0 []uint64
	if stored != nil {
		columnfile.Get(stored, rows, row, c.c0)
		c0 = c.c0
	}
	r.AddMulINTT(limb, c.a, w, c0)
	return c.a
}

// sumCells sums the chosen coefficients of a limb.
func sumCells(limb []uint64, cells []uint32, m he.Reducer) uint64 {
	var hi, lo, c uint64
	mask := uint32(len(limb) - 1)
	for _, i := range cells {
		lo, c = bits.Add64(lo, limb[i&mask], 0)
		hi += c
	}
	return m.Reduce(hi, lo)
}
