package columnfile_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/columnfile"
)

// FuzzUnpack: whatever is read packs to the same bytes, and everything else is
// refused as invalid.
func FuzzUnpack(f *testing.F) {
	for _, bits := range []int{20, 52, 55, 57, 59, 60} {
		f.Add(byte(bits), make([]byte, 2*bits))
		f.Add(byte(bits), bytes.Repeat([]byte{255}, 2*bits))
		f.Add(byte(bits), make([]byte, 2*bits-1))
		f.Add(byte(bits), make([]byte, 3*bits))
	}
	f.Fuzz(func(t *testing.T, width byte, packed []byte) {
		bits := 20 + int(width)%41
		q := uint64(1)<<bits - 59
		words := make([]uint64, 16)
		if err := columnfile.Unpack(words, packed, bits, q); err != nil {
			require.Equal(t, carnet.Invalid, carnet.KindOf(err))
			return
		}
		for _, v := range words {
			require.Less(t, v, q)
		}
		require.Equal(t, packed, columnfile.AppendPacked(nil, bits, words))
	})
}

// FuzzProof: only the true leaves and the true proof lead to the root.
func FuzzProof(f *testing.F) {
	x := newTable(f, profile(f, 10, 2, 30), 3, 70)
	trailer := x.AppendTrailer(nil, 1, x.column(1), x.ColumnTree(x.hashes))
	column, err := x.ReadTrailer(trailer, 1, x.root)
	require.NoError(f, err)
	n := x.Leaves()
	good := func(lo, hi int) (hashes, proof []byte) {
		for _, h := range x.column(1)[lo:hi] {
			hashes = append(hashes, h[:]...)
		}
		return hashes, column.AppendProof(nil, lo, hi)
	}
	for _, r := range [][2]int{{0, 1}, {1, 3}, {n - 1, n}, {0, n}} {
		hashes, proof := good(r[0], r[1])
		f.Add(uint32(1), uint16(r[0]), hashes, proof)
		f.Add(uint32(2), uint16(r[0]), hashes, proof)
		f.Add(uint32(1), uint16(r[0]), hashes, proof[:len(proof)-1])
	}
	f.Fuzz(func(t *testing.T, c uint32, lo uint16, hashes, proof []byte) {
		var list []carnet.Hash
		for b := hashes; len(b) >= 32; b = b[32:] {
			list = append(list, carnet.Hash(b))
		}
		at := x.At(c, int(lo))
		err := x.Check(at, list, proof, x.root)
		if err != nil {
			require.Equal(t, carnet.Invalid, carnet.KindOf(err))
			return
		}
		require.EqualValues(t, 1, c)
		h, p := good(int(lo), int(lo)+len(list))
		require.Equal(t, h, hashes[:len(hashes)/32*32])
		require.Equal(t, p, proof)
	})
}

// FuzzHeader: only the header that a file has to have is accepted.
func FuzzHeader(f *testing.F) {
	x := newTable(f, profile(f, 4, 2, 30), 3, 2)
	good := x.AppendHeader(nil, 1, columnfile.Raw)
	f.Add(good[:96])
	f.Add(x.AppendHeader(nil, 2, columnfile.Raw)[:96])
	f.Add(binary.BigEndian.AppendUint32(good[:80:80], 1<<31))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		header := append(bytes.Clone(b), make([]byte, columnfile.HeaderBytes)...)
		if err := x.CheckHeader(header, 1, columnfile.Raw); err != nil {
			require.Equal(t, carnet.Invalid, carnet.KindOf(err))
			return
		}
		require.Equal(t, good, header[:columnfile.HeaderBytes])
	})
}

// FuzzTrailer: only the hashes that lead to the root are accepted.
func FuzzTrailer(f *testing.F) {
	x := newTable(f, profile(f, 4, 2, 30), 3, 70)
	good := x.AppendTrailer(nil, 1, x.column(1), x.ColumnTree(x.hashes))
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add(x.AppendTrailer(nil, 2, x.column(2), x.ColumnTree(x.hashes)))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := x.ReadTrailer(b, 1, x.root); err != nil {
			require.Equal(t, carnet.Invalid, carnet.KindOf(err))
			return
		}
		require.Equal(t, good, b)
	})
}
