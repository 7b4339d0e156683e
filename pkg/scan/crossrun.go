package scan

import (
	"cmp"
	"context"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/scan/internal/kernel"
)

// crossSums are the 128-bit sums of one functional: limb after limb, in a limb one
// polynomial after the other (Stored, Own, Pairs), group after group of slots.
type crossSums struct {
	p     *he.Profile
	f     *functional.Functional
	at    map[carnet.KeyID]int
	pairs []CrossPair
	words []uint64
}

func newCrossSums(p *he.Profile, f *functional.Functional) *crossSums {
	s := &crossSums{p: p, f: f, at: map[carnet.KeyID]int{}}
	for i := range f.Keys {
		s.at[f.Keys[i].Key] = i
	}
	s.pairs = pairsOf(f, s.at)
	return s
}

func (s *crossSums) polys() int { return 1 + len(s.f.Keys) + len(s.pairs) }

// begin sets the sums to zero.
func (s *crossSums) begin() {
	s.words = make([]uint64, s.p.Limbs()*s.polys()*s.p.N()/kernel.Lanes*kernel.Sum)
}

// tile returns the sums of some slots of a polynomial.
func (s *crossSums) tile(limb, poly, slot, slots int) []uint64 {
	groups := (limb*s.polys()+poly)*s.p.N()/kernel.Lanes + slot/kernel.Lanes
	return s.words[groups*kernel.Sum:][:slots/kernel.Lanes*kernel.Sum]
}

// pair is the number of the polynomial of two keys.
func (s *crossSums) pair(a, b int) int {
	return 1 + len(s.f.Keys) + slices.IndexFunc(s.pairs, func(x CrossPair) bool { return x.A == a && x.B == b })
}

func (s *crossSums) result(r *he.Ring) *CrossParts {
	out := &CrossParts{Pairs: slices.Clone(s.pairs)}
	poly := func(number int) he.Poly {
		e := r.NewPoly()
		for l := range e {
			m, words := s.p.Reducer(l), s.tile(l, number, 0, s.p.N())
			for i := range e[l] {
				at := i/kernel.Lanes*kernel.Sum + i%kernel.Lanes
				e[l][i] = m.Reduce(words[at+kernel.Lanes], words[at])
			}
		}
		return e
	}
	out.Stored = poly(0)
	for k := range s.f.Keys {
		out.Keys = append(out.Keys, s.f.Keys[k].Key)
		out.Own = append(out.Own, poly(1+k))
	}
	for i := range out.Pairs {
		out.Pairs[i].E = poly(1 + len(s.f.Keys) + i)
	}
	return out
}

// crossPass is what is read together: two files that belong together row by row, and the
// terms of all functionals over them.
type crossPass struct {
	sides   [2]crossFile
	blocks  uint32
	columns [2][]uint32
	terms   []crossTerm
}

type crossTerm struct {
	sums    *crossSums
	weight  int
	factors [2]factor
	a, b    int // places of the keys in the functional
}

// crossPasses arranges functionals by the two files of their terms.
func crossPasses(all []*crossSums) (out []*crossPass) {
	byFiles := map[[2]crossFile]*crossPass{}
	for _, s := range all {
		for i := range s.f.Cross {
			t := &s.f.Cross[i]
			sides := [2]crossFile{{t.Left.Key, t.Left.File}, {t.Right.Key, t.Right.File}}
			p := byFiles[sides]
			if p == nil {
				p = &crossPass{sides: sides, blocks: t.Blocks}
				byFiles[sides] = p
				out = append(out, p)
			}
			p.terms = append(p.terms, crossTerm{sums: s, weight: t.Weight, a: s.at[t.Left.Key], b: s.at[t.Right.Key],
				factors: [2]factor{p.factor(0, &t.Left.Factor), p.factor(1, &t.Right.Factor)}})
		}
	}
	slices.SortFunc(out, func(x, y *crossPass) int {
		return cmp.Or(compareCrossFiles(x.sides[0], y.sides[0]), compareCrossFiles(x.sides[1], y.sides[1]))
	})
	return out
}

func (p *crossPass) factor(side int, f *functional.Factor) factor {
	indices := func(columns []uint32) (at []int) {
		for _, c := range columns {
			i := slices.Index(p.columns[side], c)
			if i < 0 {
				i = len(p.columns[side])
				p.columns[side] = append(p.columns[side], c)
			}
			at = append(at, i)
		}
		return at
	}
	return factor{plus: indices(f.Plus), minus: indices(f.Minus)}
}

func (p *crossPass) reads() int64 {
	return int64(p.blocks) * int64(len(p.columns[0])+len(p.columns[1]))
}

type crossRunner struct {
	r      *he.Ring
	kernel *kernel.Kernel
	c0     Chunks
	opt    Options
	meter  *meter
}

// crossStep is one limb of one chunk of both files.
type crossStep struct {
	p         *crossPass
	limb      int
	rows      int
	stored    [2][][]uint64            // by column
	expansion [2][]*he.ColumnExpansion // by column
}

func (c *crossRunner) run(ctx context.Context, p *crossPass) error {
	for chunk := range chunks(p.blocks) {
		first, rows := chunkOf(p.blocks, chunk)
		s := &crossStep{p: p, rows: rows}
		for side, at := range p.sides {
			for _, column := range p.columns[side] {
				s.expansion[side] = append(s.expansion[side], c.r.ExpandColumn(at.key, he.BlockID{File: at.file, Column: column, Block: first}, rows))
			}
		}
		for s.limb = range c.r.Profile().Limbs() {
			if err := c.step(ctx, s, chunk); err != nil {
				return err
			}
		}
		c.meter.add(int64(rows) * int64(len(p.columns[0])+len(p.columns[1])))
	}
	return nil
}

// step reads one limb of a chunk and divides its slots among the workers.
func (c *crossRunner) step(ctx context.Context, s *crossStep, chunk uint32) error {
	for side, at := range s.p.sides {
		s.stored[side] = nil
		for _, column := range s.p.columns[side] {
			words, release, err := load(ctx, c.c0, c.r.Profile(), ChunkID{at.file, column, chunk}, s.limb, s.rows)
			if err != nil {
				return err
			}
			defer release()
			s.stored[side] = append(s.stored[side], words)
		}
	}
	tile := tile(c.r.Profile(), ChunkBlocks) // of shorter chunks, too: there would be too few for the workers
	tiles, n := c.r.Profile().N()/tile, max(1, c.opt.Workers)
	return each(ctx, n, n, func(ctx context.Context, _, i int) error {
		w := newCrossWorker(c, s, tile)
		for t := tiles * i / n; t < tiles*(i+1)/n && ctx.Err() == nil; t++ {
			w.at(t * tile)
		}
		return nil
	})
}

// crossWorker multiplies tiles of a step.
type crossWorker struct {
	c         *crossRunner
	s         *crossStep
	tile      int
	prime     uint64
	expansion [2][]*he.ColumnExpansion
	public    [2][][]uint64  // by column: the tile of a
	sums      [2][2][]uint64 // by side: room for both halves of a sum of columns
}

func newCrossWorker(c *crossRunner, s *crossStep, tile int) *crossWorker {
	w := &crossWorker{c: c, s: s, tile: tile, prime: c.r.Profile().Prime(s.limb)}
	for side := range w.sums {
		for _, x := range s.expansion[side] {
			w.expansion[side] = append(w.expansion[side], x.Fork())
			w.public[side] = append(w.public[side], make([]uint64, tile*s.rows))
		}
		for half := range w.sums[side] {
			w.sums[side][half] = make([]uint64, tile*s.rows)
		}
	}
	return w
}

// at multiplies the tile that begins with the slot, for all terms.
func (w *crossWorker) at(slot int) {
	lo, hi := slot*w.s.rows, (slot+w.tile)*w.s.rows
	for side := range w.public {
		for i, x := range w.expansion[side] {
			x.Words(w.s.limb, slot, w.public[side][i], w.s.stored[side][i][lo:hi])
		}
	}
	for i := range w.s.p.terms {
		t := &w.s.p.terms[i]
		var halves [2][2][]uint64
		for side := range halves {
			weight := 1
			if side == 0 {
				weight = t.weight
			}
			stored := func(c int) []uint64 { return w.s.stored[side][c][lo:hi] }
			public := func(c int) []uint64 { return w.public[side][c] }
			halves[side] = [2][]uint64{
				w.sum(side, 0, &t.factors[side], weight, stored),
				w.sum(side, 1, &t.factors[side], weight, public),
			}
		}
		x, y := halves[0], halves[1]
		w.add(t, 0, slot, x[0], y[0])
		w.add(t, 1+t.a, slot, x[1], y[0])
		w.add(t, 1+t.b, slot, x[0], y[1])
		w.add(t, t.sums.pair(t.a, t.b), slot, x[1], y[1])
	}
}

// sum is one half of a factor, times the weight.
func (w *crossWorker) sum(side, half int, f *factor, weight int, words func(c int) []uint64) []uint64 {
	if weight == 1 && f.single() {
		return words(f.plus[0])
	}
	sum := w.sums[side][half]
	clear(sum)
	for range max(weight, -weight) {
		for _, c := range f.plus {
			w.combine(weight > 0, sum, words(c))
		}
		for _, c := range f.minus {
			w.combine(weight < 0, sum, words(c))
		}
	}
	return sum
}

func (w *crossWorker) combine(plus bool, sum, words []uint64) {
	if plus {
		w.c.kernel.AddMod(sum, words, w.prime)
	} else {
		w.c.kernel.SubMod(sum, words, w.prime)
	}
}

// add adds products to the sums of a polynomial, which have room for a chunk's every time.
func (w *crossWorker) add(t *crossTerm, poly, slot int, x, y []uint64) {
	sums := t.sums.tile(w.s.limb, poly, slot, w.tile)
	relieve(sums, w.prime)
	w.c.kernel.Dot(sums, kernel.Sum, []kernel.Pair{{A: x, B: y}}, w.s.rows)
}
