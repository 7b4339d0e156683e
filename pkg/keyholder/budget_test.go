package keyholder

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// TestReleasesRunOut: with the budget of a key used up by what the journal asks for,
// answered or not, nothing more is answered; repeating a query costs nothing.
func TestReleasesRunOut(t *testing.T) {
	w := cubeWorld(t)
	q1, q2 := w.ask(t, monthly), w.ask(t, monthly)
	g := newGateway(t, w)
	h := g.run(t, 1)
	g.journal(t, q1, q2)
	g.answered(t, q1, 1)
	g.answered(t, q2, 1)
	key := w.product.Datasets[0].Manifest.Key
	n, err := h.ledger.Charged(t.Context(), key, 1<<40)
	require.NoError(t, err)
	p, err := w.compile(monthly)
	require.NoError(t, err)
	require.EqualValues(t, len(p.Openings), n, "equal functionals are charged once")

	// Another keyholder of the same journal, whose own cap is lower, stops.
	g2 := newGateway(t, w)
	g2.run(t, 2, func(c *Config) { c.MaxReleases = n - 1 })
	g2.journal(t, q1)
	require.Equal(t, "RELEASES_EXHAUSTED", g2.refused(t, q1).Reason)
}

// TestUnaskedQueriesAreCharged: a keyholder that was silent when a query was asked
// still charges it before it answers a later one.
func TestUnaskedQueriesAreCharged(t *testing.T) {
	w := cubeWorld(t)
	old := w.resign(t, func(q *carnet.Query) { q.Expires = testTime.Add(-2 * lapseAfter) }, w.buyer)
	g := newGateway(t, w)
	h := g.run(t, 1)
	g.journal(t, old)
	g.wait(t, "co-signature", func() bool { return len(g.cosigned) > 0 })
	require.Eventually(t, func() bool {
		o, err := h.ledger.Outcome(t.Context(), old.Hash())
		return err == nil && o != nil && o.Kind == kindLapsed
	}, waitLimit, waitStep)
	n, err := h.ledger.Charged(t.Context(), w.product.Datasets[0].Manifest.Key, 1<<40)
	require.NoError(t, err)
	require.Positive(t, n)
	require.Empty(t, g.said(), "nobody is told about a query that lapsed long ago")
}

// faulty meets a fault of the program in one query.
type faulty struct{ query carnet.Hash }

func (f faulty) Check(_ context.Context, r Request) (Verdict, error) {
	if r.Query.ID == f.query {
		panic("out of range")
	}
	return Verdict{}, nil
}

// TestFaultInOneQueryStopsNoOther: the keyholder goes on, and says where it happened.
func TestFaultInOneQueryStopsNoOther(t *testing.T) {
	w := cubeWorld(t)
	bad := w.query(t, monthly)
	q1, q2 := sign(t, carnet.TypeQuery, bad, w.buyer), w.ask(t, monthly)
	g := newGateway(t, w)
	h := g.run(t, 1, func(c *Config) { c.Policy = faulty{bad.ID} })
	g.journal(t, q1, q2)
	g.answered(t, q2, 1)
	require.Eventually(t, func() bool { return strings.Contains(h.logs.String(), "faulty.Check") }, waitLimit, waitStep)
	o, err := h.ledger.Outcome(t.Context(), q1.Hash())
	require.NoError(t, err)
	require.Nil(t, o, "it is tried again until it expires")
}

// A fault of the planner opens nothing and is charged by nobody.
func TestFaultOfThePlanner(t *testing.T) {
	w := cubeWorld(t)
	s := newState(w.registrar.Public(), "kh1")
	for _, env := range w.base {
		require.NoError(t, s.apply(env))
	}
	c := s.newCase(0, w.ask(t, monthly))
	for i := range c.products[0].inputs {
		c.products[0].inputs[i].schema = nil
	}
	_, err := c.compile()
	require.Equal(t, "PANIC", carnet.ReasonOf(err))
	require.Equal(t, carnet.Refused, carnet.KindOf(checkBudget(t.Context(), nil, c)))
	require.Empty(t, (&Keyholder{}).charge(c))
}

// TestWrongPlansAreRefused: what a plan says about an opening is compared with what
// the functional itself demands.
func TestWrongPlansAreRefused(t *testing.T) {
	w := recordsWorld(t)
	g := newGateway(t, w)
	h := g.prepare(t, 1, t.TempDir())
	for _, env := range w.base {
		require.NoError(t, h.state.apply(env))
	}
	for name, change := range map[string]func(c *Case){
		"flooding":    func(c *Case) { c.plan.Openings[0].FloodBits-- },
		"degree":      func(c *Case) { c.plan.Openings[0].Degree++ },
		"foreign key": func(c *Case) { c.plan.Openings[0].F.Keys[0].Key[0] ^= 1; c.plan.Openings[0].F.Sort() },
		"term twice": func(c *Case) {
			k := &c.plan.Openings[0].F.Keys[0]
			k.Linear, k.Products = append(k.Linear, k.Linear...), append(k.Products, k.Products...)
		},
		"no key": func(c *Case) { c.plan.Openings[0].F.Keys = nil },
	} {
		t.Run(name, func(t *testing.T) {
			c := h.state.newCase(99, w.ask(t, monthly))
			_, err := c.compile()
			require.NoError(t, err)
			require.NoError(t, checkOpenings(t.Context(), h.Keyholder, c))
			change(c)
			err = checkOpenings(t.Context(), h.Keyholder, c)
			require.Equal(t, carnet.Refused, carnet.KindOf(err), err)
		})
	}
}
