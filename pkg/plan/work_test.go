package plan

import (
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
)

// Work counts blocks, lists and factors once however often they are used, and cells,
// terms and products each time.
func TestWork(t *testing.T) {
	a, b := []uint32{0, 1, 20}, []uint32{2, 3, 4, 5}
	cell := func(column uint32, cells []uint32) *functional.Functional {
		return &functional.Functional{Degree: 1, Keys: []functional.KeyTerms{{Key: carnet.KeyID{1}, Linear: []functional.Linear{{File: carnet.Nonce{1}, Column: column, Blocks: 2, Cells: cells}}}}}
	}
	c := newWorkCounter(small()["cube"])
	for _, f := range []*functional.Functional{cell(0, a), cell(1, a), cell(0, b)} {
		c.add(f)
	}
	require.Equal(t, Work{Terms: 3, Lists: 7, Cells: 10}, c.w)

	product := func(degree int, keys int, factors ...functional.Factor) *functional.Functional {
		f := &functional.Functional{Degree: degree}
		for k := range keys {
			f.Keys = append(f.Keys, functional.KeyTerms{Key: carnet.KeyID{byte(k)}, Products: []functional.Product{{File: carnet.Nonce{byte(k)}, Blocks: 3, Factors: factors}}})
		}
		return f
	}
	c = newWorkCounter(small()["records"])
	words := int64(16 * 4)
	c.add(product(2, 2, functional.Sum(1, 2), functional.Sum(3)))
	c.add(product(2, 1, functional.Sum(1, 2), functional.Sum(4)))
	c.add(product(3, 1, functional.Sum(5), functional.Sum(6), functional.Factor{Minus: []uint32{7}}))
	whole := cell(9, nil)
	c.add(whole)
	c.add(whole)
	c.add(cell(3, nil)) // which is multiplied, too
	want := Work{Terms: 3, Linear: 4 * words, Both: 2 * words, Factors: (2*2 + 1) * 3 * words, Results: (2*2 + 2 + 3) * words}
	want.Products[2], want.Products[3] = 9*words, 3*words
	require.Equal(t, want, c.total(0))
}

// The work of a plan follows from its query.
func TestWorkOfAPlan(t *testing.T) {
	cube := newBench(t, customs(), carnet.LayoutCube, false, declarants(60))
	p, err := Compile("SELECT month, COUNT(*), SUM(value) FROM trade GROUP BY month", cube.product)
	require.NoError(t, err)
	words := int64(p.Profile.N() * p.Profile.Limbs())
	require.Equal(t, p.Cost.Blocks*words, p.Work.Columns)
	require.Equal(t, p.Work.Columns, p.Work.Setups)
	require.EqualValues(t, len(p.Openings), p.Work.Openings)
	require.Equal(t, p.Work.Openings*6, p.Work.Floods) // of 10 parts a keyholder of 5 with t = 3 holds 6
	var cells int64
	for i := range p.Openings {
		for _, k := range p.Openings[i].F.Keys {
			for _, l := range k.Linear {
				cells += int64(len(l.Cells))
			}
		}
	}
	require.Equal(t, cells, p.Work.Cells)
	require.Less(t, p.Work.Lists, cells)

	records := newBench(t, customs(), carnet.LayoutRecords, false, declarants(60))
	p, err = Compile("SELECT month, SUM(value) FROM trade GROUP BY month", records.product)
	require.NoError(t, err)
	require.Zero(t, p.Work.Setups)
	require.Positive(t, p.Work.Products[2])
	p, err = Compile("SELECT COUNT(*) FROM trade WHERE year = 1900", records.product)
	if err == nil {
		require.Zero(t, p.Work)
	}
}

// The profile that a refusal names holds the opening: it is worked out.
func TestWiderProfile(t *testing.T) {
	e := newBench(t, customs(), carnet.LayoutCube, false, declarants(3))
	u, err := prepare(e.product)
	require.NoError(t, err)
	p, err := he.Lookup("cube")
	require.NoError(t, err)
	u.Profile = p
	b := &builder{opener: &opener{}, u: u}
	half := func(name string) *big.Int {
		p, err := he.Lookup(name)
		require.NoError(t, err)
		return new(big.Int).SetUint64((p.T() - 1) / 2)
	}
	require.Equal(t, "profile cube-wide would hold it, at 24 bytes a value", b.wider(1, 0, 1000, new(big.Int).Add(half("cube"), big.NewInt(1))))
	require.Empty(t, b.wider(1, 0, 1000, new(big.Int).Add(half("cube-wide"), big.NewInt(1))))
	require.Empty(t, b.wider(2, 0, 1000, big.NewInt(1)), "no cube multiplies")
	require.Empty(t, b.wider(1, 0, 1<<62, big.NewInt(1)), "no cube hides so much noise")
}

// Estimates are sums of work times rate; what several cores share is divided.
func TestEstimate(t *testing.T) {
	w := Work{Columns: 100, Setups: 100, Lists: 10, Cells: 40, Terms: 4, Floods: 12, Openings: 2}
	r := Rates{Fetch: 1, Setup: 10, List: 2, Hash: 3, Cell: 4, Term: 5, Flood: 100, Cores: 2}
	first := w.Estimate(r, time.Microsecond)
	cells := 10*2 + 4*5 + 40*4/2
	require.Equal(t, time.Microsecond, first.Compile)
	require.EqualValues(t, cells+100*10/2, first.Gateway)
	require.EqualValues(t, cells+100*11/2+cells+100*10/2+10*3+4*5+12*100, first.Keyholder)
	require.Equal(t, time.Microsecond+first.Keyholder, first.Total)
	kept := w.Kept()
	require.EqualValues(t, cells, kept.Estimate(r, 0).Gateway)
	require.EqualValues(t, time.Microsecond+time.Duration(2*cells+10*3+4*5+12*100), first.Kept)

	w = Work{Columns: 1000, Linear: 100, Factors: 50, Results: 20, Floods: 6}
	w.Products[2] = 500
	r = Rates{Fetch: 1, Column: 2, Linear: 3, Factor: 4, Result: 5, Digest: 8, Flood: 7, Products: [5]float64{2: 6}}
	e := w.Estimate(r, 0)
	compute := 900*2 + 100*3 + 50*4 + 20*5 + 500*6
	require.EqualValues(t, compute, e.Gateway)
	require.EqualValues(t, compute+1000+20*8+6*7+100*3, e.Keyholder)
	require.EqualValues(t, compute-100*3+900+20*8+6*7, e.Kept, "the column's sum is kept, by both")
	w.Both = 40 // of the 100 words that are summed
	require.EqualValues(t, compute+40*2, w.Estimate(r, 0).Gateway)
	require.EqualValues(t, compute+40*2-100*3+940+20*8+6*7, w.Estimate(r, 0).Kept)
}
