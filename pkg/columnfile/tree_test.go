package columnfile_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/columnfile"
)

// recursive is the tree of RFC 6962 as its section 2.1 defines it.
func recursive(leaves []carnet.Hash) carnet.Hash {
	if len(leaves) == 1 {
		return leaves[0]
	}
	k := 1
	for 2*k < len(leaves) {
		k *= 2
	}
	left, right := recursive(leaves[:k]), recursive(leaves[k:])
	return carnet.Digest("carnet/node/1", left[:], right[:])
}

func TestTree(t *testing.T) {
	var leaves []carnet.Hash
	for n := 1; n <= 70; n++ {
		leaves = append(leaves, carnet.Hash{byte(n)})
		tree := columnfile.NewTree(leaves)
		require.Equal(t, recursive(leaves), tree.Root(), "%d leaves", n)
		require.Equal(t, n, tree.Len())
	}
}

// Every range of every column is proved, and no other claim is: not another range,
// other hashes, another column, another file, nor a proof with a bit changed or a
// hash more or less.
func TestProofs(t *testing.T) {
	x := newTable(t, profile(t, 10, 2, 30), 5, 70)
	tree := x.ColumnTree(x.hashes)
	for c := range uint32(x.Columns()) {
		trailer := x.AppendTrailer(nil, c, x.column(c), tree)
		column, err := x.ReadTrailer(trailer, c, x.root)
		require.NoError(t, err)
		n := x.Leaves()
		for _, r := range [][2]int{{0, 1}, {0, n}, {1, 2}, {n - 1, n}, {1, 4}, {n / 2, n}, {n/2 + 1, n}} {
			lo, hi := r[0], r[1]
			proof := column.AppendProof(nil, lo, hi)
			hashes := x.column(c)[lo:hi]
			at := x.At(c, lo)
			require.NoError(t, x.Check(at, hashes, proof, x.root))
			wrong := func(at columnfile.Piece, hashes []carnet.Hash, proof []byte, root carnet.Hash) {
				t.Helper()
				require.Equal(t, "PIECE_DIFFERS", carnet.ReasonOf(x.Check(at, hashes, proof, root)))
			}
			wrong(at, hashes, proof, carnet.Hash{1})
			wrong(at, hashes, append(bytes.Clone(proof), 0), x.root)
			wrong(at, hashes, append(bytes.Clone(proof), make([]byte, 32)...), x.root)
			wrong(at, hashes, proof[:len(proof)-32], x.root)
			wrong(at, hashes, nil, x.root)
			wrong(at, nil, proof, x.root)
			wrong(at, append(hashes[:len(hashes):len(hashes)], carnet.Hash{}), proof, x.root)
			wrong(columnfile.Piece{Column: (c + 1) % 5, Limb: at.Limb, Chunk: at.Chunk, Piece: at.Piece}, hashes, proof, x.root)
			wrong(columnfile.Piece{Column: c, Limb: 9}, hashes, proof, x.root)
			for i := range proof {
				changed := bytes.Clone(proof)
				changed[i] ^= 4
				wrong(at, hashes, changed, x.root)
			}
			changed := append([]carnet.Hash(nil), hashes...)
			changed[0][31] ^= 1
			wrong(at, changed, proof, x.root)
			if lo > 0 {
				wrong(x.At(c, lo-1), hashes, proof, x.root)
			}
		}
	}
	// The same contents under another nonce, profile or shape have another root.
	other, err := columnfile.NewFile(x.Profile(), carnet.Nonce{9}, 5, 70)
	require.NoError(t, err)
	require.NotEqual(t, x.root, other.RootOf(x.hashes))
}

func TestOpen(t *testing.T) {
	x := newTable(t, profile(t, 10, 2, 55), 2, 70)
	for c := range uint32(2) {
		for leaf := range x.Leaves() {
			at := x.At(c, leaf)
			words := make([]uint64, x.PieceWords(int(at.Chunk)))
			proof, packed := x.proof(t, at), x.packed(at)
			require.NoError(t, x.Open(at, packed, proof, x.root, words))
			require.Equal(t, x.piece(at), words)
			packed[len(packed)/2] ^= 1
			require.Equal(t, "PIECE_DIFFERS", carnet.ReasonOf(x.Open(at, packed, proof, x.root, words)))
			require.Equal(t, "BAD_LENGTH", carnet.ReasonOf(x.Open(at, packed[1:], proof, x.root, words)))
			require.Equal(t, "NOT_CANONICAL", carnet.ReasonOf(x.Open(at, bytes.Repeat([]byte{255}, len(packed)), proof, x.root, words)))
		}
	}
	require.Equal(t, "PIECE_DIFFERS", carnet.ReasonOf(x.Open(columnfile.Piece{Column: 2}, nil, nil, x.root, nil)))
}
