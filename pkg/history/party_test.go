package history_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/history/historytest"
)

// What is signed is judged with the key that was in force at its place in the log: one log
// has statements and checkpoints under both.
func TestKeysAreThoseOfTheirPlaceInTheLog(t *testing.T) {
	w := historytest.New(t)
	before := w.Release(historytest.SQL, 3)
	early := w.Checkpoint(int64(len(w.Entries)), historytest.Keyholders...)
	for _, id := range []carnet.PartyID{"k1", historytest.Owners[0], historytest.Buyer} {
		w.Rotate(id)
	}
	w.Publish(historytest.Owners[0], nil)
	after := w.Release(historytest.SQL, 3)
	late := w.Checkpoint(int64(len(w.Entries)), historytest.Keyholders...)

	s := w.State()
	require.True(t, s.Case(before.Hash()).Released())
	require.True(t, s.Case(after.Hash()).Released())
	require.Len(t, s.Registered("k1"), 2)
	for _, k := range historytest.Keyholders {
		require.True(t, s.Cosigned(k, early) && s.Cosigned(k, late), k)
	}
	require.False(t, s.Cosigned("k4", late))

	// The old key co-signs nothing from the rotation on, the new one nothing before it.
	forged := w.Sign(late.Checkpoint)
	require.NoError(t, forged.Cosign("k1", historytest.Start, w.Key("k1#1")))
	require.False(t, s.Cosigned("k1", forged))
	forged = w.Sign(early.Checkpoint)
	require.NoError(t, forged.Cosign("k1", historytest.Start, w.Key("k1#2")))
	require.False(t, s.Cosigned("k1", forged))
}

func TestARevokedPartyIsOutOfTheCommittee(t *testing.T) {
	w := historytest.New(t)
	early := w.Checkpoint(int64(len(w.Entries)), "k1")
	w.RevokeParty("k1")
	late := w.Checkpoint(int64(len(w.Entries)), "k1")
	s := w.State()
	require.Nil(t, s.Party("k1"))
	require.EqualValues(t, len(w.Entries)-1, s.PartyRevoked("k1"))
	require.EqualValues(t, -1, s.PartyRevoked("k2"))
	require.True(t, s.Cosigned("k1", early))
	require.False(t, s.Cosigned("k1", late))
}
