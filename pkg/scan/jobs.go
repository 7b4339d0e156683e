package scan

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
)

// job is one block of a linear pass with everything that is wanted from it.
type job struct {
	key  carnet.KeyID
	id   he.BlockID
	uses []use
}

// use adds a block to a functional: all of it, or only some of its cells.
type use struct {
	f     int
	cells []uint32 // numbered through the file; nil: all slots
	minus bool     // subtracts it instead
}

// linearJobs lists the distinct blocks of the functionals, ascending by key, file,
// column and block. Blocks without a chosen cell are left out.
func linearJobs(fs []*functional.Functional, n int) []job {
	type name struct {
		key carnet.KeyID
		id  he.BlockID
	}
	at := map[name]int{}
	var jobs []job
	add := func(k carnet.KeyID, id he.BlockID, u use) {
		i, ok := at[name{k, id}]
		if !ok {
			i = len(jobs)
			at[name{k, id}] = i
			jobs = append(jobs, job{key: k, id: id})
		}
		jobs[i].uses = append(jobs[i].uses, u)
	}
	for f := range fs {
		for i := range fs[f].Keys {
			k := &fs[f].Keys[i]
			for j := range k.Linear {
				t := &k.Linear[j]
				id := he.BlockID{File: t.File, Column: t.Column}
				if t.Cells == nil {
					for id.Block = range t.Blocks {
						add(k.Key, id, use{f: f, minus: t.Minus})
					}
					continue
				}
				for lo := 0; lo < len(t.Cells); {
					id.Block = t.Cells[lo] / uint32(n)
					hi := lo + 1
					for hi < len(t.Cells) && t.Cells[hi]/uint32(n) == id.Block {
						hi++
					}
					add(k.Key, id, use{f: f, cells: t.Cells[lo:hi], minus: t.Minus})
					lo = hi
				}
			}
		}
	}
	slices.SortFunc(jobs, func(a, b job) int {
		return cmp.Or(bytes.Compare(a.key[:], b.key[:]), compareBlocks(a.id, b.id))
	})
	return jobs
}

func compareBlocks(a, b he.BlockID) int {
	return cmp.Or(bytes.Compare(a.File[:], b.File[:]), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Block, b.Block))
}

// BlocksNeeded returns the distinct blocks whose stored half is read to evaluate
// the functionals, ascending by file, column and block. n is the number of values
// in a block. For linear functionals only the blocks with a chosen cell count.
func BlocksNeeded(fs []*functional.Functional, n int) []he.BlockID {
	set := map[he.BlockID]struct{}{}
	for _, j := range linearJobs(fs, n) {
		set[j.id] = struct{}{}
	}
	for _, f := range fs {
		for i := range f.Keys {
			for j := range f.Keys[i].Products {
				t := &f.Keys[i].Products[j]
				for _, c := range t.Columns() {
					for b := range t.Blocks {
						set[he.BlockID{File: t.File, Column: c, Block: b}] = struct{}{}
					}
				}
			}
		}
	}
	out := make([]he.BlockID, 0, len(set))
	for id := range set {
		out = append(out, id)
	}
	slices.SortFunc(out, compareBlocks)
	return out
}

// check refuses functionals that are not canonical, of another degree (0: any), or
// not possible under the profile.
func check(p *he.Profile, fs []*functional.Functional, degree int) error {
	for i, f := range fs {
		if err := f.Validate(p.N()); err != nil {
			return err
		}
		if degree != 0 && f.Degree != degree || f.Degree > p.MaxDegree() {
			return carnet.E(carnet.Invalid, "BAD_FUNCTIONAL", "functional %d has degree %d, which is not possible here", i, f.Degree)
		}
		for k := range f.Keys {
			for j := range f.Keys[k].Linear {
				if (f.Keys[k].Linear[j].Cells != nil) != (p.Encoding() == he.Coefficients) {
					return carnet.E(carnet.Invalid, "BAD_FUNCTIONAL", "functional %d: cells are chosen in coefficient encoding, and only there", i)
				}
			}
		}
	}
	return nil
}
