package scan

import (
	"context"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/scan/internal/kernel"
)

const (
	tileSlots     = 32  // slots whose public halves are made together: they stay in the second-level cache
	portableSlots = 128 // and in pure Go, where a block at a time is expanded
	spans         = 4   // parts of a step for each worker, so that none waits long for another
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

// step is one limb of one chunk of a file: what is in memory at a time, together with
// the step that is fetched meanwhile.
type step struct {
	f           *filePass
	chunk, limb int
	stored      [][]uint64 // by column
	release     []func()
}

// run sets the sums of the pass' members to the sums over all its files.
func (r *runner) run(ctx context.Context, p *pass) error {
	r.reset(p)
	var steps []step
	for _, f := range p.files {
		for c := range int(chunks(f.blocks)) {
			for l := range r.r.Profile().Limbs() {
				steps = append(steps, step{f: f, chunk: c, limb: l})
			}
		}
	}
	type fetched struct {
		s   *step
		err error
	}
	next := make(chan fetched, 1)
	fetch := func(i int) {
		go func() { next <- fetched{&steps[i], guarded(func() error { return r.fetch(ctx, &steps[i]) })} }()
	}
	fetch(0)
	var open *chunkPass
	for i := range steps {
		got := <-next
		if i+1 < len(steps) && got.err == nil {
			fetch(i + 1)
		}
		if got.err != nil {
			return got.err
		}
		if got.s.limb == 0 {
			open = r.open(p, got.s)
		}
		err := r.step(ctx, open, got.s)
		got.s.free()
		if err != nil {
			if i+1 < len(steps) { // a fetch never outlives the call
				last := <-next
				last.s.free()
			}
			return err
		}
		if got.s.limb == r.r.Profile().Limbs()-1 {
			r.meter.add(int64(len(got.s.f.columns) * open.rows))
		}
	}
	return nil
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
	_, g := chunkOf(s.f.blocks, uint32(s.chunk))
	err := each(ctx, r.opt.Workers, len(columns), func(ctx context.Context, _, c int) (err error) {
		id := ChunkID{File: s.f.file, Column: columns[c], Chunk: uint32(s.chunk)}
		s.stored[c], s.release[c], err = load(ctx, r.c0, r.r.Profile(), id, s.limb, g)
		return err
	})
	if err != nil {
		s.free()
	}
	return err
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
	expansion []*he.ColumnExpansion // by column
	relieve   []bool                // by term: the member's sums must be relieved before it
}

func (r *runner) open(p *pass, s *step) *chunkPass {
	first, g := chunkOf(s.f.blocks, uint32(s.chunk))
	c := &chunkPass{key: p.key, f: s.f, chunk: s.chunk, rows: g}
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

// step multiplies: the slots are divided among the workers, so that every sum has one
// owner.
func (r *runner) step(ctx context.Context, c *chunkPass, s *step) error {
	tile := r.workers[0].tile
	tiles := r.r.Profile().N() / tile
	parts := min(tiles, len(r.workers)*spans)
	public := r.kept(c, s.limb)
	for _, w := range r.workers {
		w.begin(c, s, public)
	}
	err := each(ctx, len(r.workers), parts, func(_ context.Context, w, i int) error {
		for t := tiles * i / parts; t < tiles*(i+1)/parts; t++ {
			r.workers[w].at(t * tile)
		}
		return nil
	})
	if err == nil {
		r.opt.Public.keep(public)
	}
	return err
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
