// Package commandtest has what scripts of the programs' tests have in common.
package commandtest

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// Fields is the command "fields NAME...": what the last command printed is one JSON object, or a
// list of them, each with these fields and no others, in any order, and nothing else.
func Fields(ts *testscript.TestScript, neg bool, want []string) {
	if neg {
		ts.Fatalf("fields can't be negated")
	}
	out := []byte(ts.ReadFile("stdout"))
	list := []map[string]any{{}}
	var into any = &list[0]
	if bytes.HasPrefix(out, []byte("[")) {
		into = &list
	}
	ts.Check(json.Unmarshal(out, into))
	if len(list) == 0 {
		ts.Fatalf("the list is empty")
	}
	slices.Sort(want)
	for _, x := range list {
		if got := slices.Sorted(maps.Keys(x)); !slices.Equal(got, want) {
			ts.Fatalf("has the fields %s, want %s", strings.Join(got, " "), strings.Join(want, " "))
		}
	}
}
