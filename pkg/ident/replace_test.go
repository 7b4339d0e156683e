package ident

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// An identity is replaced whatever the step before it was interrupted by, and a key that is to
// be kept is never without a name.
func TestReplace(t *testing.T) {
	old, err := New("kz", rand.Reader)
	require.NoError(t, err)
	next, err := New("kz", rand.Reader)
	require.NoError(t, err)
	key := func(file string) string {
		id, err := Load(file, ask("secret"))
		if carnet.ReasonOf(err) == "NO_KEY_FILE" {
			return ""
		}
		require.NoError(t, err)
		return string(id.Public())
	}
	for name, done := range map[string]func(t *testing.T, file string){
		"nothing": func(*testing.T, string) {},
		"it was kept": func(t *testing.T, file string) {
			require.NoError(t, os.Link(file, KeptFile(file, evidence.KeyHint(old.Public()))))
		},
		"it was done": func(t *testing.T, file string) { require.NoError(t, Replace(file, old.Public(), true)) },
		"it was renamed": func(t *testing.T, file string) {
			require.NoError(t, os.Link(file, KeptFile(file, evidence.KeyHint(old.Public()))))
			require.NoError(t, os.Rename(NextFile(file), file))
		},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "identity.key")
			require.NoError(t, old.Save(file, "secret"))
			require.NoError(t, next.Save(NextFile(file), "secret"))
			done(t, file)
			require.NoError(t, Replace(file, old.Public(), true))
			require.Equal(t, string(next.Public()), key(file))
			require.Equal(t, string(old.Public()), key(KeptFile(file, evidence.KeyHint(old.Public()))))
			require.Empty(t, key(NextFile(file)))
		})
	}

	file := filepath.Join(t.TempDir(), "identity.key")
	require.NoError(t, old.Save(file, ""))
	require.NoError(t, Replace(file, old.Public(), true), "there is no next one")
	require.Equal(t, string(old.Public()), key(file))
	require.NoError(t, next.Save(NextFile(file), ""))
	require.NoError(t, os.WriteFile(KeptFile(file, evidence.KeyHint(old.Public())), []byte("something else"), 0o600))
	require.Equal(t, "FILE_EXISTS", carnet.ReasonOf(Replace(file, old.Public(), true)))
	require.Equal(t, string(old.Public()), key(file), "a key is not lost")
	require.NoError(t, os.Remove(KeptFile(file, evidence.KeyHint(old.Public()))))
	require.NoError(t, Replace(file, old.Public(), false))
	require.Equal(t, string(next.Public()), key(file))
	require.Empty(t, key(KeptFile(file, evidence.KeyHint(old.Public()))), "destroyed")
}
