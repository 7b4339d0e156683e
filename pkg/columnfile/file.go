package columnfile

import (
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
)

const (
	// ChunkBlocks is how many consecutive blocks of a column make a chunk; the last
	// chunk has the rest.
	ChunkBlocks = 64
	// PieceWords is the most words of a piece.
	PieceWords = 1 << 15
	// MaxBlocks bounds columns x blocks of a file.
	MaxBlocks = 1 << 21

	group = 8 // words that stay together: a cache line, and a whole number of packed bytes
)

// File is a file version: what its signed manifest says about it, and all that its
// shape follows from. It is immutable.
type File struct {
	profile *he.Profile
	primes  []uint64
	nonce   carnet.Nonce
	columns int
	blocks  int
	pieces  [2]int // of one limb: of a full chunk, of the last chunk
}

// NewFile checks the bounds: columns and blocks are at least 1, and columns x blocks
// at most MaxBlocks.
func NewFile(p *he.Profile, nonce carnet.Nonce, columns, blocks int) (*File, error) {
	if columns < 1 || blocks < 1 || columns > MaxBlocks || blocks > MaxBlocks/columns {
		return nil, carnet.E(carnet.Invalid, "BAD_FILE_SHAPE", "file %s has %d columns and %d blocks; want at least 1 each and at most %d blocks in all", nonce, columns, blocks, MaxBlocks)
	}
	f := &File{profile: p, primes: p.Primes(), nonce: nonce, columns: columns, blocks: blocks}
	f.pieces = [2]int{p.N() / pieceSlots(p.N(), ChunkBlocks), p.N() / pieceSlots(p.N(), f.ChunkBlocks(f.Chunks()-1))}
	return f, nil
}

// pieceSlots is the number of slots of a piece in a chunk of g blocks: the largest
// power of two, at most n, that gives no more than PieceWords words.
func pieceSlots(n, g int) int {
	s := n
	for s*g > PieceWords && s > group {
		s /= 2
	}
	return s
}

// Profile returns the parameters of the file.
func (f *File) Profile() *he.Profile { return f.profile }

// Nonce returns the name of the file version.
func (f *File) Nonce() carnet.Nonce { return f.nonce }

// Columns returns the number of columns.
func (f *File) Columns() int { return f.columns }

// Blocks returns the number of blocks of each column.
func (f *File) Blocks() int { return f.blocks }

// Chunks returns the number of chunks of each column.
func (f *File) Chunks() int { return (f.blocks + ChunkBlocks - 1) / ChunkBlocks }

// ChunkBlocks returns g, the number of blocks of a chunk.
func (f *File) ChunkBlocks(chunk int) int { return min(ChunkBlocks, f.blocks-chunk*ChunkBlocks) }

// ChunkWords returns the number of words of one limb of a chunk.
func (f *File) ChunkWords(chunk int) int { return f.ChunkBlocks(chunk) * f.profile.N() }

// Pieces returns the number of pieces of one limb of a chunk.
func (f *File) Pieces(chunk int) int {
	if chunk == f.Chunks()-1 {
		return f.pieces[1]
	}
	return f.pieces[0]
}

// PieceWords returns the number of words of a piece of a chunk, a multiple of 8.
func (f *File) PieceWords(chunk int) int { return f.ChunkWords(chunk) / f.Pieces(chunk) }

// PackedBytes returns the length of a piece of a chunk in packed form.
func (f *File) PackedBytes(chunk int) int { return f.PieceWords(chunk) / group * f.profile.LimbBits() }

// Leaves returns the number of pieces of each column.
func (f *File) Leaves() int { return f.profile.Limbs() * f.limbPieces() }

func (f *File) limbPieces() int { return (f.Chunks()-1)*f.pieces[0] + f.pieces[1] }

// Piece names a run of words: the slots piece*S to piece*S + S-1 of all blocks of a
// chunk, in one limb.
type Piece struct {
	Column, Limb, Chunk, Piece uint32
}

// Has reports whether there is such a piece.
func (f *File) Has(p Piece) bool {
	return int64(p.Column) < int64(f.columns) && int64(p.Limb) < int64(f.profile.Limbs()) &&
		int64(p.Chunk) < int64(f.Chunks()) && int64(p.Piece) < int64(f.Pieces(int(p.Chunk)))
}

// Leaf returns the number of a piece within its column: limb by limb, chunk by
// chunk, piece by piece, from 0.
func (f *File) Leaf(p Piece) int {
	return int(p.Limb)*f.limbPieces() + int(p.Chunk)*f.pieces[0] + int(p.Piece)
}

// At is the inverse of Leaf for a leaf of the column.
func (f *File) At(column uint32, leaf int) Piece {
	limb, rest := leaf/f.limbPieces(), leaf%f.limbPieces()
	chunk := min(rest/f.pieces[0], f.Chunks()-1)
	return Piece{column, uint32(limb), uint32(chunk), uint32(rest - chunk*f.pieces[0])}
}

// Word returns how many words of the column come before the piece.
func (f *File) Word(p Piece) int64 {
	n := int64(f.profile.N())
	return int64(p.Limb)*int64(f.blocks)*n + int64(p.Chunk)*ChunkBlocks*n + int64(p.Piece)*int64(f.PieceWords(int(p.Chunk)))
}

// Words returns the number of words of a column.
func (f *File) Words() int64 {
	return int64(f.profile.Limbs()) * int64(f.blocks) * int64(f.profile.N())
}

// Prime returns the prime of a limb.
func (f *File) Prime(limb uint32) uint64 { return f.primes[limb] }
