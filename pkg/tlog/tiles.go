package tlog

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/transparency-dev/tessera/api/layout"
)

// Bytes of one node of a tile, and of one leaf in an entry bundle: its length in two
// bytes, then a hash.
const (
	nodeBytes  = 32
	entryBytes = 2 + 32
)

// read returns the first p nodes or leaves (0: all 256) of a tile or bundle, from the
// file of that width or a wider one: the log is made of other widths if it had to be
// made again.
func (l *Log) read(full string, p uint8, each int) ([]byte, error) {
	full = filepath.Join(l.dir, filepath.FromSlash(full))
	if p == 0 {
		return os.ReadFile(full)
	}
	b, err := os.ReadFile(filepath.Join(full+".p", strconv.Itoa(int(p))))
	if !errors.Is(err, fs.ErrNotExist) {
		return b, err
	}
	wider, err := os.ReadDir(full + ".p")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	names := []string{full}
	for _, e := range wider {
		if w, err := strconv.ParseUint(e.Name(), 10, 8); err == nil && w > uint64(p) {
			names = append(names, filepath.Join(full+".p", e.Name()))
		}
	}
	for _, name := range slices.Backward(names) {
		b, err = os.ReadFile(name)
		if err == nil && len(b) >= int(p)*each {
			return b[:int(p)*each], nil
		}
	}
	return nil, fs.ErrNotExist
}

// tile reads a tile of hashes.
func (l *Log) tile(_ context.Context, level, index uint64, p uint8) ([]byte, error) {
	return l.read(layout.TilePath(level, index, 0), p, nodeBytes)
}

// ServeHTTP serves /tile/<level>/<index> and /tile/entries/<index>, each also with
// .p/<width>, as C2SP tlog-tiles has it. None of them ever changes.
func (l *Log) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.Error(w, "only GET", http.StatusMethodNotAllowed)
		return
	}
	b, err := l.find(r.Context(), r.URL.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		http.Error(w, "there is no such tile", http.StatusNotFound)
		return
	case err != nil:
		http.Error(w, "the tile can't be read", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
}

func (l *Log) find(ctx context.Context, path string) ([]byte, error) {
	rest, ok := strings.CutPrefix(path, "/tile/")
	level, index, found := strings.Cut(rest, "/")
	if !ok || !found {
		return nil, fs.ErrNotExist
	}
	if level == "entries" {
		n, p, err := layout.ParseTileIndexPartial(index)
		if err != nil {
			return nil, fs.ErrNotExist
		}
		return l.read(layout.EntriesPath(n, 0), p, entryBytes)
	}
	lv, n, p, err := layout.ParseTileLevelIndexPartial(level, index)
	if err != nil {
		return nil, fs.ErrNotExist
	}
	return l.tile(ctx, lv, n, p)
}
