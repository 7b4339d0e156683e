package cells

import (
	"math/bits"
	"slices"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/schema"
)

// Census keeps of the rows of a table what decides which groups are large enough. It is
// for one goroutine, and is made from plaintext: it stays with the owner.
type Census struct {
	schema *schema.Schema
	shares bool
	files  map[string]int32 // by partition values
	names  []string
	kinds  map[fileKind]int32 // which measures are NULL, in a file
	kindOf []fileKind
	units  map[string]int32

	content [][16]byte // per row, see Remember; nil otherwise

	kind []int32    // per row
	unit []int32    // per row; nil: every row is a unit
	dims [][]uint16 // per dimension and row
	size [][]uint64 // per measure and row: magnitude; nil without shares
}

// fileKind is what rows that are never told apart from each other by anything but codes
// have in common.
type fileKind struct {
	file int32
	null uint64 // bit i: measure i is NULL
	in   uint64 // bit i: rows of publication i; 0 where there is only one
}

// NewCensus returns an empty census. With shares it keeps what a rule about shares needs.
func NewCensus(s *schema.Schema, shares bool) *Census {
	c := &Census{schema: s, shares: shares, files: map[string]int32{}, kinds: map[fileKind]int32{}, units: map[string]int32{},
		dims: make([][]uint16, len(s.Dimensions))}
	if shares {
		c.size = make([][]uint64, len(s.Measures))
	}
	return c
}

// Add counts a row that the table has taken.
func (c *Census) Add(r *schema.Row) {
	name := strings.Join(r.Partition, " ")
	file, ok := c.files[name]
	if !ok {
		file = int32(len(c.files))
		c.files[name] = file
		c.names = append(c.names, name)
	}
	k := fileKind{file: file}
	for i, null := range r.Null {
		if null {
			k.null |= 1 << i
		}
	}
	kind, ok := c.kinds[k]
	if !ok {
		kind = int32(len(c.kinds))
		c.kinds[k] = kind
		c.kindOf = append(c.kindOf, k)
	}
	c.kind = append(c.kind, kind)
	if c.content != nil {
		c.content = append(c.content, contentOf(r))
	}
	if c.schema.Unit != "" {
		unit, ok := c.units[r.Unit]
		if !ok {
			unit = int32(len(c.units))
			c.units[strings.Clone(r.Unit)] = unit
		}
		c.unit = append(c.unit, unit)
	}
	for i, code := range r.Dims {
		if code < 0 {
			code = len(c.schema.Dimensions[i].Codes)
		}
		c.dims[i] = append(c.dims[i], uint16(code))
	}
	for i := range c.size {
		v := r.Measures[i]
		if r.Null[i] {
			v = 0
		}
		c.size[i] = append(c.size[i], uint64(max(v, -v)))
	}
}

// Rows is how many rows were counted.
func (c *Census) Rows() int { return len(c.kind) }

// unitOf is whom a row is about.
func (c *Census) unitOf(row int) int32 {
	if c.unit == nil {
		return int32(row)
	}
	return c.unit[row]
}

// u128 is a sum of magnitudes.
type u128 struct{ hi, lo uint64 }

func (a u128) add(b u128) u128 {
	lo, carry := bits.Add64(a.lo, b.lo, 0)
	hi, _ := bits.Add64(a.hi, b.hi, carry)
	return u128{hi, lo}
}

// times is for factors and sums whose product has at most 128 bits: sums of 2^24 values
// below 2^63, times a percentage.
func (a u128) times(n uint64) u128 {
	hi, lo := bits.Mul64(a.lo, n)
	return u128{hi + a.hi*n, lo}
}

func (a u128) less(b u128) bool { return a.hi < b.hi || a.hi == b.hi && a.lo < b.lo }

// tally adds up rows by cell, and knows how many cells are too small.
type tally struct {
	c     *Census
	rule  *Rule
	cells map[int32]*tallied
	units map[[2]int32][]u128 // by cell and unit, of every measure with shares
	small int                 // cells with somebody, and too few or too unequal
}

type tallied struct {
	units int
	total []u128 // per measure
	most  []u128 // of one unit
	fits  bool
}

func newTally(c *Census, rule *Rule) *tally {
	return &tally{c: c, rule: rule, cells: map[int32]*tallied{}, units: map[[2]int32][]u128{}}
}

func (t *tally) add(row int, cell int32) {
	measures := 0
	if t.rule.MaxShare > 0 {
		measures = len(t.c.size)
	}
	x := t.cells[cell]
	if x == nil {
		x = &tallied{total: make([]u128, measures), most: make([]u128, measures)}
		t.cells[cell] = x
		t.small++
	}
	own, known := []u128(nil), false
	key := [2]int32{cell, t.c.unitOf(row)}
	if t.c.unit != nil { // else every row is another unit
		own, known = t.units[key]
	}
	if !known {
		x.units++
		own = make([]u128, measures)
		if t.c.unit != nil {
			t.units[key] = own
		}
	}
	fits := x.units >= t.rule.MinGroup
	for m := range measures {
		v := u128{lo: t.c.size[m][row]}
		own[m], x.total[m] = own[m].add(v), x.total[m].add(v)
		if x.most[m].less(own[m]) {
			x.most[m] = own[m]
		}
		if x.total[m].times(uint64(t.rule.MaxShare)).less(x.most[m].times(100)) {
			fits = false
		}
	}
	if fits != x.fits {
		if x.fits = fits; fits {
			t.small--
		} else {
			t.small++
		}
	}
}

// fits reports whether in every cell there is nobody, or as many as the rule asks for.
func (t *tally) fits() bool { return t.small == 0 }

// Rule is what the terms ask of groups.
type Rule struct {
	MinGroup int
	MaxShare int // percent; 0: any
}

// check refuses rows that no groups make fit.
func (c *Census) check(rule *Rule) error {
	t := newTally(c, rule)
	for row, kind := range c.kind {
		t.add(row, kind)
	}
	kinds := make([]int32, 0, len(t.cells))
	for kind, x := range t.cells {
		if !x.fits {
			kinds = append(kinds, kind)
		}
	}
	if len(kinds) == 0 {
		return nil
	}
	slices.Sort(kinds)
	e := carnet.E(carnet.Precondition, "GROUP_TOO_SMALL", "rows that numbers can tell apart are fewer than the terms' min_group of %d, or one of them has more than the max_share", rule.MinGroup).
		Fix("leave these rows out, put small partitions into one, give missing values a number, or choose a smaller min_group")
	for _, kind := range kinds[:min(len(kinds), 10)] {
		k := c.kindOf[kind]
		where := "the table"
		if name := c.names[k.file]; name != "" {
			where = "partition " + name
		}
		var null []string
		for i := range c.schema.Measures {
			if k.null>>i&1 == 1 {
				null = append(null, c.schema.Measures[i].Name)
			}
		}
		if len(null) > 0 {
			e = e.With(where, "rows where %s is NULL", strings.Join(null, " and "))
			continue
		}
		e = e.With(where, "rows without NULL")
	}
	return e
}
