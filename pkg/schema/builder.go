package schema

import (
	"github.com/carnet-network/carnet/pkg/carnet"
)

// Builder collects the rows of one file and makes the integers that are encrypted.
// Add is for one goroutine; once all rows are added, the other methods may be used
// concurrently.
type Builder struct {
	enc       *Encoding
	partition []string
	rows      int64
	bounds    [][2]int64
	buckets   []bucketing
	store     store
}

// store keeps rows in the way of one layout.
type store interface {
	add(r *Row)
	// fill writes the values of a column's block, as two's complement, and returns how
	// many there are; the rest of out is zero.
	fill(c *Column, block int, out []uint64) int
}

// NewBuilder returns a Builder for the file of one combination of partition values,
// one per partition of the schema. hint is the expected number of rows; 0 is fine.
func (e *Encoding) NewBuilder(partition []string, hint int64) (*Builder, error) {
	s := e.schema
	if len(partition) != len(s.Partitions) {
		return nil, carnet.E(carnet.Invalid, "BAD_ROW", "the row has %d partition values, the schema has %d", len(partition), len(s.Partitions))
	}
	for i := range s.Partitions {
		if msg := s.Partitions[i].checkValue(partition[i]); msg != "" {
			return nil, carnet.E(carnet.Invalid, "BAD_ROW", "%s", msg)
		}
	}
	b := &Builder{enc: e, partition: append([]string(nil), partition...), buckets: s.bucketings()}
	for i := range s.Measures {
		lo, hi := s.Measures[i].Bounds()
		b.bounds = append(b.bounds, [2]int64{lo, hi})
	}
	if e.Layout == carnet.LayoutCube {
		b.store = newCube(e)
	} else if e.Aligned() {
		b.store = newAligned(e, min(max(hint, 0), s.Limits.Rows))
	} else {
		b.store = newRecords(e, min(max(hint, 0), s.Limits.Rows))
	}
	return b, nil
}

// Encoding returns the encoding the builder follows.
func (b *Builder) Encoding() *Encoding { return b.enc }

// Rows is the number of rows added.
func (b *Builder) Rows() int64 { return b.rows }

// Blocks is the number of blocks of each column, at least 1.
func (b *Builder) Blocks() int { return b.enc.Blocks(b.rows) }

// Partition returns the public partition values by column name, nil if the schema
// has no partitions.
func (b *Builder) Partition() map[string]string {
	if len(b.partition) == 0 {
		return nil
	}
	m := map[string]string{}
	for i, v := range b.partition {
		m[b.enc.schema.Partitions[i].Name] = v
	}
	return m
}

// Add adds a row. The row is not kept and may be reused. Errors: BAD_ROW if the row
// does not fit the schema, TOO_MANY_ROWS at the limit; the row is then not added.
func (b *Builder) Add(r *Row) error {
	s := b.enc.schema
	if b.rows >= s.Limits.Rows {
		return tooManyRows(s)
	}
	if len(r.Dims) != len(s.Dimensions) || len(r.Measures) != len(s.Measures) || len(r.Null) != len(s.Measures) {
		return carnet.E(carnet.Invalid, "BAD_ROW", "the row has %d dimensions and %d measures, the schema has %d and %d", len(r.Dims), len(r.Measures), len(s.Dimensions), len(s.Measures))
	}
	for i, code := range r.Dims {
		d := &s.Dimensions[i]
		if code < -1 || code >= len(d.Codes) || code == -1 && !d.Nullable {
			return carnet.E(carnet.Invalid, "BAD_ROW", "dimension %s has no code number %d", d.Name, code)
		}
	}
	for i, v := range r.Measures {
		m := &s.Measures[i]
		switch {
		case r.Null[i] && !m.Nullable:
			return carnet.E(carnet.Invalid, "BAD_ROW", "measure %s is NULL and not nullable", m.Name)
		case !r.Null[i] && (v < b.bounds[i][0] || v > b.bounds[i][1]):
			return carnet.E(carnet.Invalid, "BAD_ROW", "measure %s is %s, outside %s..%s", m.Name, formatScaled(v, m.Scale), m.Min, m.Max)
		}
	}
	for i := range b.buckets {
		if err := b.checkBucket(&b.buckets[i], r); err != nil {
			return err
		}
	}
	if t, ok := b.store.(*aligned); ok {
		if err := t.check(r); err != nil {
			return err
		}
	}
	b.store.add(r)
	b.rows++
	return nil
}

func tooManyRows(s *Schema) error {
	return carnet.E(carnet.Invalid, "TOO_MANY_ROWS", "the dataset has more than the %d rows that schema %s allows", s.Limits.Rows, s.ID()).
		Fix("split the data into several datasets, or raise limits.rows in a new version of the schema")
}

// Column writes block number block of column number i to out, which has room for at
// least N values: integers mod T, negative v as T-|v|, zeros after the last one. It
// returns the number of values before those zeros. Positions outside the file are
// all zero. Digest checks the values; call it before publishing them.
func (b *Builder) Column(i, block int, out []uint64) int {
	out = out[:b.enc.N]
	n := b.fill(i, block, out)
	for j, v := range out[:n] {
		if int64(v) < 0 {
			out[j] = v + b.enc.T
		}
	}
	return n
}

func (b *Builder) fill(i, block int, out []uint64) int {
	if i < 0 || i >= len(b.enc.Columns) || block < 0 || block >= b.Blocks() {
		clear(out)
		return 0
	}
	n := b.store.fill(&b.enc.Columns[i], block, out)
	clear(out[n:])
	return n
}
