package scan

import "github.com/carnet-network/carnet/pkg/he"

// tiler multiplies a range of words of a group of units, one tile after the other.
type tiler struct {
	r         *runner
	units     []*unit
	tile      int
	primes    []uint64
	limit     int               // products an accumulator takes before it is relieved
	expansion [][]*he.Expansion // by unit and column
	public    [][]uint64        // by column: the tile of a
	sums      [][2][]uint64     // by factor: the tile of its sum, for sums of several columns
	pending   []int
}

func newTiler(r *runner, p *pass, units []*unit, tile int) *tiler {
	t := &tiler{
		r: r, units: units, tile: tile,
		primes:  r.r.Profile().Primes(),
		limit:   he.LazyProducts(r.r.Profile().LimbBits()),
		pending: make([]int, len(r.pending)),
	}
	columns, factors := 0, 0
	for _, u := range units {
		var xs []*he.Expansion
		for _, c := range u.f.columns {
			xs = append(xs, r.r.Expand(p.key, he.BlockID{File: u.f.file, Column: c, Block: u.block}))
		}
		t.expansion = append(t.expansion, xs)
		columns, factors = max(columns, len(u.f.columns)), max(factors, len(u.f.factors))
	}
	for range columns {
		t.public = append(t.public, make([]uint64, tile))
	}
	for range factors {
		t.sums = append(t.sums, [2][]uint64{make([]uint64, tile), make([]uint64, tile)})
	}
	return t
}

// run processes tiles lo..hi-1 of all limbs and returns the number of products
// pending in each accumulator of these tiles.
func (t *tiler) run(lo, hi int) []int {
	n := t.r.r.Profile().N()
	for i := lo; i < hi; i++ {
		copy(t.pending, t.r.pending)
		limb, index := i*t.tile/n, i*t.tile%n
		for u := range t.units {
			t.unit(u, limb, index)
		}
	}
	return t.pending
}

func (t *tiler) unit(at, limb, index int) {
	u, prime := t.units[at], t.primes[limb]
	for c := range u.f.columns {
		t.expansion[at][c].Words(limb, index, t.public[c])
	}
	stored := func(c int) []uint64 { return u.c0[c][limb][index : index+t.tile] }
	for i, f := range u.f.factors {
		if f.single() {
			continue
		}
		s := t.sums[i]
		clear(s[0])
		clear(s[1])
		for _, c := range f.plus {
			addMod(s[0], stored(c), prime)
			addMod(s[1], t.public[c], prime)
		}
		for _, c := range f.minus {
			subMod(s[0], stored(c), prime)
			subMod(s[1], t.public[c], prime)
		}
	}
	factor := func(i int) (x0, x1 []uint64) {
		if f := u.f.factors[i]; f.single() {
			return stored(f.plus[0]), t.public[f.plus[0]]
		}
		return t.sums[i][0], t.sums[i][1]
	}
	start := limb*t.r.r.Profile().N() + index
	for _, m := range u.f.terms {
		acc := t.r.acc[m.member][start : start+t.tile]
		if t.pending[m.member] += 2; t.pending[m.member] > t.limit { // D_1 gets two
			relieve(acc, prime)
			t.pending[m.member] = 2
		}
		x0, x1 := factor(m.a)
		y0, y1 := factor(m.b)
		multiply(acc, x0, x1, y0, y1)
	}
}
