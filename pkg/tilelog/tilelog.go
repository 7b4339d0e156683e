// Package tilelog reads a public transparency log over HTTP, as https://c2sp.org/tlog-tiles
// has it: its checkpoint, and proofs worked out from its tiles of hashes. Nothing that a
// server sends is trusted: hashes are compared with the root of the checkpoint they are for.
package tilelog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

const (
	height    = 8       // of tiles
	tileBytes = 32 << 8 // of a full one
)

// Log is a log at an address. It is safe for concurrent use.
type Log struct {
	URL  string // without slash at the end
	HTTP *http.Client
}

// Checkpoint reads the newest checkpoint. Its signatures are not checked.
func (l *Log) Checkpoint(ctx context.Context) (*evidence.SignedCheckpoint, error) {
	text, err := l.get(ctx, "checkpoint", evidence.MaxCheckpoint)
	if err != nil {
		return nil, err
	}
	return evidence.ParseCheckpoint(text)
}

// Consistency works out from the tiles the root that the log of a checkpoint had at an
// earlier size, at least 1, and the proof of it: RFC 6962, section 2.1.2. An error means that
// the tiles can't be read or are not those of the checkpoint.
func (l *Log) Consistency(ctx context.Context, older int64, newer carnet.Checkpoint) (root carnet.Hash, path []carnet.Hash, err error) {
	if older < 1 || older > newer.Size {
		return root, nil, carnet.E(carnet.Invalid, "BAD_CHECKPOINT", "the log of size %d has no state of size %d", newer.Size, older)
	}
	if older == newer.Size {
		return newer.Head, nil, nil
	}
	hashes := tlog.TileHashReader(tlog.Tree{N: newer.Size, Hash: tlog.Hash(newer.Head)}, &reader{l, ctx})
	h, err := tlog.TreeHash(older, hashes)
	if err != nil {
		return root, nil, unreadable(l, err)
	}
	proof, err := tlog.ProveTree(newer.Size, older, hashes)
	if err != nil {
		return root, nil, unreadable(l, err)
	}
	for _, p := range proof {
		path = append(path, carnet.Hash(p))
	}
	root = carnet.Hash(h)
	return root, path, evidence.VerifyConsistency(carnet.Checkpoint{Size: older, Head: root}, newer, path)
}

func unreadable(l *Log, err error) error {
	return carnet.E(carnet.Unavailable, "LOG_UNREADABLE", "the log at %s can't be read", l.URL).Because(err).
		Fix("check the address; if it stays so, its tiles are not those of its checkpoint: tell its operator")
}

func (l *Log) get(ctx context.Context, path string, limit int64) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, l.URL+"/"+path, nil)
	if err != nil {
		return nil, unreadable(l, err)
	}
	resp, err := l.HTTP.Do(req)
	if err != nil {
		return nil, unreadable(l, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, unreadable(l, fmt.Errorf("%s: %s", path, resp.Status))
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = errors.New(path + " is too long")
	}
	if err != nil {
		return nil, unreadable(l, err)
	}
	return data, nil
}

// reader serves tiles to package tlog, which checks them.
type reader struct {
	log *Log
	ctx context.Context //nolint:containedctx // the interface of tlog has none, and a reader lives for one call
}

// Height implements tlog.TileReader.
func (r *reader) Height() int { return height }

// SaveTiles implements tlog.TileReader: nothing is kept.
func (r *reader) SaveTiles([]tlog.Tile, [][]byte) {}

// ReadTiles implements tlog.TileReader.
func (r *reader) ReadTiles(tiles []tlog.Tile) (out [][]byte, err error) {
	for _, t := range tiles {
		data, err := r.log.get(r.ctx, pathOf(t), tileBytes)
		if err != nil && t.W < 1<<height { // a log that has grown may only have the whole tile
			whole := t
			whole.W = 1 << height
			if data, err = r.log.get(r.ctx, pathOf(whole), tileBytes); err == nil && len(data) >= 32*t.W {
				data = data[:32*t.W]
			}
		}
		if err != nil {
			return nil, err
		}
		out = append(out, data)
	}
	return out, nil
}

// pathOf is where tlog-tiles has a tile: as tlog has, without the height.
func pathOf(t tlog.Tile) string {
	return strings.Replace(t.Path(), fmt.Sprintf("tile/%d/", height), "tile/", 1)
}
