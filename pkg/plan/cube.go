package plan

import (
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/query"
)

// cellList lists the cells of a table within a group, ascending. at gives the
// position that the group fixes a dimension to, or -1.
func (b *builder) cellList(s *space, t table, free []int, at func(dim int) int) ([]uint32, error) {
	dims := b.u.Schema.Dimensions
	type wheel struct {
		from, to int   // positions
		stride   int   // cells per position
		step     []int // table index per position; nil if the table does not care
	}
	wheels := make([]wheel, len(dims))
	stride := 1
	for d := len(dims) - 1; d >= 0; d-- {
		wheels[d] = wheel{0, dims[d].Cardinality(), stride, nil}
		if p := at(d); p >= 0 {
			wheels[d].from, wheels[d].to = p, p+1
		}
		stride *= dims[d].Cardinality()
	}
	step := 1
	for i := len(free) - 1; i >= 0; i-- {
		w := &wheels[s.dims[free[i]]]
		w.step = make([]int, w.to)
		for p := range w.step {
			w.step[p] = s.class[free[i]][p] * step
		}
		step *= len(s.sample[free[i]])
	}
	var cells []uint32
	var turn func(d, cell, index int) bool
	turn = func(d, cell, index int) bool {
		if d == len(wheels) { // no dimension at all
			cells = append(cells, uint32(cell))
			return true
		}
		w := &wheels[d]
		if d == len(wheels)-1 {
			if b.cells+len(cells) > maxCells-(w.to-w.from) {
				return false
			}
			for p := w.from; p < w.to; p++ {
				at := index
				if w.step != nil {
					at += w.step[p]
				}
				if t[at] {
					cells = append(cells, uint32(cell+p*w.stride))
				}
			}
			return true
		}
		for p := w.from; p < w.to; p++ {
			next := index
			if w.step != nil {
				next += w.step[p]
			}
			if !turn(d+1, cell+p*w.stride, next) {
				return false
			}
		}
		return true
	}
	if !turn(0, 0, 0) {
		return nil, query.Refuse(b.groupAt, "TOO_COMPLEX", "the plan lists more than %d cells", maxCells).
			Fix("use conditions that are the same for all files, or select fewer codes")
	}
	b.cells += len(cells)
	return cells, nil
}

// cubeQuantity sums the chosen cells of every digit column of a quantity.
func (b *builder) cubeQuantity(n int, p *picks) ([]Part, error) {
	of := b.needs.list[n].of
	columns := b.u.Encoding.Digits(of[0])
	if columns == nil || len(of.list()) > 1 {
		return nil, b.notStored(n)
	}
	var parts []Part
	for _, c := range columns {
		f := &functional.Functional{Degree: 1}
		for i := range p.files {
			t := &p.files[i]
			k := keyed(f, t.key)
			k.Linear = append(k.Linear, functional.Linear{File: t.nonce, Column: c.ID, Blocks: t.blocks, Cells: t.cells})
		}
		lo, hi := b.u.Encoding.SumBounds(c, p.rows)
		o, err := b.open(n, f, p, bounds{lo, hi, rowOf(b.u.Encoding, c)})
		if err != nil {
			return nil, err
		}
		parts = append(parts, Part{Opening: o, Shift: c.Shift, Times: 1})
	}
	return parts, nil
}
