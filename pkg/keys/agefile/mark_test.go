package agefile

import (
	"bytes"
	"crypto/rand"
	"io"
	"os"
	"path/filepath"
	"testing"

	"filippo.io/age"
	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
)

func TestMarkFile(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "keystore.age")
	p := cheap(t, "correct horse battery")
	s, err := Create(path, p, rand.Reader)
	require.NoError(t, err)
	require.NoError(t, s.Mark(ctx, carnet.Checkpoint{Size: 3, Head: carnet.Hash{3}}))
	file := filepath.Join(filepath.Dir(path), "keystore.mark")
	i, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), i.Mode().Perm())

	// An old mark does not replace a new one; the keystore itself says so as an error.
	require.NoError(t, RaiseMark(file, carnet.Checkpoint{Size: 2, Head: carnet.Hash{2}}))
	require.Equal(t, "MARK_BEHIND", reasonOf(t, s.Mark(ctx, carnet.Checkpoint{Size: 2, Head: carnet.Hash{2}})))
	require.Equal(t, "MARK_BEHIND", reasonOf(t, RaiseMark(file, carnet.Checkpoint{Size: 3, Head: carnet.Hash{9}})))
	at, err := s.Marked(ctx)
	require.NoError(t, err)
	require.Equal(t, carnet.Checkpoint{Size: 3, Head: carnet.Hash{3}}, at)

	r, err := OpenReadOnly(path, p)
	require.NoError(t, err)
	require.Equal(t, "KEYSTORE_READ_ONLY", reasonOf(t, r.Mark(ctx, carnet.Checkpoint{Size: 4})))
	require.NoError(t, s.Close())
	require.Equal(t, "KEYSTORE_CLOSED", reasonOf(t, s.Mark(ctx, carnet.Checkpoint{Size: 4})))
	_, err = s.Marked(ctx)
	require.Equal(t, "KEYSTORE_CLOSED", reasonOf(t, err))

	// A damaged mark is no mark of nothing: it would let an old ledger pass.
	for _, bad := range []string{"", "{}", `{"format":"carnet-mark/1","size":0,"head":"` + carnet.Hash{}.String() + `"}`, `{"format":"carnet-mark/2","size":5,"head":"` + carnet.Hash{}.String() + `"}`, "nonsense"} {
		require.NoError(t, os.WriteFile(file, []byte(bad), 0o600))
		_, err := ReadMark(file)
		require.Equal(t, "MARK_DAMAGED", reasonOf(t, err), bad)
		require.Equal(t, "MARK_DAMAGED", reasonOf(t, RaiseMark(file, carnet.Checkpoint{Size: 9})))
	}
}

func TestEncryptTo(t *testing.T) {
	pq, err := age.GenerateHybridIdentity()
	require.NoError(t, err)
	classic, err := age.GenerateX25519Identity()
	require.NoError(t, err)
	var b bytes.Buffer
	w, err := EncryptTo(&b, []string{pq.Recipient().String()})
	require.NoError(t, err)
	_, err = w.Write([]byte("files"))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	file := filepath.Join(t.TempDir(), "id")
	require.NoError(t, os.WriteFile(file, []byte(pq.String()), 0o600))
	p, err := IdentityFile(file)
	require.NoError(t, err)
	r, err := p.Decrypt(bytes.NewReader(b.Bytes()))
	require.NoError(t, err)
	plain, err := io.ReadAll(r)
	require.NoError(t, err)
	require.Equal(t, "files", string(plain))
	_, err = cheap(t, "correct horse battery").Decrypt(bytes.NewReader(b.Bytes()))
	require.Error(t, err)
	r, err = p.Decrypt(bytes.NewReader(b.Bytes()[:b.Len()-1]))
	if err == nil {
		_, err = io.ReadAll(r)
	}
	require.Error(t, err, "a cut file is noticed")
	_, err = EncryptTo(&b, []string{classic.Recipient().String()})
	require.NoError(t, err)
	_, err = EncryptTo(&b, []string{"age1nonsense"})
	require.Equal(t, "BAD_AGE_RECIPIENT", reasonOf(t, err))
}
