package carnettest

import (
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	f_note "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/tessera/client"
	"golang.org/x/mod/sumdb/note"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// publicCheckpoint reads /checkpoint without a client certificate and verifies it with
// the keys of the registered parties, as any client of signed notes does. cosigned says
// how many keyholders signed it.
func (n *Network) publicCheckpoint(t *testing.T, w *web) (c *evidence.SignedCheckpoint, cosigned int) {
	t.Helper()
	resp, err := w.Get(w.base + "/checkpoint")
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.Equal(t, "no-cache", resp.Header.Get("Cache-Control"))
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	origin := evidence.Origin(n.Identity(Registrar).Public())
	logKey, err := note.NewVerifier(evidence.LogKey(origin, n.Identity(Operator).Public()))
	require.NoError(t, err)
	verifiers := []note.Verifier{logKey}
	for _, k := range n.Keyholders {
		p, err := n.Client(t, Operator).Party(Context(t), k.Party)
		require.NoError(t, err)
		v, err := f_note.NewVerifierForCosignatureV1(evidence.WitnessKey(origin, k.Party, p.SigningKey))
		require.NoError(t, err)
		verifiers = append(verifiers, v)
	}
	signed, err := note.Open(text, note.VerifierList(verifiers...))
	require.NoError(t, err)
	require.Empty(t, signed.UnverifiedSigs)
	require.True(t, slices.ContainsFunc(signed.Sigs, func(s note.Signature) bool { return s.Name == origin }), "the log's own")
	c, err = evidence.ParseCheckpoint(text)
	require.NoError(t, err)
	return c, len(signed.Sigs) - 1
}

// Rule: anybody can read the log with clients that are not ours, and check what parties
// show them of it: a checkpoint that a quorum co-signed, leaves, inclusion, consistency.
func TestPublicLog(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{})
	publishTrade(t, n, carnet.LayoutCube)
	w := n.web(t, n.NoPartyTLS())
	before, _ := n.publicCheckpoint(t, w)
	asked := n.Submit(t, "buyer", "cube", linearQuery)
	_, err := n.Open(t, asked)
	require.NoError(t, err)

	buyer := n.Client(t, "buyer")
	in, err := buyer.Inclusion(Context(t), asked.Hash, 0)
	require.NoError(t, err)
	require.Equal(t, Operator, in.Operator)
	// Soon all answers are under a checkpoint with a quorum, too.
	all := n.Gateway.Journal(t)
	var after *evidence.SignedCheckpoint
	Eventually(t, "a co-signed checkpoint of everything", time.Minute, func() bool {
		var signers int
		after, signers = n.publicCheckpoint(t, w)
		return after.Size == int64(len(all)) && signers >= n.Committee.Quorum
	})

	root, err := url.Parse(w.base + "/")
	require.NoError(t, err)
	f, err := client.NewHTTPFetcher(root, w.Client)
	require.NoError(t, err)
	bundle, err := client.GetEntryBundle(Context(t), f.ReadEntryBundle, 0, uint64(after.Size))
	require.NoError(t, err)
	require.Len(t, bundle.Entries, len(all))
	for i, e := range bundle.Entries {
		require.Equal(t, all[i].Leaf(), carnet.Hash(e))
	}
	b, err := client.NewProofBuilder(Context(t), uint64(after.Size), f.ReadTile)
	require.NoError(t, err)
	path, err := b.InclusionProof(Context(t), uint64(in.Entry.Seq))
	require.NoError(t, err)
	require.NoError(t, evidence.VerifyInclusion(in.Entry.Leaf(), in.Entry.Seq, after.Checkpoint, asHashes(path)))
	path, err = b.ConsistencyProof(Context(t), uint64(before.Size), uint64(after.Size))
	require.NoError(t, err)
	require.NoError(t, evidence.VerifyConsistency(before.Checkpoint, after.Checkpoint, asHashes(path)))
	_, err = buyer.Consistency(Context(t), before.Checkpoint, after.Checkpoint)
	require.NoError(t, err)
	_, err = buyer.Consistency(Context(t), carnet.Checkpoint{Size: before.Size, Head: carnet.Hash{1}}, after.Checkpoint)
	require.Equal(t, "BAD_CONSISTENCY_PROOF", carnet.ReasonOf(err))
	_, err = n.Client(t, "kz").Inclusion(Context(t), asked.Hash, 0)
	require.Equal(t, "NOT_FOUND", carnet.ReasonOf(err), "another party's query")
}

func asHashes(b [][]byte) (out []carnet.Hash) {
	for _, h := range b {
		out = append(out, carnet.Hash(h))
	}
	return out
}

// Rule: while the log can't be written nothing is released, and no keyholder charges or
// answers what is not in it; when it can, all goes on by itself.
func TestLogThatCantBeWritten(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{})
	publishTrade(t, n, carnet.LayoutCube)
	want := Rows(n.Ask(t, "buyer", "cube", linearQuery).Result)

	dir := filepath.Join(n.Gateway.LogDir(), ".state") // what every write needs
	require.NoError(t, os.Rename(dir, dir+".away"))
	n.Gateway.Nudge(t) // stored, but not published
	Eventually(t, "that the gateway notices", time.Minute, func() bool { return n.Gateway.Flow.LogFault() != nil })
	_, err := n.Client(t, "buyer").Ask(Context(t), n.Identity("buyer"), "cube", linearQuery, Purpose, 0)
	require.Equal(t, "LOG_UNWRITABLE", carnet.ReasonOf(err), "%v", err)
	resp, err := n.web(t, n.NoPartyTLS()).Get(n.Gateway.REST() + "/readyz")
	require.NoError(t, err)
	resp.Body.Close()
	require.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)

	require.NoError(t, os.Rename(dir+".away", dir))
	Eventually(t, "that the log can be written", time.Minute, func() bool { return n.Gateway.Flow.LogFault() == nil })
	require.Equal(t, want, Rows(n.Ask(t, "buyer", "cube", linearQuery).Result))
}
