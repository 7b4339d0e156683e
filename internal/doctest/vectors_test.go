package doctest

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

var update = flag.Bool("update", false, "compute what follows from keys, payloads and salts in statements.json anew")

// vectorFile is docs/formats/vectors/statements.json.
type vectorFile struct {
	Keys       []vectorKey   `json:"keys"`
	Entries    []vectorEntry `json:"entries"`
	Checkpoint vectorLog     `json:"checkpoint"`
}

type vectorKey struct {
	Party  string `json:"party"`
	Seed   string `json:"seed"`   // hexadecimal
	Public string `json:"public"` // hexadecimal
	Hint   string `json:"keyid"`
}

type vectorEntry struct {
	Seq       int64              `json:"seq"`
	Signers   []string           `json:"signers"`
	Payload   string             `json:"payload"` // the text that base64 in the envelope stands for
	Envelope  *evidence.Envelope `json:"envelope"`
	Statement string             `json:"statement_hash"`
	Salt      string             `json:"salt"`
	Leaf      string             `json:"leaf"`
	Root      string             `json:"root"`      // of the log that ends with this entry
	Inclusion []string           `json:"inclusion"` // in the log of all entries
}

// vectorLog is the checkpoint after the last entry.
type vectorLog struct {
	Origin      string            `json:"origin"`
	LogKey      string            `json:"log_key"`
	Witnesses   map[string]string `json:"witness_keys"` // by keyholder
	Time        int64             `json:"time"`         // of every co-signature
	Note        string            `json:"note"`
	Consistency []string          `json:"consistency"` // with the log of the first three entries
}

type vectorSigner ed25519.PrivateKey

func (s vectorSigner) Public() ed25519.PublicKey {
	return ed25519.PrivateKey(s).Public().(ed25519.PublicKey)
}
func (s vectorSigner) Sign(m []byte) ([]byte, error) {
	return ed25519.Sign(ed25519.PrivateKey(s), m), nil
}

// TestVectors recomputes every value of statements.json as journal.md and
// statements.md describe it, with nothing but SHA-256 and Ed25519, and compares it
// with the file and with package evidence.
func TestVectors(t *testing.T) {
	file := filepath.Join("..", "..", "docs", "formats", "vectors", "statements.json")
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	var v vectorFile
	require.NoError(t, json.Unmarshal(data, &v))
	if *update {
		v.compute(t)
		data, err := json.MarshalIndent(v, "", "  ")
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(file, append(data, '\n'), 0o600))
	}
	keys := map[string]ed25519.PrivateKey{}
	for _, k := range v.Keys {
		private := ed25519.NewKeyFromSeed(unhex(t, k.Seed))
		public := private.Public().(ed25519.PublicKey)
		require.Equal(t, k.Public, hex.EncodeToString(public))
		require.Equal(t, k.Hint, hexSum(public)[:16])
		keys[k.Party] = private
	}
	require.NotEmpty(t, v.Entries)
	var leaves [][]byte
	var tree evidence.Tree
	for i, e := range v.Entries {
		checkStatement(t, e, keys)
		require.Equal(t, int64(i), e.Seq)
		fields := [][]byte{[]byte("carnet/log/leaf/1"), unhex(t, e.Salt), unhex(t, e.Statement)}
		for _, s := range e.Envelope.Signatures {
			fields = append(fields, []byte(s.KeyID), s.Sig)
		}
		var framed []byte
		for _, f := range fields {
			framed = append(binary.BigEndian.AppendUint32(framed, uint32(len(f))), f...)
		}
		require.Equal(t, e.Leaf, hexSum(framed))
		leaves = append(leaves, unhex(t, e.Leaf))
		require.Equal(t, e.Root, hex.EncodeToString(merkle(leaves)))
		require.NoError(t, tree.Append(&evidence.Entry{Seq: e.Seq, Salt: carnet.Hash(unhex(t, e.Salt)), Envelope: e.Envelope}))
		require.Equal(t, e.Root, tree.Root().String())
	}
	// Inclusion proofs by hand for the four entries there are.
	require.Len(t, leaves, 4)
	h := [][]byte{merkle(leaves[:1]), merkle(leaves[1:2]), merkle(leaves[2:3]), merkle(leaves[3:])}
	for i, want := range [][][]byte{{h[1], merkle(leaves[2:])}, {h[0], merkle(leaves[2:])}, {h[3], merkle(leaves[:2])}, {h[2], merkle(leaves[:2])}} {
		require.Equal(t, v.Entries[i].Inclusion, hexes(want))
		require.NoError(t, evidence.VerifyInclusion(carnet.Hash(leaves[i]), int64(i), tree.Checkpoint(), hashes(t, v.Entries[i].Inclusion)))
	}
	require.Equal(t, v.Checkpoint.Consistency, hexes([][]byte{h[2], h[3], merkle(leaves[:2])}))
	three := carnet.Checkpoint{Size: 3, Head: carnet.Hash(unhex(t, v.Entries[2].Root))}
	require.NoError(t, evidence.VerifyConsistency(three, tree.Checkpoint(), hashes(t, v.Checkpoint.Consistency)))
	checkNote(t, &v, keys, tree.Checkpoint())
}

// checkNote makes the signed note by hand.
func checkNote(t *testing.T, v *vectorFile, keys map[string]ed25519.PrivateKey, cp carnet.Checkpoint) {
	t.Helper()
	registrar := keys["registrar"].Public().(ed25519.PublicKey)
	origin := "carnet.network/" + hexSum(registrar)[:32]
	require.Equal(t, v.Checkpoint.Origin, origin)
	body := origin + "\n4\n" + base64.StdEncoding.EncodeToString(cp.Head[:]) + "\n"
	line := func(name string, kind byte, key ed25519.PrivateKey, sig []byte) (line, vkey string) {
		public := append([]byte{kind}, key.Public().(ed25519.PublicKey)...)
		hash := sha256.Sum256(append([]byte(name+"\n"), public...))
		return "\u2014 " + name + " " + base64.StdEncoding.EncodeToString(append(hash[:4], sig...)) + "\n",
			name + "+" + hex.EncodeToString(hash[:4]) + "+" + base64.StdEncoding.EncodeToString(public)
	}
	logLine, logKey := line(origin, 1, keys["operator"], ed25519.Sign(keys["operator"], []byte(body)))
	require.Equal(t, v.Checkpoint.LogKey, logKey)
	seconds := binary.BigEndian.AppendUint64(nil, uint64(v.Checkpoint.Time))
	message := fmt.Sprintf("cosignature/v1\ntime %d\n%s", v.Checkpoint.Time, body)
	witness, witnessKey := line(origin+"/kh-kz", 4, keys["kh-kz"], append(seconds, ed25519.Sign(keys["kh-kz"], []byte(message))...))
	require.Equal(t, v.Checkpoint.Witnesses, map[string]string{"kh-kz": witnessKey})
	require.Equal(t, v.Checkpoint.Note, body+"\n"+logLine+witness)
	c, err := evidence.ParseCheckpoint([]byte(v.Checkpoint.Note))
	require.NoError(t, err)
	require.Equal(t, cp, c.Checkpoint)
	require.True(t, c.LogSignedBy(keys["operator"].Public().(ed25519.PublicKey)))
	sig, _ := c.CosignedBy("kh-kz", keys["kh-kz"].Public().(ed25519.PublicKey))
	require.NotNil(t, sig)
}

// merkle is MTH of RFC 6962, section 2.1.
func merkle(leaves [][]byte) []byte {
	if len(leaves) == 1 {
		h := sha256.Sum256(append([]byte{0}, leaves[0]...))
		return h[:]
	}
	k := 1
	for k*2 < len(leaves) {
		k *= 2
	}
	h := sha256.Sum256(bytes.Join([][]byte{{1}, merkle(leaves[:k]), merkle(leaves[k:])}, nil))
	return h[:]
}

// compute fills in what follows from seeds, payloads, signers and the time.
func (v *vectorFile) compute(t *testing.T) {
	signers := map[string]vectorSigner{}
	for i := range v.Keys {
		k := &v.Keys[i]
		s := vectorSigner(ed25519.NewKeyFromSeed(unhex(t, k.Seed)))
		signers[k.Party], k.Public, k.Hint = s, hex.EncodeToString(s.Public()), evidence.KeyHint(s.Public())
	}
	var leaves []carnet.Hash
	var tree evidence.Tree
	for i := range v.Entries {
		e := &v.Entries[i]
		salt := sha256.Sum256(fmt.Append(nil, "salt ", i))
		e.Seq, e.Salt = int64(i), hex.EncodeToString(salt[:])
		e.Envelope = &evidence.Envelope{PayloadType: e.Envelope.PayloadType, Payload: []byte(e.Payload)}
		for _, s := range e.Signers {
			require.NoError(t, e.Envelope.Countersign(signers[s]))
		}
		entry := evidence.Entry{Seq: e.Seq, Salt: salt, Envelope: e.Envelope}
		require.NoError(t, tree.Append(&entry))
		e.Statement, e.Leaf, e.Root = e.Envelope.Hash().String(), entry.Leaf().String(), tree.Root().String()
		leaves = append(leaves, entry.Leaf())
	}
	for i := range v.Entries {
		path, err := evidence.ProveInclusion(leaves, int64(i))
		require.NoError(t, err)
		v.Entries[i].Inclusion = texts(path)
	}
	path, err := evidence.ProveConsistency(leaves, 3)
	require.NoError(t, err)
	c := &v.Checkpoint
	c.Origin, c.Time, c.Consistency = evidence.Origin(signers["registrar"].Public()), 1_790_000_000, texts(path)
	c.LogKey = evidence.LogKey(c.Origin, signers["operator"].Public())
	c.Witnesses = map[string]string{"kh-kz": evidence.WitnessKey(c.Origin, "kh-kz", signers["kh-kz"].Public())}
	note, err := evidence.SignCheckpoint(c.Origin, tree.Checkpoint(), signers["operator"])
	require.NoError(t, err)
	require.NoError(t, note.Cosign("kh-kz", time.Unix(c.Time, 0), signers["kh-kz"]))
	text, err := note.MarshalText()
	require.NoError(t, err)
	c.Note = string(text)
}

func texts(path []carnet.Hash) (out []string) {
	for _, h := range path {
		out = append(out, h.String())
	}
	return out
}

func hexes(path [][]byte) (out []string) {
	for _, h := range path {
		out = append(out, hex.EncodeToString(h))
	}
	return out
}

func hashes(t *testing.T, path []string) (out []carnet.Hash) {
	t.Helper()
	for _, h := range path {
		out = append(out, carnet.Hash(unhex(t, h)))
	}
	return out
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
