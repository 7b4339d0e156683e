package client

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Who opens an answer that is not there yet is told how far it is and until when it can come.
func TestNotReadySaysHowFar(t *testing.T) {
	other := carnet.E(carnet.Precondition, "NOT_READY", "what the gateway said")
	s := &Status{State: Releasing, Answers: 1, Threshold: 2, Keyholders: 3, Query: carnet.Query{Expires: time.Date(2026, 11, 26, 14, 0, 0, 0, time.UTC)}}
	var e *carnet.Error
	require.ErrorAs(t, s.NotReady(other), &e)
	require.Equal(t, "NOT_READY", e.Reason)
	require.Equal(t, "1 of the 2 answers that are needed have come, of 3 keyholders", e.Msg)
	require.Contains(t, e.Remedy, "until 2026-11-26 14:00 UTC")

	s.State, s.Blocks, s.BlocksDone = Computing, 9, 4
	require.ErrorContains(t, s.NotReady(other), "4 of 9 blocks")
	s.State = Expired
	require.Equal(t, "QUERY_EXPIRED", carnet.ReasonOf(s.NotReady(other)))
	s.State = Ready
	require.Equal(t, other, s.NotReady(other))
}

// Answers that came and can't be used are not "none": what is wrong with each is told.
func TestUnusableAnswersAreTold(t *testing.T) {
	o := &opening{out: &Answer{}}
	require.ErrorContains(t, o.agree(), "no keyholder has answered yet")
	o.out.Rejected = []Member{{Reason: "the statement has another type"}, {Number: 2, Party: "kh-uz", Reason: "its message has 3 bytes, want 8"}}
	err := o.agree()
	require.Equal(t, "TOO_FEW_ANSWERS", carnet.ReasonOf(err))
	require.ErrorContains(t, err, "an answer: the statement has another type; kh-uz: its message has 3 bytes")
}
