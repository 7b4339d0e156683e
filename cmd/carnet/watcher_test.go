package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
)

// Without a terminal every state has one line, however often it is reported.
func TestWatcherWithoutATerminal(t *testing.T) {
	var out bytes.Buffer
	a := &app{err: &out}
	asked := &client.Asked{Ref: client.Ref{Hash: carnet.Digest("q")}}
	require.Nil(t, (&queryCmd{Quiet: true}).watcher(a, asked))
	require.Nil(t, (&queryCmd{}).watcher(a, &client.Asked{}), "nobody was asked")
	require.Empty(t, out.String())

	w := (&queryCmd{}).watcher(a, asked)
	until := []client.Pending{{Of: "kz", Until: time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)}}
	for _, s := range []client.Status{
		{State: client.Waiting, Pending: until}, {State: client.Waiting, Pending: until},
		{State: client.Computing, Blocks: 4}, {State: client.Computing, Blocks: 4, BlocksDone: 3},
		{State: client.Releasing, Threshold: 2, Keyholders: 3}, {State: client.Releasing, Threshold: 2, Keyholders: 3, Answers: 1},
		{State: client.Ready, Answers: 2}, {State: client.Ready, Answers: 3},
	} {
		s.ID = asked.Hash
		w(&s)
	}
	id := asked.Hash.String()
	require.Equal(t, strings.Join([]string{"query " + id + ": submitted",
		"query " + id[:12] + ": waiting for approval of kz until 2026-11-27 09:00 UTC",
		"query " + id[:12] + ": computing",
		"query " + id[:12] + ": computed, 2 of 3 keyholders have to answer",
		"query " + id[:12] + ": ready", ""}, "\n"), out.String())
}

// A gateway that is lost after a query was submitted does not make its buyer ask twice.
func TestLostGatewayNamesTheQuery(t *testing.T) {
	q := carnet.Digest("q")
	for _, reason := range []string{"UNAVAILABLE", "WATCH_ENDED"} {
		var e *carnet.Error
		require.ErrorAs(t, later(carnet.E(carnet.Unavailable, reason, "gone").Fix("repeat the command"), q), &e)
		require.Equal(t, reason, e.Reason)
		require.Contains(t, e.Remedy, "carnet open "+q.String())
		require.NotContains(t, e.Remedy, "repeat")
	}
	expired := carnet.E(carnet.Unavailable, "QUERY_EXPIRED", "too late").Fix("ask again")
	require.Equal(t, error(expired), later(expired, q))
	require.Equal(t, error(expired), later(expired, carnet.Hash{}))
	require.NoError(t, later(nil, q))
}
