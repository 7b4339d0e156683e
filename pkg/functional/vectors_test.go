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

// TestVectors compares the hashes of linear terms with docs/formats/vectors.
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
	want, err := json.MarshalIndent(v, "", " ")
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.WriteFile(vectorFile, append(want, '\n'), 0o644))
	}
	got, err := os.ReadFile(vectorFile)
	require.NoError(t, err)
	require.Equal(t, string(got), string(want)+"\n", "run go test ./pkg/functional -run TestVectors -update, and say why the format changed")
}
