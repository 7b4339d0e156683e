package evidence

import (
	"crypto/ed25519"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
)

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
	e, err := Seal(carnet.TypeCheckpoint, cp, a)
	require.NoError(t, err)
	before := e.Hash()
	require.NoError(t, e.Countersign(b))
	require.Equal(t, before, e.Hash(), "signatures are not part of the identity")

	var got carnet.Checkpoint
	require.NoError(t, e.Verify(carnet.TypeCheckpoint, a.Public(), &got))
	require.Equal(t, cp, got)
	require.True(t, e.SignedBy(b.Public()))
	require.False(t, e.SignedBy(key(3).Public()))
	require.False(t, e.SignedBy(nil), "an absent key never verifies")

	require.Equal(t, "BAD_SIGNATURE", carnet.ReasonOf(e.Verify(carnet.TypeCheckpoint, key(3).Public(), &got)))
	require.Equal(t, "WRONG_STATEMENT_TYPE", carnet.ReasonOf(e.Verify(carnet.TypeQuery, a.Public(), &got)))
}

func TestEveryFlippedBitBreaksTheSignature(t *testing.T) {
	a := key(1)
	e, err := Seal(carnet.TypeCheckpoint, carnet.Checkpoint{Size: 1}, a)
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
		e := &Envelope{PayloadType: carnet.TypeCheckpoint, Payload: []byte(payload)}
		var cp carnet.Checkpoint
		require.Equal(t, "BAD_STATEMENT", carnet.ReasonOf(e.Decode(carnet.TypeCheckpoint, &cp)), name)
	}
	_, err := Seal(carnet.TypeSchema, make([]byte, MaxPayload))
	require.Equal(t, "STATEMENT_TOO_LARGE", carnet.ReasonOf(err))
}

func TestChain(t *testing.T) {
	var c Chain
	var entries []*Entry
	for i := range int64(3) {
		env, err := Seal(carnet.TypeCheckpoint, carnet.Checkpoint{Size: i}, key(1))
		require.NoError(t, err)
		e := &Entry{Seq: c.Size, Prev: c.Head, Envelope: env}
		require.NoError(t, c.Append(e))
		entries = append(entries, e)
	}
	at := c
	require.Equal(t, "JOURNAL_GAP", carnet.ReasonOf(c.Append(entries[1])), "replay")
	require.Equal(t, "JOURNAL_GAP", carnet.ReasonOf(c.Append(&Entry{Seq: 9, Prev: c.Head, Envelope: entries[0].Envelope})))
	require.Equal(t, "JOURNAL_FORK", carnet.ReasonOf(c.Append(&Entry{Seq: 3, Prev: entries[1].Hash(), Envelope: entries[0].Envelope})))
	require.Equal(t, at, c, "a refused entry changes nothing")

	// A changed signature changes every later head: co-signers of one head saw the
	// same signatures.
	changed := *entries[0].Envelope
	changed.Signatures = append([]Signature(nil), changed.Signatures...)
	changed.Signatures[0].Sig = append([]byte(nil), changed.Signatures[0].Sig...)
	changed.Signatures[0].Sig[0] ^= 1
	require.NotEqual(t, entries[0].Hash(), (&Entry{Seq: 0, Envelope: &changed}).Hash())
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
