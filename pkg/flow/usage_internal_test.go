package flow

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/history/historytest"
	"github.com/carnet-network/carnet/pkg/meter"
)

// An owner chooses periods freely, but what the log grows by in a day is bounded, whoever
// asks and after a restart: the journal itself is counted.
func TestUsageStatementsAreBounded(t *testing.T) {
	w := historytest.New(t)
	b := meter.NewBook(historytest.KeyOf(historytest.Registrar).Public())
	read := 0
	certify := func(n int) {
		for range n {
			u := carnet.Usage{Dataset: "acme/trade", Owner: "acme", From: historytest.Start, Until: w.Now(), Operator: historytest.Operator, Created: w.Now()}
			w.Append(carnet.TypeUsage, u, historytest.Operator)
		}
		for _, e := range w.Entries[read:] {
			require.NoError(t, b.Add(e.Seq, e.Envelope))
		}
		read = len(w.Entries)
	}
	certify(usagesOfDataset - 1)
	require.NoError(t, usageAllowed(b, "acme/trade", w.Now()))
	certify(1)
	require.Equal(t, "TOO_MANY_STATEMENTS", carnet.ReasonOf(usageAllowed(b, "acme/trade", w.Now())))
	require.NoError(t, usageAllowed(b, "bolt/trade", w.Now()), "another dataset")
	require.NoError(t, usageAllowed(b, "acme/trade", w.Now().Add(usagesOfPeriod+time.Hour)))
}
