package schema

import (
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// field is one allowed key of a YAML mapping and what takes its value.
type field struct {
	name string
	read func(n *yaml.Node, path string)
}

// object reads a mapping with a fixed set of keys.
func (r *reader) object(n *yaml.Node, path, what string, fields []field) {
	r.mark(path, n)
	if !r.kind(n, path, yaml.MappingNode, what+" is written as \"field: value\" lines") {
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		at := strings.TrimPrefix(path+"."+key.Value, ".")
		f := findField(fields, key.Value)
		switch {
		case f == nil:
			unknown := "/unknown/" + at
			r.mark(unknown, key)
			r.add(unknown, "unknown field %s of %s%s", quote(key.Value), what, didYouMean(key.Value, fieldNames(fields)))
		case seen[key.Value]:
			again := "/again/" + at
			r.mark(again, key)
			r.add(again, "the field %s is there twice; remove one", quote(key.Value))
		default:
			seen[key.Value] = true
			r.mark(at, value)
			f.read(value, at)
		}
	}
}

func findField(fields []field, name string) *field {
	for i := range fields {
		if fields[i].name == name {
			return &fields[i]
		}
	}
	return nil
}

func fieldNames(fields []field) []string {
	names := make([]string, len(fields))
	for i := range fields {
		names[i] = fields[i].name
	}
	return names
}

// kind reports a node of another kind than wanted.
func (r *reader) kind(n *yaml.Node, path string, want yaml.Kind, hint string) bool {
	switch {
	case n.Kind == yaml.AliasNode:
		r.add(path, "anchors and aliases are not supported; write the value out")
	case n.Style&yaml.TaggedStyle != 0:
		r.add(path, "the tag %s is not supported; remove it", quote(n.Tag))
	case n.Kind != want:
		r.add(path, "%s", hint)
	default:
		return true
	}
	return false
}

// list reads a sequence, each item by item under "path[i]".
func (r *reader) list(item func(n *yaml.Node, path string)) func(*yaml.Node, string) {
	return func(n *yaml.Node, path string) {
		r.mark(path, n)
		if !r.kind(n, path, yaml.SequenceNode, lastName(path)+" is a list; write [a, b] or one \"- a\" line per item") {
			return
		}
		for i, c := range n.Content {
			at := fmt.Sprintf("%s[%d]", path, i)
			r.mark(at, c)
			item(c, at)
		}
	}
}

// scalar returns the text of a scalar as written, without YAML's guesses at types.
func (r *reader) scalar(n *yaml.Node, path, hint string) (string, bool) {
	r.mark(path, n)
	if !r.kind(n, path, yaml.ScalarNode, lastName(path)+" is "+hint) {
		return "", false
	}
	if n.Tag == "!!null" {
		if n.Value == "" {
			r.add(path, "%s is empty; write a value or remove the line", lastName(path))
		} else {
			r.add(path, "%s means \"no value\" in YAML; quote it if the word is meant", n.Value)
		}
		return "", false
	}
	return n.Value, true
}

func (r *reader) text(to *string) func(*yaml.Node, string) {
	return func(n *yaml.Node, path string) {
		if v, ok := r.scalar(n, path, "a single text"); ok {
			*to = v
		}
	}
}

func (r *reader) texts(to *[]string) func(*yaml.Node, string) {
	return r.list(func(n *yaml.Node, path string) {
		*to = append(*to, "")
		r.text(&(*to)[len(*to)-1])(n, path)
	})
}

func (r *reader) number(set func(int64)) func(*yaml.Node, string) {
	return func(n *yaml.Node, path string) {
		v, ok := r.scalar(n, path, "a whole number")
		if !ok {
			return
		}
		i, err := strconv.ParseInt(v, 10, 32)
		if err != nil {
			r.add(path, "%s is %s; write a whole number in digits, without separators", lastName(path), quote(v))
			return
		}
		set(i)
	}
}

func (r *reader) flag(to *bool) func(*yaml.Node, string) {
	return func(n *yaml.Node, path string) {
		v, ok := r.scalar(n, path, "true or false")
		switch {
		case !ok:
		case v == "true" || v == "false":
			*to = v == "true"
		default:
			r.add(path, "%s is %s; write true or false", lastName(path), quote(v))
		}
	}
}

// lastName is the field a path ends in, without list positions.
func lastName(path string) string {
	path = path[strings.LastIndexByte(path, '.')+1:]
	if i := strings.IndexByte(path, '['); i >= 0 {
		return "an item of " + path[:i]
	}
	return path
}
