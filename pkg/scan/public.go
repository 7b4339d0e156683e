package scan

import (
	"context"
	"sync"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
)

// PublicValues returns z for every functional, of any degree d: the sum over its keys
// of const(D_0 + D_1*delta_1 + ... + D_d*delta_d), where corrections[key] is
// [delta_1, delta_2, ...].
func PublicValues(ctx context.Context, r *he.Ring, fs []*functional.Functional, corrections map[carnet.KeyID][]he.Poly, c0 Chunks, opt Options) ([]he.Scalar, error) {
	return publicValues(ctx, r, fs, corrections, c0, opt, nil)
}

// publicValues is PublicValues with sums of whole columns that are kept, if any.
func publicValues(ctx context.Context, r *he.Ring, fs []*functional.Functional, corrections map[carnet.KeyID][]he.Poly, c0 Chunks, opt Options, kept *columnSums) ([]he.Scalar, error) {
	if err := check(r.Profile(), fs, 0); err != nil {
		return nil, err
	}
	for _, f := range fs {
		for i := range f.Keys {
			if len(corrections[f.Keys[i].Key]) < f.Degree {
				return nil, carnet.E(carnet.Precondition, "MISSING_KEY", "no correction of degree %d is known for dataset key %s", f.Degree, f.Keys[i].Key)
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
	var columns *wholeColumns
	if r.Profile().Encoding() == he.Slots {
		columns = kept.columns(r.Profile(), RolePublic, lin)
		lin = columns.fs
	}
	jobs := linearJobs(lin, r.Profile().N())
	s, err := schedule(r.Profile(), fs, prodAt, opt, false)
	if err != nil {
		return nil, err
	}
	m := &meter{report: opt.Progress, total: countBlocks(jobs) + s.reads()}

	values := make([]he.Scalar, len(fs))
	var z []he.Scalar
	if columns != nil {
		z, err = columns.evaluate(ctx, r, jobs, first(corrections), c0, opt, m)
	} else {
		z, err = linear(ctx, r, len(lin), jobs, first(corrections), c0, opt, m)
	}
	if err != nil {
		return nil, err
	}
	for i, at := range linAt {
		values[at] = z[i]
	}
	run, err := newRunner(r, c0, opt, m)
	if err != nil {
		return nil, err
	}
	for i := range s {
		for _, p := range s[i].passes {
			sums := newConstSink(run, len(p.members), corrections[p.key])
			if err := run.run(ctx, p, sums); err != nil {
				return nil, err
			}
			for m, f := range p.members {
				values[f] = r.ScalarAdd(values[f], sums.scalar(run, m))
			}
		}
	}
	return values, nil
}

// first returns delta_1 of every key.
func first(corrections map[carnet.KeyID][]he.Poly) map[carnet.KeyID]he.Poly {
	delta := map[carnet.KeyID]he.Poly{}
	for k, c := range corrections {
		if len(c) > 0 {
			delta[k] = c[0]
		}
	}
	return delta
}

var hashBuffers = sync.Pool{New: func() any { return new([]byte) }}

// HashProduct is H_D of the scheme for the products of one key: the digest of the
// canonical bytes of D_1, D_2, ... D_0 is not in it.
func HashProduct(r *he.Ring, d ...he.Poly) carnet.Hash {
	p := r.Profile()
	buf := hashBuffers.Get().(*[]byte)
	defer hashBuffers.Put(buf)
	*buf = (*buf)[:0]
	for _, poly := range d {
		*buf = wire.AppendPoly(*buf, p, poly)
	}
	fields := make([][]byte, len(d))
	for i := range fields {
		fields[i] = (*buf)[i*p.BlockBytes() : (i+1)*p.BlockBytes()]
	}
	return carnet.Digest("carnet/HD/product/1", fields...)
}
