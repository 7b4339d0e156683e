package monitor_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/history/historytest"
	"github.com/carnet-network/carnet/pkg/monitor"
)

// fork is a log that is another one from an entry on.
func fork(t *testing.T, at int) *historytest.World {
	w := historytest.New(t)
	w.Entries[at].Salt[0] ^= 1
	w.Release(historytest.SQL, 2)
	return w
}

// Two histories are proved to somebody who has the registrar's key and nothing else, whatever the
// sizes of the checkpoints that were shown.
func TestSplitsAreProved(t *testing.T) {
	ours, theirs := historytest.New(t), fork(t, 3)
	ours.Release(historytest.SQL, 1)
	for size := int64(4); size <= int64(len(ours.Entries)); size++ {
		m, _ := follow(ours, options())
		require.Empty(t, m.Splits())
		cp := theirs.Checkpoint(size, "k1")
		require.Equal(t, "SPLIT_VIEW", m.Noted(cp, "another gateway")[0].Reason)
		require.Len(t, m.Splits(), 1)
		s := m.Splits()[0]
		require.NoError(t, s.Verify())
		require.Len(t, s.Parties, 1+len(historytest.Keyholders))
	}
	require.Len(t, theirs.Entries, len(ours.Entries)+1)
}

// A source that is ahead has to prove that its log goes on from the one that was followed.
func TestSourcesAheadProveTheirLog(t *testing.T) {
	ours, theirs := historytest.New(t), fork(t, 3)
	m, _ := follow(ours, options())
	require.Equal(t, m.Size(), m.Newest().Size)
	size := int64(len(theirs.Entries))
	proof := func(w *historytest.World) []carnet.Hash {
		p, err := evidence.ProveConsistency(w.Leaves(int64(len(w.Entries))), m.Size())
		require.NoError(t, err)
		return p
	}
	longer := historytest.New(t)
	longer.Release(historytest.SQL, 2)
	require.Empty(t, m.Ahead(longer.Checkpoint(int64(len(longer.Entries))), proof(longer), carnet.Hash{}, "an honest one"))
	f := m.Ahead(theirs.Checkpoint(size, "k1"), proof(theirs), carnet.Hash{}, "another")
	require.Equal(t, [2]string{"SPLIT_VIEW", string(monitor.Breach)}, [2]string{f[0].Reason, string(f[0].Weight)})
	require.Equal(t, carnet.PartyID("k1"), f[0].By, "it signed both")
	require.NoError(t, m.Splits()[0].Verify())
	f = m.Ahead(theirs.Checkpoint(size, "k1"), nil, carnet.Hash{}, "one without a proof")
	require.Equal(t, [2]string{"NO_CONSISTENCY", string(monitor.Suspect)}, [2]string{f[0].Reason, string(f[0].Weight)})
	f = m.Ahead(theirs.Checkpoint(size, "k1"), proof(theirs), theirs.Checkpoint(m.Size()).Head, "one whose root is known")
	require.Equal(t, "SPLIT_VIEW", f[0].Reason)
}

// What anybody could have made proves nothing.
func TestUnsignedContradictionsAreNoProof(t *testing.T) {
	m, _ := follow(historytest.New(t), options())
	cp, err := evidence.SignCheckpoint(evidence.Origin(options().Registrar), carnet.Checkpoint{Size: 5, Head: carnet.Hash{1}}, historytest.KeyOf("stranger"))
	require.NoError(t, err)
	m.Noted(cp, "a stranger")
	require.Empty(t, m.Splits())
}

// A log of which only the public part can be read: forks, entries taken back and forgeries
// are found with nothing but hashes, across runs.
func TestThePublicPart(t *testing.T) {
	ours, theirs := historytest.New(t), fork(t, 3)
	start := int64(len(ours.Entries))
	q := ours.Release(historytest.SQL, 2)
	require.NotNil(t, q)
	public := func() *monitor.Public {
		p, err := monitor.NewPublic(options(), ours.Entries[:start])
		require.NoError(t, err)
		require.Empty(t, p.Noted(ours.Checkpoint(start, historytest.Keyholders...), carnet.Hash{}, nil, "log"))
		data, err := p.Save().Encode()
		require.NoError(t, err)
		s, err := monitor.ReadPublic(data)
		require.NoError(t, err)
		next, err := monitor.NewPublic(options(), ours.Entries[:start])
		require.NoError(t, err)
		require.NoError(t, next.Resume(s, "log"))
		return next
	}
	show := func(p *monitor.Public, w *historytest.World, size int64, by ...carnet.PartyID) []monitor.Finding {
		var path []carnet.Hash
		if size > start {
			var err error
			path, err = evidence.ProveConsistency(w.Leaves(size), start)
			require.NoError(t, err)
		}
		return p.Noted(w.Checkpoint(size, by...), w.Checkpoint(min(size, start)).Head, path, "log")
	}
	all := public()
	require.Empty(t, show(all, ours, int64(len(ours.Entries)), historytest.Keyholders...))
	require.Equal(t, []carnet.CommitteeID{"corridor"}, all.Cosigned(), "it says whose quorum it is")
	for _, size := range []int64{start, int64(len(theirs.Entries))} {
		p := public()
		require.Equal(t, "SPLIT_VIEW", show(p, theirs, size, historytest.Keyholders...)[0].Reason)
		require.Len(t, p.Splits(), 1)
		require.NoError(t, p.Splits()[0].Verify())
	}
	require.Equal(t, "JOURNAL_SHORTER", show(public(), ours, start-1, historytest.Keyholders...)[0].Reason)
	few := show(public(), ours, start, "k1", "k2")
	require.Equal(t, [2]string{"NO_QUORUM", string(monitor.Suspect)}, [2]string{few[0].Reason, string(few[0].Weight)})
	// A state that the log signed and no quorum known here did is gone on from all the same:
	// another history after it is found.
	late, err := monitor.NewPublic(options(), ours.Entries[:start])
	require.NoError(t, err)
	require.Equal(t, "NO_QUORUM", late.Noted(ours.Checkpoint(start, "k1"), carnet.Hash{}, nil, "log")[0].Reason)
	require.Equal(t, start, late.Newest().Size)
	require.Equal(t, "SPLIT_VIEW", show(late, theirs, int64(len(theirs.Entries)), "k1")[0].Reason)

	p := public()
	cp := ours.Checkpoint(start, "k1", "k2")
	require.NoError(t, cp.Cosign("k3", historytest.Start, historytest.KeyOf("k1")))
	require.Equal(t, "BAD_COSIGNATURE", p.Noted(cp, cp.Head, nil, "log")[0].Reason)

	other, err := evidence.SignCheckpoint("example.org/log", ours.Checkpoint(start).Checkpoint, historytest.KeyOf(historytest.Operator))
	require.NoError(t, err)
	require.Equal(t, "WRONG_LOG", public().Noted(other, carnet.Hash{}, nil, "log")[0].Reason)
	data, err := public().Save().Encode()
	require.NoError(t, err)
	for i := 0; i < len(data)-1; i += 11 {
		bad := append([]byte(nil), data...)
		bad[i] ^= 1
		_, err := monitor.ReadPublic(bad)
		require.Equal(t, "BAD_MONITOR_STATE", carnet.ReasonOf(err), "byte %d", i)
	}
}

// Keys that were replaced are learnt from statements only: without them a right signature is to
// be asked about, with them the replaced key is.
func TestThePublicPartLearnsKeysFromDocuments(t *testing.T) {
	w := historytest.New(t)
	before := w.Entries[:len(w.Entries):len(w.Entries)]
	w.Rotate("k1")
	size := int64(len(w.Entries))
	old := w.Checkpoint(size, "k2", "k3")
	require.NoError(t, old.Cosign("k1", historytest.Start, w.Key("k1#1")))
	noted := func(known []*evidence.Entry, cp *evidence.SignedCheckpoint) []monitor.Finding {
		p, err := monitor.NewPublic(options(), known)
		require.NoError(t, err)
		return p.Noted(cp, carnet.Hash{}, nil, "log")
	}
	present := w.Checkpoint(size, historytest.Keyholders...)
	require.Empty(t, noted(w.Entries, present))
	require.Equal(t, "BAD_COSIGNATURE", noted(w.Entries, old)[0].Reason)
	f := noted(before, present)[0]
	require.Equal(t, [2]string{"BAD_COSIGNATURE", string(monitor.Suspect)}, [2]string{f.Reason, string(f.Weight)})
	require.Contains(t, f.Message, "a newer document of the log says so")
	require.Empty(t, noted(before, old), "nothing in the public part says that the key was replaced")
}
