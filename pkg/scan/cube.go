package scan

import (
	"context"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
)

// Role says what the cells of a set-up are made with. Set-ups of different roles of
// one block are different numbers.
type Role uint8

const (
	RolePublic Role = iota // c0 + a*delta_1: what a buyer adds to the keyholders' answers
	RoleShare              // a*R_i: a keyholder's part; secret
	RoleHome               // a*H: a home keyholder's part; secret
)

func (r Role) secret() bool { return r != RolePublic }

// Cubes evaluates sums of cells in coefficient encoding and keeps what they are summed
// from: for every block the coefficients of c0 + a*w, one integer of Z_Q for each cell.
// Making them takes an expansion, a multiplication and a transform of the block; with
// them any filter and any GROUP BY adds one integer for each chosen cell.
//
// Set-ups are kept up to a number of bytes, the least recently used go first, and those
// that depend on a secret are overwritten then. The owner of a Cubes promises that a key
// has the same w in the same role for ever, and a file's column the same words. It is safe
// for concurrent use; a block that two calls want is made once.
//
// In slot encoding, whose linear sums are those of whole columns, one integer is kept for
// each column instead.
type Cubes struct {
	cache   *setups
	columns *columnSums
}

// NewCubes keeps set-ups of at most limit bytes, and sums of whole columns in at most a
// sixteenth of that; 0 keeps none. A block takes as many as its stored half, 384 KiB in the
// profile cube.
func NewCubes(limit int64) *Cubes { return &Cubes{newSetups(limit), newColumnSums(limit / 16)} }

// Zero forgets all set-ups and sums, and overwrites the secret ones, those in use by a
// running call when it is done with them. The Cubes can be used on.
func (c *Cubes) Zero() { c.Forget(func(carnet.Nonce) bool { return true }) }

// Forget is Zero for what was made of the files that which names: their stored words may
// have been read wrongly.
func (c *Cubes) Forget(which func(file carnet.Nonce) bool) {
	c.cache.forget(which)
	c.columns.forget(which)
}

// PublicValues returns the same scalars as the function PublicValues.
func (c *Cubes) PublicValues(ctx context.Context, r *he.Ring, fs []*functional.Functional, corrections map[carnet.KeyID][]he.Poly, c0 Chunks, opt Options) ([]he.Scalar, error) {
	if r.Profile().Encoding() != he.Coefficients {
		return publicValues(ctx, r, fs, corrections, c0, opt, c.columns)
	}
	return c.Linear(ctx, r, RolePublic, fs, first(corrections), c0, opt)
}

// Linear returns the same scalars as the function Linear. c0 is given for RolePublic and
// only for it; Linear panics otherwise.
func (c *Cubes) Linear(ctx context.Context, r *he.Ring, role Role, fs []*functional.Functional, w map[carnet.KeyID]he.Poly, c0 Chunks, opt Options) ([]he.Scalar, error) {
	if (c0 == nil) != role.secret() {
		panic("scan: stored halves belong to the public role and to no other")
	}
	if err := check(r.Profile(), fs, 1); err != nil {
		return nil, err
	}
	if r.Profile().Encoding() != he.Coefficients {
		columns := c.columns.columns(r.Profile(), role, fs)
		jobs := linearJobs(columns.fs, r.Profile().N())
		return columns.evaluate(ctx, r, jobs, w, c0, opt, &meter{report: opt.Progress, total: countBlocks(jobs)})
	}
	groups := groupCells(fs)
	n := r.Profile().N()
	m := &meter{report: opt.Progress}
	for _, g := range groups {
		for i := range g.columns {
			if _, ok := w[g.columns[i].key]; !ok {
				return nil, missingKey(g.columns[i].key)
			}
		}
		g.touched = g.blocks(n)
		m.total += int64(len(g.touched)) * int64(len(g.columns))
	}
	pass := &cubePass{r: r, role: role, w: w, c0: c0, cache: c.cache, generation: c.cache.next(), meter: m, count: len(fs)}
	pass.workers = make([]*cubeWorker, max(1, opt.Workers))
	defer pass.wipe()
	for _, g := range groups {
		if err := pass.group(ctx, g); err != nil {
			return nil, err
		}
	}
	return pass.sums(), nil
}
