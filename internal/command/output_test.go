package command

import (
	"bytes"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReport(t *testing.T) {
	var out bytes.Buffer
	v := map[string]any{"party": "<kz>", "entry": 3}
	require.NoError(t, Output{}.Report(&out, v, "revoked %s by entry %d\n", "kz", 3))
	require.Equal(t, "revoked kz by entry 3\n", out.String())
	out.Reset()
	require.NoError(t, Output{JSON: true}.Report(&out, v, "revoked %s by entry %d\n", "kz", 3))
	require.Equal(t, "{\n  \"entry\": 3,\n  \"party\": \"<kz>\"\n}\n", out.String())
	for _, o := range []Output{{}, {JSON: true}} {
		require.ErrorContains(t, o.Report(full{}, v, "x"), "full")
	}
}

func TestJSONOfNoEntries(t *testing.T) {
	for _, v := range []any{[]string(nil), []string{}} {
		var out bytes.Buffer
		require.NoError(t, JSON(&out, v))
		require.Equal(t, "[]\n", out.String())
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("the disk is full") }
