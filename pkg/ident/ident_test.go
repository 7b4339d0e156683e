package ident

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

func TestMain(m *testing.M) {
	scryptWork = 10
	os.Exit(m.Run())
}

func ask(pass string) Passphrase { return func(string) (string, error) { return pass, nil } }

func TestIdentityFile(t *testing.T) {
	id, err := New("kz-customs", rand.Reader)
	require.NoError(t, err)
	for name, pass := range map[string]string{"plain": "", "encrypted": "correct horse"} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "deep", "identity.key")
			require.NoError(t, id.Save(path, pass))
			require.Equal(t, "FILE_EXISTS", carnet.ReasonOf(id.Save(path, pass)))

			got, err := Load(path, ask(pass))
			require.NoError(t, err)
			require.Equal(t, id.Party(), got.Party())
			require.Equal(t, id.Public(), got.Public())

			raw, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, pass != "", !bytes.Contains(raw, []byte("kz-customs")))
			if pass != "" {
				_, err = Load(path, ask("wrong"))
				require.Equal(t, "WRONG_PASSPHRASE", carnet.ReasonOf(err))
				_, err = Load(path, nil)
				require.Equal(t, "PASSPHRASE_NEEDED", carnet.ReasonOf(err))
				return
			}
			require.NoError(t, os.Chmod(path, 0o644))
			_, err = Load(path, nil)
			require.Equal(t, "KEY_FILE_READABLE", carnet.ReasonOf(err))
		})
	}
	_, err = Load(filepath.Join(t.TempDir(), "absent"), nil)
	require.Equal(t, "NO_KEY_FILE", carnet.ReasonOf(err))
	_, err = New("Upper", rand.Reader)
	require.Equal(t, "BAD_NAME", carnet.ReasonOf(err))
}

func TestDatasetKeyFile(t *testing.T) {
	k, err := NewDatasetKey("kz-customs", "cube", "central-asia", rand.Reader)
	require.NoError(t, err)
	k.Key = carnet.KeyID{1, 2, 3}
	path := filepath.Join(t.TempDir(), "trade.key")
	require.NoError(t, k.Save(path, ""))
	got, err := LoadDatasetKey(path, nil)
	require.NoError(t, err)
	require.Equal(t, k, got)
	_, err = Load(path, nil)
	require.Error(t, err, "a dataset key is not an identity")
	got.Zero()
	require.Zero(t, got.Seed)
}

func TestSignerAndDerivedSeeds(t *testing.T) {
	id, err := FromSeed("buyer", [32]byte{7})
	require.NoError(t, err)
	env, err := evidence.Seal(carnet.TypeParty, carnet.Party{ID: "buyer"}, id)
	require.NoError(t, err)
	require.True(t, env.SignedBy(id.Public()))

	other, err := FromSeed("buyer", [32]byte{8})
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, i := range []*Identity{id, other} {
		for _, q := range []carnet.Hash{{}, {1}} {
			a, err := i.RecipientSeed(q)
			require.NoError(t, err)
			b, err := i.RecipientSeed(q)
			require.NoError(t, err)
			require.Equal(t, a, b)
			seen[string(a)] = true
		}
		s, err := i.SealingSeed()
		require.NoError(t, err)
		seen[string(s)] = true
	}
	require.Len(t, seen, 6)
}

func TestAnchor(t *testing.T) {
	id, err := FromSeed("registrar", [32]byte{9})
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "registrar.pub")
	_, err = ReadAnchor(path)
	require.Equal(t, "NO_REGISTRAR_KEY", carnet.ReasonOf(err))
	require.NoError(t, WriteAnchor(path, id.Public()))
	got, err := ReadAnchor(path)
	require.NoError(t, err)
	require.Equal(t, id.Public(), got)
	_, err = ParseAnchor([]byte("AAAA"))
	require.Equal(t, "BAD_REGISTRAR_KEY", carnet.ReasonOf(err))
}

func TestPartyFromCert(t *testing.T) {
	parse := func(ss ...string) []*url.URL {
		var us []*url.URL
		for _, s := range ss {
			u, err := url.Parse(s)
			require.NoError(t, err)
			us = append(us, u)
		}
		return us
	}
	for _, c := range []struct {
		uris   []string
		want   carnet.PartyID
		reason string
	}{
		{[]string{"carnet:party/kz-customs"}, "kz-customs", ""},
		{[]string{"https://example.org", "carnet:party/a"}, "a", ""},
		{nil, "", "NO_PARTY_IN_CERTIFICATE"},
		{[]string{"carnet:party/a", "carnet:party/b"}, "", "BAD_CERTIFICATE_NAME"},
		{[]string{"carnet:party/A"}, "", "BAD_CERTIFICATE_NAME"},
		{[]string{"carnet:party/a?x=1"}, "", "BAD_CERTIFICATE_NAME"},
		{[]string{"carnet:other/a"}, "", "BAD_CERTIFICATE_NAME"},
		{[]string{"carnet://party/a"}, "", "BAD_CERTIFICATE_NAME"},
	} {
		got, err := PartyFromCert(&x509.Certificate{URIs: parse(c.uris...)})
		require.Equal(t, c.want, got, "%v", c.uris)
		require.Equal(t, c.reason, carnet.ReasonOf(err), "%v", c.uris)
	}
}

func decodeCert(t *testing.T, b []byte) *x509.Certificate {
	t.Helper()
	blk, _ := pem.Decode(b)
	require.NotNil(t, blk)
	c, err := x509.ParseCertificate(blk.Bytes)
	require.NoError(t, err)
	return c
}
