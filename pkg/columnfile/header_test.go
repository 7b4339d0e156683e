package columnfile_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/columnfile"
	"github.com/carnet-network/carnet/pkg/he"
)

var forms = []columnfile.Form{columnfile.Raw, columnfile.Packed}

func TestColumnFile(t *testing.T) {
	x := newTable(t, profile(t, 10, 2, 55), 3, 70)
	for _, form := range forms {
		for c := range uint32(3) {
			b := x.bytes(c, form)
			require.EqualValues(t, x.Size(c, form), len(b))
			require.NoError(t, x.CheckHeader(b, c, form))
			column, err := x.ReadTrailer(b[x.TrailerOffset(form):], c, x.root)
			require.NoError(t, err)
			for leaf := range x.Leaves() {
				at := x.At(c, leaf)
				part := b[x.Offset(at, form):][:x.PieceBytes(int(at.Chunk), form)]
				words := make([]uint64, x.PieceWords(int(at.Chunk)))
				if form == columnfile.Packed {
					require.NoError(t, x.Unpack(at, part, words))
				} else {
					columnfile.Copy(words, part)
				}
				require.Equal(t, x.piece(at), words)
				require.Equal(t, column.Hash(leaf), columnfile.HashPiece(words), "both forms have the same hashes")
			}
		}
	}
	records, err := he.Lookup("records")
	require.NoError(t, err)
	f, err := columnfile.NewFile(records, carnet.Nonce{}, 1, 200)
	require.NoError(t, err)
	for leaf := range f.Leaves() {
		require.Zero(t, f.Offset(f.At(0, leaf), columnfile.Raw)%4096, "a mapping begins at a page")
	}
}

func TestHeaderOfSomethingElse(t *testing.T) {
	p := profile(t, 4, 2, 30)
	x := newTable(t, p, 3, 2)
	good := x.AppendHeader(nil, 1, columnfile.Raw)
	foreign := func(p *he.Profile, n carnet.Nonce, columns, blocks int) []byte {
		f, err := columnfile.NewFile(p, n, columns, blocks)
		require.NoError(t, err)
		return f.AppendHeader(nil, 1, columnfile.Raw)
	}
	for what, header := range map[string][]byte{
		"no column file":               append([]byte("carnet/column/2\n"), good[16:]...),
		"made under another profile":   foreign(profile(t, 4, 2, 31), x.Nonce(), 3, 2),
		"belongs to another file":      foreign(p, carnet.Nonce{7}, 3, 2),
		"is another column":            x.AppendHeader(nil, 0, columnfile.Raw),
		"is in another form":           x.AppendHeader(nil, 1, columnfile.Packed),
		"has another shape":            foreign(p, x.Nonce(), 3, 3),
		"is no column file of version": nil,
	} {
		err := x.CheckHeader(header, 1, columnfile.Raw)
		require.Equal(t, carnet.Invalid, carnet.KindOf(err))
		require.ErrorContains(t, err, what)
	}
	require.NoError(t, x.CheckHeader(good, 1, columnfile.Raw))
	require.Error(t, x.CheckHeader(good[:4095], 1, columnfile.Raw))
	for i := range good {
		good[i] ^= 1
		require.Error(t, x.CheckHeader(good, 1, columnfile.Raw), "byte %d", i)
		good[i] ^= 1
	}
}

// A changed bit anywhere in a column file is found: in the header, in a piece, or in
// the hashes and the path that lead to the root.
func TestFlippedBitAnywhere(t *testing.T) {
	x := newTable(t, profile(t, 4, 2, 30), 3, 70)
	for _, form := range forms {
		b := x.bytes(1, form)
		require.NoError(t, whole(x, b, form))
		for i := range b {
			if i > 100 && i < columnfile.HeaderBytes && i%101 != 0 {
				continue // zeros, all of which TestHeaderOfSomethingElse changes
			}
			b[i] ^= 1 << (i % 8)
			require.Error(t, whole(x, b, form), "byte %d of %d", i, len(b))
			b[i] ^= 1 << (i % 8)
		}
	}
}

// whole checks everything in a column file of column 1.
func whole(x *table, b []byte, form columnfile.Form) error {
	if err := x.CheckHeader(b, 1, form); err != nil {
		return err
	}
	column, err := x.ReadTrailer(b[x.TrailerOffset(form):], 1, x.root)
	if err != nil {
		return err
	}
	for leaf := range x.Leaves() {
		at := x.At(1, leaf)
		part := b[x.Offset(at, form):][:x.PieceBytes(int(at.Chunk), form)]
		words := make([]uint64, x.PieceWords(int(at.Chunk)))
		if form == columnfile.Packed {
			if err := x.Open(at, part, column.AppendProof(nil, leaf, leaf+1), x.root, words); err != nil {
				return err
			}
			continue
		}
		columnfile.Copy(words, part)
		if err := x.Check(at, []carnet.Hash{columnfile.HashPiece(words)}, column.AppendProof(nil, leaf, leaf+1), x.root); err != nil {
			return err
		}
	}
	return nil
}
