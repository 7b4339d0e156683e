package scan

import (
	"context"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
)

// Parts are the ciphertext polynomials of one functional under one key, in the NTT
// domain: what it opens to is const(D[0] + D[1]*s + D[2]*s^2), times T^2.
type Parts struct {
	Key carnet.KeyID
	D   [3]he.Poly
}

// Products computes D_0, D_1, D_2 of functionals of degree 2 and calls emit once
// for each functional, in order, with its keys ascending; the polynomials are valid
// during the call only. Functionals are treated in batches whose accumulators and
// results stay below maxBytes (but one at a time at least); a batch reads and
// expands each block once.
func Products(ctx context.Context, r *he.Ring, fs []*functional.Functional, c0 Blocks, workers int, maxBytes int64, progress Progress, emit func(i int, parts []Parts) error) error {
	if err := check(r.Profile(), fs, 2); err != nil {
		return err
	}
	all := make([]int, len(fs))
	for i := range all {
		all[i] = i
	}
	s, err := schedule(r.Profile(), fs, batches(r.Profile(), fs, all, maxBytes, true))
	if err != nil {
		return err
	}
	run := &runner{r: r, c0: c0, workers: workers, meter: &meter{report: progress, total: s.reads()}}
	results := make([][]Parts, len(fs))
	var free [][3]he.Poly
	for i := range s {
		for _, p := range s[i].passes {
			if err := run.run(ctx, p); err != nil {
				return err
			}
			for _, f := range p.members {
				if len(free) == 0 {
					free = append(free, [3]he.Poly{r.NewPoly(), r.NewPoly(), r.NewPoly()})
				}
				results[f] = append(results[f], Parts{Key: p.key, D: free[len(free)-1]})
				free = free[:len(free)-1]
			}
			err := each(ctx, workers, len(p.members), func(_ context.Context, _, m int) error {
				parts := results[p.members[m]]
				run.result(m, &parts[len(parts)-1].D)
				return nil
			})
			if err != nil {
				return err
			}
		}
		for _, f := range s[i].functionals {
			if err := emit(f, results[f]); err != nil {
				return err
			}
			for _, part := range results[f] {
				free = append(free, part.D)
			}
			results[f] = nil
		}
	}
	return nil
}

// batch is a set of functionals and the passes that give their results.
type batch struct {
	functionals []int
	passes      []*pass
}

type batchList []batch

func schedule(p *he.Profile, fs []*functional.Functional, split [][]int) (batchList, error) {
	var out batchList
	for _, which := range split {
		passes, err := planPasses(fs, which)
		if err != nil {
			return nil, err
		}
		out = append(out, batch{which, passes})
	}
	return out, nil
}

func (s batchList) reads() (n int64) {
	for i := range s {
		for _, p := range s[i].passes {
			n += p.reads()
		}
	}
	return n
}
