package schema

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
)

var update = flag.Bool("update", false, "rewrite the expected messages in testdata")

// TestRefused reads every schema in testdata/refused. The comment lines at its end
// that begin with "# want " are the problems, in order, that Parse must report.
func TestRefused(t *testing.T) {
	files, err := filepath.Glob("testdata/refused/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			body, want := splitWant(string(text))
			_, err = Parse(filepath.Base(file), []byte(body))
			require.Error(t, err)
			require.Equal(t, carnet.Invalid, carnet.KindOf(err))
			require.Equal(t, "BAD_SCHEMA", carnet.ReasonOf(err))
			got := ""
			for _, v := range Lint(filepath.Base(file), []byte(body)) {
				got += "# want " + v.Field + ": " + v.Msg + "\n"
			}
			if *update {
				require.NoError(t, os.WriteFile(file, []byte(body+got), 0o644))
				return
			}
			require.Equal(t, want, got)
		})
	}
}

// splitWant separates a schema from the expectations below it.
func splitWant(text string) (body, want string) {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "# want ") {
			want += line
		} else {
			body += line
		}
	}
	return body, want
}
