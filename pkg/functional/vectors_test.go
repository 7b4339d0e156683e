package functional

import (
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
)

var update = flag.Bool("update", false, "rewrite the test vectors in docs/formats/vectors")

const vectorFile = "../../docs/formats/vectors/linear.json"

type vectors struct {
	Comment string        `json:"comment"`
	Cells   []cellsVector `json:"cells"`
	Hashes  []hashVector  `json:"hashes"`
	Across  []crossVector `json:"across"`
}

type cellsVector struct {
	Cells []uint32    `json:"cells"`
	Runs  string      `json:"runs"`
	Hash  carnet.Hash `json:"hash"`
}

type hashVector struct {
	Terms []termVector `json:"terms"`
	Hash  carnet.Hash  `json:"hash"` // H_D
}

type termVector struct {
	File   carnet.Nonce `json:"file"`
	Column uint32       `json:"column"`
	Blocks uint32       `json:"blocks"`
	Cells  []uint32     `json:"cells,omitempty"`
	Minus  bool         `json:"minus,omitempty"`
}

// crossVector is a functional across keys and its digest.
type crossVector struct {
	Terms  []crossTermVector `json:"terms"`
	Digest carnet.Hash       `json:"digest"`
}

type crossTermVector struct {
	Keys   [2]carnet.KeyID `json:"keys"`
	Files  [2]carnet.Nonce `json:"files"`
	Plus   [2][]uint32     `json:"plus"`
	Minus  [2][]uint32     `json:"minus"`
	Blocks uint32          `json:"blocks"`
	Weight int             `json:"weight"`
}

func newCrossVector(f *Functional, m *Memo) crossVector {
	x := crossVector{Digest: m.Digest(f)}
	for _, t := range f.Cross {
		x.Terms = append(x.Terms, crossTermVector{
			Keys: [2]carnet.KeyID{t.Left.Key, t.Right.Key}, Files: [2]carnet.Nonce{t.Left.File, t.Right.File},
			Plus: [2][]uint32{t.Left.Factor.Plus, t.Right.Factor.Plus}, Minus: [2][]uint32{t.Left.Factor.Minus, t.Right.Factor.Minus},
			Blocks: t.Blocks, Weight: t.Weight})
	}
	return x
}

// TestVectors compares the hashes of linear terms and of terms across keys with docs/formats/vectors.
func TestVectors(t *testing.T) {
	v := vectors{Comment: "Made by go test ./pkg/functional -update. See ../shares.md."}
	m := NewMemo(1 << 14)
	lists := [][]uint32{{0}, {5}, every(0, 300), {0, 1, 2, 16384, 16385}, {7, 127, 128, 16511, 16512, 4294967295}}
	for _, cells := range lists {
		h := m.hash(cells)
		v.Cells = append(v.Cells, cellsVector{cells, hex.EncodeToString(m.runs), *h})
	}
	for _, ts := range [][]Linear{
		{{File: nonce(1), Column: 3, Blocks: 2}},
		{{File: nonce(1), Column: 3, Blocks: 2, Cells: lists[3]}},
		{{File: nonce(1), Column: 3, Blocks: 2, Cells: lists[3], Minus: true}, {File: nonce(2), Column: 0, Blocks: 1, Cells: lists[1]}},
	} {
		x := hashVector{Hash: m.LinearHash(&KeyTerms{Linear: ts})}
		for _, l := range ts {
			x.Terms = append(x.Terms, termVector(l))
		}
		v.Hashes = append(v.Hashes, x)
	}
	signed := across(1, 2, 0, 4)
	signed.Left.Factor = Factor{Plus: []uint32{1, 7}, Minus: []uint32{3}}
	for _, f := range []*Functional{Across(signed), Across(squaredDifferences(1, 2)...), Across(across(1, 3, 5, 6), across(2, 3, 5, 6))} {
		require.NoError(t, f.Validate(m.n))
		v.Across = append(v.Across, newCrossVector(f, m))
	}
	want, err := json.MarshalIndent(v, "", " ")
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.WriteFile(vectorFile, append(want, '\n'), 0o644))
	}
	got, err := os.ReadFile(vectorFile)
	require.NoError(t, err)
	require.Equal(t, string(got), string(want)+"\n", "run go test ./pkg/functional -run TestVectors -update, and say why the format changed")
}
