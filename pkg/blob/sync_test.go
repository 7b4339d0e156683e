package blob

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

// Several keyholders answer one query at the same time: each writes its own object
// and forces the common prefix to disk while the others' temporary files come and go.
func TestSyncBesideWriters(t *testing.T) {
	b, err := OpenDir(t.TempDir())
	require.NoError(t, err)
	defer b.Close()
	ctx := context.Background()
	var g errgroup.Group
	for w := range 4 {
		g.Go(func() error {
			for i := range 20 {
				if _, err := b.Put(ctx, fmt.Sprintf("answers/q/%d-%d", w, i), []byte{byte(w), byte(i)}); err != nil {
					return err
				}
				if err := b.Sync(ctx, "answers/q"); err != nil {
					return err
				}
			}
			return nil
		})
	}
	require.NoError(t, g.Wait())
}
