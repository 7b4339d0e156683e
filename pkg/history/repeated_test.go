package history_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/history"
	"github.com/carnet-network/carnet/pkg/history/historytest"
)

// A statement that is in the log twice changes nothing: a gateway that repeats the committee's
// has no honest answer look as if it were about two committees.
func TestRepeatedStatements(t *testing.T) {
	w := historytest.New(t)
	for _, e := range w.Entries[:len(w.Entries):len(w.Entries)] {
		if e.Envelope.PayloadType != carnet.TypeDealing {
			w.Put(e.Envelope)
		}
	}
	key := w.Deal("bolt")
	w.Publish("bolt", func(d *carnet.Dataset) { d.Key = key })
	q := w.Release(historytest.SQL, 2)
	s := history.New(historytest.KeyOf(historytest.Registrar).Public())
	for _, e := range w.Entries {
		_, err := s.Apply(e.Seq, e.Envelope)
		require.NoError(t, err, "entry %d", e.Seq)
	}
	require.True(t, s.Case(q.Hash()).Released())
}
