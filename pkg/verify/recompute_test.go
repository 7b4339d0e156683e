package verify_test

import (
	"context"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/columnfile"
	"github.com/carnet-network/carnet/pkg/history/historytest"
	"github.com/carnet-network/carnet/pkg/scan"
	"github.com/carnet-network/carnet/pkg/verify"
)

// zeros is ciphertext of nothing: every word and every correction is zero.
type zeros struct {
	bytes int // of a polynomial
	err   error
}

func (z zeros) Chunk(_ context.Context, f *columnfile.File, _ carnet.Hash, _ uint32, chunk, _ int) ([]uint64, func(), error) {
	return make([]uint64, f.ChunkWords(chunk)), func() {}, z.err
}

func (z zeros) Correction(context.Context, carnet.KeyID, int) ([]byte, error) {
	return make([]byte, z.bytes), nil
}

// recomputed is the check of a query that all keyholders answered alike.
func recomputed(t *testing.T, w *historytest.World, sql string, o verify.Options, change func(*carnet.Answer)) *verify.Check {
	t.Helper()
	q := w.Ask(sql)
	for i, k := range historytest.Keyholders {
		a := w.Answer(q, i+1)
		a.Attested = nil
		change(&a)
		w.Append(carnet.TypeAnswer, a, k)
	}
	r := run(t, w.Bundle(q.Hash()), o)
	c := r.Check(verify.CheckRecompute)
	require.NotEqual(t, verify.NotChecked, c.Status, "%v", r.Failures())
	return c
}

// What keyholders and gateway signed and serve is compared with what is executed here, each
// thing by itself.
func TestRecompute(t *testing.T) {
	w := historytest.NewOf(t, carnet.LayoutCube, "acme")
	data := zeros{bytes: w.Profile().BlockBytes()}
	o := options()
	o.Data, o.Scan = data, scan.Options{Workers: 1}
	honest := recomputed(t, w, historytest.SQL, o, func(*carnet.Answer) {})
	require.Equal(t, verify.Passed, honest.Status, "%v", honest.Faults)
	digest := regexp.MustCompile("public half ([0-9a-f]{64})").FindStringSubmatch(honest.Found[0])
	z, err := carnet.ParseHash(digest[1])
	require.NoError(t, err)
	attested := recomputed(t, w, historytest.SQL, o, func(a *carnet.Answer) { a.Attested = &z })
	require.Equal(t, verify.Passed, attested.Status)
	require.Contains(t, attested.Found, "bit for bit those that 3 keyholders signed")

	fault := func(c *verify.Check) verify.Fault {
		require.Equal(t, verify.Failed, c.Status)
		return c.Faults[0]
	}
	f := fault(recomputed(t, w, historytest.SQL, o, func(a *carnet.Answer) { a.Attested = &carnet.Hash{1} }))
	require.Equal(t, "PUBLIC_VALUES_WRONG", f.Reason)
	require.Contains(t, f.Part, "answer")
	o.Values = []byte("other values")
	f = fault(recomputed(t, w, historytest.SQL, o, func(*carnet.Answer) {}))
	require.Equal(t, [2]string{"PUBLIC_VALUES_WRONG", "the gateway's public values"}, [2]string{f.Reason, f.Part})
	o.Values, o.Data = nil, zeros{bytes: data.bytes, err: carnet.E(carnet.Invalid, "PIECE_DIFFERS", "no such piece")}
	require.Equal(t, "PIECE_DIFFERS", fault(recomputed(t, w, historytest.SQL, o, func(*carnet.Answer) {})).Reason)
	o.Data = zeros{bytes: data.bytes - 1}
	require.Equal(t, "CORRECTIONS_DIFFER", fault(recomputed(t, w, historytest.SQL, o, func(*carnet.Answer) {})).Reason)
}

// What can't be had says nothing against a bundle, and is not called a failure: the gateway is
// away, this party may not read there, a copy is not whole.
func TestRecomputeWithoutTheData(t *testing.T) {
	w := historytest.NewOf(t, carnet.LayoutCube, "acme")
	q := w.Ask(historytest.SQL)
	for i := range historytest.Keyholders {
		w.Append(carnet.TypeAnswer, w.Answer(q, i+1), historytest.Keyholders[i])
	}
	b := w.Bundle(q.Hash())
	for _, err := range []error{
		carnet.E(carnet.Unavailable, "UNAVAILABLE", "away"), carnet.E(carnet.Exhausted, "RESOURCE_EXHAUSTED", "busy"),
		carnet.E(carnet.NotFound, "NO_FILE", "no such file"), carnet.E(carnet.Forbidden, "WRONG_ROLE", "no auditor"),
	} {
		o := options()
		o.Data, o.Scan = zeros{bytes: w.Profile().BlockBytes(), err: err}, scan.Options{Workers: 1}
		r := run(t, b, o)
		c := r.Check(verify.CheckRecompute)
		require.Equal(t, verify.NotChecked, c.Status, "%v", err)
		require.Contains(t, c.Why, err.Error())
		require.Equal(t, verify.Incomplete, r.Verdict)
	}
	o := options()
	o.Data, o.Scan = zeros{bytes: w.Profile().BlockBytes(), err: carnet.E(carnet.Forbidden, "BAD_SIGNATURE", "forged")}, scan.Options{Workers: 1}
	require.Equal(t, verify.Broken, run(t, b, o).Verdict)
}

// Functionals of products take execution: keyholders that agree on others are found by it.
func TestRecomputedFunctionals(t *testing.T) {
	w := historytest.NewOf(t, carnet.LayoutRecords, "acme")
	o := options()
	o.Data, o.Scan = zeros{bytes: w.Profile().BlockBytes()}, scan.Options{Workers: 1}
	c := recomputed(t, w, "SELECT SUM(value) FROM trade WHERE month = '1'", o, func(a *carnet.Answer) { a.Functionals = carnet.Hash{1} })
	require.Equal(t, verify.Failed, c.Status)
	require.Equal(t, "FUNCTIONALS_DIFFER", c.Faults[0].Reason)
}
