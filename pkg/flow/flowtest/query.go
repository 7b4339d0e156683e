package flowtest

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"slices"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/flow"
	"github.com/carnet-network/carnet/pkg/functional"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/scan"
	"github.com/carnet-network/carnet/pkg/seal"
	"github.com/carnet-network/carnet/pkg/share"
)

// Asked is a query as its buyer knows it.
type Asked struct {
	Body      carnet.Query
	Plan      *plan.Plan
	Recipient *seal.PrivateKey
}

// Compile plans a query over tables, as the buyer does.
func (n *Network) Compile(sql string, product carnet.ProductID, tables ...*Table) *plan.Plan {
	enc, err := n.Schema.Encode(tables[0].Manifest.Layout)
	require.NoError(n.T, err)
	p, err := he.Lookup(enc.Profile)
	require.NoError(n.T, err)
	pr := &plan.Product{ID: product, Schema: n.Schema, Encoding: enc, Profile: p, Committee: n.Shares(), PrivateChecks: n.Committee.PrivateChecks, Homes: map[carnet.KeyID]int{}}
	for _, t := range tables {
		pr.Datasets = append(pr.Datasets, plan.Dataset{Hash: n.Seal(carnet.TypeDataset, t.Manifest).Hash(), Manifest: t.Manifest})
	}
	compiled, err := plan.Compile(sql, pr)
	require.NoError(n.T, err)
	return compiled
}

// Ask makes a query of the bank's; sign it with Seal(carnet.TypeQuery, q.Body, ...).
func (n *Network) Ask(sql string, product carnet.ProductID, tables ...*Table) *Asked {
	k, err := seal.GenerateKey()
	require.NoError(n.T, err)
	q := &Asked{Plan: n.Compile(sql, product, tables...), Recipient: k}
	q.Body = carnet.Query{Buyer: "bank", Product: product, SQL: sql, Purpose: "statistics", Plan: q.Plan.Hash(), Recipient: k.Public(),
		Created: n.Now(), Expires: n.Now().Add(QueryLife)}
	_, _ = rand.Read(q.Body.ID[:])
	for _, t := range tables {
		q.Body.Inputs = append(q.Body.Inputs, n.Seal(carnet.TypeDataset, t.Manifest).Hash())
	}
	slices.SortFunc(q.Body.Inputs, func(a, b carnet.Hash) int { return bytes.Compare(a[:], b[:]) })
	return q
}

// Submit signs and submits a query.
func (n *Network) Submit(q *Asked) (flow.Ref, error) {
	return n.G.SubmitQuery(context.Background(), n.Parties[q.Body.Buyer], n.Seal(carnet.TypeQuery, q.Body, q.Body.Buyer))
}

// Answer makes keyholder number i's real answer to a linear query.
func (n *Network) Answer(query carnet.Hash, q *Asked, number int, tables ...*Table) (*evidence.Envelope, []byte) {
	p := q.Plan.Profile
	ring := he.NewRing(p)
	shares := n.Shares()
	var keys []*share.KeyShare
	powers := map[carnet.KeyID]he.Poly{}
	for _, t := range tables {
		k, err := share.NewKeyShare(ring, shares, t.Key.ID, t.Key.Deal.Bundle(shares, number, 0), p.MaxDegree())
		require.NoError(n.T, err)
		keys = append(keys, k)
		powers[t.Key.ID] = k.Power(1)
	}
	slices.SortFunc(keys, func(a, b *share.KeyShare) int { x, y := a.Key(), b.Key(); return bytes.Compare(x[:], y[:]) })
	var fs []*functional.Functional
	for i := range q.Plan.Openings {
		fs = append(fs, q.Plan.Openings[i].F)
	}
	values, err := scan.Linear(context.Background(), ring, fs, powers, nil, scan.Options{})
	require.NoError(n.T, err)
	responder, err := share.NewResponder(ring, shares, number, keys)
	require.NoError(n.T, err)
	var ids []byte
	for i := range values {
		o := &q.Plan.Openings[i]
		var hd []carnet.Hash
		for j := range o.F.Keys {
			hd = append(hd, o.F.Keys[j].LinearHash(p.N()))
		}
		f := share.FunctionalID(p, o.F, o.FloodBits, o.Variance, hd)
		ids = append(ids, f[:]...)
		values[i] = responder.Respond(f, o.Degree, o.FloodBits, o.Variance, values[i])
	}
	info := append(append([]byte("carnet/answer/1"), query[:]...), byte(number))
	sealed, err := seal.Seal(q.Body.Recipient, info, wire.AppendScalars(nil, p, values))
	require.NoError(n.T, err)
	by := n.Committee.Members[number-1]
	return n.Seal(carnet.TypeAnswer, carnet.Answer{Query: query, By: by, Number: number, Functionals: carnet.Digest("carnet/answers/F/1", ids),
		Openings: len(values), Sealed: sha256.Sum256(sealed), Created: n.Now()}, by), sealed
}

// OpenAnswer opens fetched answers, as the buyer does: one integer per opening.
func (n *Network) OpenAnswer(query carnet.Hash, q *Asked, public []byte, sealed map[int][]byte) []int64 {
	p := q.Plan.Profile
	ring := he.NewRing(p)
	z, err := wire.ReadScalars(p, public, len(q.Plan.Openings))
	require.NoError(n.T, err)
	var numbers []int
	var values [][]he.Scalar
	for number, b := range sealed {
		plain, err := q.Recipient.Open(append(append([]byte("carnet/answer/1"), query[:]...), byte(number)), b)
		require.NoError(n.T, err)
		v, err := wire.ReadScalars(p, plain, len(z))
		require.NoError(n.T, err)
		numbers, values = append(numbers, number), append(values, v)
	}
	sums, liars, _, _, err := share.CombineAll(ring, n.Shares(), numbers, values)
	require.NoError(n.T, err)
	require.Empty(n.T, liars)
	out := make([]int64, len(z))
	for i := range z {
		v, _ := ring.Decode(ring.ScalarAdd(sums[i], z[i]), q.Plan.Openings[i].Degree)
		out[i] = he.Centre(v, p.T())
	}
	return out
}
