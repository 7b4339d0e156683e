package flow_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/flow"
	"github.com/carnet-network/carnet/pkg/flow/flowtest"
)

// cosign has keyholders sign what is published now.
func cosign(t *testing.T, n *flowtest.Network, by ...carnet.PartyID) carnet.Checkpoint {
	t.Helper()
	at := n.Published()
	for _, k := range by {
		require.NoError(t, n.G.Cosign(ctx, n.Parties[k], n.Cosigned(at, k)))
	}
	return at
}

// proves checks a proof as whoever gets it does, and returns how many statements of a type
// are in it.
func proves(t *testing.T, e *flow.Evidence, at carnet.Checkpoint, by ...carnet.PartyID) map[carnet.StatementType]int {
	t.Helper()
	require.Equal(t, at, e.Checkpoint.Checkpoint)
	require.Len(t, e.Checkpoint.Signatures, 1+len(by), "the log's, and those of the committee")
	types, last := map[carnet.StatementType]int{}, int64(-1)
	for i := range e.Entries {
		x := &e.Entries[i]
		require.Greater(t, x.Entry.Seq, last, "in the order of the log")
		last = x.Entry.Seq
		require.NoError(t, evidence.VerifyInclusion(x.Entry.Leaf(), x.Entry.Seq, at, x.Path))
		types[x.Entry.Envelope.PayloadType]++
	}
	return types
}

// TestExportProof: certificates are proved to everybody, usage statements to whom they are made
// for, and a state to everybody, in what a quorum co-signed and nothing newer.
func TestExportProof(t *testing.T) {
	n, _ := twoOwners(t)
	export := func(as carnet.PartyID, statement carnet.Hash, since int64) (*flow.Evidence, error) {
		return n.G.ExportProof(ctx, n.Parties[as], statement, since)
	}
	_, err := export("bank", carnet.Hash{}, 0)
	requireReason(t, "EVIDENCE_PENDING", err)
	cosign(t, n, "k1", "k2")
	_, err = export("bank", carnet.Hash{}, 0)
	requireReason(t, "EVIDENCE_PENDING", err) // two of three
	first := cosign(t, n, "k3")

	state, err := export("bank", carnet.Hash{}, 0)
	require.NoError(t, err)
	types := proves(t, state, first, n.Committee.Members...)
	require.Equal(t, 1, types[carnet.TypeCommittee])
	require.Positive(t, types[carnet.TypeParty])
	require.Len(t, types, 2, "nothing else is needed for a state")

	c, err := n.G.CertifyDataset(ctx, "kz/trade")
	require.NoError(t, err)
	n.Advance(time.Hour)
	u, err := n.G.UsageOf(ctx, n.Parties["kz"], "kz/trade", n.Now().Add(-30*time.Minute), n.Now())
	require.NoError(t, err)
	n.Published()
	for _, statement := range []carnet.Hash{c.Hash, u.Hash} {
		_, err = export("kz", statement, 0)
		requireReason(t, "EVIDENCE_PENDING", err) // it is newer than what was co-signed
	}
	at := cosign(t, n, n.Committee.Members...)

	for _, who := range []carnet.PartyID{"bank", "hk", "k4"} {
		e, err := export(who, c.Hash, first.Size)
		require.NoError(t, err)
		types := proves(t, e, at, n.Committee.Members...)
		require.Equal(t, 1, types[carnet.TypeCertificate])
		require.Equal(t, 1, types[carnet.TypeDataset], "what it is about")
		require.Equal(t, 1, types[carnet.TypeCommittee])
		require.Zero(t, types[carnet.TypeUsage])
		require.NoError(t, evidence.VerifyConsistency(first, at, e.Consistency))
		require.Error(t, evidence.VerifyConsistency(carnet.Checkpoint{Size: first.Size, Head: at.Head}, at, e.Consistency))
	}
	for _, who := range []carnet.PartyID{"kz", "audit", "k1", "gateway"} {
		e, err := export(who, u.Hash, 0)
		require.NoError(t, err, who)
		require.Equal(t, 1, proves(t, e, at, n.Committee.Members...)[carnet.TypeUsage])
		require.Empty(t, e.Consistency)
	}
	for _, who := range []carnet.PartyID{"hk", "bank"} {
		_, others := export(who, u.Hash, 0)
		requireReason(t, "NOT_FOUND", others)
		_, absent := export(who, carnet.Hash{1}, 0)
		requireReason(t, "NOT_FOUND", absent)
	}
	_, err = export("kz", n.SchemaRef, 0)
	requireReason(t, "NOT_FOUND", err) // no document
	_, err = export("kz", c.Hash, at.Size+1)
	requireReason(t, "EVIDENCE_PENDING", err)
}
