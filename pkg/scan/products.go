package scan

import (
	"context"
	"sync"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
)

// Parts are the ciphertext polynomials D_0..D_d of one functional of degree d under one
// key, in the NTT domain: what it opens to is const(D[0] + D[1]*s + ... + D[d]*s^d),
// times T^d.
type Parts struct {
	Key carnet.KeyID
	D   []he.Poly
}

// Products computes D_0..D_d of functionals of degrees 2 to 4 and calls emit once for
// each functional, in order, with its keys ascending; the polynomials are valid
// during the call only. Functionals are treated in batches whose sums and results
// stay below MaxBytes (but one at a time at least); a batch reads and expands each
// column once, up to a number of columns.
func Products(ctx context.Context, r *he.Ring, fs []*functional.Functional, c0 Chunks, opt Options, emit func(i int, parts []Parts) error) error {
	if err := check(r.Profile(), fs, 0); err != nil {
		return err
	}
	all := make([]int, len(fs))
	for i := range all {
		if all[i] = i; fs[i].Degree < 2 {
			return badDegree(i, fs[i])
		}
	}
	s, err := schedule(r.Profile(), fs, all, opt, true)
	if err != nil {
		return err
	}
	run, err := newRunner(r, c0, opt, &meter{report: opt.Progress, total: s.reads()})
	if err != nil {
		return err
	}
	results := make([][]Parts, len(fs))
	var free polys
	for i := range s {
		for _, p := range s[i].passes {
			var sums polySink
			for m, f := range p.members {
				sums = append(sums, free.get(r, p.degrees[m]+1))
				results[f] = append(results[f], Parts{Key: p.key, D: sums[m]})
			}
			if err := run.run(ctx, p, sums); err != nil {
				return err
			}
		}
		for _, f := range s[i].functionals {
			if err := emit(f, results[f]); err != nil {
				return err
			}
			for _, part := range results[f] {
				free.put(part.D)
			}
			results[f] = nil
		}
	}
	return nil
}

// polys keeps polynomials for use again. It is safe for concurrent use.
type polys struct {
	mu   sync.Mutex
	free []he.Poly
}

func (p *polys) get(r *he.Ring, n int) []he.Poly {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]he.Poly, n)
	for i := range out {
		if last := len(p.free) - 1; last >= 0 {
			out[i], p.free = p.free[last], p.free[:last]
		} else {
			out[i] = r.NewPoly()
		}
	}
	return out
}

func (p *polys) put(d []he.Poly) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free = append(p.free, d...)
}

// batch is a set of functionals and the passes that give their results.
type batch struct {
	functionals []int
	passes      []*pass
}

type batchList []batch

const (
	mostColumns  = 32 // columns of full chunks read side by side: more are read in several passes
	leastColumns = 4  // whatever MaxBytes says
)

// schedule splits the functionals into batches. A source may have to copy the columns
// that are read side by side, in as many steps as are in memory: a quarter of MaxBytes is
// for them. Chunks of small tables leave room for more.
func schedule(p *he.Profile, fs []*functional.Functional, which []int, opt Options, keep bool) (batchList, error) {
	rows := largestChunk(fs, which)
	columns := min(max(opt.MaxBytes/4/int64(window*8*rows*p.N()), leastColumns), int64(mostColumns*ChunkBlocks/rows))
	var out batchList
	for _, some := range batches(p, fs, which, opt.MaxBytes, keep) {
		passes, err := planPasses(fs, some, int(columns))
		if err != nil {
			return nil, err
		}
		out = append(out, batch{some, passes})
	}
	return out, nil
}

// largestChunk returns the number of blocks of the largest chunk that is read.
func largestChunk(fs []*functional.Functional, which []int) int {
	most := uint32(1)
	for _, f := range which {
		for i := range fs[f].Keys {
			for j := range fs[f].Keys[i].Products {
				most = max(most, fs[f].Keys[i].Products[j].Blocks)
			}
		}
	}
	return int(min(most, ChunkBlocks))
}

func (s batchList) reads() (n int64) {
	for i := range s {
		for _, p := range s[i].passes {
			n += p.reads()
		}
	}
	return n
}
