package tlog

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// goClient reads tiles over HTTP for the client that the Go command has for the log of its
// modules, which shares no code with what writes them.
type goClient struct {
	base string
	http *http.Client
	got  int // tiles that were read
}

func (c *goClient) Height() int { return 8 }

func (c *goClient) SaveTiles([]tlog.Tile, [][]byte) {}

func (c *goClient) ReadTiles(tiles []tlog.Tile) (out [][]byte, err error) {
	for _, t := range tiles {
		// tlog-tiles leaves out the height, which is always 8.
		path, ok := strings.CutPrefix(t.Path(), "tile/8/")
		if !ok {
			return nil, fmt.Errorf("%s: not of height 8", t.Path())
		}
		resp, err := c.http.Get(c.base + "/tile/" + path)
		if err != nil {
			return nil, err
		}
		b, err := io.ReadAll(resp.Body)
		if err = errors.Join(err, resp.Body.Close()); err != nil || resp.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("%s: %s: %w", path, resp.Status, err)
		}
		c.got++
		out = append(out, b)
	}
	return out, nil
}

// TestGoCommandsClient: an independent client reads leaves and makes proofs, and checks every
// tile against the root of a checkpoint; for sizes over two levels of tiles.
func TestGoCommandsClient(t *testing.T) {
	l := open(t, t.TempDir())
	grow(t, l, 0, 600, 600)
	srv := httptest.NewServer(l)
	defer srv.Close()
	c := &goClient{base: srv.URL, http: srv.Client()}
	all := leaves(0, 600)
	for _, size := range []int64{1, 255, 256, 257, 600} {
		at := treeOf(int(size)).Checkpoint()
		root := tlog.Tree{N: size, Hash: tlog.Hash(at.Head)}
		r := tlog.TileHashReader(root, c)
		for _, n := range []int64{0, size / 2, size - 1} {
			leaf, err := r.ReadHashes([]int64{tlog.StoredHashIndex(0, n)})
			require.NoError(t, err)
			require.Equal(t, tlog.RecordHash(all[n][:]), leaf[0])
			p, err := tlog.ProveRecord(size, n, r)
			require.NoError(t, err)
			require.NoError(t, tlog.CheckRecord(p, size, root.Hash, n, leaf[0]))
			older := tlog.Tree{N: n + 1, Hash: tlog.Hash(treeOf(int(n + 1)).Checkpoint().Head)}
			q, err := tlog.ProveTree(size, older.N, r)
			require.NoError(t, err)
			require.NoError(t, tlog.CheckTree(q, size, root.Hash, older.N, older.Hash))
		}
	}
	require.Positive(t, c.got)

	// Under another root none of the tiles counts.
	r := tlog.TileHashReader(tlog.Tree{N: 600, Hash: tlog.Hash(carnet.Hash{1})}, c)
	_, err := r.ReadHashes([]int64{tlog.StoredHashIndex(0, 3)})
	require.Error(t, err)
}
