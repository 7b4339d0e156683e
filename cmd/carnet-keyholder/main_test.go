package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/internal/command/commandtest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"carnet-keyholder": func() { os.Exit(run(os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr})) },
	})
}

// TestScripts runs the command line sessions in testdata.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"fields": commandtest.Fields,
			// age-identity FILE makes a fresh age identity.
			"age-identity": func(ts *testscript.TestScript, _ bool, args []string) {
				id, err := age.GenerateHybridIdentity()
				ts.Check(err)
				ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(id.String()+"\n"), 0o600))
			},
			// until TEXT exec CMD... repeats a command until it prints a text, for half a minute.
			"until": func(ts *testscript.TestScript, _ bool, args []string) {
				form := regexp.MustCompile(args[0])
				for range 60 {
					if ts.Exec(args[2], args[3:]...) == nil && form.MatchString(ts.ReadFile("stdout")) {
						return
					}
					time.Sleep(500 * time.Millisecond)
				}
				ts.Fatalf("%v does not print %q", args[2:], args[0])
			},
			// mode FILE MODE compares permissions.
			"mode": func(ts *testscript.TestScript, _ bool, args []string) {
				i, err := os.Stat(ts.MkAbs(args[0]))
				ts.Check(err)
				if got := fmt.Sprintf("%04o", i.Mode().Perm()); got != args[1] {
					ts.Fatalf("%s has mode %s, want %s", args[0], got, args[1])
				}
			},
		},
	})
}

// TestEveryCommandHasAnExample keeps the help useful.
func TestEveryCommandHasAnExample(t *testing.T) {
	for _, command := range []string{"init", "run", "status", "export-public", "rotate", "destroy", "backup", "restore", "vault-policy", "version"} {
		var out bytes.Buffer
		require.Zero(t, run([]string{command, "--help"}, streams{nil, &out, &out}), out.String())
		require.Contains(t, out.String(), "Example", command)
		require.Contains(t, out.String(), "carnet-keyholder "+command)
	}
	var out bytes.Buffer
	require.Zero(t, run(nil, streams{nil, &out, &out}))
	require.Contains(t, out.String(), "Guards the keys")
	require.Equal(t, 2, run([]string{"no-such-command"}, streams{nil, &out, &out}))
}

func TestLoopbackOnly(t *testing.T) {
	for _, ok := range []string{"127.0.0.1:0", "localhost:80", "[::1]:80"} {
		require.NoError(t, loopback(ok))
	}
	for _, bad := range []string{":80", "0.0.0.0:80", "10.0.0.1:80", "gateway.example:80", "127.0.0.1"} {
		require.Error(t, loopback(bad), bad)
	}
}

// TestDependencies: a keyholder is a small process that links neither the gateway
// nor anything that could publish or run queries.
func TestDependencies(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").CombinedOutput()
	require.NoError(t, err, string(out))
	for _, dep := range strings.Fields(string(out)) {
		for prefix, why := range map[string]string{
			"github.com/carnet-network/carnet/pkg/server": "the gateway's services",
			"github.com/carnet-network/carnet/pkg/store":  "the gateway's catalogue",
			"github.com/carnet-network/carnet/pkg/blob":   "the gateway's storage",
			"github.com/carnet-network/carnet/pkg/flow":   "the gateway's use cases",
			"github.com/carnet-network/carnet/pkg/client": "publishing and asking are for owners and buyers",
			"github.com/carnet-network/carnet/pkg/ingest": "tables are read on owners' premises",
			"gocloud.dev":              "blocks are streamed from the gateway",
			"github.com/jackc/pgx":     "the ledger is one SQLite file",
			"github.com/parquet-go":    "tables are read on owners' premises",
			"github.com/pressly/goose": "the ledger has its own few migrations",
			"github.com/prometheus":    "a few gauges need no client library",
		} {
			require.False(t, dep == prefix || strings.HasPrefix(dep, prefix+"/"), "%s is linked: %s", dep, why)
		}
	}
}
