package columnstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sync/atomic"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/columnfile"
)

// column is a sealed column file that was opened: its length, header and hashes are
// those that the owner signed; its words are compared piece by piece when they are
// first read.
type column struct {
	file   *columnfile.File
	number uint32
	form   columnfile.Form
	os     *os.File // closed if mapped
	mem    []byte   // nil if not mapped
	hashes *columnfile.Column
	good   []atomic.Uint32 // one bit for each piece: it has its hash
}

// damaged says that stored bytes are not what they were. Only the operator can
// repair that.
func damaged(nonce carnet.Nonce, number uint32, format string, args ...any) *carnet.Error {
	return carnet.E(carnet.Internal, "STORAGE_DAMAGED", "column %d of file %s: %s", number, nonce, fmt.Sprintf(format, args...)).
		Fix("the gateway's operator has to restore the file from a backup; then ask again")
}

// open opens the column file of a sealed file.
func (s *Store) open(f *columnfile.File, root carnet.Hash, number uint32) (c *column, err error) {
	path := s.path(columnKey{f.Nonce(), number})
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, damaged(f.Nonce(), number, "%s is missing", path)
	}
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			c = nil
		}
		if c == nil || c.mem != nil { // a mapping stays when its file is closed
			file.Close()
		}
	}()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	header := make([]byte, columnfile.HeaderBytes)
	if _, err := file.ReadAt(header, 0); err != nil {
		return nil, damaged(f.Nonce(), number, "%s has no header", path).Because(err)
	}
	form := columnfile.FormOf(header)
	if err := f.CheckHeader(header, number, form); err != nil {
		return nil, damaged(f.Nonce(), number, "%s has a wrong header", path).Because(err)
	}
	if want := f.Size(number, form); info.Size() != want {
		return nil, damaged(f.Nonce(), number, "%s has %d bytes, not %d", path, info.Size(), want)
	}
	trailer := make([]byte, info.Size()-f.TrailerOffset(form))
	if _, err := file.ReadAt(trailer, f.TrailerOffset(form)); err != nil {
		return nil, damaged(f.Nonce(), number, "the hashes in %s can't be read", path).Because(err)
	}
	c = &column{file: f, number: number, form: form, os: file, good: make([]atomic.Uint32, (f.Leaves()+31)/32)}
	if c.hashes, err = f.ReadTrailer(trailer, number, root); err != nil {
		return nil, damaged(f.Nonce(), number, "%s has wrong hashes", path).Because(err)
	}
	if s.mapping && form == columnfile.Raw {
		if c.mem, err = mapFile(file, info.Size()); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c *column) close() {
	if c.mem != nil {
		unmapFile(c.mem)
	} else {
		c.os.Close()
	}
}

// view returns words of a mapped file where they lie; ok is false if it is not mapped,
// or the machine keeps words in another order.
func (c *column) view(p columnfile.Piece, words int) ([]uint64, bool) {
	if c.mem == nil {
		return nil, false
	}
	offset := c.file.Offset(p, c.form)
	return columnfile.View(c.mem[offset : offset+8*int64(words)])
}

// verify compares the words of a piece with its hash, unless that was done before.
func (c *column) verify(p columnfile.Piece, words []uint64) (err error) {
	leaf := c.file.Leaf(p)
	bit := uint32(1) << (leaf % 32)
	if c.good[leaf/32].Load()&bit != 0 {
		return nil
	}
	// A page of a mapping that can't be read is a fault of memory, not an error.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			if _, fault := r.(interface{ Addr() uintptr }); !fault {
				panic(r)
			}
			err = c.damaged(p, "can't be read from the disk")
		}
	}()
	if columnfile.HashPiece(words) != c.hashes.Hash(leaf) {
		return c.damaged(p, "does not have its hash")
	}
	c.good[leaf/32].Or(bit)
	return nil
}

func (c *column) damaged(p columnfile.Piece, what string) *carnet.Error {
	return damaged(c.file.Nonce(), c.number, "chunk %d, limb %d, piece %d %s", p.Chunk, p.Limb, p.Piece, what)
}

// read sets words, those of one limb of a chunk, from the file.
func (c *column) read(ctx context.Context, limb, chunk uint32, words []uint64) error {
	p := columnfile.Piece{Column: c.number, Limb: limb, Chunk: chunk}
	n := c.file.PieceWords(int(chunk))
	data := make([]byte, c.file.PieceBytes(int(chunk), c.form))
	for ; int(p.Piece) < c.file.Pieces(int(chunk)); p.Piece++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := c.piece(p, data, words[int(p.Piece)*n:][:n]); err != nil {
			return err
		}
	}
	return nil
}

// piece reads one piece into data and words.
func (c *column) piece(p columnfile.Piece, data []byte, words []uint64) error {
	if c.mem != nil {
		copy(data, c.mem[c.file.Offset(p, c.form):])
	} else if _, err := c.os.ReadAt(data, c.file.Offset(p, c.form)); err != nil {
		return c.damaged(p, "can't be read from the disk").Because(err)
	}
	if err := decode(c.file, p, c.form, data, words); err != nil {
		return c.damaged(p, "is not canonical").Because(err)
	}
	return c.verify(p, words)
}
