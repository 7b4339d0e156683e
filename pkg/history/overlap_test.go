package history_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/history"
	"github.com/carnet-network/carnet/pkg/history/historytest"
)

// Keyholders refuse what their own program met a fault about. Whoever reads the log has not
// that verdict from a fault of its own, and no refusal to accuse those of who answered.
func TestAFaultOfTheReaderIsNoVerdict(t *testing.T) {
	w := historytest.New(t)
	q := w.Release(historytest.SQL, 2)
	for _, faulty := range []bool{false, true} {
		s := history.New(historytest.KeyOf(historytest.Registrar).Public())
		s.JudgeOverlaps([32]byte{1})
		if faulty {
			s.Break(0, "acme/other")
		}
		for _, e := range w.Entries {
			_, err := s.Apply(e.Seq, e.Envelope)
			require.NoError(t, err, "entry %d", e.Seq)
		}
		err := s.Overlap(q.Hash())
		if !faulty {
			require.NoError(t, err)
			continue
		}
		require.Equal(t, carnet.Internal, carnet.KindOf(err), "%v", err)
		require.Equal(t, "OVERLAP_FAULT", carnet.ReasonOf(err))
	}
}
