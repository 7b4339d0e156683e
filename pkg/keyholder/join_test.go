package keyholder

import (
	"bytes"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/plan"
)

// Each owner's table as a product of its own, joined: one number for each difference.
const joinedGap = `SELECT month, p.v - q.v AS gap FROM (SELECT month, SUM(value) AS v FROM one GROUP BY month) AS p
	JOIN (SELECT month, SUM(value) AS v FROM two GROUP BY month) AS q USING (month)`

// publishes states a product of some of the datasets.
func (w *world) publishes(t *testing.T, id carnet.ProductID, datasets ...int) *evidence.Envelope {
	body := carnet.Product{ID: id, Publisher: "owner1", Schema: w.product.Datasets[0].Manifest.Schema, Created: testTime}
	for _, i := range datasets {
		body.Datasets = append(body.Datasets, w.product.Datasets[i].Manifest.ID)
	}
	return sign(t, carnet.TypeProduct, body, w.owners[0])
}

// joint is a query over products of some of the datasets, as an honest buyer makes it.
func (w *world) joint(t *testing.T, sql string, products ...plan.Product) carnet.Query {
	t.Helper()
	q := w.query(t, monthly)
	var ps []*plan.Product
	q.Product, q.With, q.Inputs, q.SQL = products[0].ID, nil, nil, sql
	for i := range products {
		ps = append(ps, &products[i])
		if i > 0 {
			q.With = append(q.With, products[i].ID)
		}
		for _, d := range products[i].Datasets {
			q.Inputs = append(q.Inputs, d.Hash)
		}
	}
	slices.SortFunc(q.Inputs, func(a, b carnet.Hash) int { return bytes.Compare(a[:], b[:]) })
	q.Inputs = slices.Compact(q.Inputs)
	p, err := plan.Compile(sql, ps...)
	require.NoError(t, err)
	q.Plan = p.Hash()
	return q
}

// of is the product as the planner takes it, with some of its datasets.
func (w *world) of(id carnet.ProductID, datasets ...int) plan.Product {
	p := w.product
	p.ID, p.Datasets = id, nil
	for _, i := range datasets {
		p.Datasets = append(p.Datasets, w.product.Datasets[i])
	}
	return p
}

// TestJoin: a query over two products is answered and charged under the keys of both.
func TestJoin(t *testing.T) {
	w := cubeWorld(t)
	g := newGateway(t, w)
	h := g.run(t, 1)
	query := sign(t, carnet.TypeQuery, w.joint(t, joinedGap, w.of("one", 0), w.of("two", 1)), w.buyer)
	seq := g.journal(t, w.publishes(t, "one", 0), w.publishes(t, "two", 1), query)
	g.answered(t, query, 1)
	for _, d := range w.product.Datasets {
		n, err := h.ledger.Charged(t.Context(), d.Manifest.Key, seq)
		require.NoError(t, err)
		require.EqualValues(t, 6, n, "a row count of its own and the difference, for each month")
	}
}

// TestAttackJoin: what a gateway or a buyer changes about the products of a query is
// refused, and charged to nobody if it can't be compiled or was not signed.
func TestAttackJoin(t *testing.T) {
	w := cubeWorld(t)
	one, two := w.of("one", 0), w.of("two", 1)
	honest := func(t *testing.T) carnet.Query { return w.joint(t, joinedGap, one, two) }
	signed := func(change func(*carnet.Query)) func(*testing.T) *evidence.Envelope {
		return func(t *testing.T) *evidence.Envelope {
			q := honest(t)
			change(&q)
			return sign(t, carnet.TypeQuery, q, w.buyer)
		}
	}
	tampered := func(change func(*carnet.Query)) func(*testing.T) *evidence.Envelope {
		return func(t *testing.T) *evidence.Envelope {
			q := honest(t)
			env := sign(t, carnet.TypeQuery, q, w.buyer)
			change(&q)
			other := sign(t, carnet.TypeQuery, q, w.buyer)
			other.Signatures = env.Signatures
			return other
		}
	}
	for _, c := range []struct {
		what    string
		query   func(*testing.T) *evidence.Envelope
		reason  string
		charged bool
	}{
		{"the second product is dropped by the gateway", tampered(func(q *carnet.Query) { q.With = nil }), "BAD_SIGNATURE", false},
		{"the second product is dropped by the buyer", signed(func(q *carnet.Query) { q.With = nil }), "UNKNOWN_PRODUCT", false},
		{"the second product is another", signed(func(q *carnet.Query) { q.With = []carnet.ProductID{"trade"} }), "UNKNOWN_PRODUCT", false},
		{"the second product does not exist", signed(func(q *carnet.Query) { q.With = []carnet.ProductID{"three"} }), "UNKNOWN_PRODUCT", false},
		{"a product that the text does not name", signed(func(q *carnet.Query) { q.SQL = "SELECT COUNT(*) FROM one" }), "UNKNOWN_PRODUCT", false},
		{"a product is given twice", signed(func(q *carnet.Query) { q.With = []carnet.ProductID{"one"} }), "BAD_PRODUCT", false},
		{"three products", signed(func(q *carnet.Query) { q.With = append(q.With, "trade") }), "BAD_STATEMENT", false},
		{"the inputs of the second product are left out", signed(func(q *carnet.Query) { q.Inputs = q.Inputs[:1] }), "INPUTS_DIFFER", true},
		{"an input is named twice", signed(func(q *carnet.Query) { q.Inputs = append(q.Inputs, q.Inputs[1]) }), "INPUTS_DIFFER", true},
		{"the inputs are swapped by the gateway", tampered(func(q *carnet.Query) { q.Inputs[1] = q.Inputs[0] }), "BAD_SIGNATURE", false},
		{"sides are exchanged in the text", signed(func(q *carnet.Query) { q.SQL = joinedGap[:14] + "q.v - p.v" + joinedGap[23:] }), "PLAN_DIFFERS", true},
	} {
		t.Run(c.what, func(t *testing.T) {
			g := newGateway(t, w)
			h := g.run(t, 1)
			query := c.query(t)
			seq := g.journal(t, w.publishes(t, "one", 0), w.publishes(t, "two", 1), query)
			require.Equal(t, c.reason, g.refused(t, query).Reason)
			n, err := h.ledger.Charged(t.Context(), w.product.Datasets[0].Manifest.Key, seq)
			require.NoError(t, err)
			require.Equal(t, c.charged, n > 0)
		})
	}
	t.Run("the second product is published anew", func(t *testing.T) {
		g := newGateway(t, w)
		g.run(t, 1)
		query := signed(func(*carnet.Query) {})(t)
		g.journal(t, w.publishes(t, "one", 0), w.publishes(t, "two", 0), query)
		require.Equal(t, "INPUTS_DIFFER", g.refused(t, query).Reason)
	})
}

// TestJoinOfOneFile: a dataset that is in both products is one input, counted once on each
// side and never in one number with itself.
func TestJoinOfOneFile(t *testing.T) {
	w := cubeWorld(t)
	both := w.of("two", 0, 1)
	q := w.joint(t, joinedGap, w.of("one", 0), both)
	require.Len(t, q.Inputs, 2)
	first := w.of("one", 0)
	p, err := plan.Compile(joinedGap, &first, &both)
	require.NoError(t, err)
	for _, o := range p.Openings {
		require.Nil(t, o.Less)
	}
	g := newGateway(t, w)
	g.run(t, 1)
	query := sign(t, carnet.TypeQuery, q, w.buyer)
	g.journal(t, w.publishes(t, "one", 0), w.publishes(t, "two", 0, 1), query)
	g.answered(t, query, 1)
}

// TestAttackMixedCommittees: keys that were dealt to two committees, be it of the same
// keyholders, are not opened together, and nothing is charged.
func TestAttackMixedCommittees(t *testing.T) {
	w := theWorld(t, options{layout: carnet.LayoutCube, owners: 2, apart: true})
	g := newGateway(t, w)
	h := g.run(t, 1)
	query := sign(t, carnet.TypeQuery, w.joint(t, joinedGap, w.of("one", 0), w.of("two", 1)), w.buyer)
	seq := g.journal(t, w.publishes(t, "one", 0), w.publishes(t, "two", 1), query)
	require.Equal(t, "MIXED_COMMITTEES", g.refused(t, query).Reason)
	for _, d := range w.product.Datasets {
		n, err := h.ledger.Charged(t.Context(), d.Manifest.Key, seq)
		require.NoError(t, err)
		require.Zero(t, n)
	}
	// The planner refuses it, too, where it knows the committees.
	one, two := w.of("one", 0), w.of("two", 1)
	one.Keyholders, two.Keyholders = w.committee, w.other
	_, err := plan.Compile(joinedGap, &one, &two)
	r := plan.RefusalOf(err)
	require.NotNil(t, r)
	require.Equal(t, "MIXED_COMMITTEES", r.Reason)
	require.Equal(t, "two", r.Near)
}
