package plan

import (
	"bytes"
	"math/big"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/query"
	"github.com/carnet-network/carnet/pkg/share"
)

// finish fills in everything that follows from the openings.
func (p *Plan) finish(sources []*source) error {
	p.certificate()
	p.count(sources)
	p.spend()
	at := sources[0].at
	most := p.Cost.MaxReleases
	if p.Across {
		most = min(most, share.MaxCrossReleases)
	}
	for _, n := range p.Cost.Releases {
		if int64(n) > most {
			return query.Refuse(at, "NOISE_BUDGET", "the query opens %d numbers of one key, and keyholders release %d in all", p.Cost.Openings, most).
				OfKind(carnet.Precondition).Fix("group by fewer columns, or select fewer codes with WHERE")
		}
	}
	p.steps = p.describe(sources)
	return nil
}

// certificate takes the worst case over all openings.
func (p *Plan) certificate() {
	c := Certificate{Bound: new(big.Int), MaxResult: new(big.Int), T: p.Profile.T()}
	for i := range p.Openings {
		o := &p.Openings[i]
		if i == 0 {
			c.FloodBits, c.ReleaseBits = o.FloodBits, o.ReleaseBits
		}
		c.Degree = max(c.Degree, o.Degree)
		c.FloodBits = min(c.FloodBits, o.FloodBits)
		c.ReleaseBits = min(c.ReleaseBits, o.ReleaseBits)
		c.NoiseBits = max(c.NoiseBits, o.NoiseBits)
		if o.Bound.Cmp(c.Bound) > 0 {
			c.Bound = o.Bound
		}
		if m := big.NewInt(max(o.Max, -o.Min)); m.Cmp(c.MaxResult) > 0 {
			c.MaxResult = m
		}
	}
	p.Certificate = c
}

// count works out the cost and which datasets contribute.
func (p *Plan) count(sources []*source) {
	c := Cost{Openings: len(p.Openings), Groups: len(p.Groups), Releases: map[carnet.KeyID]int{}}
	blocks := newBlockCounter(p.Profile.N())
	for i := range p.Openings {
		fs := p.Openings[i].Functionals()
		c.Functionals += len(fs)
		for j := range fs[0].Keys {
			c.Releases[fs[0].Keys[j].Key]++
		}
		for _, f := range fs {
			blocks.functional(f)
		}
	}
	c.Blocks = blocks.total
	c.Bytes = c.Blocks * int64(p.Profile.BlockBytes())
	constants, instead := blocks.summed()
	c.GatewayBytes = c.Bytes - instead*int64(p.Profile.BlockBytes()) + constants*int64(p.Profile.ScalarBytes())
	c.AnswerBytes = int64(c.Openings) * int64(p.Profile.ScalarBytes())
	if c.Openings > 0 {
		c.MaxReleases = share.MaxReleases(p.Committee, p.Certificate.ReleaseBits)
	}
	counted := map[carnet.Nonce]bool{} // a file can be in several products
	for i, from := range sources {
		u, contributes := from.u, make([]bool, len(from.u.datasets))
		for j := range u.files {
			f := &u.files[j]
			if !blocks.files[f.nonce] {
				continue
			}
			contributes[f.dataset] = true
			if !counted[f.nonce] {
				counted[f.nonce] = true
				c.Files++
				c.Rows += f.rows
			}
		}
		for j, yes := range contributes {
			if yes {
				p.Sources[i].Datasets = append(p.Sources[i].Datasets, u.datasets[j])
			}
		}
		p.Datasets = append(p.Datasets, p.Sources[i].Datasets...)
	}
	slices.SortFunc(p.Datasets, func(a, b Dataset) int { return bytes.Compare(a.Hash[:], b.Hash[:]) })
	p.Datasets = slices.CompactFunc(p.Datasets, func(a, b Dataset) bool { return a.Hash == b.Hash })
	p.Cost = c
	p.Work = p.work(blocks.total)
}

// blockCounter counts distinct blocks.
type blockCounter struct {
	memo  *functional.Memo
	total int64
	files map[carnet.Nonce]bool
	whole map[fileColumn]bool
	some  map[fileColumn][]uint64 // bit b%64 of word b/64: block b is counted
	sums  map[fileColumn]int64    // blocks of columns that are summed whole
	other map[fileColumn]bool     // columns that are multiplied
}

type fileColumn struct {
	file   carnet.Nonce
	column uint32
}

func newBlockCounter(n int) *blockCounter {
	return &blockCounter{functional.NewMemo(n), 0, map[carnet.Nonce]bool{}, map[fileColumn]bool{}, map[fileColumn][]uint64{}, map[fileColumn]int64{}, map[fileColumn]bool{}}
}

func (c *blockCounter) functional(f *functional.Functional) {
	for i := range f.Keys {
		c.add(&f.Keys[i])
	}
	for i := range f.Cross {
		t := &f.Cross[i]
		for _, x := range []*functional.CrossFactor{&t.Left, &t.Right} {
			c.files[x.File] = true
			for _, col := range slices.Concat(x.Factor.Plus, x.Factor.Minus) {
				c.other[fileColumn{x.File, col}] = true
				c.column(x.File, col, t.Blocks)
			}
		}
	}
}

func (c *blockCounter) add(k *functional.KeyTerms) {
	for i := range k.Linear {
		t := &k.Linear[i]
		c.files[t.File] = true
		if t.Cells == nil {
			c.sums[fileColumn{t.File, t.Column}] = int64(t.Blocks)
			c.column(t.File, t.Column, t.Blocks)
		} else {
			c.cells(t)
		}
	}
	for i := range k.Products {
		t := &k.Products[i]
		c.files[t.File] = true
		for _, col := range t.Columns() {
			c.other[fileColumn{t.File, col}] = true
			c.column(t.File, col, t.Blocks)
		}
	}
}

// summed returns how many columns are summed whole and used for nothing else, and how
// many blocks they have.
func (c *blockCounter) summed() (columns, blocks int64) {
	for column, n := range c.sums {
		if !c.other[column] {
			columns, blocks = columns+1, blocks+n
		}
	}
	return columns, blocks
}

func (c *blockCounter) column(file carnet.Nonce, column, blocks uint32) {
	if fc := (fileColumn{file, column}); !c.whole[fc] {
		c.whole[fc] = true
		c.total += int64(blocks)
	}
}

func (c *blockCounter) cells(t *functional.Linear) {
	fc := fileColumn{t.File, t.Column}
	counted := c.some[fc]
	if counted == nil {
		counted = make([]uint64, (t.Blocks+63)/64)
		c.some[fc] = counted
	}
	for _, b := range c.memo.Blocks(t.Cells) {
		if bit := uint64(1) << (b % 64); counted[b/64]&bit == 0 {
			counted[b/64] |= bit
			c.total++
		}
	}
}

// Keys returns the keys of the plan in ascending order.
func (c *Cost) Keys() []carnet.KeyID {
	keys := make([]carnet.KeyID, 0, len(c.Releases))
	for k := range c.Releases {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b carnet.KeyID) int { return bytes.Compare(a[:], b[:]) })
	return keys
}
