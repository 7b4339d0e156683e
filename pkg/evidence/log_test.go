package evidence

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	f_note "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"github.com/carnet-network/carnet/pkg/carnet"
)

func leaves(n int) (out []carnet.Hash) {
	for i := range n {
		out = append(out, carnet.Digest("leaf", fmt.Append(nil, i)))
	}
	return out
}

// sumdb is the tree as Go's checksum database makes it.
type sumdb struct{ stored []tlog.Hash }

func (s *sumdb) ReadHashes(indexes []int64) (out []tlog.Hash, err error) {
	for _, i := range indexes {
		out = append(out, s.stored[i])
	}
	return out, nil
}

func newSumDB(t require.TestingT, leaves []carnet.Hash) *sumdb {
	s := &sumdb{}
	for i, l := range leaves {
		more, err := tlog.StoredHashes(int64(i), l[:], s)
		require.NoError(t, err)
		s.stored = append(s.stored, more...)
	}
	return s
}

// TestTreeAgreesWithAnotherImplementation compares roots and proofs of every size and
// index with those of golang.org/x/mod/sumdb/tlog.
func TestTreeAgreesWithAnotherImplementation(t *testing.T) {
	all := leaves(70)
	db := newSumDB(t, all)
	var tree Tree
	require.Equal(t, carnet.Hash(sha256.Sum256(nil)), tree.Root())
	checkpoints := []carnet.Checkpoint{tree.Checkpoint()}
	for i, l := range all {
		size := int64(i + 1)
		before := tree
		tree.Add(l)
		require.Equal(t, size-1, before.Size(), "a copy stays as it is")
		require.Equal(t, checkpoints[i].Head, before.Root())
		want, err := tlog.TreeHash(size, db)
		require.NoError(t, err)
		require.Equal(t, carnet.Hash(want), tree.Root())
		again, err := TreeOf(size, tree.Nodes())
		require.NoError(t, err)
		require.Equal(t, tree, again)
		checkpoints = append(checkpoints, tree.Checkpoint())
		for n := range size {
			p, err := ProveInclusion(all[:size], n)
			require.NoError(t, err)
			require.NoError(t, VerifyInclusion(all[n], n, tree.Checkpoint(), p))
			theirs, err := tlog.ProveRecord(size, n, db)
			require.NoError(t, err)
			require.Equal(t, []tlog.Hash(theirs), theirHashes(p))
		}
		for old := int64(1); old <= size; old++ {
			p, err := ProveConsistency(all[:size], old)
			require.NoError(t, err)
			require.NoError(t, VerifyConsistency(checkpoints[old], tree.Checkpoint(), p))
			theirs, err := tlog.ProveTree(size, old, db)
			require.NoError(t, err)
			require.Equal(t, []tlog.Hash(theirs), theirHashes(p))
		}
	}
	require.NoError(t, VerifyConsistency(checkpoints[0], tree.Checkpoint(), nil))
}

func theirHashes(p []carnet.Hash) []tlog.Hash {
	out := make([]tlog.Hash, 0, len(p))
	for _, h := range p {
		out = append(out, tlog.Hash(h))
	}
	return out
}

// TestProofsOfOtherThingsFail: another leaf, place, size, root or proof.
func TestProofsOfOtherThingsFail(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := leaves(rapid.IntRange(2, 40).Draw(t, "size"))
		at := carnet.Checkpoint{Size: int64(len(all)), Head: rootOf(all)}
		n := rapid.Int64Range(0, at.Size-1).Draw(t, "index")
		p, err := ProveInclusion(all, n)
		require.NoError(t, err)
		other := rapid.Int64Range(0, at.Size-1).Filter(func(i int64) bool { return i != n }).Draw(t, "other")
		changed := slices.Clone(p)
		changed[rapid.IntRange(0, len(p)-1).Draw(t, "hash")][rapid.IntRange(0, 31).Draw(t, "byte")] ^= 1
		wrong := at
		wrong.Head[5] ^= 1
		for name, err := range map[string]error{
			"another leaf":  VerifyInclusion(all[other], n, at, p),
			"another place": VerifyInclusion(all[n], other, at, p),
			"another root":  VerifyInclusion(all[n], n, wrong, p),
			"changed":       VerifyInclusion(all[n], n, at, changed),
			"shorter":       VerifyInclusion(all[n], n, at, p[1:]),
			"longer":        VerifyInclusion(all[n], n, at, append(slices.Clone(p), p[0])),
			"negative":      VerifyInclusion(all[n], -1, at, p),
			"beyond":        VerifyInclusion(all[n], at.Size, at, p),
		} {
			require.Equal(t, "BAD_INCLUSION_PROOF", carnet.ReasonOf(err), name)
		}

		size := rapid.Int64Range(1, at.Size-1).Draw(t, "older")
		older := carnet.Checkpoint{Size: size, Head: rootOf(all[:size])}
		p, err = ProveConsistency(all, size)
		require.NoError(t, err)
		rewritten := slices.Clone(all)
		rewritten[rapid.Int64Range(0, size-1).Draw(t, "rewritten")][0] ^= 1
		fork := carnet.Checkpoint{Size: at.Size, Head: rootOf(rewritten)}
		forged, err := ProveConsistency(rewritten, size)
		require.NoError(t, err)
		for name, err := range map[string]error{
			"rewritten":          VerifyConsistency(older, fork, forged),
			"rewritten, old way": VerifyConsistency(older, fork, p),
			"backwards":          VerifyConsistency(at, older, p),
			"same size":          VerifyConsistency(fork, at, nil),
			"another root":       VerifyConsistency(older, wrong, p),
			"longer":             VerifyConsistency(older, at, append(slices.Clone(p), p[0])),
			"none":               VerifyConsistency(older, at, nil),
			"negative":           VerifyConsistency(carnet.Checkpoint{Size: -1}, at, p),
			"not empty":          VerifyConsistency(carnet.Checkpoint{}, at, nil),
		} {
			require.Equal(t, "BAD_CONSISTENCY_PROOF", carnet.ReasonOf(err), name)
		}
	})
	_, err := ProveInclusion(leaves(3), 3)
	require.Equal(t, "NOT_FOUND", carnet.ReasonOf(err))
	_, err = ProveConsistency(leaves(3), 4)
	require.Equal(t, "NOT_FOUND", carnet.ReasonOf(err))
	_, err = TreeOf(3, leaves(1))
	require.Equal(t, "BAD_TREE", carnet.ReasonOf(err))
}

// TestLeafBindsTheEnvelope: salt, payload, type, every signature and their order.
func TestLeafBindsTheEnvelope(t *testing.T) {
	env, err := Seal(carnet.TypeQuery, carnet.Query{SQL: "SELECT"}, key(1), key(2))
	require.NoError(t, err)
	e := &Entry{Salt: carnet.Hash{7}, Envelope: env}
	change := map[string]func(*Entry){
		"salt":    func(e *Entry) { e.Salt[31] ^= 1 },
		"payload": func(e *Entry) { e.Envelope.Payload[3] ^= 1 },
		"type":    func(e *Entry) { e.Envelope.PayloadType = carnet.TypeDataset },
		"sig":     func(e *Entry) { e.Envelope.Signatures[1].Sig[0] ^= 1 },
		"key id":  func(e *Entry) { e.Envelope.Signatures[0].KeyID += "x" },
		"order":   func(e *Entry) { slices.Reverse(e.Envelope.Signatures) },
		"dropped": func(e *Entry) { e.Envelope.Signatures = e.Envelope.Signatures[:1] },
	}
	for name, f := range change {
		b, err := json.Marshal(env)
		require.NoError(t, err)
		c := &Entry{Salt: e.Salt, Envelope: &Envelope{}}
		require.NoError(t, json.Unmarshal(b, c.Envelope))
		require.Equal(t, e.Leaf(), c.Leaf())
		f(c)
		require.NotEqual(t, e.Leaf(), c.Leaf(), name)
	}
	var tree Tree
	require.NoError(t, tree.Append(e))
	at := tree
	require.Equal(t, "JOURNAL_GAP", carnet.ReasonOf(tree.Append(e)), "replay")
	require.Equal(t, at, tree, "a refused entry changes nothing")
}

func signed(t testing.TB) (*SignedCheckpoint, string) {
	origin := Origin(key(9).Public())
	c, err := SignCheckpoint(origin, carnet.Checkpoint{Size: 12, Head: rootOf(leaves(12))}, key(1))
	require.NoError(t, err)
	for i, p := range []carnet.PartyID{"k1", "k2", "k3"} {
		require.NoError(t, c.Cosign(p, time.Unix(1_790_000_000+int64(i), 0), key(byte(10+i))))
	}
	return c, origin
}

// TestCheckpointsAreWhatOthersRead: the note is read and verified by x/mod/sumdb/note and
// by transparency-dev/formats, from the keys as we print them.
func TestCheckpointsAreWhatOthersRead(t *testing.T) {
	c, origin := signed(t)
	text, err := c.MarshalText()
	require.NoError(t, err)
	logKey, err := note.NewVerifier(LogKey(origin, key(1).Public()))
	require.NoError(t, err)
	verifiers := []note.Verifier{logKey}
	for i, p := range []carnet.PartyID{"k1", "k2", "k3"} {
		v, err := f_note.NewVerifierForCosignatureV1(WitnessKey(origin, p, key(byte(10+i)).Public()))
		require.NoError(t, err)
		verifiers = append(verifiers, v)
	}
	n, err := note.Open(text, note.VerifierList(verifiers...))
	require.NoError(t, err)
	require.Len(t, n.Sigs, 4)
	require.Equal(t, c.Body(), n.Text)
	at, err := f_note.CoSigV1Timestamp(n.Sigs[2])
	require.NoError(t, err)
	require.Equal(t, int64(1_790_000_001), at.Unix())

	got, err := ParseCheckpoint(text)
	require.NoError(t, err)
	require.Equal(t, c, got)
	require.True(t, got.LogSignedBy(key(1).Public()))
	require.False(t, got.LogSignedBy(key(10).Public()))
	require.False(t, got.LogSignedBy(nil))
	sig, when := got.CosignedBy("k2", key(11).Public())
	require.Equal(t, &got.Signatures[2], sig)
	require.Equal(t, int64(1_790_000_001), when.Unix())
	b, err := json.Marshal(c)
	require.NoError(t, err)
	var back SignedCheckpoint
	require.NoError(t, json.Unmarshal(b, &back))
	require.Equal(t, *c, back)

	// And the other way round: what their signer makes is a co-signature here.
	seed := base64.StdEncoding.EncodeToString(append([]byte{keyLog}, ed25519.PrivateKey(key(13)).Seed()...))
	skey := fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", WitnessName(origin, "k4"), keyHash(WitnessName(origin, "k4"), keyLog, key(13).Public()), seed)
	s, err := f_note.NewSignerForCosignatureV1(skey)
	require.NoError(t, err)
	text, err = note.Sign(&note.Note{Text: c.Body()}, s)
	require.NoError(t, err)
	got, err = ParseCheckpoint(text)
	require.NoError(t, err)
	sig, _ = got.CosignedBy("k4", key(13).Public())
	require.NotNil(t, sig)
}

// TestForgedCosignatures: every way to claim a co-signature that a keyholder did not make.
func TestForgedCosignatures(t *testing.T) {
	good, origin := signed(t)
	k1 := key(10).Public()
	sig, _ := good.CosignedBy("k1", k1)
	require.NotNil(t, sig)
	for name, forge := range map[string]func(c *SignedCheckpoint){
		"another size":    func(c *SignedCheckpoint) { c.Size++ },
		"another root":    func(c *SignedCheckpoint) { c.Head[0] ^= 1 },
		"another log":     func(c *SignedCheckpoint) { c.Origin += "x" },
		"another witness": func(c *SignedCheckpoint) { c.Signatures[1].Name = WitnessName(origin, "k2") },
		"another hash":    func(c *SignedCheckpoint) { c.Signatures[1].Hash++ },
		"another time": func(c *SignedCheckpoint) {
			b, _ := base64.StdEncoding.DecodeString(c.Signatures[1].Base64)
			b[11] ^= 1
			c.Signatures[1].Base64 = base64.StdEncoding.EncodeToString(b)
		},
		"flipped bit": func(c *SignedCheckpoint) {
			b, _ := base64.StdEncoding.DecodeString(c.Signatures[1].Base64)
			b[40] ^= 1
			c.Signatures[1].Base64 = base64.StdEncoding.EncodeToString(b)
		},
		"cut": func(c *SignedCheckpoint) {
			b, _ := base64.StdEncoding.DecodeString(c.Signatures[1].Base64)
			c.Signatures[1].Base64 = base64.StdEncoding.EncodeToString(b[:40])
		},
		"copied from k2": func(c *SignedCheckpoint) { c.Signatures[1].Base64 = c.Signatures[2].Base64 },
		"log's own": func(c *SignedCheckpoint) {
			own, err := SignCheckpoint(WitnessName(origin, "k1"), c.Checkpoint, key(10))
			require.NoError(t, err)
			c.Signatures[1] = own.Signatures[0]
		},
	} {
		c := *good
		c.Signatures = slices.Clone(good.Signatures)
		forge(&c)
		sig, at := c.CosignedBy("k1", k1)
		require.Nil(t, sig, name)
		require.True(t, at.IsZero(), name)
	}
	sig, _ = good.CosignedBy("k1", key(11).Public())
	require.Nil(t, sig)
	sig, _ = good.CosignedBy("k2", k1)
	require.Nil(t, sig)
}

// TestCheckpointHasOneSpelling: what is not exactly origin, size and root is refused.
func TestCheckpointHasOneSpelling(t *testing.T) {
	c, _ := signed(t)
	text, err := c.MarshalText()
	require.NoError(t, err)
	body, sigs, _ := strings.Cut(string(text), "\n\n")
	lines := strings.Split(body, "\n")
	root := lines[2]
	for name, bad := range map[string]string{
		"empty":           "",
		"no signature":    body + "\n",
		"extension":       body + "\nmore\n\n" + sigs,
		"no root":         lines[0] + "\n12\n\n" + sigs,
		"leading zero":    lines[0] + "\n012\n" + root + "\n\n" + sigs,
		"sign":            lines[0] + "\n+12\n" + root + "\n\n" + sigs,
		"negative":        lines[0] + "\n-1\n" + root + "\n\n" + sigs,
		"too large":       lines[0] + "\n9223372036854775808\n" + root + "\n\n" + sigs,
		"short root":      lines[0] + "\n12\n" + root[4:] + "\n\n" + sigs,
		"another padding": lines[0] + "\n12\n" + root[:42] + "B=\n\n" + sigs,
		"no base64":       lines[0] + "\n12\n!" + root[1:] + "\n\n" + sigs,
		"too long":        body + "\n\n" + sigs + strings.Repeat(sigs, 100),
	} {
		_, err := ParseCheckpoint([]byte(bad))
		require.Equal(t, "BAD_CHECKPOINT", carnet.ReasonOf(err), name)
	}
}

func FuzzCheckpoint(f *testing.F) {
	c, _ := signed(f)
	text, _ := c.MarshalText()
	f.Add(text)
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ParseCheckpoint(b)
		if err != nil {
			require.Equal(t, "BAD_CHECKPOINT", carnet.ReasonOf(err))
			return
		}
		c.LogSignedBy(key(1).Public())
		c.CosignedBy("k1", key(10).Public())
		text, err := c.MarshalText()
		require.NoError(t, err)
		again, err := ParseCheckpoint(text)
		require.NoError(t, err)
		require.Equal(t, c, again)
	})
}
