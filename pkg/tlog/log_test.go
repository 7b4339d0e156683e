package tlog

import (
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/transparency-dev/tessera/client"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

func leaves(from, n int) (out []carnet.Hash) {
	for i := range n {
		out = append(out, carnet.Digest("leaf", fmt.Append(nil, from+i)))
	}
	return out
}

func treeOf(n int) (t evidence.Tree) {
	for _, l := range leaves(0, n) {
		t.Add(l)
	}
	return t
}

func open(t *testing.T, dir string) *Log {
	t.Helper()
	l, err := Open(t.Context(), dir, Options{BatchAge: time.Millisecond})
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	return l
}

// grow appends in batches of different sizes until there are n, and checks after each
// that the tiles make the tree of all leaves.
func grow(t *testing.T, l *Log, from, n int, batches ...int) (sizes []int) {
	t.Helper()
	for i := 0; from < n; i++ {
		b := min(batches[i%len(batches)], n-from)
		require.NoError(t, l.Append(t.Context(), int64(from), leaves(from, b)))
		from += b
		got, err := l.Tree(t.Context())
		require.NoError(t, err)
		require.Equal(t, treeOf(from), got)
		sizes = append(sizes, from)
	}
	return sizes
}

func requireReason(t *testing.T, reason string, err error) {
	t.Helper()
	require.Equal(t, reason, carnet.ReasonOf(err), "%v", err)
}

// TestTilesMakeTheTree: over several tiles, with proofs for every published size.
func TestTilesMakeTheTree(t *testing.T) {
	l := open(t, t.TempDir())
	empty, err := l.Tree(t.Context())
	require.NoError(t, err)
	require.Equal(t, evidence.Tree{}, empty)
	sizes := grow(t, l, 0, 700, 1, 2, 5, 256, 33)
	all := leaves(0, 700)
	for i, size := range sizes {
		at := treeOf(size)
		for _, n := range []int{0, size / 2, size - 1} {
			path, err := l.Inclusion(t.Context(), int64(n), int64(size))
			require.NoError(t, err)
			require.NoError(t, evidence.VerifyInclusion(all[n], int64(n), at.Checkpoint(), path))
		}
		if i > 0 {
			path, err := l.Consistency(t.Context(), int64(sizes[i-1]), int64(size))
			require.NoError(t, err)
			require.NoError(t, evidence.VerifyConsistency(treeOf(sizes[i-1]).Checkpoint(), at.Checkpoint(), path))
		}
	}
}

// TestGoesOnWhereItWas: closed, or left without closing as by a crash.
func TestGoesOnWhereItWas(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	grow(t, l, 0, 300, 7)
	require.NoError(t, l.Close())
	requireReason(t, "LOG_UNWRITABLE", l.Append(t.Context(), 300, leaves(300, 1)))
	l = open(t, dir)
	grow(t, l, 300, 310, 3)
	l = open(t, dir)
	grow(t, l, 310, 320, 10)
}

// TestAnotherNumberIsNoticed: the log never takes a leaf for another entry, also where two
// add at a time.
func TestAnotherNumberIsNoticed(t *testing.T) {
	l := open(t, t.TempDir())
	grow(t, l, 0, 5, 5)
	requireReason(t, "LOG_MOVED", l.Append(t.Context(), 4, leaves(4, 1)))
	requireReason(t, "LOG_MOVED", l.Append(t.Context(), 7, leaves(7, 2)))
	errs := make(chan error, 2)
	for range 2 {
		go func() { errs <- l.Append(t.Context(), 5, leaves(5, 2)) }()
	}
	if err := <-errs; err == nil {
		requireReason(t, "LOG_MOVED", <-errs)
	} else {
		requireReason(t, "LOG_MOVED", err)
		require.NoError(t, <-errs)
	}
	got, err := l.Tree(t.Context())
	require.NoError(t, err)
	require.Equal(t, treeOf(7), got)
}

// TestFolderThatCantBeWritten: an error with a remedy, no end of the process; what could
// be read still can; and it goes on when the folder is back.
func TestFolderThatCantBeWritten(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "log")
	l := open(t, dir)
	grow(t, l, 0, 3, 3)
	state := filepath.Join(dir, ".state") // what every write needs; the folder itself is made again
	require.NoError(t, os.Rename(state, state+".away"))
	err := l.Append(t.Context(), 3, leaves(3, 2))
	requireReason(t, "LOG_UNWRITABLE", err)
	require.Equal(t, carnet.Unavailable, carnet.KindOf(err))
	var e *carnet.Error
	require.ErrorAs(t, err, &e)
	require.Contains(t, e.Remedy, "free space")
	_, err = l.Tree(t.Context())
	requireReason(t, "LOG_UNWRITABLE", err)
	require.NoError(t, os.Rename(state+".away", state))
	grow(t, l, 3, 10, 2)

	// A file where a folder has to be: the disk refuses in the middle of writing.
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "tile")))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "tile"), nil, 0o600))
	requireReason(t, "LOG_UNWRITABLE", l.Append(t.Context(), 10, leaves(10, 1)))

	_, err = Open(t.Context(), filepath.Join(dir, "tile", "log"), Options{})
	requireReason(t, "LOG_UNWRITABLE", err)
}

// TestMadeAgain: a log whose folder was lost is the same log; tiles of the widths that
// old checkpoints need are there although it is made in other steps.
func TestMadeAgain(t *testing.T) {
	l := open(t, t.TempDir())
	grow(t, l, 0, 600, 600)
	all := leaves(0, 600)
	for _, size := range []int{1, 3, 255, 256, 257, 300, 599} {
		at := treeOf(size)
		path, err := l.Inclusion(t.Context(), int64(size/2), int64(size))
		require.NoError(t, err)
		require.NoError(t, evidence.VerifyInclusion(all[size/2], int64(size/2), at.Checkpoint(), path))
		path, err = l.Consistency(t.Context(), int64(size), 600)
		require.NoError(t, err)
		require.NoError(t, evidence.VerifyConsistency(at.Checkpoint(), treeOf(600).Checkpoint(), path))
	}
}

// TestPublicClient reads the log over HTTP with Tessera's own client: leaves, and proofs
// from tiles, at a size that the log was never made of.
func TestPublicClient(t *testing.T) {
	l := open(t, t.TempDir())
	grow(t, l, 0, 300, 300)
	srv := httptest.NewServer(l)
	defer srv.Close()
	root, err := url.Parse(srv.URL + "/")
	require.NoError(t, err)
	f, err := client.NewHTTPFetcher(root, srv.Client())
	require.NoError(t, err)
	ctx := t.Context()
	var got []carnet.Hash
	for i := range uint64(2) {
		b, err := client.GetEntryBundle(ctx, f.ReadEntryBundle, i, 290)
		require.NoError(t, err)
		for _, e := range b.Entries {
			require.Len(t, e, 32, "nothing but a commitment")
			got = append(got, carnet.Hash(e))
		}
	}
	require.Equal(t, leaves(0, 290), got)
	b, err := client.NewProofBuilder(ctx, 290, f.ReadTile)
	require.NoError(t, err)
	path, err := b.InclusionProof(ctx, 258)
	require.NoError(t, err)
	require.NoError(t, evidence.VerifyInclusion(got[258], 258, treeOf(290).Checkpoint(), hashes(path)))
	path, err = b.ConsistencyProof(ctx, 17, 290)
	require.NoError(t, err)
	require.NoError(t, evidence.VerifyConsistency(treeOf(17).Checkpoint(), treeOf(290).Checkpoint(), hashes(path)))
}

func TestServe(t *testing.T) {
	l := open(t, t.TempDir())
	grow(t, l, 0, 260, 256, 4)
	get := func(method, path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		l.ServeHTTP(w, httptest.NewRequestWithContext(context.Background(), method, path, nil))
		return w
	}
	for path, size := range map[string]int{
		"/tile/0/000": 256 * 32, "/tile/0/000.p/5": 5 * 32, "/tile/0/001.p/4": 4 * 32, "/tile/0/001.p/3": 3 * 32, "/tile/1/000.p/1": 32,
		"/tile/entries/000": 256 * 34, "/tile/entries/000.p/7": 7 * 34, "/tile/entries/001.p/2": 2 * 34,
	} {
		w := get("GET", path)
		require.Equal(t, http.StatusOK, w.Code, path)
		require.Equal(t, size, w.Body.Len(), path)
		require.Equal(t, "public, max-age=31536000, immutable", w.Header().Get("Cache-Control"))
		require.Equal(t, "application/octet-stream", w.Header().Get("Content-Type"))
	}
	for _, path := range []string{"/tile/0/001", "/tile/0/001.p/5", "/tile/0/001.p/0", "/tile/0/001.p/256", "/tile/1/000", "/tile/2/000.p/1", "/tile/64/000", "/tile/0/-01",
		"/tile/0/x001/000", "/tile/0", "/tile/", "/tile/entries/", "/tile/entries/001.p/9", "/tile/entries/../../checkpoint", "/tile/0/..%2f.state", "/tile/0/x/000", "/other", "/tile/0/000.p", "/tile/0/.p/1"} {
		r := httptest.NewRequestWithContext(context.Background(), "GET", "/", nil)
		r.URL.Path = path
		w := httptest.NewRecorder()
		l.ServeHTTP(w, r)
		require.Equal(t, http.StatusNotFound, w.Code, path)
	}
	require.Equal(t, http.StatusMethodNotAllowed, get("POST", "/tile/0/000").Code)
	require.Equal(t, 0, get("HEAD", "/tile/0/000").Body.Len())
	_, err := l.read("nothing", 3, nodeBytes)
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func FuzzServe(f *testing.F) {
	l, err := Open(f.Context(), f.TempDir(), Options{})
	require.NoError(f, err)
	defer l.Close()
	require.NoError(f, l.Append(f.Context(), 0, leaves(0, 3)))
	for _, p := range []string{"/tile/0/000", "/tile/0/000.p/3", "/tile/entries/000.p/3", "/tile/0/x001/x234/067.p/8", "/tile/entries/.p/"} {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, p string) {
		b, err := l.find(context.Background(), p)
		if err == nil {
			require.LessOrEqual(t, len(b), 3*entryBytes)
		}
	})
}
