package scan

import (
	"math/bits"

	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/scan/internal/kernel"
)

// slots is the contribution of a chunk of a column in slot encoding: one residue, the
// same for all functionals that use the column. It is the sum of all words of c0, and
// of w times the sum over the blocks of a, slot by slot.
func (s *linearState) slots(j *job, limb int, w, stored []uint64) {
	p := s.r.Profile()
	m, prime := p.Reducer(limb), p.Prime(limb)
	if s.job != j { // the limbs of a job follow each other
		s.job = j
		s.public = s.r.ExpandColumn(j.key, he.BlockID{File: j.id.File, Column: j.id.Column, Block: j.first}, j.rows)
	}
	tile := min(linearSlots, p.N())
	if s.a == nil {
		s.a = make([]uint64, tile*ChunkBlocks)
		s.block = make([]uint64, tile)
	}
	a, sums := s.a[:tile*j.rows], s.block[:tile]
	var hi, lo, c uint64
	for slot := 0; slot < p.N(); slot += tile {
		var c0 []uint64
		if stored != nil {
			c0 = stored[slot*j.rows:][:len(a)]
		}
		s.public.Words(limb, slot, a, c0)
		s.rows(sums, a, j.rows, m)
		// A sum is below 2^63 and w below 2^57, or both below 2^60: so many products are
		// below 2^127, and hi stays below 2^64 with what it had.
		for i, v := range sums {
			h, l := bits.Mul64(v, w[slot+i])
			lo, c = bits.Add64(lo, l, 0)
			hi, _ = bits.Add64(hi, h, c)
		}
		if hi %= prime; c0 == nil {
			continue
		}
		s.rows(sums, c0, j.rows, m)
		for _, v := range sums {
			lo, c = bits.Add64(lo, v, 0)
			hi += c
		}
	}
	v := s.r.OverN(limb, m.Reduce(hi, lo))
	for _, u := range j.uses {
		s.sum(u, limb, v)
	}
}

// linearSlots are treated together in a linear pass.
const linearSlots = 64

// rows sets sums to the sum over the rows of each slot of words in column-file order,
// exactly or modulo the prime.
func (s *linearState) rows(sums, words []uint64, rows int, m he.Reducer) {
	if s.r.Profile().LimbBits() <= kernel.RowBits {
		s.kernel.Rows(sums, words, rows)
	} else {
		sumRows(sums, words, rows, m)
	}
}

// sumRows is rows for words of any length, modulo the prime.
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
