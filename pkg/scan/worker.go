package scan

import (
	"slices"

	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/scan/internal/kernel"
)

// worker multiplies tiles of a step: some slots of all blocks of the chunk. A column is
// expanded, a sum of columns made and a pair multiplied once for each tile, when first
// needed.
type worker struct {
	run    *runner
	number int
	tile   int // slots of a whole tile

	c      *chunkPass
	s      *step
	public []kept // by column
	prime  uint64
	reduce he.Reducer
	slot   int // the tile
	slots  int

	expansion []*he.ColumnExpansion // by column, this worker's own
	expanded  buffers               // by column: the tile of a
	sums      buffers               // by factor: the tile of both halves of its sum
	pairs     buffers               // by pair: the tile of its three polynomials
	scratch   buffers               // for columns that are needed once: the factors of a term, and summands
	local     []uint64              // of the tile, for a member whose terms are all in this chunk
	dots      [3]kernel.Pair
}

const (
	firstFactor = iota // places in scratch
	secondFactor
	lastFactor // beside a pair
	summand
	scratchBuffers
)

// buffers are made on first use, and hold something for one tile.
type buffers struct {
	words [][]uint64
	valid []bool
}

func (b *buffers) reset(n int) {
	b.words = slices.Grow(b.words, max(0, n-len(b.words)))[:max(n, len(b.words))]
	b.valid = slices.Grow(b.valid[:0], n)[:n]
	clear(b.valid)
}

// get returns the buffer of that number, and whether it holds what it should.
func (b *buffers) get(i, words int) ([]uint64, bool) {
	if cap(b.words[i]) < words {
		b.words[i] = make([]uint64, words)
	}
	ok := b.valid[i]
	b.valid[i] = true
	return b.words[i][:words], ok
}

func (w *worker) begin(s *step) {
	c := s.c
	if w.c != c {
		w.expansion = make([]*he.ColumnExpansion, len(c.expansion))
	}
	w.c, w.s, w.public = c, s, s.public
	w.tile = tile(w.run.r.Profile(), c.rows)
	w.prime, w.reduce = w.run.r.Profile().Primes()[s.limb], w.run.r.Profile().Reducer(s.limb)
	w.expanded.reset(len(c.f.columns))
	w.sums.reset(len(c.f.factors))
	w.pairs.reset(len(c.f.pairs))
	w.scratch.reset(scratchBuffers)
}

// at multiplies the tile of so many slots from the given one on, for all terms.
func (w *worker) at(slot, slots int) {
	w.slot, w.slots = slot, slots
	clear(w.expanded.valid)
	clear(w.sums.valid)
	clear(w.pairs.valid)
	for i := range w.c.f.terms {
		t, turn := &w.c.f.terms[i], w.c.turns[i]
		sums := w.tileSums(t.member)
		if turn.begin {
			clear(sums)
		}
		if turn.relieve {
			relieve(sums, w.prime)
		}
		w.multiply(t, sums)
		if turn.end {
			w.run.sink.take(w.run, tileSums{w.number, t.member, w.s.limb, slot, w.run.members[t.member].degree, sums})
		}
	}
}

// tileSums are the sums of a member. Those whose terms are all in this chunk share
// memory, since the terms of a member follow each other.
func (w *worker) tileSums(member int) []uint64 {
	m := &w.run.members[member]
	size := sumWords(m.degree)
	if m.words != nil {
		group := (w.s.limb*w.run.r.Profile().N() + w.slot) / kernel.Lanes
		return m.words[group*size:][:w.slots/kernel.Lanes*size]
	}
	if need := w.slots / kernel.Lanes * size; len(w.local) < need {
		w.local = make([]uint64, need)
	}
	return w.local[:w.slots/kernel.Lanes*size]
}

// multiply adds a term to sums.
func (w *worker) multiply(t *term, sums []uint64) {
	if len(t.pairs) == 0 {
		x0, x1 := w.factor(t.factors[0], firstFactor)
		y0, y1 := w.factor(t.factors[1], secondFactor)
		w.run.kernel.Multiply(sums, x0, x1, y0, y1, w.c.rows)
		return
	}
	x, n := w.pair(t.pairs[0]), 2
	var y [3][]uint64
	if len(t.pairs) == 2 {
		y, n = w.pair(t.pairs[1]), 3
	} else {
		y[0], y[1] = w.factor(t.factors[0], lastFactor)
	}
	d := n + 1
	for j := range d + 1 {
		dots := w.dots[:0]
		for k := range x {
			if j-k >= 0 && j-k < n {
				dots = append(dots, kernel.Pair{A: x[k], B: y[j-k]})
			}
		}
		w.run.kernel.Dot(sums[j*kernel.Sum:], sumWords(d), dots, w.c.rows)
	}
}

func (w *worker) words() int { return w.slots * w.c.rows }

// stored is the tile of c0 of a column.
func (w *worker) stored(c int) []uint64 {
	return w.s.stored[c][w.slot*w.c.rows:][:w.words()]
}

// expand returns the tile of a of a column: where it is kept, in the scratch of that
// place if it is needed once, or in a buffer of the column's own.
func (w *worker) expand(c, place int) []uint64 {
	k := &w.public[c]
	if k.words == nil && w.c.f.once[c] {
		out, _ := w.scratch.get(place, w.words())
		w.fill(c, out)
		return out
	}
	var out []uint64
	ok := w.expanded.valid[c]
	if k.words != nil {
		out, ok = k.words[w.slot*w.c.rows:][:w.words()], ok || k.complete
		w.expanded.valid[c] = true
	} else {
		out, ok = w.expanded.get(c, w.words())
	}
	if !ok {
		w.fill(c, out)
	}
	return out
}

func (w *worker) fill(c int, out []uint64) {
	if w.expansion[c] == nil {
		w.expansion[c] = w.c.expansion[c].Fork()
	}
	w.expansion[c].Words(w.s.limb, w.slot, out, w.stored(c))
}

// factor returns the tile of both halves of a factor.
func (w *worker) factor(i, place int) (c0, a []uint64) {
	f := &w.c.f.factors[i]
	if f.wide > 0 {
		sum, at := &w.s.wide[f.wide-1], w.slot*w.c.rows
		return sum.c0[at : at+w.words()], sum.a[at : at+w.words()]
	}
	if f.single() {
		return w.stored(f.plus[0]), w.expand(f.plus[0], place)
	}
	sum, ok := w.sums.get(i, 2*w.words())
	c0, a = sum[:w.words()], sum[w.words():]
	if ok {
		return c0, a
	}
	w.add(c0, f, w.stored)
	w.add(a, f, func(c int) []uint64 { return w.expand(c, summand) })
	return c0, a
}

// add sets sum to the sum of a factor's columns less that of the columns it subtracts.
func (w *worker) add(sum []uint64, f *factor, words func(c int) []uint64) {
	plus := f.plus
	if len(plus) == 0 {
		clear(sum)
	} else {
		copy(sum, words(plus[0]))
		plus = plus[1:]
	}
	for _, c := range plus {
		w.run.kernel.AddMod(sum, words(c), w.prime)
	}
	for _, c := range f.minus {
		w.run.kernel.SubMod(sum, words(c), w.prime)
	}
}

// pair returns the tile of the three polynomials of the product of two factors.
func (w *worker) pair(i int) (p [3][]uint64) {
	n := w.words()
	all, ok := w.pairs.get(i, 3*n)
	for j := range p {
		p[j] = all[j*n : (j+1)*n]
	}
	if ok {
		return p
	}
	x0, x1 := w.factor(w.c.f.pairs[i].a, firstFactor)
	y0, y1 := w.factor(w.c.f.pairs[i].b, secondFactor)
	w.run.kernel.Product(p, x0, x1, y0, y1, w.reduce)
	return p
}
