package columnfile_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/columnfile"
	"github.com/carnet-network/carnet/pkg/he"
)

func profile(t testing.TB, logN, limbs, bits int) *he.Profile {
	p, err := he.NewProfile(he.Literal{Name: "test", LogN: logN, Limbs: limbs, LimbBits: bits, TBits: logN + 4, MaxDegree: 2, Encoding: he.Slots})
	require.NoError(t, err)
	return p
}

// table is a file with random words, every limb of every chunk in file order.
type table struct {
	*columnfile.File
	words  map[columnfile.Piece][]uint64 // by limb of a chunk: Piece is 0
	hashes []carnet.Hash
	root   carnet.Hash
}

func newTable(t testing.TB, p *he.Profile, columns, blocks int) *table {
	f, err := columnfile.NewFile(p, carnet.Nonce{1, 2, 3}, columns, blocks)
	require.NoError(t, err)
	x := &table{File: f, words: map[columnfile.Piece][]uint64{}}
	rnd := rand.New(rand.NewPCG(uint64(columns), uint64(blocks)))
	for c := range columns {
		for leaf := range f.Leaves() {
			at := f.At(uint32(c), leaf)
			limb := columnfile.Piece{Column: at.Column, Limb: at.Limb, Chunk: at.Chunk}
			if at.Piece == 0 {
				words := make([]uint64, f.ChunkWords(int(at.Chunk)))
				for i := range words {
					words[i] = rnd.Uint64N(f.Prime(at.Limb))
				}
				words[0], words[len(words)-1] = f.Prime(at.Limb)-1, f.Prime(at.Limb)-1
				x.words[limb] = words
			}
			x.hashes = append(x.hashes, columnfile.HashPiece(x.piece(at)))
		}
	}
	x.root = f.RootOf(x.hashes)
	return x
}

func (x *table) piece(at columnfile.Piece) []uint64 {
	n := x.PieceWords(int(at.Chunk))
	return x.words[columnfile.Piece{Column: at.Column, Limb: at.Limb, Chunk: at.Chunk}][int(at.Piece)*n:][:n]
}

func (x *table) packed(at columnfile.Piece) []byte {
	return columnfile.AppendPacked(nil, x.Profile().LimbBits(), x.piece(at))
}

func (x *table) column(c uint32) []carnet.Hash { return x.hashes[int(c)*x.Leaves():][:x.Leaves()] }

// proof proves a piece, by way of the trailer of its column.
func (x *table) proof(t testing.TB, at columnfile.Piece) []byte {
	trailer := x.AppendTrailer(nil, at.Column, x.column(at.Column), x.ColumnTree(x.hashes))
	c, err := x.ReadTrailer(trailer, at.Column, x.root)
	require.NoError(t, err)
	leaf := x.Leaf(at)
	require.Equal(t, x.column(at.Column)[leaf], c.Hash(leaf))
	return c.AppendProof(nil, leaf, leaf+1)
}

// bytes is the whole column file.
func (x *table) bytes(c uint32, form columnfile.Form) []byte {
	b := x.AppendHeader(nil, c, form)
	for leaf := range x.Leaves() {
		at := x.At(c, leaf)
		if form == columnfile.Packed {
			b = append(b, x.packed(at)...)
		} else {
			b = append(b, columnfile.Bytes(x.piece(at))...)
		}
	}
	return x.AppendTrailer(b, c, x.column(c), x.ColumnTree(x.hashes))
}
