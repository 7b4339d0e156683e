package columnfile

import (
	"bytes"
	"encoding/binary"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// HeaderBytes is the length of a column file's header, a page of memory, so that the
// words after it are aligned as a mapping needs.
const HeaderBytes = 4096

// magic names the format and its version.
const magic = "carnet/column/1\n"

// Form says how a column file keeps its words.
type Form byte

const (
	Raw    Form = 1 // 8 bytes little-endian each: to be mapped and scanned
	Packed Form = 2 // LimbBits bits each: for cold storage
)

func (o Form) String() string {
	switch o {
	case Raw:
		return "raw"
	case Packed:
		return "packed"
	}
	return "unknown"
}

// AppendHeader appends the header of a column file: it says of which file, column
// and form it is.
func (f *File) AppendHeader(dst []byte, column uint32, form Form) []byte {
	at := len(dst)
	id := f.profile.ID()
	dst = append(dst, magic...)
	dst = append(dst, id[:]...)
	dst = append(dst, f.nonce[:]...)
	for _, v := range []uint32{column, uint32(f.columns), uint32(f.blocks)} {
		dst = binary.BigEndian.AppendUint32(dst, v)
	}
	dst = append(dst, byte(form), byte(f.profile.LogN()), byte(f.profile.Limbs()), byte(f.profile.LimbBits()))
	return append(dst, make([]byte, at+HeaderBytes-len(dst))...)
}

// CheckHeader compares the first bytes of a column file with what they have to be.
//
// Errors, all of kind Invalid: NOT_A_COLUMN_FILE, FOREIGN_COLUMN_FILE.
func (f *File) CheckHeader(header []byte, column uint32, form Form) error {
	if len(header) < HeaderBytes || !bytes.HasPrefix(header, []byte(magic)) {
		return carnet.E(carnet.Invalid, "NOT_A_COLUMN_FILE", "what is stored as column %d of file %s is no column file of version 1", column, f.nonce)
	}
	want := f.AppendHeader(nil, column, form)
	header = header[:HeaderBytes]
	if bytes.Equal(header, want) {
		return nil
	}
	what := "has another shape"
	for _, field := range []struct {
		from, to int
		what     string
	}{{16, 48, "was made under another profile"}, {48, 80, "belongs to another file"}, {80, 84, "is another column"}, {92, 93, "is in another form"}} {
		if !bytes.Equal(header[field.from:field.to], want[field.from:field.to]) {
			what = field.what
			break
		}
	}
	return carnet.E(carnet.Invalid, "FOREIGN_COLUMN_FILE", "what is stored as column %d of file %s %s", column, f.nonce, what)
}

// FormOf returns the form that a header names, 0 if it is none.
func FormOf(header []byte) Form {
	if len(header) < HeaderBytes {
		return 0
	}
	if f := Form(header[92]); f == Raw || f == Packed {
		return f
	}
	return 0
}

// Offset returns where a piece begins in a column file.
func (f *File) Offset(p Piece, form Form) int64 { return HeaderBytes + f.bytes(f.Word(p), form) }

// TrailerOffset returns where the hashes begin.
func (f *File) TrailerOffset(form Form) int64 { return HeaderBytes + f.bytes(f.Words(), form) }

// bytes returns the length of a number of words, a multiple of 8.
func (f *File) bytes(words int64, form Form) int64 {
	if form == Packed {
		return words / group * int64(f.profile.LimbBits())
	}
	return 8 * words
}

// PieceBytes returns the length of a piece of a chunk.
func (f *File) PieceBytes(chunk int, form Form) int {
	return int(f.bytes(int64(f.PieceWords(chunk)), form))
}

// Size returns the length of a column file: header, words and trailer.
func (f *File) Size(column uint32, form Form) int64 {
	return f.TrailerOffset(form) + int64(f.trailerBytes(column))
}

func (f *File) trailerBytes(column uint32) int {
	return (f.Leaves() + pathHashes(f.columns, int(column))) * len(carnet.Hash{})
}

// pathHashes is the length of the proof of one leaf of a tree of n.
func pathHashes(n, leaf int) (hashes int) {
	for ; n > 1; n, leaf = (n+1)/2, leaf/2 {
		if leaf%2 == 1 || leaf+1 < n {
			hashes++
		}
	}
	return hashes
}

// AppendTrailer appends the end of a column file: the hashes of the column's pieces
// and the proof of the column in the tree of columns.
func (f *File) AppendTrailer(dst []byte, column uint32, pieces []carnet.Hash, columns *Tree) []byte {
	for i := range pieces {
		dst = append(dst, pieces[i][:]...)
	}
	return columns.AppendProof(dst, int(column), int(column)+1)
}

// Column is one column whose hashes were checked against the root of its file. It is
// immutable.
type Column struct {
	pieces *Tree
	path   []byte
}

// ReadTrailer reads the end of a column file and checks it against the root of the
// file.
//
// Errors, all of kind Invalid: BAD_LENGTH, PIECE_DIFFERS.
func (f *File) ReadTrailer(b []byte, column uint32, root carnet.Hash) (*Column, error) {
	if len(b) != f.trailerBytes(column) {
		return nil, carnet.E(carnet.Invalid, "BAD_LENGTH", "the hashes of column %d of file %s have %d bytes, not %d", column, f.nonce, f.trailerBytes(column), len(b))
	}
	pieces := make([]carnet.Hash, f.Leaves())
	for i := range pieces {
		pieces[i], b = carnet.Hash(b[:32]), b[32:]
	}
	c := &Column{pieces: NewTree(pieces), path: bytes.Clone(b)}
	if !f.checkColumn(column, c.pieces.Root(), c.path, root) {
		return nil, carnet.E(carnet.Invalid, "PIECE_DIFFERS", "the hashes of column %d of file %s are not those that the owner signed", column, f.nonce)
	}
	return c, nil
}

// Hash returns the hash of a piece, by its number in the column.
func (c *Column) Hash(leaf int) carnet.Hash { return c.pieces.Leaf(leaf) }

// AppendProof appends the proof of pieces lo to hi-1, as File.Check takes it.
func (c *Column) AppendProof(dst []byte, lo, hi int) []byte {
	return append(c.pieces.AppendProof(dst, lo, hi), c.path...)
}
