package columnstore

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync/atomic"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/columnfile"
)

// column is a sealed column file that was opened: its length, header and hashes are
// those that the owner signed; its words are compared piece by piece when they are
// first read, and those of a bucket whenever they are read: it is another machine, or
// somebody else's, and may give other bytes the next time.
type column struct {
	file   *columnfile.File
	number uint32
	form   columnfile.Form
	from   source // closed if mapped
	mem    []byte // nil if not mapped
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
func (s *Store) open(ctx context.Context, f *columnfile.File, root carnet.Hash, number uint32) (c *column, err error) {
	key := columnKey{f.Nonce(), number}
	from, err := s.source(key)
	if err != nil {
		return nil, err
	}
	if from == nil {
		return nil, damaged(f.Nonce(), number, "%s is missing", s.path(key))
	}
	defer func() {
		if err != nil {
			c = nil
		}
		if c == nil || c.mem != nil { // a mapping stays when its file is closed
			from.close()
		}
	}()
	size, err := from.size(ctx)
	if absent(err) {
		return nil, damaged(f.Nonce(), number, "%s is missing", from)
	}
	if err != nil {
		return nil, err
	}
	read := func(p []byte, offset int64, what string) error {
		if err := from.readAt(ctx, p, offset); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return damaged(f.Nonce(), number, "%s %s", from, what).Because(err)
		}
		return nil
	}
	header := make([]byte, columnfile.HeaderBytes)
	if err := read(header, 0, "has no header"); err != nil {
		return nil, err
	}
	form := columnfile.FormOf(header)
	if err := f.CheckHeader(header, number, form); err != nil {
		return nil, damaged(f.Nonce(), number, "%s has a wrong header", from).Because(err)
	}
	if want := f.Size(number, form); size != want {
		return nil, damaged(f.Nonce(), number, "%s has %d bytes, not %d", from, size, want)
	}
	trailer := make([]byte, size-f.TrailerOffset(form))
	if err := read(trailer, f.TrailerOffset(form), "does not give its hashes"); err != nil {
		return nil, err
	}
	c = &column{file: f, number: number, form: form, from: from, good: make([]atomic.Uint32, (f.Leaves()+31)/32)}
	if c.hashes, err = f.ReadTrailer(trailer, number, root); err != nil {
		return nil, damaged(f.Nonce(), number, "%s has wrong hashes", from).Because(err)
	}
	if file, ok := from.(fileSource); ok && s.mapping && form == columnfile.Raw {
		if c.mem, err = mapFile(file.File, size); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c *column) close() {
	if c.mem != nil {
		unmapFile(c.mem)
	} else {
		c.from.close()
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
func (c *column) verify(p columnfile.Piece, words []uint64) error {
	leaf := c.file.Leaf(p)
	bit := uint32(1) << (leaf % 32)
	if _, remote := c.from.(objectSource); !remote && c.good[leaf/32].Load()&bit != 0 {
		return nil
	}
	return c.guard(p, func() error {
		if columnfile.HashPiece(words) != c.hashes.Hash(leaf) {
			return c.damaged(p, "does not have its hash")
		}
		c.good[leaf/32].Or(bit)
		return nil
	})
}

// there finds out whether a mapped file was cut since its words were verified, before
// whoever computes with them meets the fault.
func (c *column) there(p columnfile.Piece, words []uint64) error {
	return c.guard(p, func() error {
		if words[len(words)-1] >= c.file.Prime(p.Limb) {
			return c.damaged(p, "is not canonical")
		}
		return nil
	})
}

// guard calls a function that reads a mapping: a page that the disk does not give is a
// fault of memory, and becomes an error.
func (c *column) guard(p columnfile.Piece, read func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			if _, fault := r.(interface{ Addr() uintptr }); !fault {
				panic(r)
			}
			err = c.damaged(p, "can't be read from the disk")
		}
	}()
	return read()
}

func (c *column) damaged(p columnfile.Piece, what string) *carnet.Error {
	return damaged(c.file.Nonce(), c.number, "chunk %d, limb %d, piece %d %s", p.Chunk, p.Limb, p.Piece, what)
}

// read sets words, those of one limb of a chunk, from the file: all in one request.
func (c *column) read(ctx context.Context, limb, chunk uint32, words []uint64) error {
	p := columnfile.Piece{Column: c.number, Limb: limb, Chunk: chunk}
	n, size := c.file.PieceWords(int(chunk)), c.file.PieceBytes(int(chunk), c.form)
	data := make([]byte, size*c.file.Pieces(int(chunk)))
	if err := c.bytes(ctx, p, data); err != nil {
		return err
	}
	for ; len(words) > 0; words, data, p.Piece = words[n:], data[size:], p.Piece+1 {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := c.decode(p, data[:size], words[:n]); err != nil {
			return err
		}
	}
	return nil
}

// bytes fills data from the stored form, from a piece on.
func (c *column) bytes(ctx context.Context, p columnfile.Piece, data []byte) error {
	if c.mem != nil { // on machines that can't look at a mapping as words
		copy(data, c.mem[c.file.Offset(p, c.form):])
		return nil
	}
	if err := c.from.readAt(ctx, data, c.file.Offset(p, c.form)); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return c.damaged(p, "can't be read from "+c.from.String()).Because(err)
	}
	return nil
}

// decode sets and verifies words from the stored form of a piece.
func (c *column) decode(p columnfile.Piece, data []byte, words []uint64) error {
	if err := decode(c.file, p, c.form, data, words); err != nil {
		return c.damaged(p, "is not canonical").Because(err)
	}
	return c.verify(p, words)
}

func absent(err error) bool { return carnet.KindOf(err) == carnet.NotFound }
