package evidence

import (
	"crypto/ed25519"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// typeState is the type of a small statement for tests.
const typeState carnet.StatementType = "application/vnd.carnet.state.v1+json"

type testKey ed25519.PrivateKey

func (k testKey) Public() ed25519.PublicKey {
	return ed25519.PrivateKey(k).Public().(ed25519.PublicKey)
}
func (k testKey) Sign(message []byte) ([]byte, error) {
	return ed25519.Sign(ed25519.PrivateKey(k), message), nil
}

func key(b byte) testKey {
	seed := make([]byte, ed25519.SeedSize)
	seed[0] = b
	return testKey(ed25519.NewKeyFromSeed(seed))
}

// The example is the one in the DSSE protocol document.
func TestPAEMatchesTheDSSEExample(t *testing.T) {
	require.Equal(t, "DSSEv1 29 http://example.com/HelloWorld 11 hello world",
		string(pae("http://example.com/HelloWorld", []byte("hello world"))))
}

func TestSealVerify(t *testing.T) {
	a, b := key(1), key(2)
	cp := carnet.Checkpoint{Size: 7, Head: carnet.Digest("x")}
	e, err := Seal(typeState, cp, a)
	require.NoError(t, err)
	before := e.Hash()
	require.NoError(t, e.Countersign(b))
	require.Equal(t, before, e.Hash(), "signatures are not part of the identity")

	var got carnet.Checkpoint
	require.NoError(t, e.Verify(typeState, a.Public(), &got))
	require.Equal(t, cp, got)
	require.True(t, e.SignedBy(b.Public()))
	require.False(t, e.SignedBy(key(3).Public()))
	require.False(t, e.SignedBy(nil), "an absent key never verifies")

	require.Equal(t, "BAD_SIGNATURE", carnet.ReasonOf(e.Verify(typeState, key(3).Public(), &got)))
	require.Equal(t, "WRONG_STATEMENT_TYPE", carnet.ReasonOf(e.Verify(carnet.TypeQuery, a.Public(), &got)))
}

// TestKeyHintsAreHintsOnly: with a wrong one a signature counts, under a right one none does
// that is not the key's.
func TestKeyHintsAreHintsOnly(t *testing.T) {
	a, b := key(1), key(2)
	e, err := Seal(typeState, carnet.Checkpoint{Size: 1}, a, b)
	require.NoError(t, err)
	e.Signatures[0].KeyID, e.Signatures[1].KeyID = e.Signatures[1].KeyID, e.Signatures[0].KeyID
	require.True(t, e.SignedBy(a.Public()))
	require.True(t, e.SignedBy(b.Public()))
	e.Signatures[0].KeyID, e.Signatures[1].KeyID = "", KeyHint(key(3).Public())
	require.True(t, e.SignedBy(a.Public()))
	require.True(t, e.SignedBy(b.Public()))
	require.False(t, e.SignedBy(key(3).Public()))
}

func TestEveryFlippedBitBreaksTheSignature(t *testing.T) {
	a := key(1)
	e, err := Seal(typeState, carnet.Checkpoint{Size: 1}, a)
	require.NoError(t, err)
	for i := range e.Payload {
		c := *e
		c.Payload = append([]byte(nil), e.Payload...)
		c.Payload[i] ^= 1
		require.False(t, c.SignedBy(a.Public()), "byte %d", i)
	}
	c := *e
	c.PayloadType = carnet.TypeQuery
	require.False(t, c.SignedBy(a.Public()), "the type is signed")
}

func TestDecodeRefusesWhatTwoReadersCouldReadDifferently(t *testing.T) {
	for name, payload := range map[string]string{
		"unknown field":  `{"size":1,"head":"` + carnet.Hash{}.String() + `","extra":1}`,
		"trailing value": `{"size":1,"head":"` + carnet.Hash{}.String() + `"} {}`,
		"truncated":      `{"size":1`,
		"not an object":  `[]`,
		"bad hash":       `{"size":1,"head":"00"}`,
		"repeated field": `{"size":2,"size":1,"head":"` + carnet.Hash{}.String() + `"}`,
		"another case":   `{"Size":1,"head":"` + carnet.Hash{}.String() + `"}`,
		"another order":  `{"head":"` + carnet.Hash{}.String() + `","size":1}`,
		"a space":        `{"size": 1,"head":"` + carnet.Hash{}.String() + `"}`,
		"missing field":  `{"size":1}`,
	} {
		e := &Envelope{PayloadType: typeState, Payload: []byte(payload)}
		var cp carnet.Checkpoint
		require.Equal(t, "BAD_STATEMENT", carnet.ReasonOf(e.Decode(typeState, &cp)), name)
	}
	_, err := Seal(carnet.TypeSchema, make([]byte, MaxPayload))
	require.Equal(t, "STATEMENT_TOO_LARGE", carnet.ReasonOf(err))
}

func FuzzEnvelope(f *testing.F) {
	e, _ := Seal(carnet.TypeQuery, carnet.Query{SQL: "SELECT COUNT(*) FROM x"}, key(1))
	good, _ := json.Marshal(e)
	f.Add(good)
	f.Add([]byte(`{"payloadType":"","payload":"e30=","signatures":[{"keyid":"","sig":""}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var e Envelope
		if json.Unmarshal(b, &e) != nil {
			return
		}
		e.SignedBy(key(1).Public())
		e.Hash()
		var q carnet.Query
		_ = e.Verify(carnet.TypeQuery, key(1).Public(), &q)
		var d carnet.Dataset
		_ = e.Decode(carnet.TypeDataset, &d)
	})
}
