package agefile

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"filippo.io/age"
	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// FuzzLoad: whatever is inside the encryption, loading gives contents or an error
// that quotes none of it.
func FuzzLoad(f *testing.F) {
	p, err := passphrase("correct horse battery", 1)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(`{"format":"carnet-keystore/1","signing":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","sealing":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","bundles":{},"destroyed":{}}`))
	f.Add([]byte(`{"format":"carnet-keystore/2"}`))
	f.Add([]byte(`{"bundles":{"zz":"AA=="}}`))
	f.Add([]byte{})
	path := filepath.Join(f.TempDir(), "keystore.age")
	f.Fuzz(func(t *testing.T, plain []byte) {
		var sealed bytes.Buffer
		w, err := age.Encrypt(&sealed, p.recipient)
		require.NoError(t, err)
		_, err = w.Write(plain)
		require.NoError(t, err)
		require.NoError(t, w.Close())
		require.NoError(t, os.WriteFile(path, sealed.Bytes(), 0o600))
		c, err := load(path, p)
		if err != nil {
			require.Equal(t, "KEYSTORE_UNKNOWN_FORMAT", carnet.ReasonOf(err))
			return
		}
		require.Len(t, c.Signing, 32)
		require.Len(t, c.Sealing, 32)
	})
}
