package blob_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/blob"
	"github.com/carnet-network/carnet/pkg/blob/blobtest"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/flow"
)

func TestS3(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) flow.Blobs {
		b, err := blob.Open(t.Context(), blobtest.S3(t))
		require.NoError(t, err)
		t.Cleanup(func() { b.Close() })
		return b
	})
}

// A part of a bucket is a bucket; a place that can't be used is refused when it is opened.
func TestOpen(t *testing.T) {
	place := blobtest.S3(t)
	whole, err := blob.Open(t.Context(), place)
	require.NoError(t, err)
	defer whole.Close()
	part, err := blob.Open(t.Context(), place+"&prefix=a/")
	require.NoError(t, err)
	defer part.Close()
	require.NoError(t, part.Upload(t.Context(), "b/c", strings.NewReader("hello, bucket")))
	size, err := whole.Size(t.Context(), "a/b/c")
	require.NoError(t, err)
	require.EqualValues(t, 13, size)
	middle := make([]byte, 5)
	require.NoError(t, whole.ReadRange(t.Context(), "a/b/c", 7, middle))
	require.Equal(t, "bucke", string(middle))
	require.Error(t, whole.ReadRange(t.Context(), "a/b/c", 10, middle))
	require.Equal(t, carnet.NotFound, carnet.KindOf(whole.ReadRange(t.Context(), "a/b/d", 0, middle)))
	require.NoError(t, whole.DeletePrefix(t.Context(), "a/b"))
	_, err = part.Size(t.Context(), "b/c")
	require.Equal(t, carnet.NotFound, carnet.KindOf(err))

	for place, reason := range map[string]string{
		strings.Replace(place, "s3://carnet", "s3://another", 1): "BUCKET_UNUSABLE",
		"gs://carnet": "BUCKET_UNUSABLE",
		"/dev/null/x": "BAD_DATA_DIR",
	} {
		_, err := blob.Open(t.Context(), place)
		require.Equal(t, reason, carnet.ReasonOf(err), "%s: %v", place, err)
		require.NotContains(t, err.Error(), "endpoint=http", "an address may hold secrets")
	}
}

func TestDirectory(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) flow.Blobs {
		b, err := blob.OpenDir(t.TempDir())
		require.NoError(t, err)
		t.Cleanup(func() { b.Close() })
		return b
	})
}
