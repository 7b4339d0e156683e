package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/internal/command/commandtest"
)

// TestOnline runs the scripts that need a network: they start gateway and keyholders
// as processes of their own and use them through the command line only.
func TestOnline(t *testing.T) {
	if testing.Short() {
		t.Skip("starts seven processes")
	}
	if runtime.GOOS == "windows" {
		t.Skip("servers are ended by SIGTERM")
	}
	bin := t.TempDir()
	out, err := exec.Command("go", "build", "-o", bin+string(filepath.Separator), "../carnet-gateway", "../carnet-keyholder").CombinedOutput()
	require.NoError(t, err, "%s", out)
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/online",
		Setup: func(e *testscript.Env) error {
			e.Setenv("PATH", bin+string(os.PathListSeparator)+e.Getenv("PATH"))
			e.Setenv("ROOT", root)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"agekey":   ageKey,
			"waitfile": waitFile,
			"retry":    retry,
			"gateway":  gatewayAddress,
			"setenv":   setEnv,
			"until":    until,
			"clock":    clock,
			"fields":   commandtest.Fields,
		},
	})
}

// clock sets MONTH and NOW to the present month and second, after everything that was done
// so far: clock.
func clock(ts *testscript.TestScript, _ bool, _ []string) {
	now := time.Now().Truncate(time.Second).Add(time.Second)
	time.Sleep(time.Until(now))
	ts.Setenv("MONTH", now.UTC().Format("2006-01"))
	ts.Setenv("NOW", now.UTC().Format(time.RFC3339))
}

// ageKey writes an age identity: agekey FILE.
func ageKey(ts *testscript.TestScript, _ bool, args []string) {
	id, err := age.GenerateX25519Identity()
	ts.Check(err)
	file := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(filepath.Dir(file), 0o700))
	ts.Check(os.WriteFile(file, []byte(id.String()+"\n"), 0o600))
}

// waitFile waits until a file exists: waitfile FILE.
func waitFile(ts *testscript.TestScript, _ bool, args []string) {
	for range 3000 { // a minute
		if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	ts.Fatalf("%s does not appear", args[0])
}

// gatewayAddress sets $GATEWAY from the file that the gateway wrote: gateway FILE.
func gatewayAddress(ts *testscript.TestScript, _ bool, args []string) {
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		if a, ok := strings.CutPrefix(strings.TrimSpace(line), "grpc="); ok {
			ts.Setenv("GATEWAY", a)
			return
		}
	}
	ts.Fatalf("%s has no grpc= line", args[0])
}

// retry repeats a command until it succeeds, for at most two minutes: retry CMD...
func retry(ts *testscript.TestScript, _ bool, args []string) {
	var err error
	for range 240 {
		if err = ts.Exec(args[0], args[1:]...); err == nil {
			return
		}
		time.Sleep(500 * time.Millisecond)
	}
	ts.Check(err)
}

// until repeats a command until it prints a text, for at most two minutes: until TEXT CMD...
func until(ts *testscript.TestScript, _ bool, args []string) {
	for range 240 {
		if ts.Exec(args[1], args[2:]...) == nil && strings.Contains(ts.ReadFile("stdout"), args[0]) {
			return
		}
		time.Sleep(500 * time.Millisecond)
	}
	ts.Fatalf("%v does not print %q", args[1:], args[0])
}

// setEnv sets a variable to the contents of a file, or its first characters: setenv NAME FILE [N].
func setEnv(ts *testscript.TestScript, _ bool, args []string) {
	value := strings.TrimSpace(ts.ReadFile(args[1]))
	if len(args) > 2 {
		n, err := strconv.Atoi(args[2])
		ts.Check(err)
		value = value[:n]
	}
	ts.Setenv(args[0], value)
}
