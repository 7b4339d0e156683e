package scan

import (
	"math/bits"

	"github.com/carnet-network/carnet/pkg/he"
)

// slots is the contribution of a chunk of a column in slot encoding: one residue, the
// same for all functionals that use the column. It is the sum of all words of c0, and
// of w times the sum over the blocks of a, slot by slot.
func (s *linearState) slots(j *job, limb int, w, stored []uint64) {
	p := s.r.Profile()
	m := p.Reducer(limb)
	x := s.r.ExpandColumn(j.key, he.BlockID{File: j.id.File, Column: j.id.Column, Block: j.first}, j.rows)
	tile := min(tileSlots, p.N())
	if s.a == nil {
		s.a = make([]uint64, tile*ChunkBlocks)
		s.block = make([]uint64, tile)
	}
	a, sums := s.a[:tile*j.rows], s.block[:tile]
	var hi, lo, c uint64
	for slot := 0; slot < p.N(); slot += tile {
		var ahead []uint64
		if stored != nil {
			ahead = stored[slot*j.rows:][:len(a)]
		}
		x.Words(limb, slot, a, ahead)
		sumRows(sums, a, j.rows, m)
		for i, v := range sums { // each product is below 2^120, and there are at most 2^15 in all
			h, l := bits.Mul64(v, w[slot+i])
			lo, c = bits.Add64(lo, l, 0)
			hi, _ = bits.Add64(hi, h, c)
		}
		hi %= p.Prime(limb)
		for _, v := range ahead {
			lo, c = bits.Add64(lo, v, 0)
			hi += c
		}
	}
	v := s.r.OverN(limb, m.Reduce(hi, lo))
	for _, u := range j.uses {
		s.sum(u, limb, v)
	}
}

// sumRows sets sums to the sum over the rows of each slot of words in column-file
// order, modulo the prime.
func sumRows(sums, words []uint64, rows int, m he.Reducer) {
	for len(sums) > 0 {
		var hi, lo [he.ColumnLane]uint64
		for at := 0; at < rows*he.ColumnLane; at += he.ColumnLane {
			row := (*[he.ColumnLane]uint64)(words[at:])
			for i := range lo {
				var c uint64
				lo[i], c = bits.Add64(lo[i], row[i], 0)
				hi[i] += c
			}
		}
		for i := range lo {
			sums[i] = m.Reduce(hi[i], lo[i])
		}
		sums, words = sums[he.ColumnLane:], words[rows*he.ColumnLane:]
	}
}
