package columnstore

import (
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/columnfile"
)

// sums adds up the words of a column with integers of any size.
func (x *table) sums(column uint32) (out []uint64) {
	for l := range uint32(x.Profile().Limbs()) {
		sum := new(big.Int)
		for at, words := range x.pieces {
			if at.Column == column && at.Limb == l {
				for _, w := range words {
					sum.Add(sum, new(big.Int).SetUint64(w))
				}
			}
		}
		out = append(out, sum.Mod(sum, new(big.Int).SetUint64(x.Prime(l))).Uint64())
	}
	return out
}

// sealed stores a table.
func sealed(t *testing.T, x *table, o Options) (*Store, string) {
	dir := t.TempDir()
	s := open(t, dir, o)
	write(t, s, x)
	return s, dir
}

func TestConstants(t *testing.T) {
	for name, o := range ways {
		t.Run(name, func(t *testing.T) {
			x := newTable(t, 1)
			s, dir := sealed(t, x, o)
			for c := range uint32(2) {
				got, err := s.Constants(ctx, x.File, x.root, c)
				require.NoError(t, err)
				require.Equal(t, x.sums(c), got)
			}
			path := filepath.Join(dir, "constants", x.Nonce().String(), "1")
			require.NoError(t, os.Rename(filepath.Join(dir, x.Nonce().String()), filepath.Join(dir, "away")))
			s.Doubt(carnet.Nonce{9}) // of another file
			got, err := s.Constants(ctx, x.File, x.root, 1)
			require.NoError(t, err, "nothing of the column is read")
			require.Equal(t, x.sums(1), got)
			require.NoError(t, os.Rename(filepath.Join(dir, "away"), filepath.Join(dir, x.Nonce().String())))

			good, err := os.ReadFile(path)
			require.NoError(t, err)
			other, err := os.ReadFile(filepath.Join(filepath.Dir(path), "0"))
			require.NoError(t, err)
			flipped := append([]byte(nil), good...)
			flipped[len(flipped)-1] ^= 1
			for what, b := range map[string][]byte{"flipped bit": flipped, "of another column": other, "cut": good[:40], "empty": nil} {
				require.NoError(t, os.WriteFile(path, b, 0o600))
				got, err := s.Constants(ctx, x.File, x.root, 1)
				require.NoError(t, err, what)
				require.Equal(t, x.sums(1), got, what)
				again, err := os.ReadFile(path)
				require.NoError(t, err)
				require.Equal(t, good, again, what)
			}

			s.Doubt(x.Nonce())
			require.NoFileExists(t, path, "they may have been made of what is doubted")
			require.NoError(t, s.Remove(ctx, x.Nonce()))
			require.NoDirExists(t, filepath.Dir(path))
		})
	}
}

// Constants are made of words that have the signed hashes, or not at all.
func TestConstantsOfDamagedColumns(t *testing.T) {
	for name, o := range ways {
		t.Run(name, func(t *testing.T) {
			x := newTable(t, 1)
			s, dir := sealed(t, x, o)
			path := filepath.Join(dir, x.Nonce().String(), "0")
			flip(t, path, x.Offset(x.order[len(x.order)/4], formOf(o)))
			_, err := s.Constants(ctx, x.File, x.root, 0)
			require.Equal(t, "STORAGE_DAMAGED", carnet.ReasonOf(err))
			require.NoFileExists(t, filepath.Join(dir, "constants", x.Nonce().String(), "0"))
		})
	}
}

func formOf(o Options) columnfile.Form {
	if o.Form == 0 {
		return columnfile.Raw
	}
	return o.Form
}
