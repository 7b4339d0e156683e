package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
)

func TestExitCodeOfEveryKind(t *testing.T) {
	for kind, code := range map[carnet.Kind]int{
		carnet.Internal: 1, carnet.Invalid: 2, carnet.NotFound: 3, carnet.Forbidden: 4, carnet.Exists: 5,
		carnet.Precondition: 5, carnet.Refused: 6, carnet.Exhausted: 7, carnet.Unavailable: 7, carnet.Canceled: 7,
	} {
		require.Equal(t, code, ExitCode(fmt.Errorf("wrapped: %w", carnet.E(kind, "X", "x"))), kind)
	}
	require.Equal(t, 1, ExitCode(errors.New("no kind")))
	require.Equal(t, 130, ExitCode(fmt.Errorf("wrapped: %w", context.Canceled)))
}

// What the system says about a file is no fault of the program.
func TestFailAboutFiles(t *testing.T) {
	_, err := os.Create(filepath.Join(t.TempDir(), "none", "x"))
	var out bytes.Buffer
	require.Equal(t, Precondition, Fail(&out, "prog", fmt.Errorf("write the report: %w", err)))
	require.Regexp(t, `^prog: a file can't be used: write the report: open .*none.x: .* \[FILE_UNUSABLE\]\n  fix: check that its folder exists`, out.String())
	out.Reset()
	require.Equal(t, NotFound, Fail(&out, "prog", carnet.E(carnet.NotFound, "NO_FILE", "no table").Because(err)))
	require.Contains(t, out.String(), "NO_FILE")
}

type marked struct{ error }

func (marked) Mark(w io.Writer) bool { fmt.Fprintln(w, "  here ^"); return true }
func (m marked) Unwrap() error       { return m.error }

func TestFail(t *testing.T) {
	e := carnet.E(carnet.Invalid, "BAD_X", "x is bad").Because(errors.New("too long")).Fix("shorten it\nor leave it out")
	for range 22 {
		e = e.With("x", "is bad")
	}
	var out bytes.Buffer
	require.Equal(t, 2, Fail(&out, "prog", e))
	require.Contains(t, out.String(), "prog: x is bad: too long [BAD_X]\n  x: is bad\n")
	require.Contains(t, out.String(), "  and 2 more\n  fix: shorten it\n       or leave it out\n")
	out.Reset()
	require.Equal(t, 2, Fail(&out, "prog", fmt.Errorf("a.json: %w", carnet.E(carnet.Invalid, "BAD_X", "x is bad"))))
	require.Equal(t, "prog: a.json: x is bad [BAD_X]\n", out.String())
	out.Reset()
	require.Equal(t, 2, Fail(&out, "prog", marked{e}))
	require.Equal(t, "prog: x is bad: too long [BAD_X]\n  here ^\n  fix: shorten it\n       or leave it out\n", out.String())
}
