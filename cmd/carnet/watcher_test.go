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
