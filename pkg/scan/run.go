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
	tileSlots = 32 // slots of full chunks that are treated together: they stay in the second-level cache
	window    = 3  // steps in memory: one is fetched while workers are at two others
)

// runner holds the memory of successive passes.
type runner struct {
	r      *he.Ring
	c0     Chunks
	opt    Options
	kernel *kernel.Kernel
	limit  int // products that a sum takes before it is relieved
	meter  *meter

	members []memberSums
	sink    sink
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
	for i := range max(1, opt.Workers) {
		run.workers = append(run.workers, &worker{run: run, number: i})
	}
	return run, nil
}

// tile is how many slots of a chunk of so many blocks are treated together: more of
// shorter chunks, so that what is done once a tile stays small.
func tile(p *he.Profile, rows int) int {
	tile, n := tileSlots, p.N()
	for ; 2*rows <= ChunkBlocks && 2*tile <= n; rows *= 2 {
		tile *= 2
	}
	return min(tile, n)
}

// part is the slots of a worker.
func (r *runner) part(worker int) (from, to int) {
	n := r.r.Profile().N()
	unit := min(tileSlots, n)
	units, workers := n/unit, len(r.workers)
	return units * worker / workers * unit, units * (worker + 1) / workers * unit
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

// run gives the sums of the pass' members over all its files to the sink. The slots are
// divided among the workers, so that every sum has one owner; each goes through all
// steps at its own pace, as far apart as window allows.
func (r *runner) run(ctx context.Context, p *pass, to sink) error {
	r.reset(p)
	r.sink = to
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
			for from, to := r.part(i); from < to; from += w.tile {
				w.at(from, min(w.tile, to-from))
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
		s.public = r.kept(p, c, s.limb)
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
