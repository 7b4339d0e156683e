//go:build unix

package columnstore

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

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

// A page in the middle of words that were verified is lost: whoever computes with them
// says so, and the file is opened and verified anew.
func TestDoubtOpensAnew(t *testing.T) {
	x := newTable(t, 21)
	s := open(t, t.TempDir(), Options{})
	write(t, s, x)
	words, release, err := s.Chunk(ctx, x.File, x.root, 0, 0, 0)
	require.NoError(t, err)
	want := append([]uint64(nil), words...)
	c, done, err := s.column(ctx, x.File, x.root, 0)
	require.NoError(t, err)
	page := os.Getpagesize()
	at := int(x.Offset(x.order[0], s.form))/page*page + 3*page
	require.NoError(t, unix.Mprotect(c.mem[at:at+page], unix.PROT_NONE))
	fault := c.guard(x.order[0], func() error {
		sum := uint64(0)
		for _, w := range words {
			sum += w
		}
		return errors.New(strconv.FormatUint(sum, 10))
	})
	require.Equal(t, "STORAGE_DAMAGED", carnet.ReasonOf(fault))
	done()
	release()
	_, release, err = s.Chunk(ctx, x.File, x.root, 0, 0, 0)
	require.NoError(t, err, "the last word of the chunk is there, so nobody noticed")
	release()

	s.Doubt(x.Nonce())
	words, release, err = s.Chunk(ctx, x.File, x.root, 0, 0, 0)
	require.NoError(t, err)
	require.Equal(t, want, words)
	release()
	// Nor are words believed that changed since they were verified.
	path := filepath.Join(s.dir, x.Nonce().String(), "0")
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	defer f.Close()
	_, err = f.WriteAt([]byte{^byte(want[100])}, x.Offset(x.order[0], s.form)+800)
	require.NoError(t, err)
	s.Doubt(x.Nonce())
	_, _, err = s.Chunk(ctx, x.File, x.root, 0, 0, 0)
	require.Equal(t, "STORAGE_DAMAGED", carnet.ReasonOf(err))
	require.ErrorContains(t, err, "chunk 0, limb 0, piece 0 does not have its hash")
}
