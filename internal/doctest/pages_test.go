//go:build unix

package doctest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/internal/postgres"
	"github.com/carnet-network/carnet/internal/vaultserver"
)

const tutorial = "docs/tutorials/first-query.md"

// howTos in the order they run on the tutorial's network.
var howTos = []string{"docs/howto/buyer.md", "docs/howto/owner.md", "docs/howto/keyholder.md", "docs/howto/operator.md", "docs/howto/policy-pack.md", "docs/howto/auditor.md"}

// namedPorts are those the pages use: gRPC, REST and metrics of gateways, health
// of two keyholders.
var namedPorts = []string{"7443", "7444", "7445", "7543", "7544", "7545", "7643", "7645", "9095", "9096"}

// patience is for a machine that is busy with other tests; alone, the tutorial takes
// about 15 seconds and a how-to page about 10.
const patience = 5 * time.Minute

// TestPages runs the tutorial, and the how-to pages in the middle of it.
func TestPages(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a network of processes")
	}
	root := repository(t)
	touchSources(t, root)
	dir := t.TempDir()
	home := filepath.Join(dir, "home")
	require.NoError(t, os.Mkdir(home, 0o700))
	ports := freePorts(t, namedPorts...)
	file := func(name string) string { return filepath.Join(dir, name) }

	page, err := ReadPage(root, tutorial)
	require.NoError(t, err)
	require.GreaterOrEqual(t, page.Pause, 1, "%s has no line %s", tutorial, pauseMark)
	before, after := page.steps(0, page.Pause), page.steps(page.Pause, len(page.Blocks))

	pages, vars := howTos, environment(t, home)
	if extra := vaultVariables(t); extra != nil {
		pages, vars = append(slices.Clone(howTos), "docs/howto/vault.md", "docs/howto/vault-plugin.md"), append(vars, extra...)
	}
	if extra := postgresVariables(t); extra != nil {
		pages, vars = append(slices.Clone(pages), "docs/howto/postgres.md"), append(vars, extra...)
	}
	first := start(t, dir, "tutorial", strings.Join([]string{
		"set -e", "cd '" + root + "'", script(before, ports),
		"export -p > '" + file("variables") + "'", "pwd > '" + file("directory") + "'", ": > '" + file("paused") + "'",
		"until [ -e '" + file("resume") + "' ]; do sleep 0.1; done",
		script(after, ports),
	}, "\n"), vars)
	err = first.wait(file("paused"), patience)
	work := readLine(file("directory"), home)
	first.check(t, before, err, ports, work)

	for _, name := range pages {
		t.Run(filepath.Base(name), func(t *testing.T) {
			p, err := ReadPage(root, name)
			require.NoError(t, err)
			steps := p.steps(0, len(p.Blocks))
			require.NotEmpty(t, steps)
			s := start(t, dir, filepath.Base(name), strings.Join([]string{
				"source '" + file("variables") + "'", "cd '" + work + "'", "set -e", script(steps, ports),
			}, "\n"), vars)
			s.check(t, steps, s.wait("", patience), ports, work)
		})
	}

	t.Run("the rest of "+filepath.Base(tutorial), func(t *testing.T) {
		require.NoError(t, os.WriteFile(file("resume"), nil, 0o600))
		first.check(t, after, first.wait("", patience), ports, work)
	})
}

// vaultVariables starts an empty Vault for the page about it and returns what its
// administrator's shell has; nil where there is no server.
func vaultVariables(t *testing.T) []string {
	bin, err := vaultserver.Find()
	if err != nil && os.Getenv(vaultserver.Required) == "" {
		t.Logf("docs/howto/vault.md is left out: %v", err)
		return nil
	}
	require.NoError(t, err)
	plugins := t.TempDir()
	s := vaultserver.New(t, vaultserver.Options{Plugins: plugins})
	return append(s.Env(), "PLUGINS="+plugins, "VAULT_TOKEN="+s.Token, "PATH="+os.Getenv("PATH")+string(os.PathListSeparator)+filepath.Dir(bin))
}

// postgresVariables starts a server for the page about PostgreSQL and returns what its
// administrator's shell has; nil where none is installed.
func postgresVariables(t *testing.T) []string {
	if !postgres.Installed() && os.Getenv(postgres.Required) == "" {
		t.Log("docs/howto/postgres.md is left out: ", postgres.ErrNotInstalled)
		return nil
	}
	return postgres.New(t).Env()
}

func readLine(file, otherwise string) string {
	data, err := os.ReadFile(file)
	if err != nil {
		return otherwise
	}
	return strings.TrimSpace(string(data))
}

// repository is the directory of go.mod.
func repository(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(root, "go.mod"))
	return root
}

// touchSources looks at every source the programs are made of, so that a cached
// result of these tests is not used after one of them changed.
func touchSources(t *testing.T, root string) {
	t.Helper()
	for _, dir := range []string{"cmd", "pkg", "examples"} {
		require.NoError(t, filepath.WalkDir(filepath.Join(root, dir), func(path string, _ os.DirEntry, err error) error {
			if err == nil {
				_, err = os.Stat(path)
			}
			if os.IsNotExist(err) {
				return nil
			}
			return err
		}))
	}
}
