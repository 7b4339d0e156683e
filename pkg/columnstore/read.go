package columnstore

import (
	"context"
	"os"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/columnfile"
)

// Chunk returns the words of one limb of a chunk, in file order, which are read only
// and valid until release. They are those that the root commits to.
//
// Errors: STORAGE_DAMAGED, which names column, chunk and piece; the file is opened
// anew the next time, so that it can be repaired while the process runs. A page of a
// mapping that the disk does not give later on is a fault of whoever reads the words,
// who calls Doubt.
func (s *Store) Chunk(ctx context.Context, f *columnfile.File, root carnet.Hash, number uint32, chunk, limb int) ([]uint64, func(), error) {
	p := columnfile.Piece{Column: number, Limb: uint32(limb), Chunk: uint32(chunk)}
	if !f.Has(p) {
		return nil, nil, carnet.E(carnet.Internal, "PIECE_DIFFERS", "file %s has no limb %d of chunk %d of column %d", f.Nonce(), limb, chunk, number)
	}
	c, release, err := s.column(ctx, f, root, number)
	if err != nil {
		return nil, nil, err
	}
	if words, ok := c.view(p, f.ChunkWords(chunk)); ok {
		err := c.verifyAll(ctx, p, words)
		if err == nil {
			err = c.there(p, words)
		}
		if err != nil {
			release()
			s.doubt(c, err)
			return nil, nil, err
		}
		return words, release, nil
	}
	defer release()
	key := limbKey{columnKey{f.Nonce(), number}, p.Limb, p.Chunk}
	return s.words.Get(ctx, key, func(ctx context.Context) ([]uint64, int64, error) {
		words := make([]uint64, f.ChunkWords(chunk))
		if err := c.read(ctx, p.Limb, p.Chunk, words); err != nil {
			s.doubt(c, err)
			return nil, 0, err
		}
		return words, 8 * int64(len(words)), nil
	})
}

// verifyAll verifies the pieces of one limb of a chunk.
func (c *column) verifyAll(ctx context.Context, p columnfile.Piece, words []uint64) error {
	n := c.file.PieceWords(int(p.Chunk))
	for ; len(words) > 0; words, p.Piece = words[n:], p.Piece+1 {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := c.verify(p, words[:n]); err != nil {
			return err
		}
	}
	return nil
}

// column returns an opened column file.
func (s *Store) column(ctx context.Context, f *columnfile.File, root carnet.Hash, number uint32) (*column, func(), error) {
	return s.columns.Get(ctx, columnKey{f.Nonce(), number}, func(ctx context.Context) (*column, int64, error) {
		c, err := s.open(ctx, f, root, number)
		return c, 1, err
	})
}

// doubt has a damaged column file opened anew the next time.
func (s *Store) doubt(c *column, err error) {
	if carnet.ReasonOf(err) != "STORAGE_DAMAGED" {
		return
	}
	key := columnKey{c.file.Nonce(), c.number}
	s.columns.Forget(func(k columnKey) bool { return k == key })
}

// Doubt has the columns of a file opened and verified anew the next time. A computation
// that has a mapping goes on with it.
func (s *Store) Doubt(nonce carnet.Nonce) {
	s.words.Forget(func(k limbKey) bool { return k.nonce == nonce })
	s.columns.Forget(func(k columnKey) bool { return k.nonce == nonce })
	_ = os.RemoveAll(s.constants(nonce)) // they may have been made of what is doubted
}

// Piece returns one piece of a sealed file in packed form, and its proof.
//
// Errors are as for Chunk.
func (s *Store) Piece(ctx context.Context, f *columnfile.File, root carnet.Hash, p columnfile.Piece) (packed, proof []byte, err error) {
	c, release, err := s.column(ctx, f, root, p.Column)
	if err != nil {
		return nil, nil, err
	}
	defer release()
	defer func() { s.doubt(c, err) }()
	leaf, n := f.Leaf(p), f.PieceWords(int(p.Chunk))
	proof = c.hashes.AppendProof(nil, leaf, leaf+1)
	if words, ok := c.view(p, n); ok {
		if err := c.verify(p, words); err != nil {
			return nil, nil, err
		}
		err = c.guard(p, func() error { packed = f.Pack(words); return nil })
		return packed, proof, err
	}
	data, words := make([]byte, f.PieceBytes(int(p.Chunk), c.form)), make([]uint64, n)
	if err := c.bytes(ctx, p, data); err != nil {
		return nil, nil, err
	}
	if err := c.decode(p, data, words); err != nil {
		return nil, nil, err
	}
	if c.form == columnfile.Packed {
		return data, proof, nil
	}
	return f.Pack(words), proof, nil
}

// AppendHashes appends the hashes of the pieces of a column of a sealed file, in the order
// of its leaves. They lead to the root; whether the words have them is not looked at.
//
// Errors are as for Chunk.
func (s *Store) AppendHashes(ctx context.Context, dst []carnet.Hash, f *columnfile.File, root carnet.Hash, column uint32) ([]carnet.Hash, error) {
	c, release, err := s.column(ctx, f, root, column)
	if err != nil {
		return nil, err
	}
	defer release()
	for leaf := range f.Leaves() {
		dst = append(dst, c.hashes.Hash(leaf))
	}
	return dst, nil
}
