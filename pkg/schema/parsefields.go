package schema

import (
	"fmt"

	"go.yaml.in/yaml/v3"
)

func (r *reader) schema(n *yaml.Node, s *Schema) {
	r.object(n, "", "a schema", []field{
		{"name", r.text(&s.Name)},
		{"version", r.number(func(v int64) { s.Version = int(v) })},
		{"title", r.text(&s.Title)},
		{"description", r.text(&s.Description)},
		{"nulls", r.texts(&s.Nulls)},
		{"dimensions", r.list(func(n *yaml.Node, path string) {
			s.Dimensions = append(s.Dimensions, Dimension{})
			r.dimension(n, path, &s.Dimensions[len(s.Dimensions)-1])
		})},
		{"inputs", r.list(func(n *yaml.Node, path string) {
			s.Inputs = append(s.Inputs, Input{})
			r.input(n, path, &s.Inputs[len(s.Inputs)-1])
		})},
		{"measures", r.list(func(n *yaml.Node, path string) {
			s.Measures = append(s.Measures, Measure{})
			r.measure(n, path, &s.Measures[len(s.Measures)-1])
		})},
		{"partitions", r.list(func(n *yaml.Node, path string) {
			s.Partitions = append(s.Partitions, Partition{})
			p := &s.Partitions[len(s.Partitions)-1]
			r.object(n, path, "a partition", []field{
				{"name", r.text(&p.Name)}, {"title", r.text(&p.Title)}, {"source", r.text(&p.Source)}, {"values", r.texts(&p.Values)},
			})
		})},
		{"combine", r.list(func(n *yaml.Node, path string) {
			s.Combine = append(s.Combine, Combination{})
			c := &s.Combine[len(s.Combine)-1]
			r.object(n, path, "a combination", []field{{"dimensions", r.texts(&c.Dimensions)}, {"encoding", r.text((*string)(&c.Encoding))}})
		})},
		{"degree", r.number(func(v int64) { s.Degree = int(v) })},
		{"unit", r.text(&s.Unit)},
		{"aligned", r.flag(&s.Aligned)},
		{"limits", func(n *yaml.Node, path string) {
			r.object(n, path, "the limits", []field{
				{"rows", r.number(func(v int64) { s.Limits.Rows = v })},
				{"datasets", r.number(func(v int64) { s.Limits.Datasets = int(v) })},
			})
		}},
		{"layouts", r.list(func(n *yaml.Node, path string) {
			s.Layouts = append(s.Layouts, "")
			r.text((*string)(&s.Layouts[len(s.Layouts)-1]))(n, path)
		})},
	})
}

func (r *reader) dimension(n *yaml.Node, path string, d *Dimension) {
	r.object(n, path, "a dimension", []field{
		{"name", r.text(&d.Name)},
		{"title", r.text(&d.Title)},
		{"source", r.text(&d.Source)},
		{"prefix", r.number(func(v int64) { d.Prefix = int(v) })},
		{"length", r.flag(&d.Length)},
		{"buckets", r.text(&d.Buckets)},
		{"type", r.text(&d.Type)},
		{"codes", func(n *yaml.Node, path string) { r.codes(n, path, d) }},
		{"range", func(n *yaml.Node, path string) { r.span(n, path, d) }},
		{"ordered", r.flag(&d.Ordered)},
		{"nullable", r.flag(&d.Nullable)},
		{"encoding", r.text((*string)(&d.Encoding))},
	})
}

func (r *reader) input(n *yaml.Node, path string, in *Input) {
	r.object(n, path, "an input", []field{
		{"name", r.text(&in.Name)},
		{"title", r.text(&in.Title)},
		{"source", r.text(&in.Source)},
		{"scale", r.number(func(v int64) { in.Scale = int(v) })},
		{"min", r.text(&in.Min)},
		{"max", r.text(&in.Max)},
		{"nullable", r.flag(&in.Nullable)},
	})
}

func (r *reader) measure(n *yaml.Node, path string, m *Measure) {
	r.object(n, path, "a measure", []field{
		{"name", r.text(&m.Name)},
		{"title", r.text(&m.Title)},
		{"unit", r.text(&m.Unit)},
		{"source", r.text(&m.Source)},
		{"formula", r.text(&m.Formula)},
		{"scale", r.number(func(v int64) { m.Scale = int(v) })},
		{"min", r.text(&m.Min)},
		{"max", r.text(&m.Max)},
		{"nullable", r.flag(&m.Nullable)},
		{"outside", r.text((*string)(&m.Outside))},
		{"squares", r.flag(&m.Squares)},
		{"products", r.texts(&m.Products)},
	})
}

// codes reads a code list in any of its forms: a list of values, a list of
// {value, label}, or a map from value to label.
func (r *reader) codes(n *yaml.Node, path string, d *Dimension) {
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			at := fmt.Sprintf("%s[%d]", path, len(d.Codes))
			d.Codes = append(d.Codes, Code{})
			c := &d.Codes[len(d.Codes)-1]
			r.text(&c.Value)(n.Content[i], at+".value")
			if label := n.Content[i+1]; label.Tag != "!!null" {
				r.text(&c.Label)(label, at+".label")
			}
		}
		return
	}
	r.list(func(n *yaml.Node, path string) {
		d.Codes = append(d.Codes, Code{})
		c := &d.Codes[len(d.Codes)-1]
		if n.Kind == yaml.MappingNode {
			r.object(n, path, "a code", []field{{"value", r.text(&c.Value)}, {"label", r.text(&c.Label)}})
			return
		}
		r.text(&c.Value)(n, path+".value")
	})(n, path)
}
