package plan

import (
	"hash/fnv"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
)

// Work counts what has to be computed to evaluate a plan once, in units whose time does
// not depend on the plan: words of a limb, cells, floods. With measured Rates it gives
// the time (see Estimate). It depends on the plan only, not on how the work is split.
type Work struct {
	Columns  int64                           // words of the distinct blocks that are read, and expanded
	Linear   int64                           // of these, words of columns in linear terms (slot encoding)
	Both     int64                           // of these, words of columns that are multiplied as well: read twice
	Products [functional.MaxDegree + 1]int64 // by degree: words multiplied
	Factors  int64                           // words added to form factors of several columns
	Results  int64                           // words of D_1..D_d of products: hashed and multiplied with shares

	Setups int64 // words of the distinct blocks of cubes, set up unless that was done before
	Lists  int64 // cells in distinct lists: made, hashed and told apart once
	Cells  int64 // cells added up
	Terms  int64 // linear terms: hashed one by one

	Floods   int64 // floods that one keyholder draws
	Openings int64
}

// WorkOf counts the work of functionals; the floods, which depend on the committee, are
// left out.
func WorkOf(p *he.Profile, fs []*functional.Functional) Work {
	blocks, c := newBlockCounter(p.N()), newWorkCounter(p)
	for _, f := range fs {
		c.add(f)
		blocks.functional(f)
	}
	w := c.total(blocks.total)
	w.Openings = int64(len(fs))
	return w
}

// work counts the work of the plan, which reads so many distinct blocks.
func (p *Plan) work(blocks int64) Work {
	c := newWorkCounter(p.Profile)
	for _, f := range p.Functionals() {
		c.add(f)
	}
	w := c.total(blocks)
	w.Openings = int64(len(p.Openings))
	held := p.Committee.Parts() * (p.Committee.N - p.Committee.T + 1) / p.Committee.N
	w.Floods = w.Openings * int64(held)
	return w
}

// workCounter counts over the openings of a plan.
type workCounter struct {
	w       Work
	n       int64 // words of a block
	cubes   bool
	lists   map[*uint32]int
	linear  map[fileColumn]int64 // words
	factors map[factorName]bool
	columns map[fileColumn]bool // of factors
}

type factorName struct {
	file  carnet.Nonce
	sum   uint64 // of the column numbers
	width int
}

func newWorkCounter(p *he.Profile) *workCounter {
	return &workCounter{n: int64(p.N() * p.Limbs()), cubes: p.Encoding() == he.Coefficients, lists: map[*uint32]int{}, linear: map[fileColumn]int64{}, factors: map[factorName]bool{}, columns: map[fileColumn]bool{}}
}

// total adds what the number of distinct blocks decides.
func (c *workCounter) total(blocks int64) Work {
	w := c.w
	w.Columns = blocks * c.n
	if c.cubes {
		w.Setups = w.Columns
	}
	for column, words := range c.linear {
		w.Linear += words
		if c.columns[column] {
			w.Both += words
		}
	}
	return w
}

func (c *workCounter) add(f *functional.Functional) {
	for i := range f.Cross {
		c.w.Products[2] += int64(f.Cross[i].Blocks) * c.n
	}
	if n := int64(len(f.Keys)); len(f.Cross) > 0 {
		c.w.Results += (n + n*(n-1)/2) * c.n
		return
	}
	for i := range f.Keys {
		k := &f.Keys[i]
		c.w.Terms += int64(len(k.Linear))
		for j := range k.Linear {
			c.term(&k.Linear[j])
		}
		for j := range k.Products {
			c.product(&k.Products[j], f.Degree)
		}
		if f.Degree > 1 {
			c.w.Results += int64(f.Degree) * c.n
		}
	}
}

func (c *workCounter) term(t *functional.Linear) {
	if t.Cells == nil {
		c.linear[fileColumn{t.File, t.Column}] = int64(t.Blocks) * c.n
		return
	}
	c.w.Cells += int64(len(t.Cells))
	if more := len(t.Cells) - c.lists[&t.Cells[0]]; more > 0 {
		c.lists[&t.Cells[0]] = len(t.Cells)
		c.w.Lists += int64(more)
	}
}

func (c *workCounter) product(p *functional.Product, degree int) {
	words := int64(p.Blocks) * c.n
	c.w.Products[degree] += words
	for i := range p.Factors {
		f := &p.Factors[i]
		for _, list := range [][]uint32{f.Plus, f.Minus} {
			for _, col := range list {
				c.columns[fileColumn{p.File, col}] = true
			}
		}
		if f.Width() < 2 && len(f.Minus) == 0 {
			continue
		}
		h := fnv.New64a()
		for side, list := range [][]uint32{f.Plus, f.Minus} {
			for _, col := range list {
				_, _ = h.Write([]byte{byte(side), byte(col), byte(col >> 8), byte(col >> 16), byte(col >> 24)})
			}
		}
		if name := (factorName{p.File, h.Sum64(), f.Width()}); !c.factors[name] {
			c.factors[name] = true
			c.w.Factors += int64(f.Width()) * words
		}
	}
}
