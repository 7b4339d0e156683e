package scan

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/scan/internal/kernel"
)

const (
	tileSlots     = 32  // slots whose public halves are made together: they stay in the second-level cache
	portableSlots = 256 // and in pure Go, where a block at a time is expanded
	window        = 3   // steps in memory: one is fetched while workers are at two others
)

// runner holds the memory of successive passes.
type runner struct {
	r      *he.Ring
	c0     Chunks
	opt    Options
	kernel *kernel.Kernel
	limit  int // products that a sum takes before it is relieved
	meter  *meter

	sums    [][]uint64 // by member: limb after limb, group after group, D_0.. of each
	pending []int      // by member: products since its sums were relieved
	workers []*worker

	mu    sync.Mutex
	spare [][]uint64 // buffers of wide sums
}

func newRunner(r *he.Ring, c0 Chunks, opt Options, m *meter) (*runner, error) {
	k, err := opt.kernel(r)
	if err != nil {
		return nil, err
	}
	run := &runner{r: r, c0: c0, opt: opt, kernel: k, limit: he.LazyProducts(r.Profile().LimbBits()), meter: m}
	tile := tileSlots
	if !r.FastColumns() {
		tile = portableSlots
	}
	for range max(1, opt.Workers) {
		run.workers = append(run.workers, &worker{run: run, tile: min(tile, r.Profile().N())})
	}
	return run, nil
}

func (o *Options) kernel(r *he.Ring) (*kernel.Kernel, error) {
	bits := r.Profile().LimbBits()
	if o.Kernel == "" {
		return kernel.Choose(bits, r.IsPortable()), nil
	}
	for _, k := range kernel.Usable(bits) {
		if k.Name == o.Kernel {
			return k, nil
		}
	}
	return nil, carnet.E(carnet.Invalid, "BAD_KERNEL", "there is no kernel %q for %d bits on this machine", o.Kernel, bits)
}

// Kernels lists the kernels of this machine for a profile, fastest first.
func Kernels(p *he.Profile) (names []string) {
	for _, k := range kernel.Usable(p.LimbBits()) {
		names = append(names, k.Name)
	}
	return names
}

// sumWords is how many words the sums of a group of slots take.
func sumWords(degree int) int { return (degree + 1) * kernel.Sum }

// step is one limb of one chunk of a file.
type step struct {
	f           *filePass
	chunk, limb int

	// Set before ready is closed.
	c       *chunkPass
	stored  [][]uint64 // by column
	public  []kept     // by column
	wide    []wideSum  // by wide factor
	release []func()
	ready   chan struct{}

	left atomic.Int32 // workers that have not done their part
}

// run sets the sums of the pass' members to the sums over all its files. The slots are
// divided among the workers, so that every sum has one owner; each goes through all
// steps at its own pace, as far apart as window allows.
func (r *runner) run(ctx context.Context, p *pass) error {
	r.reset(p)
	var steps []*step
	for _, f := range p.files {
		for c := range int(chunks(f.blocks)) {
			for l := range r.r.Profile().Limbs() {
				s := &step{f: f, chunk: c, limb: l, ready: make(chan struct{})}
				s.left.Store(int32(len(r.workers)))
				steps = append(steps, s)
			}
		}
	}
	room := make(chan struct{}, window)
	tiles := r.r.Profile().N() / r.workers[0].tile
	n := len(r.workers)
	err := each(ctx, n+1, n+1, func(ctx context.Context, _, i int) error {
		if i == n {
			return r.prepare(ctx, p, steps, room)
		}
		for _, s := range steps {
			select {
			case <-s.ready:
			case <-ctx.Done():
				return nil // each returns the cause
			}
			w := r.workers[i]
			w.begin(s)
			for t := tiles * i / n; t < tiles*(i+1)/n; t++ {
				w.at(t * w.tile)
			}
			if s.left.Add(-1) == 0 {
				r.finish(s)
				<-room
			}
		}
		return nil
	})
	for _, s := range steps { // those that a failure left
		s.free()
	}
	return err
}

// prepare gets one step after the other ready, at most window ahead of the slowest worker.
func (r *runner) prepare(ctx context.Context, p *pass, steps []*step, room chan<- struct{}) error {
	var c *chunkPass
	for _, s := range steps {
		select {
		case room <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		if s.limb == 0 {
			c = r.open(p, s)
		}
		s.c = c
		s.public = r.kept(c, s.limb)
		if err := r.fetch(ctx, s); err != nil {
			return err
		}
		if err := r.wideSums(ctx, s); err != nil {
			return err
		}
		close(s.ready)
	}
	return nil
}

// finish ends a step that all workers are done with.
func (r *runner) finish(s *step) {
	s.free()
	r.recycle(s)
	r.opt.Public.keep(s.public)
	if s.limb == r.r.Profile().Limbs()-1 {
		r.meter.add(int64(s.f.reads() * s.c.rows))
	}
}

func (r *runner) reset(p *pass) {
	words := r.r.Profile().Limbs() * r.r.Profile().N() / kernel.Lanes
	for i, d := range p.degrees {
		size := words * sumWords(d)
		if i == len(r.sums) {
			r.sums = append(r.sums, nil)
		}
		if cap(r.sums[i]) < size {
			r.sums[i] = make([]uint64, size)
			continue
		}
		r.sums[i] = r.sums[i][:size]
		clear(r.sums[i])
	}
	r.pending = make([]int, len(p.members))
}

func (r *runner) fetch(ctx context.Context, s *step) error {
	columns := s.f.columns
	s.stored, s.release = make([][]uint64, len(columns)), make([]func(), len(columns))
	return each(ctx, r.opt.Workers, len(columns), func(ctx context.Context, _, c int) (err error) {
		id := ChunkID{File: s.f.file, Column: columns[c], Chunk: uint32(s.chunk)}
		s.stored[c], s.release[c], err = load(ctx, r.c0, r.r.Profile(), id, s.limb, s.c.rows)
		return err
	})
}

func (s *step) free() {
	for i, f := range s.release {
		if f != nil {
			f()
		}
		s.release[i], s.stored[i] = nil, nil
	}
}

// chunkPass is what is the same for all limbs of a chunk.
type chunkPass struct {
	key       carnet.KeyID
	f         *filePass
	chunk     int
	rows      int
	expansion []*he.ColumnExpansion          // by column
	wide      map[uint32]*he.ColumnExpansion // by column number: those of wide factors
	relieve   []bool                         // by term: the member's sums must be relieved before it
}

func (r *runner) open(p *pass, s *step) *chunkPass {
	first, g := chunkOf(s.f.blocks, uint32(s.chunk))
	c := &chunkPass{key: p.key, f: s.f, chunk: s.chunk, rows: g, wide: map[uint32]*he.ColumnExpansion{}}
	for i := range s.f.wide {
		for _, column := range s.f.wide[i].columns {
			if c.wide[column] == nil {
				c.wide[column] = r.r.ExpandColumn(p.key, he.BlockID{File: s.f.file, Column: column, Block: first}, g)
			}
		}
	}
	for _, column := range s.f.columns {
		c.expansion = append(c.expansion, r.r.ExpandColumn(p.key, he.BlockID{File: s.f.file, Column: column, Block: first}, g))
	}
	for i := range s.f.terms {
		t := &s.f.terms[i]
		n := g * t.products()
		full := r.pending[t.member]+n > r.limit
		if full {
			r.pending[t.member] = 0
		}
		r.pending[t.member] += n
		c.relieve = append(c.relieve, full)
	}
	return c
}

// relieve reduces the high halves of sums modulo the prime, which leaves the sums
// unchanged modulo the prime and makes room for he.LazyProducts more.
func relieve(sums []uint64, prime uint64) {
	for i := kernel.Lanes; i < len(sums); i += kernel.Sum {
		for j := range sums[i : i+kernel.Lanes] {
			sums[i+j] %= prime
		}
	}
}

// result reduces the sums of a member to D_0..D_d.
func (r *runner) result(member int, d []he.Poly) {
	n := r.r.Profile().N()
	sums := r.sums[member]
	for l := range r.r.Profile().Limbs() {
		m := r.r.Profile().Reducer(l)
		for s := 0; s < n; s += kernel.Lanes {
			for j := range d {
				out := d[j][l][s : s+kernel.Lanes]
				for i := range out {
					out[i] = m.Reduce(sums[kernel.Lanes+i], sums[i])
				}
				sums = sums[kernel.Sum:]
			}
		}
	}
}
