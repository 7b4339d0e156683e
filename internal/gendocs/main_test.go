package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPagesAreUpToDate fails when a generated page is not what the code says now.
func TestPagesAreUpToDate(t *testing.T) {
	root, err := findRoot()
	require.NoError(t, err)
	for _, dir := range []string{"cmd", "pkg", "protos"} {
		touch(t, filepath.Join(root, dir))
	}
	for _, p := range pages {
		t.Run(p.file, func(t *testing.T) {
			if testing.Short() && p.file == "cli.md" {
				t.Skip("builds the programs")
			}
			want, err := p.make(root)
			require.NoError(t, err)
			have, err := os.ReadFile(filepath.Join(root, "docs", "reference", p.file))
			require.NoError(t, err, "run go run ./internal/gendocs")
			if want != string(have) {
				require.Equal(t, want, string(have), "docs/reference/%s is stale: run go run ./internal/gendocs", p.file)
			}
		})
	}
}

// touch looks at every source the programs are made of, so that a cached result of
// this test is not used after one of them changed.
func touch(t *testing.T, dir string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err == nil {
			_, err = os.Stat(path)
		}
		if os.IsNotExist(err) {
			return nil
		}
		return err
	}))
}

func TestCommandsAreFound(t *testing.T) {
	const help = `Usage: x <command>

Flags:
  -h, --help    Show help.

Commands:
  init                  Make one.
  dev-ca init           Make another.
  run --gateway=A [flags]
    Run it.

  destroy <key> [flags]
    Destroy it.

  version
    Print it.

Run "x <command> --help" for more information on a command.
`
	require.Equal(t, []string{"init", "dev-ca init", "run", "destroy", "version"}, commands(help))
}

func TestCommentsBelongToWhatTheyPrecede(t *testing.T) {
	got := map[string]string{}
	scanComments(`
// S serves.
//
// Well.
service S {
  // M does.
  rpc M(A) returns (B) {
    option (x) = {get: "/v1/{id}"};
  }
  rpc N(A) returns (B);
}
message A { string x = 1; }
// B is it.
message B {
  oneof part {
    // The one.
    bytes one = 1;
  }
  // Many.
  repeated carnet.v1.A many = 2;
}
enum E {
  E_UNSPECIFIED = 0;
  // First.
  E_FIRST = 1;
}
`, got)
	require.Equal(t, map[string]string{
		"S": "S serves.  Well.", "S.M": "M does.", "B": "B is it.", "B.one": "The one.", "B.many": "Many.", "E.E_FIRST": "First.",
	}, got)
}
