package store_test

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/store"
	"github.com/carnet-network/carnet/pkg/store/storetest"
)

func TestSQLite(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Opener {
		file := filepath.Join(t.TempDir(), "a folder?", "carnet.db")
		require.NoError(t, os.Mkdir(filepath.Dir(file), 0o700))
		return func() storetest.Closer {
			s, err := store.Open(context.Background(), file)
			require.NoError(t, err)
			return s
		}
	})
}

func TestOpen(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	file := filepath.Join(dir, "carnet.db")
	s, err := store.Open(ctx, file)
	require.NoError(t, err)
	v, err := s.Version(ctx)
	require.NoError(t, err)
	require.Positive(t, v)
	require.NoError(t, s.Close())
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	db, err := sql.Open("sqlite", file)
	require.NoError(t, err)
	_, err = db.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)`)
	require.NoError(t, err)
	require.NoError(t, db.Close())
	_, err = store.Open(ctx, file)
	require.Equal(t, "STORE_TOO_NEW", carnet.ReasonOf(err))

	_, err = store.Open(ctx, filepath.Join(dir, "absent", "carnet.db"))
	require.Equal(t, "STORE_UNUSABLE", carnet.ReasonOf(err))
}
