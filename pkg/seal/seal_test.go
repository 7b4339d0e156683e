package seal

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
)

func TestSealOpen(t *testing.T) {
	k, err := GenerateKey()
	require.NoError(t, err)
	require.Len(t, k.Public(), PublicKeySize)
	require.NoError(t, CheckPublic(k.Public()))
	for _, n := range []int{0, 1, 1000} {
		msg := bytes.Repeat([]byte{7}, n)
		ct, err := Seal(k.Public(), []byte("info"), msg)
		require.NoError(t, err)
		require.Len(t, ct, n+Overhead)
		got, err := k.Open([]byte("info"), ct)
		require.NoError(t, err)
		require.True(t, bytes.Equal(msg, got))
	}
}

func TestOpenRefuses(t *testing.T) {
	k, _ := GenerateKey()
	other, _ := GenerateKey()
	ct, err := Seal(k.Public(), []byte("info"), []byte("message"))
	require.NoError(t, err)
	refused := func(name string, k *PrivateKey, info, ct []byte) {
		t.Helper()
		_, err := k.Open(info, ct)
		require.Equal(t, "NOT_SEALED_TO_ME", carnet.ReasonOf(err), name)
	}
	refused("another key", other, []byte("info"), ct)
	refused("another context", k, []byte("inf0"), ct)
	for _, i := range []int{0, 600, 1119, 1120, len(ct) - 1} {
		c := bytes.Clone(ct)
		c[i] ^= 1
		refused("changed byte", k, []byte("info"), c)
	}
	for _, n := range []int{0, 1, 1119, 1120, len(ct) - 1} {
		refused("truncated", k, []byte("info"), ct[:n])
	}
	refused("extended", k, []byte("info"), append(bytes.Clone(ct), 0))
}

func TestKeysRoundTripAndDerive(t *testing.T) {
	ikm := bytes.Repeat([]byte{3}, 32)
	a, err := DeriveKey(ikm)
	require.NoError(t, err)
	b, err := DeriveKey(ikm)
	require.NoError(t, err)
	require.Equal(t, a.Public(), b.Public())
	raw, err := a.Bytes()
	require.NoError(t, err)
	c, err := ParseKey(raw)
	require.NoError(t, err)
	require.Equal(t, a.Public(), c.Public())
	_, err = DeriveKey(ikm[:31])
	require.Error(t, err)
	_, err = ParseKey(raw[1:])
	require.Error(t, err)
	require.Error(t, CheckPublic(a.Public()[1:]))
}

func FuzzOpen(f *testing.F) {
	k, _ := DeriveKey(bytes.Repeat([]byte{1}, 32))
	ct, _ := Seal(k.Public(), nil, []byte("x"))
	f.Add(ct)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := k.Open(nil, b)
		if err != nil {
			require.Equal(t, "NOT_SEALED_TO_ME", carnet.ReasonOf(err))
		} else if string(p) != "x" { // nothing but the seed, which every process draws anew
			t.Fatalf("opened %q", p)
		}
		_ = CheckPublic(b)
	})
}

// TestSealRefusesWeakKeys: a public key whose X25519 half is the neutral element
// would leave messages to ML-KEM alone.
func TestSealRefusesWeakKeys(t *testing.T) {
	k, err := GenerateKey()
	require.NoError(t, err)
	weak := k.Public()
	clear(weak[PublicKeySize-32:])
	_, err = Seal(weak, nil, nil)
	require.Equal(t, "BAD_SEALING_KEY", carnet.ReasonOf(err))
	_, err = Seal(weak[1:], nil, nil)
	require.Equal(t, "BAD_SEALING_KEY", carnet.ReasonOf(err))
}

// TestDeriveKeyIsStable pins the derivation: parties publish the public key once.
func TestDeriveKeyIsStable(t *testing.T) {
	k, err := DeriveKey([]byte("carnet sealing key test material"))
	require.NoError(t, err)
	raw, err := k.Bytes()
	require.NoError(t, err)
	require.Equal(t, "bb9e895eacbb4b2a53d44b67eb468449d07e875821c19d5a7ed390dc3be1e3a5", hex.EncodeToString(raw))
	raw[0] ^= 1
	again, err := k.Bytes()
	require.NoError(t, err)
	require.NotEqual(t, raw, again)
}
