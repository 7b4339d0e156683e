package schema

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// maxFile bounds the size of a schema file in bytes.
const maxFile = 4 << 20

// Parse reads a schema file. Every value is taken as the text that was written, so
// that code lists survive YAML's habit of reading NO as false and 01 as 1. The error
// is of kind Invalid, reason BAD_SCHEMA, with a violation for each problem found; its
// field is "file:line:column" and its message ends with the fix.
func Parse(file string, text []byte) (*Schema, error) {
	r := &reader{file: file, at: map[string]Position{}}
	s := r.read(text)
	if len(r.problems) == 0 {
		r.derive(s)
		r.problems = s.check()
		if len(r.problems) == 0 {
			r.problems = s.checkLayouts()
		}
	} else {
		// What is missing may be what was misspelt: report only what was read.
		unread := map[string]bool{}
		for _, p := range r.problems {
			unread[p.path] = true
		}
		for _, p := range s.check() {
			if _, written := r.at[p.path]; written && !unread[p.path] && len(r.problems) < maxProblems {
				r.problems = append(r.problems, p)
			}
		}
	}
	if len(r.problems) == 0 {
		return s, nil
	}
	slices.SortStableFunc(r.problems, func(a, b problem) int {
		x, y := r.position(a.path), r.position(b.path)
		return cmp.Or(cmp.Compare(x.Line, y.Line), cmp.Compare(x.Column, y.Column))
	})
	return nil, badSchema(r.problems, func(path string) string {
		at := r.position(path)
		return fmt.Sprintf("%s:%d:%d", file, at.Line, at.Column)
	})
}

// Lint returns the problems that Parse would report, nil if there are none.
func Lint(file string, text []byte) []carnet.Violation {
	_, err := Parse(file, text)
	var e *carnet.Error
	if errors.As(err, &e) {
		return e.Violations
	}
	return nil
}

// reader walks the YAML nodes, fills a Schema and remembers where everything was.
type reader struct {
	checker
	file string
	at   map[string]Position
}

// position finds a path, or the nearest enclosing thing that was written.
func (r *reader) position(path string) Position {
	for {
		if at, ok := r.at[path]; ok {
			return at
		}
		i := strings.LastIndexAny(path, ".[")
		if i < 0 {
			return Position{1, 1}
		}
		path = path[:i]
	}
}

func (r *reader) mark(path string, n *yaml.Node) {
	r.at[path] = Position{max(1, n.Line), max(1, n.Column)}
}

func (r *reader) read(text []byte) *Schema {
	s := &Schema{}
	if len(text) > maxFile {
		r.add("", "the file has %d bytes, the limit is %d; shorten labels or code lists", len(text), maxFile)
		return s
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	var doc, next yaml.Node
	switch err := d.Decode(&doc); {
	case errors.Is(err, io.EOF), err == nil && len(doc.Content) == 0:
		r.add("", "the file is empty; see docs/reference/schema.md for an example")
		return s
	case err != nil:
		r.syntax(err)
		return s
	}
	if err := d.Decode(&next); !errors.Is(err, io.EOF) {
		r.mark("/next", &next)
		r.add("/next", "there is a second document; keep one schema per file")
	}
	r.schema(doc.Content[0], s)
	return s
}

// syntax reports an error of the YAML parser, which carries a line at best.
func (r *reader) syntax(err error) {
	msg := strings.TrimPrefix(err.Error(), "yaml: ")
	at := Position{1, 1}
	if rest, ok := strings.CutPrefix(msg, "line "); ok {
		if num, after, ok := strings.Cut(rest, ": "); ok {
			if line, err := strconv.Atoi(num); err == nil && line > 0 {
				at.Line, msg = line, after
			}
		}
	}
	r.at["/syntax"] = at
	r.add("/syntax", "not valid YAML: %s; check indentation, quotes and colons near this line", msg)
}
