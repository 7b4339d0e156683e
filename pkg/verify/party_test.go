package verify_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/bundle"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/history/historytest"
	"github.com/carnet-network/carnet/pkg/verify"
)

// A bundle that spans rotations has statements and checkpoints under old and new keys.
func TestABundleThatSpansARotationIsVerified(t *testing.T) {
	w := historytest.New(t)
	older := int64(len(w.Entries))
	q := w.Ask(historytest.SQL)
	w.Append(carnet.TypeAnswer, w.Answer(q, 1), "k1")
	seen := w.Checkpoint(older, historytest.Keyholders...) // with the keys of then
	for _, id := range []carnet.PartyID{"k1", "k2", historytest.Buyer, historytest.Owners[0]} {
		w.Rotate(id)
	}
	w.Append(carnet.TypeAnswer, w.Answer(q, 2), "k2")
	w.Append(carnet.TypeAnswer, w.Answer(q, 3), "k3")
	b := w.Bundle(q.Hash(), older)
	b.Older[0].Checkpoint = seen
	r := run(t, b, options())
	require.Empty(t, r.Failures())
	require.True(t, r.Query.Released)
	require.Len(t, r.Log.Cosigned, 3)
	facts := strings.Join(r.Check(verify.CheckSignatures).Found, "\n")
	require.Contains(t, facts, "k1 replaced its key")
	require.NotContains(t, facts, "WARNING")
}

func TestALostKeyIsToldLoudly(t *testing.T) {
	w := historytest.New(t)
	w.Lose(historytest.Buyer)
	r := run(t, honest(w), options())
	require.Contains(t, strings.Join(r.Check(verify.CheckSignatures).Found, "\n"), "WARNING: key")
}

// byOthers is the bundle of a query that k1 does not answer.
func byOthers(w *historytest.World) *bundle.Bundle {
	q := w.Ask(historytest.SQL)
	w.Append(carnet.TypeAnswer, w.Answer(q, 2), "k2")
	w.Append(carnet.TypeAnswer, w.Answer(q, 3), "k3")
	return w.Bundle(q.Hash())
}

func init() {
	attacks["a stolen old key: an answer dated back"] = attack{verify.CheckSignatures, "KEY_REPLACED", "-answer", func(t *testing.T, w *historytest.World) *bundle.Bundle {
		q := w.Ask(historytest.SQL)
		a := w.Answer(q, 1)
		w.Rotate("k1")
		w.Append(carnet.TypeAnswer, a, "k1#1")
		return w.Bundle(q.Hash())
	}, nil}
	attacks["a stolen old key: a co-signature"] = attack{verify.CheckCosigned, "BAD_SIGNATURE", "checkpoint", func(t *testing.T, w *historytest.World) *bundle.Bundle {
		w.Rotate("k1")
		b := honest(w)
		b.Checkpoint = w.Checkpoint(b.Checkpoint.Size, "k2", "k3")
		require.NoError(t, b.Checkpoint.Cosign("k1", historytest.Start, w.Key("k1#1")))
		return b
	}, nil}
	attacks["the rotation of a member is left out"] = attack{verify.CheckCosigned, "NO_QUORUM", "checkpoint", func(t *testing.T, w *historytest.World) *bundle.Bundle {
		rotation := w.Rotate("k1").Hash()
		b := byOthers(w) // co-signed with the present keys, of which one is not in the bundle now
		b.Entries = slices.DeleteFunc(b.Entries, func(e bundle.Entry) bool { return e.Envelope.Hash() == rotation })
		return b
	}, nil}
	attacks["a revoked keyholder answers"] = attack{verify.CheckSignatures, "PARTY_REVOKED", "-answer", func(t *testing.T, w *historytest.World) *bundle.Bundle {
		q := w.Ask(historytest.SQL)
		w.RevokeParty("k1")
		w.Append(carnet.TypeAnswer, w.Answer(q, 1), "k1")
		return w.Bundle(q.Hash())
	}, nil}
	attacks["a revoked keyholder co-signs"] = attack{verify.CheckCosigned, "NO_QUORUM", "checkpoint", func(t *testing.T, w *historytest.World) *bundle.Bundle {
		w.RevokeParty("k1")
		return byOthers(w)
	}, nil}
}
