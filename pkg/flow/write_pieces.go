package flow

import (
	"context"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/columnfile"
	"github.com/carnet-network/carnet/pkg/he"
)

// flushEvery is how many pieces are stored before their hashes are written to the
// index: each write to the index waits for the disk.
const flushEvery = 64

// PieceWriter takes the pieces of one stream. It is not safe for concurrent use;
// any number of PieceWriters may work on one upload. Close has to be called.
type PieceWriter struct {
	g       *Gateway
	as      *carnet.Party
	files   map[carnet.Nonce]*openFile
	pending int // pieces not in the index yet
	stored  int64
	skipped int64
}

type openFile struct {
	Upload
	file  *columnfile.File
	words []uint64
	fresh map[int64]carnet.Hash // pieces that are stored and not in the index yet
}

// WritePieces begins a stream of pieces of the caller's uploads.
func (g *Gateway) WritePieces(as *carnet.Party) *PieceWriter {
	return &PieceWriter{g: g, as: as, files: map[carnet.Nonce]*openFile{}}
}

// Put takes one piece in packed form: exactly its length, canonical. A piece that has
// arrived before is skipped if the contents are the same and refused if they differ.
func (w *PieceWriter) Put(ctx context.Context, nonce carnet.Nonce, p columnfile.Piece, packed []byte) error {
	f, err := w.open(ctx, nonce)
	if err != nil {
		return err
	}
	if !f.file.Has(p) {
		return bad("PIECE_OUT_OF_RANGE", "file %s has %d columns of %d blocks; there is no piece %d of limb %d in chunk %d of column %d", nonce, f.Columns, f.Blocks, p.Piece, p.Limb, p.Chunk, p.Column)
	}
	if want := f.file.PackedBytes(int(p.Chunk)); len(packed) != want {
		return bad("PIECE_SIZE", "a piece of chunk %d of file %s has %d bytes, not %d", p.Chunk, nonce, want, len(packed))
	}
	words := f.words[:f.file.PieceWords(int(p.Chunk))]
	if err := f.file.Unpack(p, packed, words); err != nil {
		return err
	}
	index, hash := f.index(p), columnfile.HashPiece(words)
	// The claim comes before the look at the index: whoever gives a claim up has written
	// the index before, so of two contents the second finds one or the other.
	if _, mine := f.fresh[index]; !mine && !w.g.claims.take(claimKey{nonce, index}, hash) {
		return w.reuse(nonce, p)
	}
	keep := false
	defer func() {
		if _, mine := f.fresh[index]; !mine && !keep {
			w.g.claims.give(claimKey{nonce, index})
		}
	}()
	old, err := w.arrived(ctx, f, index)
	if err != nil {
		return err
	}
	if !old.IsZero() {
		if old != hash {
			return w.reuse(nonce, p)
		}
		w.skipped++
		return nil
	}
	if f.State != UploadPending {
		return closedUpload(&f.Upload)
	}
	// The piece is stored before the index names it. Bytes without an index entry, left
	// by a crash in between, are written over.
	if err := w.g.Columns.Write(ctx, f.file, p, words); err != nil {
		return err
	}
	keep, f.fresh[index] = true, hash
	w.stored++
	if w.pending++; w.pending >= flushEvery {
		return w.flush(ctx)
	}
	return nil
}

// index numbers the pieces of a file.
func (f *openFile) index(p columnfile.Piece) int64 {
	return int64(p.Column)*int64(f.file.Leaves()) + int64(f.file.Leaf(p))
}

// piece is the inverse of index.
func (f *openFile) piece(index int64) columnfile.Piece {
	n := int64(f.file.Leaves())
	return f.file.At(uint32(index/n), int(index%n))
}

// arrived returns the hash of a piece that has arrived, zero if it has not.
func (w *PieceWriter) arrived(ctx context.Context, f *openFile, index int64) (h carnet.Hash, err error) {
	if h, ok := f.fresh[index]; ok {
		return h, nil
	}
	err = w.g.Store.View(ctx, func(tx Tx) error { h, err = tx.GetPieceHash(f.Nonce, index); return err })
	return h, err
}

func (w *PieceWriter) reuse(nonce carnet.Nonce, p columnfile.Piece) error {
	return nonceReuse("piece %d of limb %d in chunk %d of column %d of file %s arrived before with other contents", p.Piece, p.Limb, p.Chunk, p.Column, nonce)
}

// Close writes the index and tells how many pieces were new and how many known.
func (w *PieceWriter) Close(ctx context.Context) (stored, skipped int64, err error) {
	err = w.flush(ctx)
	for nonce, f := range w.files { // what could not be written
		for i := range f.fresh {
			w.g.claims.give(claimKey{nonce, i})
		}
	}
	if w.g.Observe.Pieces != nil {
		w.g.Observe.Pieces(int(w.stored), int(w.skipped))
	}
	return w.stored, w.skipped, err
}

func (w *PieceWriter) open(ctx context.Context, nonce carnet.Nonce) (*openFile, error) {
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
	if f.file, err = f.columnFile(); err != nil {
		return nil, err
	}
	f.words = make([]uint64, f.file.PieceWords(0))
	if last := f.file.PieceWords(f.file.Chunks() - 1); last > len(f.words) {
		f.words = make([]uint64, last)
	}
	w.files[nonce] = f
	return f, nil
}

// columnFile is the shape that was announced.
func (u *Upload) columnFile() (*columnfile.File, error) {
	p, err := he.Lookup(u.Profile)
	if err != nil {
		return nil, err
	}
	return columnfile.NewFile(p, u.Nonce, u.Columns, u.Blocks)
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

func (w *PieceWriter) flush(ctx context.Context) error {
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
				if _, err := tx.PutPieceHash(nonce, PieceHash{i, h}); carnet.KindOf(err) == carnet.Exists {
					return w.reuse(nonce, f.piece(i))
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
	for nonce, f := range w.files {
		for i := range f.fresh {
			w.g.claims.give(claimKey{nonce, i})
		}
		clear(f.fresh)
	}
	w.pending = 0
	return nil
}

// UploadStatus tells how far one of the caller's uploads has come: one bit a piece,
// column by column, least significant bit first.
func (g *Gateway) UploadStatus(ctx context.Context, as *carnet.Party, nonce carnet.Nonce) (u Upload, present []byte, err error) {
	err = g.Store.View(ctx, func(tx Tx) error {
		if u, err = ownUpload(tx, as, nonce); err != nil {
			return err
		}
		f, err := u.columnFile()
		if err != nil {
			return err
		}
		hashes, err := tx.PieceHashes(nonce)
		present = make([]byte, (u.Columns*f.Leaves()+7)/8)
		for _, b := range hashes {
			present[b.Index/8] |= 1 << (b.Index % 8)
		}
		return err
	})
	return u, present, err
}
