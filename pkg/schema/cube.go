package schema

import "math/big"

// cube keeps, per cell, the number of rows and the exact sum of every other quantity:
// in 8 bytes where the schema's bounds allow, in 16 otherwise.
type cube struct {
	enc  *Encoding
	rows []uint32
	sums []cells // per atom, without the row count
}

type cells struct {
	atom   *atom
	narrow []int64
	wide   []int128
}

func newCube(e *Encoding) *cube {
	t := &cube{enc: e, rows: make([]uint32, e.Cells)}
	limit := big.NewInt(e.schema.Limits.Rows)
	for i := range e.atoms[1:] {
		c := cells{atom: &e.atoms[i+1]}
		lo, hi := new(big.Int).Mul(c.atom.lo, limit), new(big.Int).Mul(c.atom.hi, limit)
		if lo.IsInt64() && hi.IsInt64() {
			c.narrow = make([]int64, e.Cells)
		} else {
			c.wide = make([]int128, e.Cells)
		}
		t.sums = append(t.sums, c)
	}
	return t
}

func (t *cube) add(r *Row) {
	cell := t.enc.Cell(r.Dims)
	t.rows[cell]++
	for i := range t.sums {
		c := &t.sums[i]
		if c.narrow != nil {
			c.narrow[cell] += int64(c.atom.of(r).lo)
		} else {
			c.wide[cell] = c.wide[cell].add(c.atom.of(r))
		}
	}
}

// of is what one row contributes.
func (a *atom) of(r *Row) int128 {
	if a.x >= 0 && r.Null[a.x] || a.y >= 0 && r.Null[a.y] {
		return int128{}
	}
	switch a.Kind {
	case Sum:
		return int128From(r.Measures[a.x])
	case Square, Product:
		return mul64(r.Measures[a.x], r.Measures[a.y])
	default:
		return int128From(1)
	}
}

func (t *cube) fill(c *Column, block int, out []uint64) int {
	from := block * len(out)
	n := min(len(out), t.enc.Cells-from)
	if n <= 0 {
		return 0
	}
	out = out[:n]
	if c.Atom.Kind == Count {
		for j, v := range t.rows[from : from+n] {
			out[j] = uint64(int128From(int64(v)).digit(c.Shift, c.Width))
		}
		return n
	}
	s := t.find(c.Atom)
	for j := range out {
		out[j] = uint64(s.get(from+j).digit(c.Shift, c.Width))
	}
	return n
}

func (t *cube) find(a Atom) *cells {
	for i := range t.sums {
		if t.sums[i].atom.Atom == a {
			return &t.sums[i]
		}
	}
	return &cells{} // unreachable: columns are made from the same atoms
}

func (c *cells) get(cell int) int128 {
	switch {
	case c.narrow != nil:
		return int128From(c.narrow[cell])
	case c.wide != nil:
		return c.wide[cell]
	}
	return int128{}
}
