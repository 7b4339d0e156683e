package monitor_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/history/historytest"
)

// A query that nobody answers for what it tells of few owners costs nothing. A gateway and a
// buyer who have such queries logged get no honest keyholder accused.
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
	require.Empty(t, out)
}
