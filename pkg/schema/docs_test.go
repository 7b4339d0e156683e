package schema

import (
	"encoding/csv"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
)

var fence = regexp.MustCompile("(?ms)^```(yaml|csv|text)\n(.*?)^```$")

// TestSchemasInDocs parses every schema shown in the documentation.
func TestSchemasInDocs(t *testing.T) {
	for _, file := range []string{"reference/schema.md", "formats/layouts.md"} {
		text, err := os.ReadFile("../../docs/" + file)
		require.NoError(t, err)
		n := 0
		for _, m := range fence.FindAllStringSubmatch(string(text), -1) {
			if m[1] == "yaml" {
				_, err := Parse(file, []byte(m[2]))
				require.NoError(t, err)
				n++
			}
		}
		require.Positive(t, n, file)
	}
}

// TestWorkedExample makes the tables of docs/formats/layouts.md from its schema and
// rows.
func TestWorkedExample(t *testing.T) {
	text, err := os.ReadFile("../../docs/formats/layouts.md")
	require.NoError(t, err)
	blocks := map[string][]string{}
	for _, m := range fence.FindAllStringSubmatch(string(text), -1) {
		blocks[m[1]] = append(blocks[m[1]], m[2])
	}
	require.Len(t, blocks["csv"], 1)
	s, err := Parse("layouts.md", []byte(blocks["yaml"][0]))
	require.NoError(t, err)
	want := renderExample(t, s, blocks["csv"][0], carnet.LayoutRecords) + renderExample(t, s, blocks["csv"][0], carnet.LayoutCube)
	if *update {
		head, rest, _ := strings.Cut(string(text), "cells not shown are 0.\n")
		_, tail, _ := strings.Cut(rest, "## Digest of the plaintext")
		require.NoError(t, os.WriteFile("../../docs/formats/layouts.md", []byte(head+"cells not shown are 0.\n\n"+want+"## Digest of the plaintext"+tail), 0o644))
		return
	}
	require.Contains(t, string(text), want)
}

func renderExample(t *testing.T, s *Schema, rows string, l carnet.Layout) string {
	e, err := s.Encode(l)
	require.NoError(t, err)
	lines, err := csv.NewReader(strings.NewReader(rows)).ReadAll()
	require.NoError(t, err)
	b, err := s.Bind("example", lines[0])
	require.NoError(t, err)
	tables := e.NewTables()
	var row Row
	for i, fields := range lines[1:] {
		require.NoError(t, b.Row(&Record{Fields: fields, Line: i + 2}, &row))
		require.NoError(t, tables.Add(&row))
	}
	show, what := int(tables.Rows()), "slot"
	if l == carnet.LayoutCube {
		show, what = e.Cells, "cell"
	}
	var out strings.Builder
	fmt.Fprintf(&out, "Layout %s, profile %s, T = %d:\n\n```text\n", l, e.Profile, e.T)
	fmt.Fprintf(&out, "%3s %-18s %5s", "id", "column", "shift")
	for i := range show {
		fmt.Fprintf(&out, " %12s", fmt.Sprintf("%s %d", what, i))
	}
	out.WriteString("\n")
	values := make([]uint64, e.N)
	for i, c := range e.Columns {
		tables.Builders()[0].Column(i, 0, values)
		fmt.Fprintf(&out, "%3d %-18s %5d", c.ID, c.Name, c.Shift)
		for _, v := range values[:show] {
			fmt.Fprintf(&out, " %12s", centred(v, e.T))
		}
		out.WriteString("\n")
	}
	out.WriteString("```\n\n")
	return out.String()
}
