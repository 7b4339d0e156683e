package local_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"os"
	"path/filepath"
	"testing"

	"filippo.io/age"
	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/keys/agefile"
	"github.com/carnet-network/carnet/pkg/keys/keystest"
	"github.com/carnet-network/carnet/pkg/keys/local"
	"github.com/carnet-network/carnet/pkg/scan"
)

func options() local.Options {
	return local.Options{Scan: scan.Options{Workers: 2}, Cubes: scan.NewCubes(16 << 20)}
}

func TestMemory(t *testing.T) {
	keystest.RunSharer(t, func(t *testing.T, _ ed25519.PublicKey) keystest.SharerFixture {
		m, err := keystest.NewMemory(rand.Reader)
		require.NoError(t, err)
		return keystest.SharerFixture{Sharer: local.New(m, options()), Reopen: func(*testing.T) keys.Sharer { return local.New(m, options()) }}
	})
}

func TestAgeFile(t *testing.T) {
	identity := filepath.Join(t.TempDir(), "id.txt")
	id, err := age.GenerateHybridIdentity()
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(identity, []byte(id.String()+"\n"), 0o600))
	p, err := agefile.IdentityFile(identity)
	require.NoError(t, err)
	keystest.RunSharer(t, func(t *testing.T, _ ed25519.PublicKey) keystest.SharerFixture {
		path := filepath.Join(t.TempDir(), "keystore.age")
		s, err := agefile.Create(path, p, rand.Reader)
		require.NoError(t, err)
		t.Cleanup(func() { s.Close() })
		return keystest.SharerFixture{Sharer: local.New(s, options()), Reopen: func(t *testing.T) keys.Sharer {
			require.NoError(t, s.Close())
			s, err = agefile.Open(path, p)
			require.NoError(t, err)
			return local.New(s, options())
		}}
	})
}
