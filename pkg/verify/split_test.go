package verify_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/history/historytest"
	"github.com/carnet-network/carnet/pkg/verify"
)

// twoHistories is a proof from two worlds that differ from entry 3 on; k1 signed both.
func twoHistories(t *testing.T) (*evidence.Split, *historytest.World) {
	ours, theirs := historytest.New(t), historytest.New(t)
	theirs.Entries[3].Salt[0] ^= 1
	theirs.Release(historytest.SQL, 2)
	older, newer := int64(len(ours.Entries)), int64(len(theirs.Entries))
	s := &evidence.Split{Format: evidence.SplitFormat, Older: ours.Checkpoint(older, "k1", "k2"), Newer: theirs.Checkpoint(newer, "k1"), Root: theirs.Checkpoint(older).Head}
	var err error
	s.Path, err = evidence.ProveConsistency(theirs.Leaves(newer), older)
	require.NoError(t, err)
	for _, e := range ours.Entries {
		var p carnet.Party
		if e.Envelope.Decode(carnet.TypeParty, &p) == nil && (p.HasRole(carnet.RoleOperator) || p.HasRole(carnet.RoleKeyholder)) {
			s.Parties = append(s.Parties, e.Envelope)
		}
	}
	return s, ours
}

func split(t *testing.T, s *evidence.Split) *verify.Report {
	t.Helper()
	data, err := verify.EncodeSplit(s)
	require.NoError(t, err)
	require.True(t, verify.IsSplit(data))
	r, err := verify.Split(t.Context(), data, options())
	require.NoError(t, err)
	return r
}

// Whoever has the registrar's key is convinced by a proof of two histories, and by no other.
func TestTwoHistoriesAreProved(t *testing.T) {
	s, w := twoHistories(t)
	r := split(t, s)
	require.Equal(t, verify.Verified, r.Verdict, "%v", r.Failures())
	require.Contains(t, r.Check(verify.CheckSignatures).Found, "k1 co-signed both")
	for what, c := range map[string]struct {
		check, reason string
		change        func(s *evidence.Split)
	}{
		"one history": {verify.CheckSplit, "NO_SPLIT", func(s *evidence.Split) {
			longer := historytest.New(t)
			longer.Release(historytest.SQL, 2)
			size := int64(len(longer.Entries))
			var err error
			s.Newer, s.Root = longer.Checkpoint(size), s.Older.Head
			s.Path, err = evidence.ProveConsistency(longer.Leaves(size), s.Older.Size)
			require.NoError(t, err)
		}},
		"another root":        {verify.CheckSplit, "NO_SPLIT", func(s *evidence.Split) { s.Root[0] ^= 1 }},
		"another path":        {verify.CheckSplit, "NO_SPLIT", func(s *evidence.Split) { s.Path[0][0] ^= 1 }},
		"the other way round": {verify.CheckSplit, "NO_SPLIT", func(s *evidence.Split) { s.Older, s.Newer = s.Newer, s.Older }},
		"a state that the log did not sign": {verify.CheckSignatures, "BAD_SIGNATURE", func(s *evidence.Split) {
			cp, err := evidence.SignCheckpoint(s.Older.Origin, s.Older.Checkpoint, historytest.KeyOf("k1"))
			require.NoError(t, err)
			s.Older = cp
		}},
		"another log": {verify.CheckSignatures, "WRONG_LOG", func(s *evidence.Split) {
			cp, err := evidence.SignCheckpoint("example.org/log", s.Older.Checkpoint, historytest.KeyOf(historytest.Operator))
			require.NoError(t, err)
			s.Older = cp
		}},
		"parties that the registrar does not know": {verify.CheckSignatures, "BAD_SIGNATURE", func(s *evidence.Split) {
			s.Parties[0] = w.Seal(carnet.TypeParty, carnet.Party{ID: "x", Roles: []carnet.Role{carnet.RoleOperator}, SigningKey: historytest.KeyOf("x").Public()}, "x")
		}},
		"something else than parties": {verify.CheckSignatures, "WRONG_STATEMENT_TYPE", func(s *evidence.Split) { s.Parties[0] = w.Manifests["acme"] }},
	} {
		s, _ := twoHistories(t)
		c.change(s)
		r := split(t, s)
		require.Equal(t, verify.Broken, r.Verdict, what)
		require.Equal(t, c.reason, r.Check(c.check).Faults[0].Reason, what)
	}
	data, err := verify.EncodeSplit(s)
	require.NoError(t, err)
	for i := 0; i < bytes.Index(data, []byte(`"parties"`)); i += 7 { // those are covered by signatures, but for the names of keys
		bad := slices.Clone(data)
		bad[i] ^= 1
		r, err := verify.Split(t.Context(), bad, options())
		require.NoError(t, err)
		require.Equal(t, verify.Broken, r.Verdict, "byte %d", i)
	}
}

// A signature with a key that was replaced counts, since it may be from before, and is named: it
// may be a thief's.
func TestSplitsSignedWithReplacedKeys(t *testing.T) {
	for _, party := range []carnet.PartyID{"k1", historytest.Operator} {
		s, w := twoHistories(t)
		for _, line := range split(t, s).Check(verify.CheckSignatures).Found {
			require.NotContains(t, line, "replaced")
		}
		s.Parties = append(s.Parties, w.Rotate(party))
		r := split(t, s)
		require.Equal(t, verify.Verified, r.Verdict, "%v", r.Failures())
		named := 0
		for _, line := range r.Check(verify.CheckSignatures).Found {
			if strings.Contains(line, "is signed with a key that "+string(party)+" replaced") {
				named++
			}
		}
		require.Equal(t, 2, named, "both states are")
	}
}
