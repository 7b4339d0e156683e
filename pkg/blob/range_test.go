package blob

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
)

func TestUploadAndRanges(t *testing.T) {
	b, err := OpenDir(t.TempDir())
	require.NoError(t, err)
	defer b.Close()
	ctx := context.Background()
	broken := errors.New("broken")
	require.ErrorIs(t, b.Upload(ctx, "files/a", io.MultiReader(strings.NewReader("half"), iotest.ErrReader(broken))), broken)
	_, err = b.Size(ctx, "files/a")
	require.Equal(t, carnet.NotFound, carnet.KindOf(err), "an upload that breaks leaves nothing")
	require.Equal(t, carnet.NotFound, carnet.KindOf(b.ReadRange(ctx, "files/a", 0, make([]byte, 1))))

	for range 2 {
		require.NoError(t, b.Upload(ctx, "files/a", strings.NewReader("0123456789")))
	}
	n, err := b.Size(ctx, "files/a")
	require.NoError(t, err)
	require.EqualValues(t, 10, n)
	p := make([]byte, 4)
	require.NoError(t, b.ReadRange(ctx, "files/a", 3, p))
	require.Equal(t, "3456", string(p))
	require.NoError(t, b.ReadRange(ctx, "files/a", 6, p))
	require.Error(t, b.ReadRange(ctx, "files/a", 8, p), "too short")
	require.Error(t, b.ReadRange(ctx, "files/../a", 0, p))
	require.Error(t, b.Upload(ctx, "A", strings.NewReader("")))
	_, err = b.Size(ctx, "/")
	require.Error(t, err)
}
