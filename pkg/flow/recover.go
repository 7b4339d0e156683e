package flow

import (
	"context"
	"fmt"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
)

// Recover is called once at the start, before anything is served. After a power
// failure blocks that were not forced to disk may be missing or damaged, and blocks
// may lack their index entry; both are forgotten, so that the owner sends them
// again. Only pending uploads need this: committed ones were forced to disk.
func (g *Gateway) Recover(ctx context.Context) error {
	uploads, err := g.uploads(ctx, UploadPending, g.now().Add(time.Hour))
	if err != nil {
		return err
	}
	for _, u := range uploads {
		if err := g.recoverUpload(ctx, u); err != nil {
			return fmt.Errorf("upload %s: %w", u.Nonce, err)
		}
	}
	// Removing may have been interrupted between its two steps.
	uploads, err = g.uploads(ctx, UploadAbandoned, g.now().Add(time.Hour))
	if err != nil {
		return err
	}
	for _, u := range uploads {
		if err := g.Blobs.DeletePrefix(ctx, fileKey(u.Nonce)); err != nil {
			return err
		}
	}
	return nil
}

func (g *Gateway) uploads(ctx context.Context, s UploadState, before time.Time) (list []Upload, err error) {
	err = g.Store.View(ctx, func(tx Tx) error { list, err = tx.Uploads(s, before); return err })
	return list, err
}

func (g *Gateway) recoverUpload(ctx context.Context, u Upload) error {
	var hashes []BlockHash
	if err := g.Store.View(ctx, func(tx Tx) (err error) { hashes, err = tx.BlockHashes(u.Nonce); return err }); err != nil {
		return err
	}
	good := map[string]bool{}
	var lost []int64
	for _, b := range hashes {
		key := blockKey(he.BlockID{File: u.Nonce, Column: uint32(b.Index / int64(u.Blocks)), Block: uint32(b.Index % int64(u.Blocks))})
		data, err := g.Blobs.Get(ctx, key)
		switch {
		case err == nil && wire.HashBlock(data) == b.Hash:
			good[key] = true
		case err == nil || absent(err):
			lost = append(lost, b.Index)
		default:
			return err
		}
	}
	if len(lost) > 0 {
		if err := g.Store.Update(ctx, func(tx Tx) error {
			for _, i := range lost {
				if err := tx.DeleteBlockHash(u.Nonce, i); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	var stray []string
	if err := g.Blobs.List(ctx, fileKey(u.Nonce), func(key string, _ int64) error {
		if !good[key] {
			stray = append(stray, key)
		}
		return nil
	}); err != nil {
		return err
	}
	for _, key := range stray {
		if err := g.Blobs.Delete(ctx, key); err != nil {
			return err
		}
	}
	if len(lost)+len(stray) > 0 {
		g.Logger.Warn("upload lost blocks when the gateway stopped; the owner has to send them again",
			"file", u.Nonce.String(), "lost", len(lost), "stray", len(stray))
	}
	return nil
}

func fileKey(n carnet.Nonce) string { return "files/" + n.String() }

// Sweep removes uploads that nobody has continued for AbandonAfter, and expires
// queries. Run calls it regularly.
func (g *Gateway) Sweep(ctx context.Context) error {
	if err := g.expire(ctx); err != nil {
		return err
	}
	old, err := g.uploads(ctx, UploadPending, g.now().Add(-g.AbandonAfter))
	if err != nil {
		return err
	}
	for _, u := range old {
		// First the mark, so that no block is accepted any more, then the bytes. The nonce
		// stays known.
		if err := g.Store.Update(ctx, func(tx Tx) error {
			if err := tx.DeleteBlockHashes(u.Nonce); err != nil {
				return err
			}
			return tx.SetUploadState(u.Nonce, UploadAbandoned, carnet.Hash{})
		}); err != nil {
			return err
		}
		if err := g.Blobs.DeletePrefix(ctx, fileKey(u.Nonce)); err != nil {
			return err
		}
		g.Logger.Info("abandoned upload removed", "file", u.Nonce.String(), "dataset", string(u.Dataset))
	}
	return nil
}
