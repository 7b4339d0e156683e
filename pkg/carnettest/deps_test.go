package carnettest

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// deps lists every package that a package links.
func deps(t *testing.T, pkg string) map[string]bool {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", pkg)
	cmd.Dir = moduleRoot(t)
	out, err := cmd.Output()
	require.NoError(t, err)
	set := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		set[strings.TrimSpace(line)] = true
	}
	return set
}

// Rule: a program links only what its role needs. The gateway has no code that holds
// key shares or encrypts; a keyholder has no storage of ciphertext and no server; the
// harness is linked by no program.
func TestWhatProgramsLink(t *testing.T) {
	t.Parallel()
	const module = "github.com/carnet-network/carnet/"
	for program, never := range map[string][]string{
		"./cmd/carnet-gateway":   {"pkg/keys", "pkg/keys/agefile", "pkg/keyholder", "pkg/client", "pkg/carnettest", "pkg/sample"},
		"./cmd/carnet-keyholder": {"gocloud.dev/blob", "pkg/store", "pkg/server", "pkg/flow", "pkg/blob", "pkg/client", "pkg/carnettest"},
		"./cmd/carnet":           {"gocloud.dev/blob", "pkg/store", "pkg/server", "pkg/flow", "pkg/blob", "pkg/keyholder", "pkg/keys", "pkg/carnettest"},
	} {
		have := deps(t, program)
		require.True(t, have[module+"pkg/carnet"], "%s links something", program)
		for _, n := range never {
			if strings.HasPrefix(n, "pkg/") {
				n = module + n
			}
			require.False(t, have[n], "%s links %s", program, n)
		}
	}
}
