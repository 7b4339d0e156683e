package scan

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
)

// job is one chunk of a column in a linear pass with everything that is wanted from it.
type job struct {
	key    carnet.KeyID
	id     ChunkID
	first  uint32 // block
	rows   int    // blocks of the chunk
	uses   []use  // slot encoding: of all blocks
	blocks []blockJob
}

// blockJob is a block of which cells are wanted; in slot encoding, any block.
type blockJob struct {
	block uint32
	uses  []cellUse
}

// use adds a column to a functional.
type use struct {
	f     int
	minus bool // subtracts it instead
}

type cellUse struct {
	use
	cells []uint32 // numbered through the file
}

// linearJobs lists the distinct chunks of the functionals, ascending by key, file,
// column and chunk. Blocks without a chosen cell are left out.
func linearJobs(fs []*functional.Functional, n int) []job {
	type name struct {
		key carnet.KeyID
		id  ChunkID
	}
	at := map[name]int{}
	var jobs []job
	find := func(k carnet.KeyID, t *functional.Linear, block uint32) *job {
		id := name{k, ChunkID{t.File, t.Column, block / ChunkBlocks}}
		i, ok := at[id]
		if !ok {
			i = len(jobs)
			at[id] = i
			first, g := chunkOf(t.Blocks, id.id.Chunk)
			jobs = append(jobs, job{key: k, id: id.id, first: first, rows: g})
		}
		return &jobs[i]
	}
	for f := range fs {
		for i := range fs[f].Keys {
			k := &fs[f].Keys[i]
			for l := range k.Linear {
				t := &k.Linear[l]
				u := use{f, t.Minus}
				if t.Cells == nil {
					for b := uint32(0); b < t.Blocks; b += ChunkBlocks {
						j := find(k.Key, t, b)
						j.uses = append(j.uses, u)
						for len(j.blocks) < j.rows {
							j.blocks = append(j.blocks, blockJob{block: b + uint32(len(j.blocks))})
						}
					}
					continue
				}
				for lo := 0; lo < len(t.Cells); {
					block := t.Cells[lo] / uint32(n)
					hi := lo + 1
					for hi < len(t.Cells) && t.Cells[hi]/uint32(n) == block {
						hi++
					}
					find(k.Key, t, block).add(block, cellUse{u, t.Cells[lo:hi]})
					lo = hi
				}
			}
		}
	}
	slices.SortFunc(jobs, func(a, b job) int {
		return cmp.Or(bytes.Compare(a.key[:], b.key[:]), bytes.Compare(a.id.File[:], b.id.File[:]),
			cmp.Compare(a.id.Column, b.id.Column), cmp.Compare(a.id.Chunk, b.id.Chunk))
	})
	return jobs
}

func (j *job) add(block uint32, u cellUse) {
	i, ok := slices.BinarySearchFunc(j.blocks, block, func(b blockJob, block uint32) int { return cmp.Compare(b.block, block) })
	if !ok {
		j.blocks = slices.Insert(j.blocks, i, blockJob{block: block})
	}
	j.blocks[i].uses = append(j.blocks[i].uses, u)
}

func countBlocks(jobs []job) (n int64) {
	for i := range jobs {
		n += int64(len(jobs[i].blocks))
	}
	return n
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
		for _, b := range j.blocks {
			set[he.BlockID{File: j.id.File, Column: j.id.Column, Block: b.block}] = struct{}{}
		}
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
		for i := range f.Cross {
			t := &f.Cross[i]
			for _, x := range []*functional.CrossFactor{&t.Left, &t.Right} {
				for _, c := range slices.Concat(x.Factor.Plus, x.Factor.Minus) {
					for b := range t.Blocks {
						set[he.BlockID{File: x.File, Column: c, Block: b}] = struct{}{}
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
	memo := functional.NewMemo(p.N())
	for i, f := range fs {
		if err := memo.Validate(f); err != nil {
			return err
		}
		if degree != 0 && f.Degree != degree || f.Degree > p.MaxDegree() {
			return badDegree(i, f)
		}
		if len(f.Cross) > 0 {
			return carnet.E(carnet.Invalid, "BAD_FUNCTIONAL", "functional %d has terms across keys, which are no products of one key", i)
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

func badDegree(i int, f *functional.Functional) error {
	return carnet.E(carnet.Invalid, "BAD_FUNCTIONAL", "functional %d has degree %d, which is not possible here", i, f.Degree)
}
