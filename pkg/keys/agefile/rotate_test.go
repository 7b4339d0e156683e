package agefile

import (
	"crypto/rand"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Rule (rotation): a signing key that was replaced, and what was drawn and given up, is not
// in memory either.
func TestReplacedKeysLeaveMemory(t *testing.T) {
	s, err := Create(filepath.Join(t.TempDir(), "keystore.age"), cheap(t, "correct horse battery"), rand.Reader)
	require.NoError(t, err)
	defer s.Close()
	blank := func(secrets ...[]byte) {
		t.Helper()
		for _, b := range secrets {
			require.NotEmpty(t, b)
			require.Equal(t, make([]byte, len(b)), b)
		}
	}
	next, err := s.Draw(t.Context(), true, true)
	require.NoError(t, err)
	secrets := [][]byte{s.signing, s.next, s.c.Signing}
	require.NoError(t, s.Adopt(t.Context(), next.Signer.Public(), next.SealingKey))
	blank(secrets...)
	_, err = s.Signer().Sign([]byte("m"))
	require.NoError(t, err)

	_, err = s.Draw(t.Context(), true, true)
	require.NoError(t, err)
	secrets = [][]byte{s.next, s.c.NextSigning, s.c.NextSealing}
	require.NoError(t, s.Discard(t.Context()))
	blank(secrets...)
	require.Equal(t, next.Signer.Public(), s.Signer().Public())
}
