package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// protoComments maps what is declared in the protos, such as "Plan.hash" or
// "QueryService.ExplainQuery", to the comment above it. Descriptors compiled into Go
// carry none, so they are read from the sources; everything else comes from the
// descriptors.
func protoComments(root string) (map[string]string, error) {
	files, err := filepath.Glob(filepath.Join(root, "protos", "carnet", "v1", "*.proto"))
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		scanComments(string(data), all)
	}
	return all, nil
}

var (
	blockStart = regexp.MustCompile(`^(service|message|enum|rpc|oneof)\s+(\w+)`)
	fieldStart = regexp.MustCompile(`^(?:(?:repeated|optional)\s+)?(?:[\w.]+|map<[^>]*>)\s+(\w+)\s*=\s*\d+`)
	valueStart = regexp.MustCompile(`^([A-Z][A-Z0-9_]*)\s*=\s*\d+`)
)

func scanComments(source string, into map[string]string) {
	var scope []string // names of the open braces; "" for a oneof or an option
	var pending []string
	for line := range strings.Lines(source) {
		line = strings.TrimSpace(line)
		if text, ok := strings.CutPrefix(line, "//"); ok {
			pending = append(pending, strings.TrimSpace(text))
			continue
		}
		name, opens := "", false
		if m := blockStart.FindStringSubmatch(line); m != nil {
			name, opens = m[2], true
			if m[1] == "oneof" {
				name = ""
			}
		} else if m := valueStart.FindStringSubmatch(line); m != nil {
			name = m[1]
		} else if m := fieldStart.FindStringSubmatch(line); m != nil {
			name = m[1]
		}
		if name != "" && len(pending) > 0 {
			into[path(append(scope[:len(scope):len(scope)], name))] = strings.Join(pending, " ")
		}
		pending = nil
		first := true
		for _, c := range line {
			switch c {
			case '{':
				if first && opens {
					scope = append(scope, name)
				} else {
					scope = append(scope, "")
				}
				first = false
			case '}':
				scope = scope[:max(0, len(scope)-1)]
			}
		}
	}
}

func path(scope []string) string {
	var parts []string
	for _, s := range scope {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, ".")
}
