package scan

import (
	"context"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/scan/internal/kernel"
)

// Linear returns, for every functional, the sum over its keys of
// const(D_0 + D_1*w[key]), where D_0 and D_1 are the sums of the chosen stored and
// public halves; in coefficient encoding of the chosen cells of c0 + a*w[key].
// Without c0 (nil) only the part of the public halves is computed, for which no
// data is needed. All functionals must have degree 1.
func Linear(ctx context.Context, r *he.Ring, fs []*functional.Functional, w map[carnet.KeyID]he.Poly, c0 Chunks, opt Options) ([]he.Scalar, error) {
	if err := check(r.Profile(), fs, 1); err != nil {
		return nil, err
	}
	jobs := linearJobs(fs, r.Profile().N())
	return linear(ctx, r, len(fs), jobs, w, c0, opt, &meter{report: opt.Progress, total: countBlocks(jobs)})
}

func linear(ctx context.Context, r *he.Ring, count int, jobs []job, w map[carnet.KeyID]he.Poly, c0 Chunks, opt Options, m *meter) ([]he.Scalar, error) {
	for i := range jobs {
		if _, ok := w[jobs[i].key]; !ok {
			return nil, missingKey(jobs[i].key)
		}
	}
	k, err := opt.kernel(r)
	if err != nil {
		return nil, err
	}
	limbs := r.Profile().Limbs()
	workers := max(1, min(opt.Workers, len(jobs)*limbs))
	states := make([]*linearState, workers) // each worker adds up its own, merged below
	err = each(ctx, workers, len(jobs)*limbs, func(ctx context.Context, worker, i int) error {
		s := states[worker]
		if s == nil {
			s = &linearState{r: r, kernel: k, c0: c0, sums: make([]he.Scalar, count)}
			states[worker] = s
		}
		j, limb := &jobs[i/limbs], i%limbs
		if err := s.add(ctx, j, limb, w[j.key][limb]); err != nil {
			return err
		}
		if limb == limbs-1 {
			m.add(int64(len(j.blocks)))
		}
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

func missingKey(k carnet.KeyID) error {
	return carnet.E(carnet.Precondition, "MISSING_KEY", "nothing is known for dataset key %s", k)
}

// linearState is one worker's scratch memory and partial result.
type linearState struct {
	r        *he.Ring
	kernel   *kernel.Kernel
	c0       Chunks
	sums     []he.Scalar
	a, block []uint64

	coefficients coefficients // coefficient encoding

	job    *job // slot encoding: whose public half is at hand
	public *he.ColumnExpansion
}

// add adds one limb of what a chunk contributes.
func (s *linearState) add(ctx context.Context, j *job, limb int, w []uint64) error {
	var stored []uint64
	if s.c0 != nil {
		words, release, err := load(ctx, s.c0, s.r.Profile(), j.id, limb, j.rows)
		if err != nil {
			return err
		}
		defer release()
		stored = words
	}
	if s.r.Profile().Encoding() == he.Coefficients {
		s.cells(j, limb, w, stored)
	} else {
		s.slots(j, limb, w, stored)
	}
	return nil
}

// sum adds a residue to, or subtracts it from, a limb of the result of the use's
// functional.
func (s *linearState) sum(u use, limb int, v uint64) {
	q := s.r.Profile().Prime(limb)
	if u.minus && v > 0 {
		v = q - v
	}
	x := &s.sums[u.f][limb]
	if *x += v; *x >= q {
		*x -= q
	}
}
