package blob_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/blob"
	"github.com/carnet-network/carnet/pkg/blob/blobtest"
	"github.com/carnet-network/carnet/pkg/flow"
)

func TestDirectory(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) flow.Blobs {
		b, err := blob.OpenDir(t.TempDir())
		require.NoError(t, err)
		t.Cleanup(func() { b.Close() })
		return b
	})
}
