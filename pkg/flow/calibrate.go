package flow

import (
	"context"
	"math/big"
	"sync"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/columnfile"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/scan"
)

// Each piece of work is timed a few times, short ones more often; the least time counts,
// since whatever else runs only makes it longer.
const (
	leastTries = 3
	mostTries  = 20
	triesTake  = 80 * time.Millisecond
)

// Calibrate measures what one core of this machine takes for the units of plan.Work under
// a profile. It computes on a chunk of blocks, about a second in all, with the code that
// answers queries.
func Calibrate(ctx context.Context, p *he.Profile, cores int) (plan.Rates, error) {
	c := &calibration{ctx: ctx, r: he.NewRing(p), key: carnet.KeyID{1}}
	c.words = float64(p.N() * p.Limbs())
	c.poly = c.r.NewPoly()
	c.r.PublicBlock(c.key, he.BlockID{}, c.poly)
	c.rates.Cores = cores
	c.blocks()
	if p.Encoding() == he.Coefficients {
		c.cubes()
	} else {
		c.slots()
	}
	return c.rates, c.err
}

type calibration struct {
	ctx   context.Context
	r     *he.Ring
	key   carnet.KeyID
	poly  he.Poly
	chunk [][]uint64 // stored halves, as many as are wanted at present
	words float64    // of a block
	rates plan.Rates
	err   error // the first
}

// Chunk implements scan.Chunks: every chunk is the same.
func (c *calibration) Chunk(_ context.Context, id scan.ChunkID, limb int) ([]uint64, func(), error) {
	return c.chunk[limb], func() {}, nil
}

// stored makes chunks of as many blocks.
func (c *calibration) stored(blocks int) {
	c.chunk = nil
	for l := range c.poly {
		words := make([]uint64, blocks*len(c.poly[l]))
		for b := range blocks {
			columnfile.Put(words, blocks, b, c.poly[l])
		}
		c.chunk = append(c.chunk, words)
	}
}

// time returns the nanoseconds that fn takes at best.
func (c *calibration) time(fn func() error) float64 {
	var best, all time.Duration
	for i := 0; i < leastTries || i < mostTries && all < triesTake; i++ {
		began := time.Now()
		if err := fn(); err != nil && c.err == nil {
			c.err = err
		}
		took := time.Since(began)
		if all += took; i == 0 || took < best {
			best = took
		}
	}
	return float64(best)
}

// per divides what is left of a time, which noise can make negative, among units.
func per(took, units float64) float64 { return max(took, 0) / units }

// blocks measures what is done with every block.
func (c *calibration) blocks() {
	p := c.r.Profile()
	var packed []byte
	words := make([]uint64, p.N())
	c.rates.Fetch = per(c.time(func() error {
		packed = columnfile.AppendPacked(packed[:0], p.LimbBits(), c.poly[0])
		_ = columnfile.HashPiece(c.poly[0])
		return columnfile.Unpack(words, packed, p.LimbBits(), p.Primes()[0])
	}), float64(p.N()))
	c.rates.Digest = per(c.time(func() error { scan.HashProduct(c.r, c.poly); return nil }), c.words)
	// As much work as a flood, which a gateway has no way to make.
	const floods, floodBytes = 256, 13
	var sum he.Scalar
	c.rates.Flood = per(c.time(func() error {
		for i := range floods {
			h := carnet.Keyed(c.key[:], "carnet/calibrate/1", []byte{byte(i)})
			s := c.r.ScalarFromBig(new(big.Int).SetBytes(h[:floodBytes]))
			sum = c.r.ScalarAdd(sum, c.r.ScalarMul(s, s))
		}
		return nil
	}), floods)
}

// slots measures sums of columns and of products in slot encoding, from how much longer
// more blocks take: of one product and of several with a column in common, which tells
// what a column costs and what a product.
func (c *calibration) slots() {
	out := c.r.NewPoly()
	c.rates.Factor = per(c.time(func() error { c.r.Add(c.poly, out, out); c.r.Add(c.poly, out, out); return nil }), c.words)
	c.rates.Linear, _ = c.products(1, 1)
	const several = 8
	for d := 2; d <= c.r.Profile().MaxDegree(); d++ {
		one, result := c.products(d, 1)
		if d == 2 {
			more, _ := c.products(d, several)
			c.rates.Column = max(0, min(one/2, (several*one-more)/(several-1))) // one = 2C+P, more = (1+several)C + several P
		}
		c.rates.Products[d] = max(0, one-float64(d)*c.rates.Column)
		c.rates.Result = max(c.rates.Result, result/float64(d))
	}
}

// products evaluates sums of products that share all columns but the last, and returns
// what a word of a block and a word of a result cost.
func (c *calibration) products(degree, count int) (block, result float64) {
	powers := make([]he.Poly, degree)
	for i := range powers {
		powers[i] = c.poly
	}
	run := func(blocks uint32) float64 {
		c.stored(int(blocks))
		var fs []*functional.Functional
		for i := range count {
			k := functional.KeyTerms{Key: c.key}
			last := uint32(degree + i)
			if degree == 1 {
				k.Linear = []functional.Linear{{Column: last, Blocks: blocks}}
			} else {
				t := functional.Product{Blocks: blocks}
				for f := 1; f < degree; f++ {
					t.Factors = append(t.Factors, functional.Sum(uint32(f)))
				}
				t.Factors = append(t.Factors, functional.Sum(last))
				k.Products = []functional.Product{t}
			}
			fs = append(fs, &functional.Functional{Degree: degree, Keys: []functional.KeyTerms{k}})
		}
		return c.time(func() error {
			_, err := scan.PublicValues(c.ctx, c.r, fs, map[carnet.KeyID][]he.Poly{c.key: powers}, c, scan.Options{Workers: 1, MaxBytes: 1 << 30})
			return err
		})
	}
	// Chunks of large tables are full; terms of higher degrees take too long for that.
	few, many := uint32(16), uint32(scan.ChunkBlocks)
	if degree > 2 {
		few, many = 4, 16
	}
	short := run(few)
	perBlock := per(run(many)-short, float64(many-few))
	return perBlock / c.words, per(short-float64(few)*perBlock, c.words*float64(count))
}

// cubes measures setting up and adding cells: groups that lie interleaved, as those of
// an inner dimension do, in one column and in several, few and many.
func (c *calibration) cubes() {
	n := c.r.Profile().N()
	const blocks, columns, few, many = 48, 3, 256, 4096
	cells := blocks * n
	groups := func(count, columns int) (fs []*functional.Functional) {
		lists := make([][]uint32, min(count, cells))
		for i := range cells {
			lists[i%len(lists)] = append(lists[i%len(lists)], uint32(i))
		}
		for _, l := range lists {
			for column := range columns {
				fs = append(fs, &functional.Functional{Degree: 1, Keys: []functional.KeyTerms{{Key: c.key,
					Linear: []functional.Linear{{Column: uint32(column), Blocks: blocks, Cells: l}}}}})
			}
		}
		return fs
	}
	c.stored(blocks)
	w := map[carnet.KeyID]he.Poly{c.key: c.poly}
	kept := scan.NewCubes(1 << 30)
	run := func(on *scan.Cubes, fs []*functional.Functional) float64 {
		return c.time(func() error {
			_, err := on.Linear(c.ctx, c.r, scan.RolePublic, fs, w, c, scan.Options{Workers: 1})
			return err
		})
	}
	one, several := groups(few, 1), groups(few, columns)
	run(kept, several)
	list, all := run(kept, one), run(kept, several)
	c.rates.Setup = per(run(scan.NewCubes(0), one)-list, blocks*c.words)
	c.rates.Cell = per(all-list, float64((columns-1)*cells))
	c.rates.List = per(list-c.rates.Cell*float64(cells), float64(cells))
	fine := groups(many, columns)
	hash := func(fs []*functional.Functional) float64 {
		return c.time(func() error {
			m := functional.NewMemo(n)
			for _, f := range fs {
				m.LinearHash(&f.Keys[0])
			}
			return nil
		})
	}
	c.rates.Hash = per(hash(several), float64(cells))
	c.rates.Term = per(run(kept, fine)-all, float64(len(fine)-len(several)))
}

// Measure measures the rates of the usual profiles, so that the first question about one
// of them is not kept waiting.
func (g *Gateway) Measure(ctx context.Context) {
	for _, name := range []string{"cube", "records"} {
		p, err := he.Lookup(name)
		if err == nil && ctx.Err() == nil {
			_, err = g.rates(ctx, p)
		}
		if err != nil {
			g.Logger.Warn("measure rates", "profile", name, "error", err)
		}
	}
}

// rates returns the rates of a profile, measured when they are first asked for.
func (g *Gateway) rates(ctx context.Context, p *he.Profile) (plan.Rates, error) {
	once, _ := g.measured.LoadOrStore(p.Name(), sync.OnceValues(func() (plan.Rates, error) {
		return Calibrate(context.WithoutCancel(ctx), p, g.Workers)
	}))
	return once.(func() (plan.Rates, error))()
}
