package columnfile

import (
	"encoding/binary"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// HashPiece is the leaf of a piece: the digest of its words in raw form.
func HashPiece(words []uint64) carnet.Hash {
	return carnet.Digest("carnet/piece/1", Bytes(words))
}

// ColumnRoot binds the root of the tree over a column's pieces to its place.
func (f *File) ColumnRoot(column uint32, pieces carnet.Hash) carnet.Hash {
	id := f.profile.ID()
	return carnet.Digest("carnet/column/1", id[:], f.nonce[:], u32(column), pieces[:])
}

// Root binds the root of the tree over the columns' roots to the file: it is what
// the manifest says of the file.
func (f *File) Root(columns carnet.Hash) carnet.Hash {
	id := f.profile.ID()
	return carnet.Digest("carnet/root/2", id[:], f.nonce[:], u32(uint32(f.columns)), u32(uint32(f.blocks)), columns[:])
}

// ColumnTree is the tree over the columns of a file, from the hashes of all their
// pieces: column by column, each in the order of Leaf.
func (f *File) ColumnTree(pieces []carnet.Hash) *Tree {
	roots := make([]carnet.Hash, f.columns)
	n := f.Leaves()
	for c := range roots {
		roots[c] = f.ColumnRoot(uint32(c), NewTree(pieces[c*n:(c+1)*n]).Root())
	}
	return NewTree(roots)
}

// RootOf is the root of a file from the hashes that ColumnTree takes.
func (f *File) RootOf(pieces []carnet.Hash) carnet.Hash { return f.Root(f.ColumnTree(pieces).Root()) }

// Check reports whether the hashes of a piece and of those after it in the same
// column, by Leaf, belong to the file of this root. The proof is that of the range in
// the column's tree, then that of the column in the tree of columns.
//
// The error is of kind Invalid: PIECE_DIFFERS.
func (f *File) Check(p Piece, hashes []carnet.Hash, proof []byte, root carnet.Hash) error {
	if f.Has(p) {
		pieces, proof, ok := prove(f.Leaves(), f.Leaf(p), hashes, proof)
		if ok && f.checkColumn(p.Column, pieces, proof, root) {
			return nil
		}
	}
	return f.differs(p, "is not the one that the owner signed")
}

// checkColumn reports whether a column whose pieces have this root belongs to the
// file of the given root.
func (f *File) checkColumn(column uint32, pieces carnet.Hash, proof []byte, root carnet.Hash) bool {
	columns, rest, ok := prove(f.columns, int(column), []carnet.Hash{f.ColumnRoot(column, pieces)}, proof)
	return ok && len(rest) == 0 && f.Root(columns) == root
}

// Open sets words to a piece from its packed form and checks it against the root.
// The length is checked first, so that memory and time are bounded by the piece's.
func (f *File) Open(p Piece, packed, proof []byte, root carnet.Hash, words []uint64) error {
	if !f.Has(p) {
		return f.differs(p, "is not part of it")
	}
	if err := f.Unpack(p, packed, words); err != nil {
		return err
	}
	return f.Check(p, []carnet.Hash{HashPiece(words)}, proof, root)
}

// Unpack sets words, PieceWords of them, from the packed form of a piece of the file.
func (f *File) Unpack(p Piece, packed []byte, words []uint64) error {
	return Unpack(words[:f.PieceWords(int(p.Chunk))], packed, f.profile.LimbBits(), f.primes[p.Limb])
}

func (f *File) differs(p Piece, what string) error {
	return carnet.E(carnet.Invalid, "PIECE_DIFFERS", "piece %d of limb %d in chunk %d of column %d of file %s %s", p.Piece, p.Limb, p.Chunk, p.Column, f.nonce, what)
}

func u32(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }
