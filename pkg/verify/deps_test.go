package verify_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Rule: the verifier is small, so that somebody who has to trust it can read it. Of the project
// it links what defines the meaning of statements, plans and bounds; of others the Merkle
// proofs, signed notes, and Lattigo, whose arithmetic executes queries anew. (Lattigo brings a
// test library of its own, and that brings net/http; nothing of the project calls it.)
func TestDependencies(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	require.NoError(t, err)
	const module = "github.com/carnet-network/carnet/pkg/"
	own := []string{"bundle", "carnet", "cells", "columnfile", "evidence", "functional", "he", "history", "meter", "overlap", "plan", "privacy", "query", "scan", "schema", "share", "terms", "verify"}
	others := []string{"github.com/transparency-dev/merkle", "github.com/tuneinsight/lattigo", "golang.org/x/", "go.yaml.in/yaml",
		"github.com/ALTree/bigfloat", "github.com/google/go-cmp", "github.com/stretchr/testify"}
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, module); ok {
			first, _, _ := strings.Cut(name, "/")
			require.Contains(t, own, first, "the verifier links %s", line)
			continue
		}
		first, _, _ := strings.Cut(line, "/")
		require.True(t, !strings.Contains(first, ".") || slices.ContainsFunc(others, func(o string) bool { return strings.HasPrefix(line, o) }), "the verifier links %s", line)
	}
}
