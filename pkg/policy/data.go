package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"
)

// readData reads YAML, of which JSON is a part, as JSON values: maps of text, dates as
// they were written.
func readData(b []byte) (any, error) {
	var v any
	if err := decodeYAML(b, &v); err != nil {
		return nil, err
	}
	v, err := plain(v)
	if err != nil {
		return nil, err
	}
	// Numbers become what rules compute with.
	j, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(j))
	d.UseNumber()
	return v, d.Decode(&v)
}

// decodeYAML reads one document. What its aliases (*name) stand for counts as often as they
// do: a few kilobytes of them can be gigabytes.
func decodeYAML(b []byte, v any) error {
	var n yaml.Node
	left := maxFileBytes
	if err := yaml.NewDecoder(bytes.NewReader(b)).Decode(&n); err == nil && !fits(&n, &left) {
		return errors.New("it is too large when its aliases are written out")
	}
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err := d.Decode(v); err != nil {
		return err
	}
	if err := d.Decode(new(any)); !errors.Is(err, io.EOF) {
		return errors.New("there is more than one document")
	}
	return nil
}

// fits takes what a node has, aliases written out, from what is left.
func fits(n *yaml.Node, left *int) bool {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if *left -= 1 + len(n.Value); *left < 0 {
		return false
	}
	return !slices.ContainsFunc(n.Content, func(c *yaml.Node) bool { return !fits(c, left) })
}

func plain(v any) (any, error) {
	switch x := v.(type) {
	case map[string]any:
		for k := range x {
			var err error
			if x[k], err = plain(x[k]); err != nil {
				return nil, err
			}
		}
	case map[any]any:
		return nil, errors.New("a key is not text")
	case []any:
		for i := range x {
			var err error
			if x[i], err = plain(x[i]); err != nil {
				return nil, err
			}
		}
	case time.Time:
		if x.Equal(x.Truncate(24 * time.Hour)) {
			return x.Format(time.DateOnly), nil
		}
		return x.UTC().Format(time.RFC3339), nil
	}
	return v, nil
}

// put stores a value under a path of keys.
func put(m map[string]any, keys []string, v any) error {
	for _, k := range keys[:len(keys)-1] {
		next, ok := m[k].(map[string]any)
		if !ok {
			if m[k] != nil {
				return fmt.Errorf("%s is both data and a folder", k)
			}
			next = map[string]any{}
			m[k] = next
		}
		m = next
	}
	last := keys[len(keys)-1]
	if m[last] != nil {
		return fmt.Errorf("%s is there twice", last)
	}
	m[last] = v
	return nil
}

// decode reads one JSON value with known fields only.
func decode(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return d.Decode(v)
}
