package plan

import (
	"slices"

	"github.com/carnet-network/carnet/pkg/schema"
)

// coordinate is what indicator columns tell about a row: its number on an axis, or
// one of the two digits of the number.
type coordinate struct {
	axis  *schema.Axis
	test  schema.Test
	parts [][]int // sets of values, together all; intervals in ascending order if test is AtMost
}

// selection is a function of the coordinates of a row: 1 for the rows selected, 0 for
// the others. The table is over the parts, the first coordinate outermost. Parts of a
// selection, and differences of them, also have other values.
type selection struct {
	coords []coordinate
	table  []int8
}

// slice returns the table where coordinate i is in part c.
func (s *selection) slice(i, c int) []int8 {
	inner := 1
	for _, later := range s.coords[i+1:] {
		inner *= len(later.parts)
	}
	n := len(s.coords[i].parts)
	out := make([]int8, 0, len(s.table)/n)
	for at := c * inner; at < len(s.table); at += n * inner {
		out = append(out, s.table[at:at+inner]...)
	}
	return out
}

// without returns the other coordinates.
func (s *selection) without(i int) []coordinate {
	return slices.Concat(s.coords[:i], s.coords[i+1:])
}

// simplify joins parts that make no difference, neighbouring ones if the order
// matters, and leaves out coordinates of one part.
func (s *selection) simplify() *selection {
	out := &selection{slices.Clone(s.coords), s.table}
	for i := 0; i < len(out.coords); {
		var (
			c     = &out.coords[i]
			parts [][]int
			kept  [][]int8
			seen  = map[string]int{}
		)
		for p, values := range c.parts {
			t := out.slice(i, p)
			key := tableKey(t)
			at, ok := seen[key]
			if c.test == schema.AtMost {
				at, ok = len(kept)-1, len(kept) > 0 && slices.Equal(kept[len(kept)-1], t)
			}
			if !ok {
				seen[key] = len(kept)
				kept, parts = append(kept, t), append(parts, slices.Clone(values))
				continue
			}
			parts[at] = append(parts[at], values...)
		}
		if len(kept) == 1 {
			out.table, out.coords = kept[0], out.without(i)
			continue
		}
		if len(kept) < len(c.parts) {
			inner := 1
			for _, later := range out.coords[i+1:] {
				inner *= len(later.parts)
			}
			out.table = make([]int8, 0, len(kept)*len(kept[0]))
			for at := 0; at < len(kept[0]); at += inner {
				for _, t := range kept {
					out.table = append(out.table, t[at:at+inner]...)
				}
			}
			c.parts = parts
		}
		i++
	}
	return out
}

func tableKey(t []int8) string {
	b := make([]byte, len(t))
	for i, v := range t {
		b[i] = byte(v)
	}
	return string(b)
}

// dial is an axis of the encoding with the coordinates of its numbers: for each
// combination of their parts, where the region's table is entered, -1 where no row is
// selected.
type dial struct {
	coords  []coordinate
	offsets []int
}

// newDial groups the numbers of an axis by their offsets.
func newDial(a *schema.Axis, offsets []int) dial {
	switch a.Coding {
	case schema.Cumulative:
		return ordered(a, offsets)
	case schema.TwoDigit:
		return twoDigits(a, offsets)
	}
	parts, kept := grouped(len(offsets), func(number int) int { return offsets[number] })
	return dial{[]coordinate{{a, schema.Equals, parts}}, kept}
}

// grouped returns the sets of values with equal keys, and the keys.
func grouped[K comparable](n int, key func(int) K) (parts [][]int, keys []K) {
	seen := map[K]int{}
	for v := range n {
		k := key(v)
		at, ok := seen[k]
		if !ok {
			at = len(parts)
			seen[k] = at
			parts, keys = append(parts, nil), append(keys, k)
		}
		parts[at] = append(parts[at], v)
	}
	return parts, keys
}

func ordered(a *schema.Axis, offsets []int) dial {
	d := dial{coords: []coordinate{{axis: a, test: schema.AtMost}}}
	c := &d.coords[0]
	for number, o := range offsets {
		if n := len(d.offsets); n > 0 && d.offsets[n-1] == o {
			c.parts[n-1] = append(c.parts[n-1], number)
			continue
		}
		c.parts, d.offsets = append(c.parts, []int{number}), append(d.offsets, o)
	}
	return d
}

// twoDigits groups the rows and the columns of the square of numbers. Numbers beyond
// the last one do not occur and may count like any; like the last but one, because the
// last may be NULL, which conditions often treat differently.
func twoDigits(a *schema.Axis, offsets []int) dial {
	at := func(high, low int) int {
		if n := high*a.Radix + low; n < len(offsets) {
			return offsets[n]
		}
		return offsets[max(0, len(offsets)-2)]
	}
	key := func(n int, offset func(int) int) string {
		b := make([]byte, 0, 4*n)
		for i := range n {
			o := offset(i)
			b = append(b, byte(o>>24), byte(o>>16), byte(o>>8), byte(o))
		}
		return string(b)
	}
	highs, _ := grouped(a.Highs(), func(h int) string {
		return key(a.Radix, func(l int) int { return at(h, l) })
	})
	lows, _ := grouped(a.Radix, func(l int) string {
		return key(len(highs), func(h int) int { return at(highs[h][0], l) })
	})
	d := dial{coords: []coordinate{{a, schema.HighIs, highs}, {a, schema.LowIs, lows}}}
	for _, h := range highs {
		for _, l := range lows {
			d.offsets = append(d.offsets, at(h[0], l[0]))
		}
	}
	return d
}
