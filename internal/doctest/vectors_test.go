package doctest

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// vectorFile is docs/formats/vectors/statements.json.
type vectorFile struct {
	Keys       []vectorKey   `json:"keys"`
	Entries    []vectorEntry `json:"entries"`
	Checkpoint vectorEntry   `json:"checkpoint"` // seq, prev and hash are not used
}

type vectorKey struct {
	Party  string `json:"party"`
	Seed   string `json:"seed"`   // hexadecimal
	Public string `json:"public"` // hexadecimal
	Hint   string `json:"keyid"`
}

type vectorEntry struct {
	Seq       int64              `json:"seq"`
	Prev      string             `json:"prev,omitempty"`
	Signers   []string           `json:"signers"`
	Payload   string             `json:"payload"` // the text that base64 in the envelope stands for
	Envelope  *evidence.Envelope `json:"envelope"`
	Statement string             `json:"statement_hash"`
	Hash      string             `json:"entry_hash,omitempty"`
}

// TestVectors recomputes every value of statements.json as journal.md and
// statements.md describe it, with nothing but SHA-256 and Ed25519, and compares it
// with the file and with package evidence.
func TestVectors(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "docs", "formats", "vectors", "statements.json"))
	require.NoError(t, err)
	var v vectorFile
	require.NoError(t, json.Unmarshal(data, &v))
	keys := map[string]ed25519.PrivateKey{}
	for _, k := range v.Keys {
		private := ed25519.NewKeyFromSeed(unhex(t, k.Seed))
		public := private.Public().(ed25519.PublicKey)
		require.Equal(t, k.Public, hex.EncodeToString(public))
		require.Equal(t, k.Hint, hexSum(public)[:16])
		keys[k.Party] = private
	}
	prev := make([]byte, 32)
	var chain evidence.Chain
	require.NotEmpty(t, v.Entries)
	for i, e := range v.Entries {
		checkStatement(t, e, keys)
		require.Equal(t, int64(i), e.Seq)
		require.Equal(t, hex.EncodeToString(prev), e.Prev)
		fields := [][]byte{[]byte("carnet/journal/1"), binary.BigEndian.AppendUint64(nil, uint64(e.Seq)), prev, unhex(t, e.Statement)}
		for _, s := range e.Envelope.Signatures {
			fields = append(fields, []byte(s.KeyID), s.Sig)
		}
		var framed []byte
		for _, f := range fields {
			framed = append(binary.BigEndian.AppendUint32(framed, uint32(len(f))), f...)
		}
		require.Equal(t, e.Hash, hexSum(framed))
		require.NoError(t, chain.Append(&evidence.Entry{Seq: e.Seq, Prev: chain.Head, Envelope: e.Envelope}))
		require.Equal(t, e.Hash, chain.Head.String())
		prev = unhex(t, e.Hash)
	}
	checkStatement(t, v.Checkpoint, keys)
	require.Equal(t, `{"size":`+strconv.Itoa(len(v.Entries))+`,"head":"`+hex.EncodeToString(prev)+`"}`, v.Checkpoint.Payload)
	var cp carnet.Checkpoint
	require.NoError(t, v.Checkpoint.Envelope.Decode(carnet.TypeCheckpoint, &cp))
	require.Equal(t, chain.Checkpoint(), cp)
}

func checkStatement(t *testing.T, e vectorEntry, keys map[string]ed25519.PrivateKey) {
	t.Helper()
	require.Equal(t, e.Payload, string(e.Envelope.Payload))
	pae := bytes.Join([][]byte{
		[]byte("DSSEv1"), []byte(strconv.Itoa(len(e.Envelope.PayloadType))), []byte(e.Envelope.PayloadType),
		[]byte(strconv.Itoa(len(e.Payload))), []byte(e.Payload),
	}, []byte(" "))
	require.Equal(t, e.Statement, hexSum(pae))
	require.Equal(t, e.Statement, e.Envelope.Hash().String())
	require.Len(t, e.Envelope.Signatures, len(e.Signers))
	for i, name := range e.Signers {
		require.Equal(t, ed25519.Sign(keys[name], pae), e.Envelope.Signatures[i].Sig)
		require.True(t, e.Envelope.SignedBy(keys[name].Public().(ed25519.PublicKey)))
	}
}

func hexSum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	require.NoError(t, err)
	return b
}

// readText reads a file of the repository.
func readText(t *testing.T, path ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(append([]string{"..", ".."}, path...)...))
	require.NoError(t, err)
	return string(data)
}
