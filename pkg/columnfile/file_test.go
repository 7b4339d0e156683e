package columnfile_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/columnfile"
	"github.com/carnet-network/carnet/pkg/he"
)

// Pieces cover every word of a column exactly once, in the order of their numbers.
func TestShape(t *testing.T) {
	records, err := he.Lookup("records")
	require.NoError(t, err)
	for _, p := range []*he.Profile{profile(t, 4, 2, 30), profile(t, 10, 3, 55), records} {
		for _, blocks := range []int{1, 2, 3, 4, 5, 17, 63, 64, 65, 127, 128, 129, 200} {
			f, err := columnfile.NewFile(p, carnet.Nonce{1}, 3, blocks)
			require.NoError(t, err)
			var next, chunks int64
			for leaf := range f.Leaves() {
				at := f.At(2, leaf)
				require.True(t, f.Has(at))
				require.Equal(t, leaf, f.Leaf(at))
				require.Equal(t, next, f.Word(at), "%d blocks, %+v", blocks, at)
				n := f.PieceWords(int(at.Chunk))
				require.LessOrEqual(t, n, columnfile.PieceWords)
				require.Zero(t, n%8)
				require.Equal(t, f.PieceBytes(int(at.Chunk), columnfile.Packed), f.PackedBytes(int(at.Chunk)))
				require.Less(t, f.PackedBytes(int(at.Chunk)), 1<<18)
				next += int64(n)
				if at.Piece == 0 {
					chunks++
				}
			}
			require.Equal(t, f.Words(), next)
			require.EqualValues(t, p.Limbs()*((blocks+63)/64), chunks)
			last := f.At(0, f.Leaves()-1)
			for _, no := range []columnfile.Piece{
				{Column: 3}, {Column: 1 << 31}, {Limb: uint32(p.Limbs())}, {Chunk: uint32(f.Chunks())}, {Chunk: 1 << 31},
				{Chunk: last.Chunk, Piece: last.Piece + 1}, {Piece: 1 << 31},
			} {
				require.False(t, f.Has(no), "%+v", no)
			}
		}
	}
	f, err := columnfile.NewFile(records, carnet.Nonce{1}, 1, 64)
	require.NoError(t, err)
	require.Equal(t, 32, f.Pieces(0))
	require.Equal(t, 27.5, float64(f.TrailerOffset(columnfile.Packed)-columnfile.HeaderBytes)/float64(64*records.N()), "bytes a value")
	for _, shape := range [][2]int{{0, 1}, {1, 0}, {-1, 1}, {1, -1}, {1 << 21, 2}, {1 << 40, 1 << 40}, {1, 1<<21 + 1}} {
		_, err := columnfile.NewFile(records, carnet.Nonce{1}, shape[0], shape[1])
		require.Equal(t, "BAD_FILE_SHAPE", carnet.ReasonOf(err))
	}
}

// Slot s of block b of a chunk of g blocks is word ((s/8)*g+b)*8 + s%8.
func TestOrder(t *testing.T) {
	const n = 64
	for _, g := range []int{1, 2, 7, 64} {
		words := make([]uint64, g*n)
		for b := range g {
			limb := make([]uint64, n)
			for s := range limb {
				limb[s] = uint64(1000*b + s)
			}
			columnfile.Put(words, g, b, limb)
		}
		for b := range g {
			limb := make([]uint64, n)
			columnfile.Get(words, g, b, limb)
			for s := range limb {
				require.EqualValues(t, 1000*b+s, limb[s])
				require.EqualValues(t, limb[s], words[((s/8)*g+b)*8+s%8])
			}
		}
	}
}

// The packed form is one string of bits, lowest first: compared with the plainest
// way to write it, for every width.
func TestPacking(t *testing.T) {
	for bits := 8; bits <= 60; bits++ {
		q := uint64(1)<<bits - 3
		for _, count := range []int{0, 8, 16, 24, 1024} {
			rnd := rand.New(rand.NewPCG(uint64(bits), uint64(count)))
			words := make([]uint64, count)
			want := make([]byte, count*bits/8)
			for i := range words {
				words[i] = rnd.Uint64N(q)
				if i%5 == 0 {
					words[i] = q - 1
				}
				for b := range bits {
					at := i*bits + b
					want[at/8] |= byte(words[i]>>b&1) << (at % 8)
				}
			}
			packed := columnfile.AppendPacked([]byte("head"), bits, words)
			require.Equal(t, "head", string(packed[:4]))
			packed = packed[4:]
			require.True(t, bytes.Equal(want, packed), "%d bits, %d words", bits, count)
			back := make([]uint64, count)
			require.NoError(t, columnfile.Unpack(back, packed, bits, q))
			require.Equal(t, words, back)
			for _, wrong := range [][]byte{append(bytes.Clone(packed), 0), append(bytes.Clone(packed), packed...), packed[:max(len(packed)-1, 0)]} {
				if len(wrong) != len(packed) {
					require.Equal(t, "BAD_LENGTH", carnet.ReasonOf(columnfile.Unpack(back, wrong, bits, q)))
				}
			}
			for _, i := range []int{0, 3, count/2 + 1, count - 1} {
				if i < 0 || i >= count {
					continue
				}
				for _, v := range []uint64{q, q + 1, 1<<bits - 1} {
					bad := append([]uint64(nil), words...)
					bad[i] = v
					require.Equal(t, "NOT_CANONICAL", carnet.ReasonOf(columnfile.Unpack(back, columnfile.AppendPacked(nil, bits, bad), bits, q)))
				}
			}
		}
	}
}

func TestViews(t *testing.T) {
	words := []uint64{1, 1 << 63, 0x0102030405060708}
	b := bytes.Clone(columnfile.Bytes(words))
	require.Equal(t, []byte{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 8, 7, 6, 5, 4, 3, 2, 1}, b)
	again := make([]uint64, 3)
	columnfile.Copy(again, b)
	require.Equal(t, words, again)
	require.Empty(t, columnfile.Bytes(nil))
	for _, bad := range [][]byte{nil, b[:7], columnfile.Bytes(words)[1:17]} {
		_, ok := columnfile.View(bad)
		require.False(t, ok)
	}
	if v, ok := columnfile.View(columnfile.Bytes(words)); ok { // not on every machine
		require.Equal(t, words, v)
	}
}
