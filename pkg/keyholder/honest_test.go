package keyholder

import (
	"context"
	"crypto/sha256"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/share"
)

// open does what a buyer does: it opens the sealed shares, combines them, adds the
// public values a keyholder attested, and evaluates.
func (w *world) open(t *testing.T, query *evidence.Envelope, answers []*received) *plan.Result {
	t.Helper()
	var q carnet.Query
	require.NoError(t, query.Decode(carnet.TypeQuery, &q))
	p, err := plan.Compile(q.SQL, &w.product)
	require.NoError(t, err)
	ring := he.NewRing(w.profile)
	var numbers []int
	var values [][]he.Scalar
	home := map[int][]he.Scalar{}
	var members []int
	var public []he.Scalar
	for _, a := range answers {
		var body carnet.Answer
		require.NoError(t, a.env.Verify(carnet.TypeAnswer, w.stores()[a.number-1].Signer().Public(), &body))
		require.Equal(t, carnet.Hash(sha256.Sum256(a.sealed)), body.Sealed)
		require.Equal(t, query.Hash(), body.Query)
		require.Equal(t, a.number, body.Number)
		plain, err := w.recipient.Open(share.AnswerInfo(query.Hash(), a.number), a.sealed)
		require.NoError(t, err)
		count := len(p.Openings)
		if w.home && a.number == 1 {
			count *= 2
		}
		scalars, err := wire.ReadScalars(w.profile, plain, count)
		require.NoError(t, err)
		numbers = append(numbers, a.number)
		values = append(values, scalars[:len(p.Openings)])
		if count > len(p.Openings) {
			home[a.number], members = scalars[len(p.Openings):], []int{a.number}
		}
		if body.Attested != nil {
			require.Equal(t, carnet.Digest("carnet/answers/z/1", a.public), *body.Attested)
			public, err = wire.ReadScalars(w.profile, a.public, len(p.Openings))
			require.NoError(t, err)
		}
	}
	sums, liars, _, _, err := share.CombineAll(ring, w.scheme, numbers, values)
	require.NoError(t, err)
	require.Empty(t, liars)
	require.NoError(t, share.AddHome(ring, sums, members, home))
	require.NotNil(t, public, "nobody attested")
	opened := make([]int64, len(sums))
	for i := range sums {
		v, _ := ring.Decode(ring.ScalarAdd(sums[i], public[i]), p.Openings[i].F.Degree)
		opened[i] = he.Centre(v, w.profile.T())
	}
	res, err := p.Evaluate(opened)
	require.NoError(t, err)
	return res
}

func rowsOf(r *plan.Result) (out []string) {
	for _, row := range r.Rows {
		out = append(out, fmt.Sprint(row))
	}
	return out
}

// totals of the test data by month, over all owners.
func (w *world) totals() (out []string) {
	for m := range 3 {
		var n, sum int64
		for i := range w.owners {
			for r := range w.rows {
				if rw := row(i, r); rw.Dims[0] == m {
					n, sum = n+1, sum+rw.Measures[0]
				}
			}
		}
		out = append(out, fmt.Sprintf("[%02d %d %d]", m+1, n, sum))
	}
	return out
}

const monthly = `SELECT month, COUNT(*), SUM(value) FROM trade GROUP BY month ORDER BY month`

// TestThreeKeyholdersOpenAnAnswer runs the whole of the keyholders' side: seeds are
// fetched and confirmed, the journal is co-signed, shares combine to the totals.
func TestThreeKeyholdersOpenAnAnswer(t *testing.T) {
	for _, o := range []options{
		{layout: carnet.LayoutCube, owners: 2},
		{layout: carnet.LayoutRecords, owners: 2},
		{layout: carnet.LayoutCube, owners: 1, home: true},
		{layout: carnet.LayoutRecords, owners: 1, home: true},
	} {
		t.Run(fmt.Sprintf("%s-%d-%v", o.layout, o.owners, o.home), func(t *testing.T) {
			w := theWorld(t, o)
			g := newGateway(t, w)
			query := w.ask(t, monthly)
			for n := range holders {
				g.live[n+1] = true
			}
			for n := range holders {
				g.run(t, n+1, func(c *Config) { c.Attest = AttestAlways })
			}
			g.journal(t, query)
			answers := g.answered(t, query, holders)
			require.Equal(t, w.totals(), rowsOf(w.open(t, query, answers)))
			// Any t of them do, if the home keyholder is among them.
			require.Equal(t, w.totals(), rowsOf(w.open(t, query, pick(answers, 1, 3))))
			for n := range holders {
				for _, d := range w.dealings {
					g.wait(t, "confirmation", func() bool {
						return g.confirmed[fmt.Sprint(n+1, " ", d.Hash())] == "true "
					})
				}
			}
		})
	}
}

func pick(all []*received, numbers ...int) (out []*received) {
	for _, n := range numbers {
		for _, a := range all {
			if a.number == n {
				out = append(out, a)
				break
			}
		}
	}
	return out
}

// TestAttestation: public values are recomputed when the configuration says so.
func TestAttestation(t *testing.T) {
	for _, c := range []struct {
		layout   carnet.Layout
		attest   Attest
		attested bool
	}{
		{carnet.LayoutCube, AttestAlways, true},
		{carnet.LayoutCube, AttestProducts, false},
		{carnet.LayoutRecords, AttestProducts, true},
		{carnet.LayoutRecords, AttestNever, false},
	} {
		t.Run(fmt.Sprint(c.layout, c.attest), func(t *testing.T) {
			w := theWorld(t, options{layout: c.layout, owners: 2})
			g := newGateway(t, w)
			query := w.ask(t, monthly)
			g.run(t, 1, func(cfg *Config) { cfg.Attest = c.attest })
			g.journal(t, query)
			a := g.answered(t, query, 1)[0]
			require.Equal(t, c.attested, a.answer.Attested != nil)
			require.Equal(t, c.attested, len(a.public) > 0)
			if c.layout == carnet.LayoutCube && !c.attested {
				require.Zero(t, g.piecesRead(), "a linear query needs no data")
			}
		})
	}
}

// TestSharesAreDeterministic: two different queries for the same numbers get the
// same scalars, sealed differently.
func TestSharesAreDeterministic(t *testing.T) {
	w := theWorld(t, options{layout: carnet.LayoutRecords, owners: 2})
	g := newGateway(t, w)
	q1, q2 := w.ask(t, monthly), w.ask(t, monthly)
	require.NotEqual(t, q1.Hash(), q2.Hash())
	g.run(t, 1)
	g.journal(t, q1, q2)
	var plain [2][]byte
	for i, q := range []*evidence.Envelope{q1, q2} {
		a := g.answered(t, q, 1)[0]
		var err error
		plain[i], err = w.recipient.Open(share.AnswerInfo(q.Hash(), 1), a.sealed)
		require.NoError(t, err)
	}
	require.Equal(t, plain[0], plain[1])
}

// TestGatewayMayBeDown: nothing is lost while it is, and all is delivered after.
func TestGatewayMayBeDown(t *testing.T) {
	w := theWorld(t, options{layout: carnet.LayoutCube, owners: 2})
	g := newGateway(t, w)
	down := true
	unavailable := func() error {
		if down {
			return context.DeadlineExceeded
		}
		return nil
	}
	g.refuse = unavailable
	g.followed = func(int64) error {
		g.mu.Lock()
		defer g.mu.Unlock()
		return nil
	}
	query := w.ask(t, monthly)
	g.journal(t, query)
	h := g.run(t, 1)
	g.wait(t, "co-signature", func() bool { return len(g.cosigned) > 0 })
	require.Eventually(t, func() bool {
		o, err := h.ledger.Outcome(t.Context(), query.Hash())
		return err == nil && o != nil && !o.Sent
	}, waitLimit, waitStep)
	g.mu.Lock()
	down = false
	g.mu.Unlock()
	g.answered(t, query, 1)
}
