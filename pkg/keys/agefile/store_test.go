package agefile

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"filippo.io/age"
	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/keys"
	"github.com/carnet-network/carnet/pkg/keys/keystest"
)

func cheap(t *testing.T, p string) Protection {
	t.Helper()
	pr, err := passphrase(p, 4)
	require.NoError(t, err)
	return pr
}

func TestConformance(t *testing.T) {
	identity := filepath.Join(t.TempDir(), "id.txt")
	id, err := age.GenerateHybridIdentity()
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(identity, []byte("# created: today\n"+id.String()+"\n"), 0o600))
	byFile, err := IdentityFile(identity)
	require.NoError(t, err)

	for name, p := range map[string]Protection{"passphrase": cheap(t, "correct horse battery"), "identity": byFile} {
		t.Run(name, func(t *testing.T) {
			keystest.Run(t, func(t *testing.T) keystest.Fixture {
				path := filepath.Join(t.TempDir(), "keystore.age")
				s, err := Create(path, p, rand.Reader)
				require.NoError(t, err)
				t.Cleanup(func() { s.Close() })
				return keystest.Fixture{Store: s, Reopen: func(t *testing.T) keys.Store {
					require.NoError(t, s.Close())
					s, err = Open(path, p)
					require.NoError(t, err)
					t.Cleanup(func() { s.Close() })
					return s
				}}
			})
		})
	}
}

func reasonOf(t *testing.T, err error) string {
	t.Helper()
	require.Error(t, err)
	return carnet.ReasonOf(err)
}

func TestWrongPassphraseAndDamageLoseNothing(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "keystore.age")
	right := cheap(t, "correct horse battery")
	s, err := Create(path, right, rand.Reader)
	require.NoError(t, err)
	require.NoError(t, s.Put(ctx, carnet.KeyID{1}, []byte("seeds-of-key-one")))
	require.NoError(t, s.Close())
	good, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NotContains(t, string(good), "seeds-of-key-one")

	_, err = Open(path, cheap(t, "incorrect horse battery"))
	require.Equal(t, "WRONG_PASSPHRASE", reasonOf(t, err))
	now, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, good, now)

	for name, bad := range map[string][]byte{
		"empty":      {},
		"cut header": good[:40],
		"cut body":   good[:len(good)-7],
		"flipped":    append(bytes.Clone(good[:len(good)-20]), bytes.Repeat([]byte{0}, 20)...),
		"foreign":    []byte("not an age file at all"),
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, os.WriteFile(path, bad, 0o600))
			_, err := Open(path, right)
			require.Equal(t, "KEYSTORE_DAMAGED", reasonOf(t, err))
			now, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, bad, now, "a failed open changes nothing")
		})
	}

	// The backup, put back, has everything.
	require.NoError(t, os.WriteFile(path, good, 0o600))
	s, err = Open(path, right)
	require.NoError(t, err)
	defer s.Close()
	b, err := s.Get(ctx, carnet.KeyID{1})
	require.NoError(t, err)
	require.Equal(t, "seeds-of-key-one", string(b))
}

func TestNothingIsOverwritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keystore.age")
	p := cheap(t, "correct horse battery")
	_, err := Open(path, p)
	require.Equal(t, "NO_KEYSTORE", reasonOf(t, err))
	s, err := Create(path, p, rand.Reader)
	require.NoError(t, err)
	_, err = Open(path, p)
	require.Equal(t, "KEYSTORE_LOCKED", reasonOf(t, err))
	_, err = Create(path, p, rand.Reader)
	require.Equal(t, "KEYSTORE_LOCKED", reasonOf(t, err))
	require.NoError(t, s.Close())
	_, err = Create(path, p, rand.Reader)
	require.Equal(t, "KEYSTORE_EXISTS", reasonOf(t, err))
}

func TestReadOnlyNeedsNoLock(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "keystore.age")
	p := cheap(t, "correct horse battery")
	s, err := Create(path, p, rand.Reader)
	require.NoError(t, err)
	defer s.Close()
	r, err := OpenReadOnly(path, p)
	require.NoError(t, err)
	defer r.Close()
	require.Equal(t, s.SealingKey(), r.SealingKey())
	require.Equal(t, "KEYSTORE_READ_ONLY", reasonOf(t, r.Put(ctx, carnet.KeyID{1}, []byte("x"))))
}

func TestFilesAreClosedToOthersAndLeaveNoTemporary(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "keystore.age")
	s, err := Create(path, cheap(t, "correct horse battery"), rand.Reader)
	require.NoError(t, err)
	require.NoError(t, s.Put(context.Background(), carnet.KeyID{1}, []byte("x")))
	defer s.Close()
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, files, 2, "keystore and lock")
	for _, f := range files {
		i, err := f.Info()
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), i.Mode().Perm(), f.Name())
	}
}

func TestFailedWriteKeepsOldContents(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Log("running as root: permissions don't stop writes, using a missing directory instead")
	}
	ctx := context.Background()
	dir := filepath.Join(t.TempDir(), "d")
	require.NoError(t, os.Mkdir(dir, 0o700))
	path := filepath.Join(dir, "keystore.age")
	s, err := Create(path, cheap(t, "correct horse battery"), rand.Reader)
	require.NoError(t, err)
	defer s.Close()
	require.NoError(t, os.Rename(dir, dir+".gone"))
	require.Equal(t, "KEYSTORE_NOT_WRITTEN", reasonOf(t, s.Put(ctx, carnet.KeyID{1}, []byte("x"))))
	require.NoError(t, os.Rename(dir+".gone", dir))
	_, err = s.Get(ctx, carnet.KeyID{1})
	require.Equal(t, "KEY_NOT_HELD", reasonOf(t, err), "memory did not run ahead of the file")
	require.NoError(t, s.Put(ctx, carnet.KeyID{1}, []byte("x")))
}

func TestProtectionErrorsAreQuiet(t *testing.T) {
	_, err := Passphrase("short")
	require.Equal(t, "PASSPHRASE_TOO_SHORT", reasonOf(t, err))
	require.NotContains(t, err.Error(), "short\"")

	_, err = IdentityFile(filepath.Join(t.TempDir(), "none"))
	require.Equal(t, "NO_IDENTITY_FILE", reasonOf(t, err))

	path := filepath.Join(t.TempDir(), "id")
	require.NoError(t, os.WriteFile(path, []byte("AGE-SECRET-KEY-1BROKEN"), 0o600))
	_, err = IdentityFile(path)
	require.Equal(t, "BAD_IDENTITY_FILE", reasonOf(t, err))
	require.NotContains(t, fmt.Sprint(err), "BROKEN")
}
