package schema

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Binder turns the records of one input into rows. It is made by Schema.Bind and is
// for one goroutine.
type Binder struct {
	schema                     *Schema
	file                       string
	fields                     int
	partitions, dims, measures []binding
	inputs                     []binding
	unit                       binding // field -1 if the schema names none
	codes                      []map[string]int
	bounds                     [][2]int64
	unused                     []string
	clipped                    []int64
	computed                   *computed // formulas, nil without any
	buckets                    []bucketing
}

// Unused returns the headers that no schema column uses.
func (b *Binder) Unused() []string { return b.unused }

// Clipped returns, per measure, how many values were outside its bounds and stored
// as the nearest bound. Measures without any are left out.
func (b *Binder) Clipped() map[string]int64 {
	m := map[string]int64{}
	for i, n := range b.clipped {
		if n > 0 {
			m[b.schema.Measures[i].Name] = n
		}
	}
	return m
}

// Row reads a record into row, whose slices are reused. The error is of kind Invalid,
// reason BAD_ROW, with a violation for each field at fault, whose field is
// "file:line:column". After an error the contents of row are undefined; the next
// record may be read.
func (b *Binder) Row(rec *Record, row *Row) error {
	var bad *carnet.Error
	fail := func(field int, msg string) {
		if bad == nil {
			bad = carnet.E(carnet.Invalid, "BAD_ROW", "the record does not fit schema %s", b.schema.ID())
		}
		bad = bad.With(b.place(rec, field), "%s", msg)
	}
	if len(rec.Fields) != b.fields {
		fail(-1, fmt.Sprintf("the record has %d fields, the header has %d; quote fields that contain the separator", len(rec.Fields), b.fields))
		return bad
	}
	row.Partition = slices.Grow(row.Partition[:0], len(b.partitions))
	row.Dims = slices.Grow(row.Dims[:0], len(b.dims))
	row.Measures = slices.Grow(row.Measures[:0], len(b.measures))
	row.Null = slices.Grow(row.Null[:0], len(b.measures))
	for i, bind := range b.partitions {
		v, msg := b.partition(i, rec, bind)
		if msg != "" {
			fail(bind.field, msg)
		}
		row.Partition = append(row.Partition, v)
	}
	for i, bind := range b.dims {
		if bind.field < 0 { // computed below
			row.Dims = append(row.Dims, 0)
			continue
		}
		v, msg := b.dimension(i, rec, bind)
		if msg != "" {
			fail(bind.field, msg)
		}
		row.Dims = append(row.Dims, v)
	}
	for i, bind := range b.measures {
		if bind.field < 0 { // computed below
			row.Measures, row.Null = append(row.Measures, 0), append(row.Null, false)
			continue
		}
		v, null, msg := b.measure(i, rec, bind)
		if msg != "" {
			fail(bind.field, msg)
		}
		row.Measures = append(row.Measures, v)
		row.Null = append(row.Null, null)
	}
	if row.Unit = ""; b.unit.field >= 0 {
		var null bool
		if row.Unit, null = b.text(rec, b.unit); null {
			fail(b.unit.field, "unit "+b.schema.Unit+" is NULL; every row is about somebody")
		}
	}
	if b.computed != nil {
		b.compute(rec, row, bad == nil, fail)
	}
	if bad != nil {
		return bad
	}
	for i := range b.buckets {
		row.Dims[b.buckets[i].dim] = b.buckets[i].code(row)
	}
	return nil
}

// place names a field of a record: file:line:column, or file:row where the format
// has no columns.
func (b *Binder) place(rec *Record, field int) string {
	if field >= 0 && field < len(rec.At) {
		return fmt.Sprintf("%s:%d:%d", b.file, rec.At[field].Line, rec.At[field].Column)
	}
	return fmt.Sprintf("%s:%d", b.file, rec.Line)
}

// text returns a field without surrounding spaces, and whether it is NULL.
func (b *Binder) text(rec *Record, bind binding) (string, bool) {
	if rec.Null != nil && rec.Null[bind.field] {
		return "", true
	}
	v := strings.TrimSpace(rec.Fields[bind.field])
	return v, b.schema.isNull(v)
}

func (b *Binder) partition(i int, rec *Record, bind binding) (string, string) {
	p := &b.schema.Partitions[i]
	v, null := b.text(rec, bind)
	if null {
		return "", "partition " + p.Name + " is NULL; every row needs a value"
	}
	if msg := p.checkValue(v); msg != "" {
		return "", msg
	}
	return v, ""
}

// checkValue returns what is wrong with a value of the partition.
func (p *Partition) checkValue(v string) string {
	if len(p.Values) == 0 {
		if msg := checkToken(v); msg != "" {
			return "partition " + p.Name + ": " + msg
		}
		return ""
	}
	if !slices.Contains(p.Values, v) {
		return "partition " + p.Name + " does not allow " + quote(v) + didYouMean(v, p.Values)
	}
	return ""
}

func (b *Binder) dimension(i int, rec *Record, bind binding) (int, string) {
	d := &b.schema.Dimensions[i]
	v, null := b.text(rec, bind)
	if null {
		if !d.Nullable {
			return 0, "dimension " + d.Name + " is NULL and not nullable; fill it in, or set nullable: true in the schema"
		}
		return -1, ""
	}
	switch {
	case bind.length:
		v = strconv.Itoa(utf8.RuneCountInString(v))
	case bind.prefix > 0:
		v = prefix(v, bind.prefix)
	}
	code, ok := b.codes[i][v]
	if !ok {
		values := make([]string, len(d.Codes))
		for j := range d.Codes {
			values[j] = d.Codes[j].Value
		}
		return 0, "dimension " + d.Name + " has no code " + quote(v) + didYouMean(v, values)
	}
	return code, ""
}

// prefix is the first n characters of s, all of it if s is shorter.
func prefix(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

func (b *Binder) measure(i int, rec *Record, bind binding) (v int64, null bool, msg string) {
	m := &b.schema.Measures[i]
	text, null := b.text(rec, bind)
	if null {
		if !m.Nullable {
			return 0, true, "measure " + m.Name + " is NULL and not nullable; fill it in, or set nullable: true in the schema"
		}
		return 0, true, ""
	}
	v, err := ParseDecimal(text, m.Scale)
	side := 0
	var d *decimalError
	switch lo, hi := b.bounds[i][0], b.bounds[i][1]; {
	case errors.As(err, &d):
		if side = d.sign; side == 0 {
			return 0, false, "measure " + m.Name + ": " + d.msg
		}
	case v < lo:
		side = -1
	case v > hi:
		side = 1
	}
	if side == 0 {
		return v, false, ""
	}
	bound, name, word := b.bounds[i][0], "min "+m.Min, "below"
	if side > 0 {
		bound, name, word = b.bounds[i][1], "max "+m.Max, "above"
	}
	if !m.Clips() {
		return 0, false, "measure " + m.Name + ": " + quote(text) + " is " + word + " " + name + "; correct it, or set outside: clip in the schema"
	}
	b.clipped[i]++
	return bound, false, ""
}
