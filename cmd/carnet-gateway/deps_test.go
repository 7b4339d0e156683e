package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/carnet-network/carnet/pkg/"

// The gateway holds no dataset key and no seed. Packages that keep or use them are
// not even imported.
func TestImportsNothingThatHoldsKeys(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	deps := map[string]bool{}
	for _, p := range strings.Fields(string(out)) {
		deps[p] = true
	}
	require.True(t, deps[module+"flow"], "the list is the right one")
	for _, p := range []string{"keys", "keys/agefile", "keyholder", "client", "seal", "he/plain", "ingest", "sample", "carnettest"} {
		require.False(t, deps[module+p], "the gateway imports pkg/%s", p)
	}
	for _, p := range []string{module + "flow/flowtest", module + "store/storetest", module + "blob/blobtest"} {
		require.False(t, deps[p], "test helpers are linked into the program: %s", p)
	}
}

// pkg/he and pkg/share are needed for the public half: rings, profiles, committees
// and noise bounds. What deals, encrypts, or computes a share is not linked.
//
// Methods of types that are linked for other reasons can stay in the program
// because the linker can't rule out calls by reflection; functions can't. So the
// functions are listed through which secrets come into being.
func TestLinksNothingThatUsesKeys(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	bin := filepath.Join(t.TempDir(), "gateway")
	out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	out, err = exec.Command("go", "tool", "nm", bin).Output()
	require.NoError(t, err)
	symbols := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		symbols[f[len(f)-1]] = true
	}
	require.True(t, symbols[module+"flow.(*Gateway).SubmitQuery"], "the list is the right one")
	for _, name := range []string{"he.NewEncryptor", "share.NewDeal", "share.NewKeyShare", "share.NewResponder", "share.ParseBundle", "share.CheckBundle", "share.Flood", "share.CombineAll"} {
		require.False(t, symbols[module+name], "the gateway links %s", name)
	}
}
