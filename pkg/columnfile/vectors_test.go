package columnfile_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/columnfile"
)

var update = flag.Bool("update", false, "write docs/formats/vectors/column-file.json anew")

const vectorFile = "../../docs/formats/vectors/column-file.json"

type (
	vectors struct {
		Comment string       `json:"comment"`
		Files   []fileVector `json:"files"`
	}
	fileVector struct {
		LogN     int            `json:"log_n"`
		Limbs    int            `json:"limbs"`
		LimbBits int            `json:"limb_bits"`
		Primes   []uint64       `json:"primes"`
		Params   string         `json:"params"`
		Nonce    string         `json:"nonce"`
		Columns  int            `json:"columns"`
		Blocks   int            `json:"blocks"`
		Root     string         `json:"root"`
		Each     []columnVector `json:"each"`
		Pieces   []pieceVector  `json:"pieces"`
	}
	columnVector struct {
		Column uint32 `json:"column"`
		Root   string `json:"root"`
		Raw    string `json:"raw_sha256"`
		Packed string `json:"packed_sha256"`
		Bytes  string `json:"packed,omitempty"`
	}
	pieceVector struct {
		Column uint32   `json:"column"`
		Limb   uint32   `json:"limb"`
		Chunk  uint32   `json:"chunk"`
		Piece  uint32   `json:"piece"`
		Leaf   int      `json:"leaf"`
		First  []uint64 `json:"first"`
		Hash   string   `json:"hash"`
		Proof  string   `json:"proof"`
	}
)

// vectorWord is residue s of block b in a limb and column of the documented files.
func vectorWord(q uint64, column, limb, block, s int) uint64 {
	return (uint64(column+1)*1_000_000_007*uint64(block+1) + uint64(limb+3)*uint64(s)*uint64(s)*998_244_353) % q
}

func makeFile(t *testing.T, logN, limbs, bits, columns, blocks int) fileVector {
	p := profile(t, logN, limbs, bits)
	nonce := carnet.Nonce{}
	for i := range nonce {
		nonce[i] = byte(0x80 + i)
	}
	f, err := columnfile.NewFile(p, nonce, columns, blocks)
	require.NoError(t, err)
	x := &table{File: f, words: map[columnfile.Piece][]uint64{}}
	limb := make([]uint64, p.N())
	for c := range columns {
		for leaf := range f.Leaves() {
			at := f.At(uint32(c), leaf)
			if at.Piece == 0 {
				g := f.ChunkBlocks(int(at.Chunk))
				words := make([]uint64, f.ChunkWords(int(at.Chunk)))
				for b := range g {
					for s := range limb {
						limb[s] = vectorWord(f.Prime(at.Limb), c, int(at.Limb), int(at.Chunk)*columnfile.ChunkBlocks+b, s)
					}
					columnfile.Put(words, g, b, limb)
				}
				x.words[at] = words
			}
			x.hashes = append(x.hashes, columnfile.HashPiece(x.piece(at)))
		}
	}
	x.root = f.RootOf(x.hashes)
	sha := func(b []byte) string { return fmt.Sprintf("%x", sha256.Sum256(b)) }
	v := fileVector{LogN: logN, Limbs: limbs, LimbBits: bits, Primes: p.Primes(), Params: p.ID().String(), Nonce: nonce.String(), Columns: columns, Blocks: blocks, Root: x.root.String()}
	for c := range uint32(columns) {
		packed := x.bytes(c, columnfile.Packed)
		e := columnVector{Column: c, Root: x.ColumnTree(x.hashes).Leaf(int(c)).String(), Raw: sha(x.bytes(c, columnfile.Raw)), Packed: sha(packed)}
		if len(packed) < 8000 && c == 0 {
			e.Bytes = hex.EncodeToString(packed)
		}
		v.Each = append(v.Each, e)
		for _, leaf := range []int{0, f.Leaves() / 2, f.Leaves() - 1} {
			at := f.At(c, leaf)
			v.Pieces = append(v.Pieces, pieceVector{c, at.Limb, at.Chunk, at.Piece, leaf, x.piece(at)[:8],
				columnfile.HashPiece(x.piece(at)).String(), hex.EncodeToString(x.proof(t, at))})
		}
	}
	return v
}

// TestVectors checks that this package still makes exactly the documented bytes.
func TestVectors(t *testing.T) {
	v := vectors{Comment: "Test vectors of docs/formats/column-file.md. Residue s of block b in limb l of column c is ((c+1)*1000000007*(b+1) + (l+3)*s*s*998244353 modulo 2^64) modulo the limb's prime, everything counted from 0. Numbers have up to 64 bits."}
	v.Files = append(v.Files, makeFile(t, 4, 2, 30, 3, 2), makeFile(t, 4, 1, 59, 1, 1), makeFile(t, 10, 2, 55, 3, 70))
	have, err := json.MarshalIndent(v, "", "  ")
	require.NoError(t, err)
	have = append(have, '\n')
	if *update {
		require.NoError(t, os.WriteFile(vectorFile, have, 0o644))
	}
	want, err := os.ReadFile(vectorFile)
	require.NoError(t, err)
	require.Equal(t, strings.Split(string(want), "\n"), strings.Split(string(have), "\n"), "published bytes never change; a new format gets new tags")
}
