package scan

import (
	"context"
	"sync"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
)

// PublicValues returns z for every functional, of either degree: the sum over its
// keys of const(D_0 + D_1*delta_1 + D_2*delta_2), where corrections[key] is
// [delta_1, delta_2]. For functionals of degree 2 it also returns HashProduct for
// each key, ascending; that list is nil for degree 1. maxBytes is as in Products.
func PublicValues(ctx context.Context, r *he.Ring, fs []*functional.Functional, corrections map[carnet.KeyID][]he.Poly, c0 Blocks, workers int, maxBytes int64, progress Progress) ([]he.Scalar, [][]carnet.Hash, error) {
	if err := check(r.Profile(), fs, 0); err != nil {
		return nil, nil, err
	}
	for _, f := range fs {
		for i := range f.Keys {
			if len(corrections[f.Keys[i].Key]) < f.Degree {
				return nil, nil, carnet.E(carnet.Precondition, "MISSING_KEY", "no correction of degree %d is known for dataset key %s", f.Degree, f.Keys[i].Key)
			}
		}
	}
	var lin []*functional.Functional
	var linAt, prodAt []int
	for i, f := range fs {
		if f.Degree == 1 {
			lin, linAt = append(lin, f), append(linAt, i)
		} else {
			prodAt = append(prodAt, i)
		}
	}
	jobs := linearJobs(lin, r.Profile().N())
	s, err := schedule(r.Profile(), fs, batches(r.Profile(), fs, prodAt, maxBytes, false))
	if err != nil {
		return nil, nil, err
	}
	m := &meter{report: progress, total: int64(len(jobs)) + s.reads()}

	delta := map[carnet.KeyID]he.Poly{}
	for k, c := range corrections {
		if len(c) > 0 {
			delta[k] = c[0]
		}
	}
	values, hashes := make([]he.Scalar, len(fs)), make([][]carnet.Hash, len(fs))
	z, err := linear(ctx, r, len(lin), jobs, delta, c0, workers, m)
	if err != nil {
		return nil, nil, err
	}
	for i, at := range linAt {
		values[at] = z[i]
	}
	run := &runner{r: r, c0: c0, workers: workers, meter: m}
	pool := sync.Pool{New: func() any { return &[3]he.Poly{r.NewPoly(), r.NewPoly(), r.NewPoly()} }}
	for i := range s {
		for _, p := range s[i].passes {
			if err := run.run(ctx, p); err != nil {
				return nil, nil, err
			}
			err := each(ctx, workers, len(p.members), func(_ context.Context, _, m int) error {
				d := pool.Get().(*[3]he.Poly)
				defer pool.Put(d)
				run.result(m, d)
				v := r.ScalarAdd(r.Const(d[0]), r.InnerConst(d[1:], corrections[p.key][:2]))
				f := p.members[m]
				values[f] = r.ScalarAdd(values[f], v)
				hashes[f] = append(hashes[f], HashProduct(r, d[1], d[2]))
				return nil
			})
			if err != nil {
				return nil, nil, err
			}
		}
	}
	return values, hashes, nil
}

var hashBuffers = sync.Pool{New: func() any { return new([]byte) }}

// HashProduct is H_D of the scheme for the products of one key: the digest of the
// canonical bytes of D_1 and of D_2. D_0 is not in it.
func HashProduct(r *he.Ring, d1, d2 he.Poly) carnet.Hash {
	p := r.Profile()
	buf := hashBuffers.Get().(*[]byte)
	defer hashBuffers.Put(buf)
	*buf = wire.AppendPoly(wire.AppendPoly((*buf)[:0], p, d1), p, d2)
	return carnet.Digest("carnet/HD/product/1", (*buf)[:p.BlockBytes()], (*buf)[p.BlockBytes():])
}
