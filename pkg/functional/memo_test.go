package functional

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// every lists the cells from..to-1.
func every(from, to uint32) (out []uint32) {
	for c := from; c < to; c++ {
		out = append(out, c)
	}
	return out
}

// Lists of cells have the same hash exactly if they are equal, and the blocks they
// touch are right; a list that is not ascending is refused.
func TestCellLists(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	hashes := map[carnet.Hash][]uint32{}
	for range 5000 {
		var cells []uint32
		for c := range uint32(40) {
			if rng.IntN(3) == 0 {
				cells = append(cells, c)
			}
		}
		if len(cells) == 0 {
			continue
		}
		ascending := true
		if len(cells) > 1 && rng.IntN(4) == 0 {
			i := rng.IntN(len(cells) - 1)
			cells[i], cells[i+1] = cells[i+1], cells[i]
			ascending = false
		}
		m := NewMemo(n)
		l, h := m.list(cells), *m.hash(cells)
		require.Equal(t, ascending, l.ascending, cells)
		if old, ok := hashes[h]; ok {
			require.Equal(t, old, cells)
		}
		hashes[h] = cells
		if !ascending {
			continue
		}
		var blocks []uint32
		for _, c := range cells {
			if b := c / n; !slices.Contains(blocks, b) {
				blocks = append(blocks, b)
			}
		}
		require.Equal(t, blocks, l.blocks)
	}
	require.Greater(t, len(hashes), 2000)
	for _, wrong := range [][]uint32{{math.MaxUint32, 0}, {5, 5}, {5, 4}, {0, 2, 1}} {
		require.False(t, NewMemo(n).list(wrong).ascending, wrong)
	}
}

// A memo gives what is found without one, also for a list that begins where another
// does.
func TestMemo(t *testing.T) {
	m := NewMemo(n)
	all := every(0, 48)
	for i := 1; i <= len(all); i++ {
		for _, f := range []*Functional{
			linear(Linear{File: nonce(1), Column: 3, Blocks: 3, Cells: all[:i]}),
			linear(Linear{File: nonce(1), Column: 4, Blocks: 3, Cells: all[i-1:]}, Linear{File: nonce(2), Column: 1, Blocks: 3, Cells: all[:i], Minus: true}),
		} {
			require.NoError(t, m.Validate(f))
			require.Equal(t, f.Digest(n), m.Digest(f))
			require.Equal(t, f.Keys[0].LinearHash(n), m.LinearHash(&f.Keys[0]))
		}
	}
}

// A term's hash is the same however many blocks its file has beyond the chosen cells:
// the sum is the same, and a second hash would draw a second flooding for it.
func TestAttackOneSumHasOneHash(t *testing.T) {
	short := KeyTerms{Linear: []Linear{{File: nonce(1), Column: 1, Blocks: 2, Cells: []uint32{1, 17}}}}
	long := KeyTerms{Linear: []Linear{{File: nonce(1), Column: 1, Blocks: 9, Cells: []uint32{1, 17}}}}
	require.Equal(t, short.LinearHash(n), long.LinearHash(n))
}

// GROUP BY 1,000 groups of a cube of 1M cells, five columns: what hashing it costs.
func BenchmarkGroupHashes(b *testing.B) {
	lists := make([][]uint32, 1000)
	for c := range uint32(1_000_000) {
		lists[c%1000] = append(lists[c%1000], c)
	}
	for b.Loop() {
		m := NewMemo(1 << 14)
		for _, cells := range lists {
			for column := range uint32(5) {
				f := linear(Linear{File: nonce(1), Column: column, Blocks: 62, Cells: cells})
				if m.Validate(f) != nil {
					b.Fatal("not canonical")
				}
				m.LinearHash(&f.Keys[0])
			}
		}
	}
}
