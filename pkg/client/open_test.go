package client

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/he"
)

// right checks the result against the rows.
func right(t *testing.T, a *Answer) {
	t.Helper()
	var got [][]string
	for _, row := range a.Result.Rows {
		var line []string
		for _, v := range row {
			line = append(line, v.String())
		}
		got = append(got, line)
	}
	require.Equal(t, [][]string{{"01", "10", "13500"}, {"02", "10", "14500"}, {"03", "10", "15500"}}, got)
}

func numbers(ms []Member) (out []int) {
	for _, m := range ms {
		out = append(out, m.Number)
	}
	return out
}

func TestOpen(t *testing.T) {
	r := newRelease(t, 3, 0)
	a, err := r.open(t)
	require.NoError(t, err)
	right(t, a)
	require.Equal(t, []int{1, 2, 3, 4, 5}, numbers(a.Used))
	require.Equal(t, 5, a.Attested)
	require.False(t, a.Unattested)
	require.Equal(t, 2, a.Detectable)
	require.Empty(t, a.Liars)

	// Any three are enough; fewer are not.
	delete(r.answers, 2)
	delete(r.answers, 4)
	a, err = r.open(t)
	require.NoError(t, err)
	right(t, a)
	require.Zero(t, a.Detectable)
	delete(r.answers, 5)
	_, err = r.open(t)
	require.Equal(t, "TOO_FEW_ANSWERS", carnet.ReasonOf(err))
	clear(r.answers)
	_, err = r.open(t)
	require.Equal(t, "TOO_FEW_ANSWERS", carnet.ReasonOf(err))
}

func TestOpenNoticesLies(t *testing.T) {
	lie := func(r *release, i int) {
		ring := he.NewRing(r.asked.Product.Profile)
		r.scalars[i][1] = ring.ScalarAdd(r.scalars[i][1], ring.TInv(0))
	}
	// Five answers of 2-of-5 name one liar and do without it.
	r := newRelease(t, 2, 0)
	lie(r, 4)
	a, err := r.open(t)
	require.NoError(t, err)
	right(t, a)
	require.Equal(t, []int{4}, numbers(a.Liars))
	require.Equal(t, []int{1, 2, 3, 5}, numbers(a.Used))

	// Five answers of 3-of-5 detect two liars: no answer rather than a wrong one.
	r = newRelease(t, 3, 0)
	lie(r, 4)
	_, err = r.open(t)
	require.Equal(t, "INCONSISTENT_ANSWERS", carnet.ReasonOf(err))
	lie(r, 1)
	_, err = r.open(t)
	require.Equal(t, "INCONSISTENT_ANSWERS", carnet.ReasonOf(err))
}

// TestOpenSetsAside: what is not a keyholder's honest word about this query does not
// count, and does not spoil what does.
func TestOpenSetsAside(t *testing.T) {
	for name, change := range map[string]func(*release){
		"signed by another":    func(r *release) { r.signers[2] = "kh1" },
		"number of another":    func(r *release) { r.answers[2].Number = 1 },
		"number out of range":  func(r *release) { r.answers[2].Number = 6 },
		"another query":        func(r *release) { r.answers[2].Query = carnet.Hash{1} },
		"fewer openings":       func(r *release) { r.answers[2].Openings-- },
		"other functionals":    func(r *release) { r.answers[2].Functionals = carnet.Hash{1} },
		"sealed bytes changed": func(r *release) { r.tamper[2] = func(b []byte) []byte { b[50] ^= 1; return b } },
		"sealed bytes missing": func(r *release) { r.tamper[2] = func(b []byte) []byte { return b[:101] } },
		"fewer scalars":        func(r *release) { r.scalars[2] = r.scalars[2][1:] },
		"scalar not canonical": func(r *release) { r.scalars[2] = slices.Clone(r.scalars[2]); r.scalars[2][0][0] = ^uint64(0) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRelease(t, 3, 0)
			change(r)
			a, err := r.open(t)
			require.NoError(t, err)
			right(t, a)
			require.Equal(t, []int{1, 3, 4, 5}, numbers(a.Used))
			require.Len(t, a.Rejected, 1)
			require.NotEmpty(t, a.Rejected[0].Reason)
		})
	}
}

func TestOpenAttestation(t *testing.T) {
	other := carnet.Hash{1}
	attest := func(r *release, right int, wrong int) {
		for i := 1; i <= 5; i++ {
			switch {
			case i <= right:
			case i <= right+wrong:
				r.answers[i].Attested = &other
			default:
				r.answers[i].Attested = nil
			}
		}
	}
	for _, c := range []struct {
		right, wrong int
		unattested   bool
		reason       string
	}{
		{2, 0, false, ""},
		{1, 0, true, ""}, // the committee asks for two
		{0, 0, true, ""},
		{3, 2, false, ""}, // named, but outvoted
		{2, 2, false, "PUBLIC_VALUES_WRONG"},
		{2, 1, false, "PUBLIC_VALUES_WRONG"}, // two may be liars, together with the gateway
		{0, 1, false, "PUBLIC_VALUES_WRONG"},
	} {
		r := newRelease(t, 3, 0)
		attest(r, c.right, c.wrong)
		a, err := r.open(t)
		require.Equal(t, c.reason, carnet.ReasonOf(err), "%+v: %v", c, err)
		if c.reason != "" {
			require.Contains(t, err.Error(), "gateway")
			continue
		}
		right(t, a)
		require.Equal(t, c.unattested, a.Unattested, "%+v", c)
		require.Equal(t, c.right, a.Attested)
		require.Len(t, a.Disagreed, c.wrong)
	}
	// A gateway that changes z is found out by those who computed it.
	r := newRelease(t, 3, 0)
	r.public[0] ^= 1
	_, err := r.open(t)
	require.Equal(t, "PUBLIC_VALUES_WRONG", carnet.ReasonOf(err))
	r.public = r.public[8:]
	_, err = r.open(t)
	require.Equal(t, "GATEWAY_WRONG", carnet.ReasonOf(err))
}

func TestOpenHomeVeto(t *testing.T) {
	r := newRelease(t, 3, 2)
	a, err := r.open(t)
	require.NoError(t, err)
	right(t, a)
	require.Equal(t, []int{2}, numbers(a.Homes))
	delete(r.answers, 2)
	_, err = r.open(t)
	require.Equal(t, "HOME_MISSING", carnet.ReasonOf(err))
}

// A product's public values count as attested only if an honest keyholder is among
// those that computed them.
func TestProductsNeedMoreAttestations(t *testing.T) {
	c := &carnet.Committee{Threshold: 3, Attestations: 1}
	require.Equal(t, 1, attestationsNeeded(c, 1))
	require.Equal(t, 3, attestationsNeeded(c, 2))
	c.Attestations = 4
	require.Equal(t, 4, attestationsNeeded(c, 1))
	require.Equal(t, 4, attestationsNeeded(c, 2))
}
