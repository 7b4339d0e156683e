package verify_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/bundle"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/history/historytest"
	"github.com/carnet-network/carnet/pkg/verify"
)

func options() verify.Options {
	return verify.Options{Registrar: historytest.KeyOf(historytest.Registrar).Public()}
}

func run(t testing.TB, b *bundle.Bundle, o verify.Options) *verify.Report {
	t.Helper()
	data, err := b.Encode()
	require.NoError(t, err)
	return runBytes(t, data, o)
}

func runBytes(t testing.TB, data []byte, o verify.Options) *verify.Report {
	t.Helper()
	r, err := verify.Verify(t.Context(), data, o)
	require.NoError(t, err)
	return r
}

// A query that was asked and answered as it should be passes every check that needs no
// ciphertext and nothing pinned.
func TestAnHonestBundleIsVerified(t *testing.T) {
	w := historytest.New(t)
	older := int64(len(w.Entries))
	q := w.Release(historytest.SQL, 3)
	b := w.Bundle(q.Hash(), older)
	o := options()
	o.Pinned = []carnet.Checkpoint{w.Checkpoint(older).Checkpoint, b.Checkpoint.Checkpoint}
	r := run(t, b, o)
	require.Empty(t, r.Failures())
	for _, c := range r.Checks {
		want := verify.Passed
		switch c.ID {
		case verify.CheckRecompute:
			want = verify.NotChecked
		case verify.CheckPolicy, verify.CheckPrivate, verify.CheckBudget, verify.CheckWhole:
			want = verify.NotNeeded
		}
		require.Equal(t, want, c.Status, "%s: %v %s", c.ID, c.Faults, c.Why)
	}
	require.Equal(t, verify.Incomplete, r.Verdict, "the ciphertext was not at hand")
	require.True(t, r.Query.Released)
	require.Equal(t, historytest.SQL, r.Query.SQL)
}
