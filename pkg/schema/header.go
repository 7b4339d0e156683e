package schema

import (
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// binding says which field of a record feeds a schema column, and how.
type binding struct {
	field  int
	prefix int
	length bool
}

// header resolves the names of an input to positions.
type header struct {
	names []string
	used  []bool
	err   *carnet.Error
}

// find looks a name up: exactly first, then without regard to case and surrounding
// spaces. It returns -1 if there is no such header, -2 if there are several.
func (h *header) find(name string) int {
	for _, same := range []func(a string) bool{
		func(a string) bool { return a == name },
		func(a string) bool { return strings.EqualFold(strings.TrimSpace(a), name) },
	} {
		found := -1
		for i, a := range h.names {
			if same(a) {
				if found >= 0 {
					return -2
				}
				found = i
			}
		}
		if found >= 0 {
			return found
		}
	}
	return -1
}

// bind finds the field for a schema column. A source, if declared, goes first; a
// header equal to the column's own name is taken as it is, without prefix or length:
// it holds the finished value.
func (h *header) bind(what, name, source string, prefix int, length bool) binding {
	b := binding{field: -1}
	if source != "" {
		b = binding{h.find(source), prefix, length}
	}
	if b.field == -1 {
		b = binding{field: h.find(name)}
	}
	switch {
	case b.field >= 0:
		h.used[b.field] = true
	case b.field == -2:
		h.err = h.err.With(name, "two headers fit %s %s; rename one of them", what, quote(name))
	default:
		msg := "no header for " + what + " " + quote(name)
		want := name
		if source != "" {
			msg += " (source " + quote(source) + ")"
			want = source
		}
		if n := nearest(want, h.names); n != "" {
			msg += "; did you mean " + quote(n) + "? Rename it, or set \"source: " + n + "\""
		}
		h.err = h.err.With(name, "%s", msg)
	}
	return b
}

// Bind matches the header of an input to the columns of the schema. file is used in
// messages only. The error is of kind Invalid, reason BAD_HEADER, with a violation
// per schema column that has no header.
func (s *Schema) Bind(file string, names []string) (*Binder, error) {
	h := &header{names: names, used: make([]bool, len(names)),
		err: carnet.E(carnet.Invalid, "BAD_HEADER", "%s does not have the columns of schema %s", file, s.ID()).
			Fix("the file has: %s", list(names))}
	b := &Binder{schema: s, file: file, fields: len(names), clipped: make([]int64, len(s.Measures))}
	for i := range s.Partitions {
		p := &s.Partitions[i]
		b.partitions = append(b.partitions, h.bind("partition", p.Name, p.Source, 0, false))
	}
	for i := range s.Dimensions {
		d := &s.Dimensions[i]
		if d.Buckets != "" {
			b.dims, b.codes = append(b.dims, binding{field: -1}), append(b.codes, nil)
			continue
		}
		b.dims = append(b.dims, h.bind("dimension", d.Name, d.Source, d.Prefix, d.Length))
		codes := make(map[string]int, len(d.Codes))
		for j, c := range d.Codes {
			codes[c.Value] = j
		}
		b.codes = append(b.codes, codes)
	}
	for i := range s.Measures {
		m := &s.Measures[i]
		lo, hi := m.Bounds()
		b.bounds = append(b.bounds, [2]int64{lo, hi})
		if m.Formula != "" {
			b.measures = append(b.measures, binding{field: -1})
			continue
		}
		b.measures = append(b.measures, h.bind("measure", m.Name, m.Source, 0, false))
	}
	for i := range s.Inputs {
		b.inputs = append(b.inputs, h.bind("input", s.Inputs[i].Name, s.Inputs[i].Source, 0, false))
	}
	if b.unit.field = -1; s.Unit != "" {
		b.unit = h.bind("unit", s.Unit, "", 0, false)
	}
	if err := b.prepare(); err != nil {
		return nil, err
	}
	b.buckets = s.bucketings()
	if len(h.err.Violations) > 0 {
		return nil, h.err
	}
	for i, used := range h.used {
		if !used {
			b.unused = append(b.unused, names[i])
		}
	}
	return b, nil
}

// list shows names in a message.
func list(names []string) string {
	const limit = 30
	var b strings.Builder
	for i, n := range names {
		if i == limit {
			b.WriteString(", ...")
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(quote(n))
	}
	return b.String()
}
