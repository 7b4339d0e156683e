package flow

import (
	"context"
	"fmt"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
)

// flushEvery is how many blocks are stored before their hashes are written to the
// index: each write to the index waits for the disk.
const flushEvery = 64

// BlockWriter takes the blocks of one stream. It is not safe for concurrent use;
// any number of BlockWriters may work on one upload.
type BlockWriter struct {
	g       *Gateway
	as      *carnet.Party
	files   map[carnet.Nonce]*openFile
	pending int // blocks not in the index yet
	stored  int64
	skipped int64
}

type openFile struct {
	Upload
	profile *he.Profile
	scratch he.Poly
	fresh   map[int64]carnet.Hash // blocks that are stored and not in the index yet
}

// WriteBlocks begins a stream of blocks of the caller's uploads.
func (g *Gateway) WriteBlocks(as *carnet.Party) *BlockWriter {
	return &BlockWriter{g: g, as: as, files: map[carnet.Nonce]*openFile{}}
}

// Put takes one block: exactly the profile's size, canonical. A block that has
// arrived before is skipped if the bytes are the same and refused if they differ.
func (w *BlockWriter) Put(ctx context.Context, id he.BlockID, data []byte) error {
	f, err := w.open(ctx, id.File)
	if err != nil {
		return err
	}
	if int64(id.Column) >= int64(f.Columns) || int64(id.Block) >= int64(f.Blocks) {
		return bad("BLOCK_OUT_OF_RANGE", "file %s has %d columns of %d blocks; there is no block %d of column %d", id.File, f.Columns, f.Blocks, id.Block, id.Column)
	}
	if len(data) != f.profile.BlockBytes() {
		return bad("BLOCK_SIZE", "a block of profile %s has %d bytes, not %d", f.Profile, f.profile.BlockBytes(), len(data))
	}
	index := int64(id.Column)*int64(f.Blocks) + int64(id.Block)
	hash := wire.HashBlock(data)
	old, err := w.arrived(ctx, f, index)
	if err != nil {
		return err
	}
	if !old.IsZero() {
		if old != hash {
			return w.reuse(id)
		}
		w.skipped++
		return nil
	}
	if f.State != UploadPending {
		return closedUpload(&f.Upload)
	}
	if err := wire.ReadPoly(f.profile, data, f.scratch); err != nil {
		return err
	}
	// The block is stored before the index names it. Bytes without an index entry, left
	// by a crash in between, are accepted again or removed by Recover.
	if _, err := w.g.Blobs.Put(ctx, blockKey(id), data); err != nil {
		if carnet.KindOf(err) == carnet.Exists {
			return w.reuse(id)
		}
		return err
	}
	f.fresh[index] = hash
	w.stored++
	if w.pending++; w.pending >= flushEvery {
		return w.flush(ctx)
	}
	return nil
}

// arrived returns the hash of a block that has arrived, zero if it has not.
func (w *BlockWriter) arrived(ctx context.Context, f *openFile, index int64) (h carnet.Hash, err error) {
	if h, ok := f.fresh[index]; ok {
		return h, nil
	}
	err = w.g.Store.View(ctx, func(tx Tx) error { h, err = tx.GetBlockHash(f.Nonce, index); return err })
	return h, err
}

func (w *BlockWriter) reuse(id he.BlockID) error {
	return nonceReuse("block %d of column %d of file %s arrived before with other contents", id.Block, id.Column, id.File)
}

// Close writes the index and tells how many blocks were new and how many known.
func (w *BlockWriter) Close(ctx context.Context) (stored, skipped int64, err error) {
	err = w.flush(ctx)
	if w.g.Observe.Blocks != nil {
		w.g.Observe.Blocks(int(w.stored), int(w.skipped))
	}
	return w.stored, w.skipped, err
}

func (w *BlockWriter) open(ctx context.Context, nonce carnet.Nonce) (*openFile, error) {
	if f := w.files[nonce]; f != nil {
		return f, nil
	}
	f := &openFile{fresh: map[int64]carnet.Hash{}}
	err := w.g.Store.View(ctx, func(tx Tx) (err error) { f.Upload, err = ownUpload(tx, w.as, nonce); return err })
	if err != nil {
		return nil, err
	}
	if f.State == UploadAbandoned {
		return nil, closedUpload(&f.Upload)
	}
	if f.profile, err = he.Lookup(f.Profile); err != nil {
		return nil, err
	}
	f.scratch = w.g.ring(f.profile).NewPoly()
	w.files[nonce] = f
	return f, nil
}

// ownUpload returns an upload of the caller. Others' uploads look absent.
func ownUpload(tx Tx, as *carnet.Party, nonce carnet.Nonce) (Upload, error) {
	u, err := tx.GetUpload(nonce)
	if err == nil && u.Owner != as.ID {
		err = carnet.E(carnet.NotFound, "NOT_FOUND", "there is no such upload")
	}
	if absent(err) {
		err = carnet.E(carnet.NotFound, "UNKNOWN_UPLOAD", "there is no upload %s", nonce).Fix("begin the upload first")
	}
	return u, err
}

func closedUpload(u *Upload) error {
	return carnet.E(carnet.Precondition, "UPLOAD_CLOSED", "upload %s is %s", u.Nonce, u.State).
		Fix("encrypt the table again under fresh nonces and begin a new upload")
}

func (w *BlockWriter) flush(ctx context.Context) error {
	if w.pending == 0 {
		return nil
	}
	now := w.g.now()
	err := w.g.Store.Update(ctx, func(tx Tx) error {
		for nonce, f := range w.files {
			if len(f.fresh) == 0 {
				continue
			}
			u, err := ownUpload(tx, w.as, nonce)
			if err != nil {
				return err
			}
			if u.State != UploadPending {
				return closedUpload(&u)
			}
			for i, h := range f.fresh {
				if _, err := tx.PutBlockHash(nonce, BlockHash{i, h}); carnet.KindOf(err) == carnet.Exists {
					return w.reuse(he.BlockID{File: nonce, Column: uint32(i / int64(u.Blocks)), Block: uint32(i % int64(u.Blocks))})
				} else if err != nil {
					return err
				}
			}
			if err := tx.TouchUpload(nonce, now); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, f := range w.files {
		clear(f.fresh)
	}
	w.pending = 0
	return nil
}

func blockKey(id he.BlockID) string {
	return fmt.Sprintf("files/%s/%d/%d", id.File, id.Column, id.Block)
}

// UploadStatus tells how far one of the caller's uploads has come: one bit a block,
// column by column, least significant bit first.
func (g *Gateway) UploadStatus(ctx context.Context, as *carnet.Party, nonce carnet.Nonce) (u Upload, present []byte, err error) {
	err = g.Store.View(ctx, func(tx Tx) error {
		if u, err = ownUpload(tx, as, nonce); err != nil {
			return err
		}
		hashes, err := tx.BlockHashes(nonce)
		present = make([]byte, (u.Columns*u.Blocks+7)/8)
		for _, b := range hashes {
			present[b.Index/8] |= 1 << (b.Index % 8)
		}
		return err
	})
	return u, present, err
}
