package flow

import (
	"context"
	"fmt"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Recover is called once at the start, before anything is served. After a power
// failure pieces that were not forced to disk may be missing or damaged; they are
// forgotten, so that the owner sends them again. Only pending uploads need this:
// committed ones were forced to disk.
func (g *Gateway) Recover(ctx context.Context) error {
	if err := g.settleKeys(ctx); err != nil {
		return err
	}
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
		if err := g.Columns.Remove(ctx, u.Nonce); err != nil {
			return err
		}
	}
	// So may have been moving a committed file to its place.
	if uploads, err = g.uploads(ctx, UploadCommitted, g.now().Add(time.Hour)); err != nil {
		return err
	}
	for _, u := range uploads {
		if err := g.Columns.Settle(ctx, u.Nonce); err != nil {
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
	file, err := u.columnFile()
	if err != nil {
		return err
	}
	f := &openFile{Upload: u, file: file}
	var hashes []PieceHash
	if err := g.Store.View(ctx, func(tx Tx) (err error) { hashes, err = tx.PieceHashes(u.Nonce); return err }); err != nil {
		return err
	}
	var lost []int64
	for _, p := range hashes {
		held, err := g.Columns.Holds(ctx, file, f.piece(p.Index), p.Hash)
		if err != nil {
			return err
		}
		if !held {
			lost = append(lost, p.Index)
		}
	}
	if len(lost) == 0 {
		return nil
	}
	g.Logger.Warn("upload lost pieces when the gateway stopped; the owner has to send them again", "file", u.Nonce.String(), "lost", len(lost))
	return g.Store.Update(ctx, func(tx Tx) error {
		for _, i := range lost {
			if err := tx.DeletePieceHash(u.Nonce, i); err != nil {
				return err
			}
		}
		return nil
	})
}

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
		// First the mark, so that no piece is accepted any more, then the bytes. The nonce
		// stays known.
		if err := g.Store.Update(ctx, func(tx Tx) error {
			if err := tx.DeletePieceHashes(u.Nonce); err != nil {
				return err
			}
			return tx.SetUploadState(u.Nonce, UploadAbandoned, carnet.Hash{})
		}); err != nil {
			return err
		}
		if err := g.Columns.Remove(ctx, u.Nonce); err != nil {
			return err
		}
		g.Logger.Info("abandoned upload removed", "file", u.Nonce.String(), "dataset", string(u.Dataset))
	}
	return nil
}
