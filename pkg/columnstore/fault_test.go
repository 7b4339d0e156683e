//go:build unix

package columnstore

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// A file that is cut while it is mapped, or a disk that does not give a page, ends the
// read and not the process.
func TestFaultUnderAMapping(t *testing.T) {
	dir := t.TempDir()
	x := newTable(t, 20)
	s := open(t, dir, Options{})
	write(t, s, x)
	_, release, err := s.Chunk(ctx, x.File, x.root, 0, 0, 0)
	require.NoError(t, err)
	defer release()
	path := filepath.Join(dir, x.Nonce().String(), "0")
	require.NoError(t, os.Truncate(path, 4096))
	_, _, err = s.Chunk(ctx, x.File, x.root, 0, 0, 1)
	require.Equal(t, "STORAGE_DAMAGED", carnet.ReasonOf(err), "%v", err)
	require.ErrorContains(t, err, "chunk 0, limb 1")
	_, _, err = s.Piece(ctx, x.File, x.root, x.order[0])
	require.Equal(t, "STORAGE_DAMAGED", carnet.ReasonOf(err), "%v", err)
	require.NoError(t, os.Truncate(path, x.Size(0, s.form)))

	// Of words that were verified before, whoever asks again is told, and the file is opened
	// anew: one put back in its place serves without a restart.
	words, done, err := s.Chunk(ctx, x.File, x.root, 1, 0, 1)
	require.NoError(t, err)
	kept := append([]uint64(nil), words...)
	done()
	other := filepath.Join(dir, x.Nonce().String(), "1")
	backup, err := os.ReadFile(other)
	require.NoError(t, err)
	require.NoError(t, os.Truncate(other, 4096))
	_, _, err = s.Chunk(ctx, x.File, x.root, 1, 0, 1)
	require.Equal(t, "STORAGE_DAMAGED", carnet.ReasonOf(err), "%v", err)
	require.NoError(t, os.WriteFile(other+".backup", backup, 0o600))
	require.NoError(t, os.Rename(other+".backup", other))
	words, done, err = s.Chunk(ctx, x.File, x.root, 1, 0, 1)
	require.NoError(t, err)
	require.Equal(t, kept, words)
	done()

	// After a piece was verified as well.
	path = filepath.Join(dir, x.Nonce().String(), "1")
	last := x.order[len(x.order)-1]
	_, _, err = s.Piece(ctx, x.File, x.root, last)
	require.NoError(t, err)
	require.NoError(t, os.Truncate(path, 4096))
	_, _, err = s.Piece(ctx, x.File, x.root, last)
	require.Equal(t, "STORAGE_DAMAGED", carnet.ReasonOf(err), "%v", err)
}
