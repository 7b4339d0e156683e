package columnstore

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/blob"
	"github.com/carnet-network/carnet/pkg/blob/blobtest"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/columnfile"
)

// breaking is a bucket that takes only so many objects.
type breaking struct {
	Objects
	left int
}

func (b *breaking) Upload(ctx context.Context, key string, r io.Reader) error {
	if b.left--; b.left < 0 {
		return errors.New("the network broke")
	}
	return b.Objects.Upload(ctx, key, r)
}

// Packed files are moved to a bucket of S3, read and removed there.
func TestColdStorageInS3(t *testing.T) {
	bucket, err := blob.Open(ctx, blobtest.S3(t)+"&prefix=tables/")
	require.NoError(t, err)
	defer bucket.Close()
	dir, x := t.TempDir(), newTable(t, 32)
	s := open(t, dir, Options{Form: columnfile.Packed, Cold: bucket, Memory: 1})
	write(t, s, x)
	require.NoError(t, s.Settle(ctx, x.Nonce()))
	_, err = os.Stat(filepath.Join(dir, x.Nonce().String()))
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, readAll(s, x))
	require.NoError(t, readAll(open(t, dir, Options{Cold: bucket}), x), "the next process")
	for _, p := range x.order[:3] {
		packed, proof, err := s.Piece(ctx, x.File, x.root, p)
		require.NoError(t, err)
		require.NoError(t, x.Open(p, packed, proof, x.root, make([]uint64, len(x.pieces[p]))))
	}
	// Other bytes of the right length are noticed, and read anew once they are right again.
	key := objectKey(columnKey{x.Nonce(), 1})
	size, err := bucket.Size(ctx, key)
	require.NoError(t, err)
	data := make([]byte, size)
	require.NoError(t, bucket.ReadRange(ctx, key, 0, data))
	data[columnfile.HeaderBytes+77] ^= 1
	require.NoError(t, bucket.Upload(ctx, key, bytes.NewReader(data)))
	require.Equal(t, "STORAGE_DAMAGED", carnet.ReasonOf(readAll(s, x)))
	data[columnfile.HeaderBytes+77] ^= 1
	require.NoError(t, bucket.Upload(ctx, key, bytes.NewReader(data)))
	require.NoError(t, readAll(s, x))
	require.NoError(t, s.Remove(ctx, x.Nonce()))
	require.ErrorContains(t, readAll(s, x), "missing")
}

func TestColdStorage(t *testing.T) {
	dir, cold := t.TempDir(), t.TempDir()
	bucket, err := blob.OpenDir(cold)
	require.NoError(t, err)
	defer bucket.Close()
	x, raw := newTable(t, 30), newTable(t, 31)
	folder := filepath.Join(dir, x.Nonce().String())

	// Moving breaks in the middle: the file is read from where it is.
	broken := open(t, dir, Options{Form: columnfile.Packed, Cold: &breaking{bucket, 1}})
	write(t, broken, x)
	require.NoError(t, readAll(broken, x))
	require.ErrorContains(t, broken.Settle(ctx, x.Nonce()), "broke")
	require.NoError(t, readAll(broken, x))

	// The next process moves it, while the first still reads.
	limb := int64(8 * x.ChunkWords(0))
	s := open(t, dir, Options{Form: columnfile.Packed, Cold: bucket, Memory: limb})
	require.NoError(t, s.Settle(ctx, x.Nonce()))
	_, err = os.Stat(folder)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, s.Settle(ctx, x.Nonce()), "there is nothing left to do")
	require.NoError(t, readAll(broken, x))
	for range 2 {
		require.NoError(t, readAll(s, x))
		require.LessOrEqual(t, s.words.Used(), limb)
	}
	for _, p := range x.order {
		packed, proof, err := s.Piece(ctx, x.File, x.root, p)
		require.NoError(t, err)
		require.NoError(t, x.Open(p, packed, proof, x.root, make([]uint64, len(x.pieces[p]))))
	}
	require.ErrorContains(t, readAll(open(t, dir, Options{}), x), "missing", "a gateway without the setting")

	// What is damaged there is found and named, and read anew once it is repaired.
	path := filepath.Join(cold, filepath.FromSlash(objectKey(columnKey{x.Nonce(), 1})))
	for _, at := range []int64{5, columnfile.HeaderBytes + 77, x.Size(1, columnfile.Packed) - 1} {
		flip(t, path, at)
		fresh := open(t, dir, Options{Cold: bucket})
		err := readAll(fresh, x)
		require.Equal(t, "STORAGE_DAMAGED", carnet.ReasonOf(err), "%v", err)
		require.ErrorContains(t, err, "column 1 of file "+x.Nonce().String())
		flip(t, path, at)
		require.NoError(t, readAll(fresh, x))
	}
	// Also by whoever has read it before, as often as it comes from the bucket.
	again := open(t, dir, Options{Cold: bucket, Memory: 1})
	require.NoError(t, readAll(again, x))
	first := columnfile.Piece{Column: 1}
	flip(t, path, x.Offset(first, columnfile.Packed)+77)
	for _, read := range []func() error{
		func() error { _, _, err := again.Chunk(ctx, x.File, x.root, 1, 0, 0); return err },
		func() error { _, _, err := again.Piece(ctx, x.File, x.root, first); return err },
	} {
		require.Equal(t, "STORAGE_DAMAGED", carnet.ReasonOf(read()))
		flip(t, path, x.Offset(first, columnfile.Packed)+77)
		require.NoError(t, read())
		flip(t, path, x.Offset(first, columnfile.Packed)+77)
	}
	require.NoError(t, os.Truncate(path, 10_000))
	require.ErrorContains(t, readAll(open(t, dir, Options{Cold: bucket}), x), "bytes, not")

	// Raw files stay where they can be mapped.
	hot := open(t, dir, Options{Cold: bucket})
	write(t, hot, raw)
	require.NoError(t, hot.Settle(ctx, raw.Nonce()))
	require.NoError(t, readAll(open(t, dir, Options{}), raw))
	require.NoError(t, hot.Settle(ctx, carnet.Nonce{99}), "an unknown file")

	require.NoError(t, s.Remove(ctx, x.Nonce()))
	require.ErrorContains(t, readAll(s, x), "missing")
	_, err = os.Stat(path)
	require.ErrorIs(t, err, os.ErrNotExist)
	over, cancel := context.WithCancel(ctx)
	cancel()
	_, _, err = hot.Chunk(over, raw.File, raw.root, 0, 0, 0)
	require.ErrorIs(t, err, context.Canceled)
}
