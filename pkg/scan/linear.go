package scan

import (
	"context"
	"math/bits"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
)

// Linear returns, for every functional, the sum over its keys of
// const(D_0 + D_1*w[key]), where D_0 and D_1 are the sums of the chosen stored and
// public halves; in coefficient encoding of the chosen cells of c0 + a*w[key].
// Without c0 (nil) only the part of the public halves is computed, for which no
// data is needed. All functionals must have degree 1.
func Linear(ctx context.Context, r *he.Ring, fs []*functional.Functional, w map[carnet.KeyID]he.Poly, c0 Blocks, workers int, progress Progress) ([]he.Scalar, error) {
	if err := check(r.Profile(), fs, 1); err != nil {
		return nil, err
	}
	jobs := linearJobs(fs, r.Profile().N())
	return linear(ctx, r, len(fs), jobs, w, c0, workers, &meter{report: progress, total: int64(len(jobs))})
}

func linear(ctx context.Context, r *he.Ring, count int, jobs []job, w map[carnet.KeyID]he.Poly, c0 Blocks, workers int, m *meter) ([]he.Scalar, error) {
	for i := range jobs {
		if _, ok := w[jobs[i].key]; !ok {
			return nil, carnet.E(carnet.Precondition, "MISSING_KEY", "nothing is known for dataset key %s", jobs[i].key)
		}
	}
	workers = max(1, min(workers, len(jobs)))
	states := make([]*linearState, workers) // each worker adds up its own, merged below
	err := each(ctx, workers, len(jobs), func(ctx context.Context, worker, i int) error {
		s := states[worker]
		if s == nil {
			s = &linearState{r: r, a: r.NewPoly(), c: r.NewPoly(), sums: make([]he.Scalar, count)}
			states[worker] = s
		}
		if err := s.block(ctx, &jobs[i], w[jobs[i].key], c0); err != nil {
			return err
		}
		m.add(1)
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := make([]he.Scalar, count)
	for _, s := range states {
		if s == nil {
			continue
		}
		for f := range s.sums {
			out[f] = r.ScalarAdd(out[f], s.sums[f])
		}
	}
	return out, nil
}

// linearState is one worker's scratch memory and partial result.
type linearState struct {
	r    *he.Ring
	a, c he.Poly
	sums []he.Scalar
}

// block adds what a block contributes. In slot encoding that is one scalar, the
// same for all functionals that use the block; in coefficient encoding one
// transform gives all cells.
func (s *linearState) block(ctx context.Context, j *job, w he.Poly, c0 Blocks) error {
	r := s.r
	r.PublicBlock(j.key, j.id, s.a)
	if c0 != nil {
		if err := c0.Block(ctx, j.id, s.c); err != nil {
			return err
		}
	}
	if r.Profile().Encoding() == he.Slots {
		v := r.InnerConst([]he.Poly{s.a}, []he.Poly{w})
		if c0 != nil {
			v = r.ScalarAdd(v, r.Const(s.c))
		}
		for _, u := range j.uses {
			s.add(u, v)
		}
		return nil
	}
	r.Mul(s.a, w, s.a)
	if c0 != nil {
		r.Add(s.a, s.c, s.a)
	}
	r.INTT(s.a)
	for _, u := range j.uses {
		s.add(u, s.cells(u.cells))
	}
	return nil
}

func (s *linearState) add(u use, v he.Scalar) {
	if u.minus {
		s.sums[u.f] = s.r.ScalarSub(s.sums[u.f], v)
	} else {
		s.sums[u.f] = s.r.ScalarAdd(s.sums[u.f], v)
	}
}

// cells sums the chosen coefficients of a.
func (s *linearState) cells(cells []uint32) he.Scalar {
	var out he.Scalar
	mask := uint32(s.r.Profile().N() - 1)
	for l, limb := range s.a {
		var hi, lo, c uint64
		for _, i := range cells {
			lo, c = bits.Add64(lo, limb[i&mask], 0)
			hi += c
		}
		out[l] = s.r.Profile().Reducer(l).Reduce(hi, lo)
	}
	return out
}
