package scan

import (
	"context"
	"math/bits"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
)

// taskBlocks is how many blocks of a column one worker adds up before it reduces its
// sums, unless there are too few blocks to occupy all workers.
const taskBlocks = 32

// cubePass is one call of Cubes.Linear.
type cubePass struct {
	r          *he.Ring
	role       Role
	w          map[carnet.KeyID]he.Poly
	c0         Chunks
	cache      *setups
	generation int64
	meter      *meter
	count      int // functionals
	workers    []*cubeWorker
}

// cubeWorker is one goroutine's memory and partial result.
type cubeWorker struct {
	p *cubePass
	coefficients
	own  []uint64 // cells of a block that is not kept
	acc  []uint64 // by label: for each limb a 128-bit sum, low and high half
	sums []he.Scalar
}

// cubeTask is a run of blocks of one column in a window.
type cubeTask struct {
	column *cellColumn
	stored *stored
	blocks []uint32
}

// group sums the columns of a group, window by window.
func (p *cubePass) group(ctx context.Context, g *cellGroup) error {
	n := uint32(p.r.Profile().N())
	blocks := g.touched
	cursor := make([]int, len(g.lists))
	scratch := make([][]uint32, maxLayers)
	for len(blocks) > 0 {
		start := blocks[0] / windowBlocks * windowBlocks
		end := 0
		for end < len(blocks) && blocks[end] < start+windowBlocks {
			end++
		}
		run := blocks[:end]
		w := newCellWindow(g.lists, cursor, start*n, (run[end-1]+1-start)*n, scratch)
		size := max(1, min(taskBlocks, len(run)*len(g.columns)/len(p.workers)))
		var tasks []cubeTask
		for i := range g.columns {
			s := &stored{p: p, column: &g.columns[i], chunk: start / windowBlocks, tasks: (len(run) + size - 1) / size}
			for from := 0; from < len(run); from += size {
				tasks = append(tasks, cubeTask{&g.columns[i], s, run[from:min(from+size, len(run))]})
			}
		}
		err := each(ctx, len(p.workers), len(tasks), func(ctx context.Context, worker, i int) error {
			defer tasks[i].stored.done()
			return p.worker(worker).run(ctx, w, &tasks[i])
		})
		if err != nil {
			for i := range tasks { // those that did not run let nothing go
				tasks[i].stored.free()
			}
			return err
		}
		blocks = blocks[end:]
	}
	return nil
}

func (p *cubePass) worker(i int) *cubeWorker {
	if p.workers[i] == nil {
		p.workers[i] = &cubeWorker{p: p, sums: make([]he.Scalar, p.count)}
	}
	return p.workers[i]
}

// run adds what a task contributes to the worker's sums.
func (s *cubeWorker) run(ctx context.Context, w *cellWindow, t *cubeTask) error {
	limbs := s.p.r.Profile().Limbs()
	width := 2 * limbs
	marks := len(w.rest)
	for i := range w.layers {
		marks += len(w.layers[i].lists) + 1
	}
	if need := marks * width; len(s.acc) < need {
		s.acc = make([]uint64, need)
	} else {
		clear(s.acc[:need])
	}
	n := uint32(s.p.r.Profile().N())
	for _, b := range t.blocks {
		words, release, err := s.cells(ctx, t, b)
		if err != nil {
			return err
		}
		first := b * n
		at := 0
		for i := range w.layers {
			l := &w.layers[i]
			addLabelled(s.acc[at:], l.labels[first-w.first:first-w.first+n], words, limbs)
			at += (len(l.lists) + 1) * width
		}
		for i := range w.rest {
			c := w.rest[i].cells
			c = c[within(c, uint64(first)):]
			addListed(s.acc[at:at+width], c[:within(c, uint64(first)+uint64(n))], first, words, limbs)
			at += width
		}
		release()
		s.p.meter.add(1)
	}
	at := 0
	for i := range w.layers {
		at += width // label 0: cells of no list
		for _, list := range w.layers[i].lists {
			s.add(t.column.uses[list], s.acc[at:at+width])
			at += width
		}
	}
	for i := range w.rest {
		s.add(t.column.uses[w.rest[i].list], s.acc[at:at+width])
		at += width
	}
	return nil
}

// add reduces a sum and adds it to a functional's.
func (s *cubeWorker) add(u listUse, acc []uint64) {
	var v he.Scalar
	for l := range len(acc) / 2 {
		v[l] = s.p.r.Profile().Reducer(l).Reduce(acc[2*l+1], acc[2*l])
	}
	if u.minus {
		s.sums[u.f] = s.p.r.ScalarSub(s.sums[u.f], v)
	} else {
		s.sums[u.f] = s.p.r.ScalarAdd(s.sums[u.f], v)
	}
}

// addLabelled adds every cell of a block to the sum that its label names.
func addLabelled(acc []uint64, labels []uint32, words []uint64, limbs int) {
	if limbs == 3 { // all cube profiles
		words = words[:3*len(labels)]
		for i, label := range labels {
			a, w := acc[6*label:6*label+6:6*label+6], words[3*i:3*i+3:3*i+3]
			var c uint64
			a[0], c = bits.Add64(a[0], w[0], 0)
			a[1] += c
			a[2], c = bits.Add64(a[2], w[1], 0)
			a[3] += c
			a[4], c = bits.Add64(a[4], w[2], 0)
			a[5] += c
		}
		return
	}
	for i, label := range labels {
		a := acc[2*limbs*int(label):]
		for l, w := range words[limbs*i : limbs*i+limbs] {
			var c uint64
			a[2*l], c = bits.Add64(a[2*l], w, 0)
			a[2*l+1] += c
		}
	}
}

// addListed adds the cells of a list, all in the block that begins at first.
func addListed(acc []uint64, cells []uint32, first uint32, words []uint64, limbs int) {
	for l := range limbs {
		lo, hi := acc[2*l], acc[2*l+1]
		var c uint64
		for _, cell := range cells {
			lo, c = bits.Add64(lo, words[int(cell-first)*limbs+l], 0)
			hi += c
		}
		acc[2*l], acc[2*l+1] = lo, hi
	}
}

// cells returns the cells of a block, one limb after the other for each, until release
// is called.
func (s *cubeWorker) cells(ctx context.Context, t *cubeTask, block uint32) (words []uint64, release func(), err error) {
	at := setupKey{t.column.key, he.BlockID{File: t.column.file, Column: t.column.column, Block: block}, s.p.role}
	size := s.p.r.Profile().Limbs() * s.p.r.Profile().N()
	e, err := s.p.cache.get(ctx, at, size, s.p.generation, func(out []uint64) error { return s.build(ctx, t, at, out) })
	if err != nil {
		return nil, nil, err
	}
	if e != nil {
		return e.words, func() { s.p.cache.release(e) }, nil
	}
	if s.own == nil {
		s.own = make([]uint64, size)
	}
	return s.own, func() {}, s.build(ctx, t, at, s.own)
}

// build sets out to the coefficients of c0 + a*w.
func (s *cubeWorker) build(ctx context.Context, t *cubeTask, at setupKey, out []uint64) error {
	r := s.p.r
	limbs := r.Profile().Limbs()
	words, err := t.stored.words(ctx)
	if err != nil {
		return err
	}
	first, g := chunkOf(t.column.blocks, t.stored.chunk)
	x := r.Expand(at.key, at.id)
	for l := range limbs {
		var limb []uint64
		if words != nil {
			limb = words[l]
		}
		for i, v := range s.of(r, x, l, s.p.w[at.key][l], limb, g, int(at.id.Block-first)) {
			out[i*limbs+l] = v
		}
	}
	return nil
}

// sums adds the workers' results up.
func (p *cubePass) sums() []he.Scalar {
	out := make([]he.Scalar, p.count)
	for _, s := range p.workers {
		if s == nil {
			continue
		}
		for f := range out {
			out[f] = p.r.ScalarAdd(out[f], s.sums[f])
		}
	}
	return out
}

// wipe overwrites what the workers leave behind of a secret.
func (p *cubePass) wipe() {
	if !p.role.secret() {
		return
	}
	for _, s := range p.workers {
		if s == nil {
			continue
		}
		clear(s.own)
		clear(s.acc)
		clear(s.sums)
		clear(s.a)
	}
}
