package verify_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/history/historytest"
	"github.com/carnet-network/carnet/pkg/verify"
)

// With another registrar's key every kind of file says which key was given and which one its log
// is named after, once, and nothing of what does not verify for that reason.
func TestAnotherRegistrarsKey(t *testing.T) {
	other := verify.Options{Registrar: historytest.KeyOf("another registrar").Public()}
	w := historytest.New(t)
	b := w.Bundle(w.Release(historytest.SQL, 3).Hash())
	bundled, err := b.Encode()
	require.NoError(t, err)
	s, _ := twoHistories(t)
	split, err := verify.EncodeSplit(s)
	require.NoError(t, err)
	ofBundle, err := verify.Verify(t.Context(), bundled, other)
	require.NoError(t, err)
	ofSplit, err := verify.Split(t.Context(), split, other)
	require.NoError(t, err)
	ofDocument := check(t, certified(historytest.New(t), nil, historytest.Operator), other)
	for what, r := range map[string]*verify.Report{"bundle": ofBundle, "split": ofSplit, "document": ofDocument} {
		require.Equal(t, verify.Broken, r.Verdict, what)
		require.Len(t, r.Failures(), 1, what)
		require.Equal(t, "WRONG_REGISTRAR", r.Failures()[0].Reason, what)
		require.Equal(t, evidence.KeyHint(other.Registrar), r.Registrar.Given, what)
		require.Equal(t, evidence.KeyHint(options().Registrar), r.Registrar.Named, what)
	}
}

// A file of another network does not get off as a mistake of who checks it: if it is named after
// this network's log, or has parties of this network, its own faults are told.
func TestFilesOfThisNetworkKeepTheirFaults(t *testing.T) {
	w := historytest.New(t)
	b := w.Bundle(w.Release(historytest.SQL, 3).Hash())
	o := verify.Options{Registrar: historytest.KeyOf("another registrar").Public()}
	b.Checkpoint.Origin = evidence.Origin(o.Registrar)
	data, err := b.Encode()
	require.NoError(t, err)
	r, err := verify.Verify(t.Context(), data, o)
	require.NoError(t, err)
	require.Nil(t, r.Registrar)
	require.Greater(t, len(r.Check(verify.CheckSignatures).Faults), 1)

	renamed := w.Bundle(w.Release(historytest.SQL, 3).Hash())
	renamed.Checkpoint.Origin = "carnet.network/00112233445566778899aabbccddeeff"
	data, err = renamed.Encode()
	require.NoError(t, err)
	r, err = verify.Verify(t.Context(), data, options())
	require.NoError(t, err)
	require.Nil(t, r.Registrar, "the registrar signed its parties")
	require.Equal(t, verify.Failed, r.Check(verify.CheckCosigned).Status)
}
