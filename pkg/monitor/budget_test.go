package monitor_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/history"
	"github.com/carnet-network/carnet/pkg/history/historytest"
	"github.com/carnet-network/carnet/pkg/monitor"
)

// A query that nobody answers for what it tells of few owners costs nothing. A gateway and a
// buyer who have such queries logged get no honest keyholder accused: what the monitor
// counted too much of is to be asked about.
func TestRefusedOverlapsAccuseNobody(t *testing.T) {
	w := historytest.New(t)
	w.Publish("acme", func(d *carnet.Dataset) {
		d.Terms.MinOwners = 2
		d.Terms.Privacy = &carnet.Privacy{Budget: 25, PerNumber: 10, RowsPerUnit: 1}
	})
	answer(w, w.Ask("SELECT SUM(value) FROM trade"), func(*carnet.Answer) {})
	w.Ask("SELECT SUM(value) FROM trade WHERE owner = 'acme'") // refused by everybody
	last := w.Ask("SELECT COUNT(*) FROM trade")
	answer(w, last, func(*carnet.Answer) {})
	_, out := follow(w, options())
	require.Len(t, out, 1)
	require.Equal(t, "BUDGET_SPENT", out[0].Reason)
	require.Equal(t, monitor.Suspect, out[0].Weight)
	require.Contains(t, out[0].Message, "carnet verify --log")

	s := history.New(historytest.KeyOf(historytest.Registrar).Public())
	s.JudgeOverlaps([32]byte{1})
	for _, e := range w.Entries {
		_, _ = s.Apply(e.Seq, e.Envelope)
	}
	require.True(t, s.Case(last.Hash()).Payments[0].Fits)
}
