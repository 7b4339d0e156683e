package filelock

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOneAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	release, err := Take(path)
	require.NoError(t, err)
	_, err = Take(path)
	require.ErrorIs(t, err, ErrLocked)
	release()
	release, err = Take(path)
	require.NoError(t, err, "it can be taken again")
	release()
	_, err = Take(filepath.Join(path, "below-a-file"))
	require.Error(t, err)
	require.NotErrorIs(t, err, ErrLocked)
}
