package schema

// records keeps rows column by column: 2 bytes per dimension, 8 per measure and a
// bit per nullable measure.
type records struct {
	enc      *Encoding
	rows     int
	dims     [][]uint16
	measures [][]int64
	null     []bitset // empty for measures that are not nullable
}

type bitset []uint64

func (b bitset) get(i int) uint64 { return b[i>>6] >> (i & 63) & 1 }

func newRecords(e *Encoding, hint int64) *records {
	s := e.schema
	t := &records{enc: e, dims: make([][]uint16, len(s.Dimensions)), measures: make([][]int64, len(s.Measures)), null: make([]bitset, len(s.Measures))}
	for i := range t.dims {
		t.dims[i] = make([]uint16, 0, hint)
	}
	for i := range t.measures {
		t.measures[i] = make([]int64, 0, hint)
	}
	return t
}

func (t *records) add(r *Row) {
	for i, code := range r.Dims {
		if code < 0 {
			code = len(t.enc.schema.Dimensions[i].Codes)
		}
		t.dims[i] = append(t.dims[i], uint16(code))
	}
	for i, v := range r.Measures {
		if t.enc.schema.Measures[i].Nullable {
			if t.rows&63 == 0 {
				t.null[i] = append(t.null[i], 0)
			}
			if r.Null[i] {
				t.null[i][t.rows>>6] |= 1 << (t.rows & 63)
				v = 0
			}
		}
		t.measures[i] = append(t.measures[i], v)
	}
	t.rows++
}

func (t *records) fill(c *Column, block int, out []uint64) int {
	from := block * len(out)
	n := min(len(out), t.rows-from)
	if n <= 0 {
		return 0
	}
	t.values(c, from, out[:n])
	return n
}

// values writes a column's values of some rows that follow each other.
func (t *records) values(c *Column, from int, out []uint64) {
	if c.Kind == Indicator {
		t.indicator(c, from, out)
		return
	}
	t.digits(c, from, out)
}

// indicator tests the numbers of the rows' codes. All tests but that of the low digit
// ask for an interval of numbers.
func (t *records) indicator(c *Column, from int, out []uint64) {
	a := &t.enc.Axes[c.Axis]
	t.numbers(a, from, out)
	least, count := uint64(c.Code), uint64(1)
	switch c.Test {
	case AtMost:
		least, count = 0, uint64(c.Code)+1
	case HighIs:
		least, count = uint64(c.Code*a.Radix), uint64(a.Radix)
	case LowIs:
		for j := range out {
			out[j] %= uint64(a.Radix)
		}
	}
	for j, number := range out {
		out[j] = 0
		if number-least < count {
			out[j] = 1
		}
	}
}

// numbers writes the number of each row's codes on the axis.
func (t *records) numbers(a *Axis, from int, out []uint64) {
	clear(out)
	for _, d := range a.Dimensions {
		n := uint64(t.enc.schema.Dimensions[d].Cardinality())
		for j, code := range t.dims[d][from : from+len(out)] {
			out[j] = out[j]*n + uint64(code)
		}
	}
}

func (t *records) digits(c *Column, from int, out []uint64) {
	s := t.enc.schema
	x, y := s.Measure(c.Atom.X), s.Measure(c.Atom.Y)
	switch c.Atom.Kind {
	case Count:
		for j := range out {
			out[j] = 1
		}
	case NotNull:
		for j := range out {
			out[j] = t.notNull(x, from+j)
			if y >= 0 {
				out[j] &= t.notNull(y, from+j)
			}
		}
	case Sum:
		for j, v := range t.measures[x][from : from+len(out)] {
			out[j] = uint64(int128From(v).digit(c.Shift, c.Width))
		}
	default:
		if c.Atom.Kind == Square {
			y = x
		}
		xs, ys := t.measures[x][from:], t.measures[y][from:]
		for j := range out {
			out[j] = uint64(mul64(xs[j], ys[j]).digit(c.Shift, c.Width))
		}
	}
}

func (t *records) notNull(measure, row int) uint64 {
	if t.null[measure] == nil {
		return 1
	}
	return 1 &^ t.null[measure].get(row)
}
