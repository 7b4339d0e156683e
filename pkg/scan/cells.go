package scan

import (
	"math/bits"

	"github.com/carnet-network/carnet/pkg/columnfile"
	"github.com/carnet-network/carnet/pkg/he"
)

// cells is the contribution of a chunk of a column in coefficient encoding: one
// transform of each block gives all its cells.
func (s *linearState) cells(j *job, limb int, w, stored []uint64) {
	p := s.r.Profile()
	if s.a == nil {
		s.a, s.block = make([]uint64, p.N()), make([]uint64, p.N())
	}
	for i := range j.blocks {
		b := &j.blocks[i]
		s.transformed(j, b.block, limb, w, stored)
		for _, u := range b.uses {
			s.sum(u.use, limb, sumCells(s.a, u.cells, p.Reducer(limb)))
		}
	}
}

// transformed sets s.a to one limb of INTT(c0 + a*w) of a block: an integer for each
// cell. It depends on the block and on w only, so it can be kept between queries.
func (s *linearState) transformed(j *job, block uint32, limb int, w, stored []uint64) {
	s.r.Expand(j.key, he.BlockID{File: j.id.File, Column: j.id.Column, Block: block}).Words(limb, 0, s.a)
	var c0 []uint64
	if stored != nil {
		columnfile.Get(stored, j.rows, int(block-j.first), s.block)
		c0 = s.block
	}
	s.r.AddMulINTT(limb, s.a, w, c0)
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
