package tlog

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
)

// Tessera's information is for debugging; what it warns of is told.
func TestTesseraIsQuiet(t *testing.T) {
	for level, want := range map[slog.Level][]string{
		slog.LevelInfo:  {"level=WARN msg=three", "level=ERROR msg=four"},
		slog.LevelDebug: {"level=DEBUG msg=one", "level=DEBUG msg=two", "level=WARN msg=three", "level=ERROR msg=four"},
	} {
		var out bytes.Buffer
		l := slog.New(quieter{slog.NewTextHandler(&out, &slog.HandlerOptions{Level: level})}).With("a", 1).WithGroup("g")
		l.Debug("one")
		l.Info("two")
		l.Warn("three")
		l.Error("four")
		lines := bytes.Split(bytes.TrimSpace(out.Bytes()), []byte("\n"))
		require.Len(t, lines, len(want))
		for i, w := range want {
			require.Contains(t, string(lines[i]), w)
			require.Contains(t, string(lines[i]), "a=1")
		}
	}
}
