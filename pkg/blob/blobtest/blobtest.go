// Package blobtest says what a blob backend must do, as a test.
package blobtest

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/flow"
)

// Run checks a backend. open returns a fresh, empty bucket.
func Run(t *testing.T, open func(t *testing.T) flow.Blobs) {
	ctx := context.Background()

	t.Run("an object never changes", func(t *testing.T) {
		b := open(t)
		_, err := b.Get(ctx, "files/aa/0/0")
		require.Equal(t, carnet.NotFound, carnet.KindOf(err))
		added, err := b.Put(ctx, "files/aa/0/0", []byte("one"))
		require.NoError(t, err)
		require.True(t, added)
		added, err = b.Put(ctx, "files/aa/0/0", []byte("one"))
		require.NoError(t, err)
		require.False(t, added)
		_, err = b.Put(ctx, "files/aa/0/0", []byte("two"))
		require.Equal(t, carnet.Exists, carnet.KindOf(err))
		got, err := b.Get(ctx, "files/aa/0/0")
		require.NoError(t, err)
		require.Equal(t, "one", string(got))
	})

	t.Run("empty and large objects", func(t *testing.T) {
		b := open(t)
		for i, n := range []int{0, 1, 1 << 20, 3<<20 + 17} {
			data := bytes.Repeat([]byte{byte(i), 0, 255}, n/3+1)[:n]
			key := fmt.Sprintf("files/bb/%d", i)
			_, err := b.Put(ctx, key, data)
			require.NoError(t, err)
			got, err := b.Get(ctx, key)
			require.NoError(t, err)
			require.True(t, bytes.Equal(data, got))
		}
	})

	t.Run("list, exists, delete", func(t *testing.T) {
		b := open(t)
		for _, k := range []string{"files/a/0/0", "files/a/0/1", "files/a/1/0", "files/ab/0/0", "answers/a/1"} {
			_, err := b.Put(ctx, k, []byte(k))
			require.NoError(t, err)
		}
		list := func(prefix string) (keys []string) {
			require.NoError(t, b.List(ctx, prefix, func(k string, n int64) error {
				require.EqualValues(t, len(k), n)
				keys = append(keys, k)
				return nil
			}))
			return keys
		}
		require.Equal(t, []string{"files/a/0/0", "files/a/0/1", "files/a/1/0"}, list("files/a"))
		require.Empty(t, list("files/none"))
		require.NoError(t, b.Sync(ctx, "files/a"))
		require.Equal(t, carnet.NotFound, carnet.KindOf(b.Sync(ctx, "files/none/x")))
		require.NoError(t, b.Delete(ctx, "files/a/0/1"))
		require.NoError(t, b.Delete(ctx, "files/a/0/1"))
		ok, err := b.Exists(ctx, "files/a/0/1")
		require.NoError(t, err)
		require.False(t, ok)
		require.NoError(t, b.DeletePrefix(ctx, "files/a"))
		require.NoError(t, b.DeletePrefix(ctx, "files/a"))
		require.Empty(t, list("files/a"))
		require.Equal(t, []string{"files/ab/0/0"}, list("files/ab"))
	})

	t.Run("one of many concurrent writers wins", func(t *testing.T) {
		b := open(t)
		var wg sync.WaitGroup
		var mu sync.Mutex
		added := 0
		for i := range 16 {
			wg.Go(func() {
				ok, err := b.Put(ctx, "files/c/0", bytes.Repeat([]byte{byte(i % 4)}, 4096))
				mu.Lock()
				defer mu.Unlock()
				if ok && err == nil {
					added++
				}
			})
		}
		wg.Wait()
		require.Equal(t, 1, added)
		got, err := b.Get(ctx, "files/c/0")
		require.NoError(t, err)
		require.Equal(t, bytes.Repeat(got[:1], 4096), got)
	})

	t.Run("keys that could escape are refused", func(t *testing.T) {
		b := open(t)
		for _, k := range []string{"", "/", "/a", "a/", "a//b", "../a", "a/../b", "a/./b", "A", "a b", "a\x00b", "a/.hidden", "a%2fb", "a.tmp"} {
			_, err := b.Put(ctx, k, []byte("x"))
			require.Error(t, err, "%q", k)
			_, err = b.Get(ctx, k)
			require.Error(t, err, "%q", k)
		}
	})
}
