package cells

import (
	"fmt"
	"math/bits"
	"strings"

	"github.com/carnet-network/carnet/pkg/schema"
)

// Points are points at which functions are evaluated, modulo a prime. At each of them every
// code of a dimension has a number, those of a dimension are 1 together, and a cell is
// the product of the numbers of its codes. A function is the sum of its cells. Two functions
// are equal at a random point if they are equal, and else almost never. Dimensions with the
// same name and codes have the same numbers in all spaces, and one that a function does
// not look at makes no difference, so functions over different dimensions are
// comparable. They are for one goroutine.
type Points struct {
	prime  uint64 // of 62 bits
	n      int
	next   func() uint64
	dims   map[string][][]uint64 // by identity; per code, sum of the numbers before it at each point
	names  map[string][]uint64   // numbers of measures and others, see Says
	spaces map[*Space]*evaluated
}

type evaluated struct {
	before [][][]uint64 // per dimension, as above
	known  map[Weight][]uint64
}

// NewPoints returns so many points, whose numbers next draws. The prime has 62 bits.
func NewPoints(prime uint64, n int, next func() uint64) *Points {
	return &Points{prime, n, next, map[string][][]uint64{}, map[string][]uint64{}, map[*Space]*evaluated{}}
}

// identity names what a dimension tells apart.
func identity(d *schema.Dimension) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q %v", d.Name, d.Nullable)
	for i := range d.Codes {
		fmt.Fprintf(&b, " %q", d.Codes[i].Value)
	}
	return b.String()
}

// Of returns the values of a function of a space at the points. The slice must not be
// changed.
func (p *Points) Of(s *Space, f Weight) []uint64 {
	e := p.spaces[s]
	if e == nil {
		e = &evaluated{known: map[Weight][]uint64{}}
		if s.names == nil {
			for i := range s.Schema.Dimensions {
				s.names = append(s.names, identity(&s.Schema.Dimensions[i]))
			}
		}
		for i := range s.names {
			e.before = append(e.before, p.dimension(s.names[i], s.sizes[i]))
		}
		p.spaces[s] = e
	}
	return p.of(s, e, f)
}

// dimension draws the numbers of so many codes of a dimension.
func (p *Points) dimension(key string, n int) [][]uint64 {
	if sums, ok := p.dims[key]; ok {
		return sums
	}
	sums := make([][]uint64, n+1)
	for c := range sums {
		sums[c] = make([]uint64, p.n)
		for k := range sums[c] {
			switch {
			case c == len(sums)-1:
				sums[c][k] = 1
			case c > 0:
				sums[c][k] = p.random() // as random as the number before it is
			}
		}
	}
	p.dims[key] = sums
	return sums
}

func (p *Points) of(s *Space, e *evaluated, f Weight) []uint64 {
	if v, ok := e.known[f]; ok {
		return v
	}
	n := &s.nodes[f]
	v := make([]uint64, p.n)
	if n.level == len(s.sizes) {
		c := Modulo(n.value, p.prime)
		for k := range v {
			v[k] = c
		}
	} else {
		kids := make([][]uint64, len(n.runs))
		for i, r := range n.runs {
			kids[i] = p.of(s, e, r.kid)
		}
		before := e.before[n.level]
		for k := range v {
			var hi, lo uint64
			last := uint64(0)
			for i, r := range n.runs {
				at := before[r.to][k]
				width := at - last
				if at < last {
					width += p.prime
				}
				last = at
				hi, lo = AddProduct(hi, lo, width, kids[i][k], p.prime)
			}
			_, v[k] = bits.Div64(hi, lo, p.prime)
		}
	}
	e.known[f] = v
	return v
}
