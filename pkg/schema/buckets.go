package schema

import (
	"fmt"
	"sort"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// bucketing computes a dimension from a measure of the row.
type bucketing struct {
	dim, measure int
	ends         []int64 // the codes as integers of the measure's scale, ascending
}

// bucketings lists the dimensions that are buckets of measures; the schema has passed
// check.
func (s *Schema) bucketings() (list []bucketing) {
	for i := range s.Dimensions {
		d := &s.Dimensions[i]
		if d.Buckets == "" {
			continue
		}
		b := bucketing{dim: i, measure: s.Measure(d.Buckets)}
		for _, c := range d.Codes {
			v, _ := ParseDecimal(c.Value, s.Measures[b.measure].Scale)
			b.ends = append(b.ends, v)
		}
		list = append(list, b)
	}
	return list
}

// code is the number of the bucket that a row's value is in: the last one that does not
// begin above it. NULL is -1.
func (b *bucketing) code(row *Row) int {
	if row.Null[b.measure] {
		return -1
	}
	v := row.Measures[b.measure]
	return sort.Search(len(b.ends), func(i int) bool { return b.ends[i] > v }) - 1
}

// checkBucket refuses a row whose code is not the bucket of its value.
func (b *Builder) checkBucket(k *bucketing, r *Row) error {
	if r.Dims[k.dim] == k.code(r) {
		return nil
	}
	s := b.enc.schema
	return carnet.E(carnet.Invalid, "BAD_ROW", "dimension %s is not the bucket of %s", s.Dimensions[k.dim].Name, s.Measures[k.measure].Name)
}

// checkBuckets checks a dimension that is computed from a measure.
func (s *Schema) checkBuckets(c *checker, i int) {
	d := &s.Dimensions[i]
	if d.Buckets == "" {
		return
	}
	path := fmt.Sprintf("dimensions[%d]", i)
	j := s.Measure(d.Buckets)
	if j < 0 {
		var names []string
		for k := range s.Measures {
			names = append(names, s.Measures[k].Name)
		}
		c.add(path+".buckets", "there is no measure %s%s", quote(d.Buckets), didYouMean(d.Buckets, names))
		return
	}
	m := &s.Measures[j]
	for _, f := range []struct {
		set  bool
		name string
	}{{d.Source != "", "source"}, {d.Type != "", "type"}, {d.Ordered, "ordered"}} {
		if f.set {
			c.add(path+"."+f.name, "a dimension of buckets is computed from %s, and numbers compare as numbers; remove %s", m.Name, f.name)
		}
	}
	if d.Nullable != m.Nullable {
		c.add(path+".nullable", "%s can be NULL where %s can; write nullable: %t", d.Name, m.Name, m.Nullable)
	}
	lo, hi := m.Bounds()
	if lo == hi { // said already
		return
	}
	ends := make([]int64, 0, len(d.Codes))
	for k, code := range d.Codes {
		at := fmt.Sprintf("%s.codes[%d].value", path, k)
		v, err := ParseDecimal(code.Value, m.Scale)
		switch {
		case err != nil:
			c.add(at, "the code of a bucket is where it begins, a number with at most %d digits after the point, as %s has; write one instead of %s", m.Scale, m.Name, quote(code.Value))
			return
		case k == 0 && v > lo:
			c.add(at, "the first bucket begins at %s, and %s can be less; begin at its min, %s", code.Value, m.Name, m.Min)
		case k > 0 && v <= ends[k-1]:
			c.add(at, "the bucket from %s comes after the one from %s; list them in ascending order", code.Value, d.Codes[k-1].Value)
		case v > hi:
			c.add(at, "the bucket from %s is above the max of %s, %s; remove it", code.Value, m.Name, m.Max)
		}
		ends = append(ends, v)
	}
}

// BucketsOf lists the dimensions whose codes are buckets of a measure.
func (s *Schema) BucketsOf(measure string) (dimensions []string) {
	for i := range s.Dimensions {
		if s.Dimensions[i].Buckets == measure {
			dimensions = append(dimensions, s.Dimensions[i].Name)
		}
	}
	return dimensions
}
