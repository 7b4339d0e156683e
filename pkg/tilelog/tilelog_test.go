package tilelog_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/tilelog"
	"github.com/carnet-network/carnet/pkg/tlog"
)

func leaves(n int) (out []carnet.Hash, tree func(int) carnet.Checkpoint) {
	for i := range n {
		out = append(out, carnet.Digest("leaf", fmt.Append(nil, i)))
	}
	return out, func(size int) carnet.Checkpoint {
		var t evidence.Tree
		for _, l := range out[:size] {
			t.Add(l)
		}
		return t.Checkpoint()
	}
}

// public serves the tiles of a log of n entries as a gateway does; meddle sees every answer.
func public(t *testing.T, n int, meddle func(path string, body []byte) []byte) *tilelog.Log {
	l, err := tlog.Open(t.Context(), t.TempDir(), tlog.Options{BatchAge: time.Millisecond})
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	all, _ := leaves(n)
	require.NoError(t, l.Append(t.Context(), 0, all))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		l.ServeHTTP(rec, r)
		body := rec.Body.Bytes()
		if meddle != nil {
			body = meddle(r.URL.Path, body)
		}
		w.WriteHeader(rec.Code)
		_, _ = w.Write(body)
	}))
	t.Cleanup(srv.Close)
	return &tilelog.Log{URL: srv.URL, HTTP: srv.Client()}
}

// Proofs are worked out from the tiles alone, for any two sizes, powers of two among them,
// and for a size that the log has outgrown.
func TestConsistency(t *testing.T) {
	const n = 600
	l := public(t, n, nil)
	_, at := leaves(n)
	for _, sizes := range [][2]int{{1, n}, {256, n}, {257, n}, {512, n}, {n - 1, n}, {3, 290}, {128, 256}, {17, 17}} {
		root, path, err := l.Consistency(t.Context(), int64(sizes[0]), at(sizes[1]))
		require.NoError(t, err, "%v", sizes)
		require.Equal(t, at(sizes[0]).Head, root)
		require.NoError(t, evidence.VerifyConsistency(at(sizes[0]), at(sizes[1]), path))
	}
	for _, older := range []int64{0, -1, n + 1} {
		_, _, err := l.Consistency(t.Context(), older, at(n))
		require.Equal(t, "BAD_CHECKPOINT", carnet.ReasonOf(err))
	}
}

// Tiles that are not those of the checkpoint are not used.
func TestTilesAreChecked(t *testing.T) {
	_, at := leaves(300)
	for what, meddle := range map[string]func(string, []byte) []byte{
		"a changed hash": func(_ string, b []byte) []byte { b[len(b)-1] ^= 1; return b },
		"a short tile":   func(_ string, b []byte) []byte { return b[:len(b)-32] },
		"a long answer":  func(_ string, b []byte) []byte { return append(b, make([]byte, 1<<14)...) },
		"nothing":        func(string, []byte) []byte { return nil },
	} {
		_, _, err := public(t, 300, meddle).Consistency(t.Context(), 7, at(300))
		require.Equal(t, "LOG_UNREADABLE", carnet.ReasonOf(err), what)
	}
	other := at(300)
	other.Head[0] ^= 1
	_, _, err := public(t, 300, nil).Consistency(t.Context(), 7, other)
	require.Equal(t, "LOG_UNREADABLE", carnet.ReasonOf(err), "another log's checkpoint")
}

func TestCheckpoint(t *testing.T) {
	text := ""
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/checkpoint" || text == "" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = w.Write([]byte(text))
	}))
	defer srv.Close()
	l := &tilelog.Log{URL: srv.URL, HTTP: srv.Client()}
	_, err := l.Checkpoint(t.Context())
	require.Equal(t, "LOG_UNREADABLE", carnet.ReasonOf(err))
	text = strings.Repeat("x", evidence.MaxCheckpoint+1)
	_, err = l.Checkpoint(t.Context())
	require.Equal(t, "LOG_UNREADABLE", carnet.ReasonOf(err))
	text = "no checkpoint"
	_, err = l.Checkpoint(t.Context())
	require.Equal(t, "BAD_CHECKPOINT", carnet.ReasonOf(err))
}
