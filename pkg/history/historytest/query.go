package historytest

import (
	"bytes"
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/bundle"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/history"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/share"
)

// SQL is a question of one number for each of two groups.
const SQL = "SELECT month, SUM(value) FROM trade GROUP BY month"

// State is what the log says now. Entries without effect are passed over.
func (w *World) State() *history.State {
	s := history.New(KeyOf(Registrar).Public())
	for _, e := range w.Entries {
		_, _ = s.Apply(e.Seq, e.Envelope)
	}
	return s
}

// Query makes a query over the product as it is, with the right plan.
func (w *World) Query(sql string) carnet.Query {
	w.T.Helper()
	q := w.query(sql)
	q.Plan = w.Plan(q).Hash()
	return q
}

// query is a query without a plan.
func (w *World) query(sql string) carnet.Query {
	q := carnet.Query{ID: carnet.Digest("query", []byte{byte(len(w.Entries))}), Buyer: Buyer, Product: Product, SQL: sql, Purpose: Purpose,
		Recipient: []byte("a public key"), Created: w.Now()}
	q.Expires = q.Created.Add(time.Hour)
	for _, o := range w.Owners {
		q.Inputs = append(q.Inputs, w.Manifests[o].Hash())
	}
	slices.SortFunc(q.Inputs, func(a, b carnet.Hash) int { return bytes.Compare(a[:], b[:]) })
	return q
}

// Plan compiles a query as of now.
func (w *World) Plan(q carnet.Query) *plan.Plan {
	w.T.Helper()
	s := w.State()
	env := w.Seal(carnet.TypeQuery, q, Buyer)
	_, err := s.Apply(int64(len(w.Entries)), env)
	require.NoError(w.T, err)
	p, err := s.Case(env.Hash()).Plan()
	require.NoError(w.T, err)
	return p
}

// Ask puts a query into the log.
func (w *World) Ask(sql string) *evidence.Envelope {
	w.T.Helper()
	return w.Append(carnet.TypeQuery, w.Query(sql), Buyer)
}

// Answer makes keyholder number's answer to a query of the log.
func (w *World) Answer(query *evidence.Envelope, number int) carnet.Answer {
	w.T.Helper()
	var q carnet.Query
	require.NoError(w.T, query.Decode(carnet.TypeQuery, &q))
	a := carnet.Answer{Query: query.Hash(), By: Keyholders[number-1], Number: number, Sealed: carnet.Digest("sealed", []byte{byte(number)}), Created: w.Now()}
	if c := w.State().Case(query.Hash()); c != nil {
		p, err := c.Plan()
		require.NoError(w.T, err)
		a.Openings = len(p.Openings)
		if f := history.FunctionalsOf(p); f.Complete {
			a.Functionals = f.Digest(p, &q)
		}
	}
	z := carnet.Digest("public values")
	a.Attested = &z
	return a
}

// AskPrivate puts a query with a private parameter into the log.
func (w *World) AskPrivate(sql string) *evidence.Envelope {
	w.T.Helper()
	q := w.query(sql)
	com, err := share.NewCommittee(len(Keyholders), 2)
	require.NoError(w.T, err)
	s, _, err := share.NewSelection(com, q.ID, 2, []int{0}, bytes.NewReader(make([]byte, 1<<10)))
	require.NoError(w.T, err)
	q.Private = &carnet.PrivateParameter{Weight: s.Weight, Deltas: s.Deltas, Commitments: s.Commitments}
	for range Keyholders {
		q.Private.Seeds = append(q.Private.Seeds, make([]byte, 4+34*2+1120+16)) // as long as sealed seeds of two parts
	}
	q.Plan = w.Plan(q).Hash()
	return w.Append(carnet.TypeQuery, q, Buyer)
}

// Check is keyholder number's check of a private parameter, as all make it of a selection.
func (w *World) Check(query *evidence.Envelope, number int) carnet.Check {
	zero := make([]byte, share.CheckScalars*w.Profile().ScalarBytes())
	return carnet.Check{Query: query.Hash(), By: Keyholders[number-1], Number: number, Scalars: zero, Created: w.Now()}
}

// Release puts a query and the answers of the first n keyholders into the log.
func (w *World) Release(sql string, n int) *evidence.Envelope {
	w.T.Helper()
	q := w.Ask(sql)
	for i := range n {
		w.Append(carnet.TypeAnswer, w.Answer(q, i+1), Keyholders[i])
	}
	return q
}

// Leaves are those of the first entries.
func (w *World) Leaves(size int64) (out []carnet.Hash) {
	for _, e := range w.Entries[:size] {
		out = append(out, e.Leaf())
	}
	return out
}

// Checkpoint signs the state of a size in the log's name, and in that of keyholders.
func (w *World) Checkpoint(size int64, by ...carnet.PartyID) *evidence.SignedCheckpoint {
	w.T.Helper()
	var tree evidence.Tree
	for _, l := range w.Leaves(size) {
		tree.Add(l)
	}
	return w.Sign(tree.Checkpoint(), by...)
}

// Sign signs any state.
func (w *World) Sign(cp carnet.Checkpoint, by ...carnet.PartyID) *evidence.SignedCheckpoint {
	w.T.Helper()
	c, err := evidence.SignCheckpoint(evidence.Origin(KeyOf(Registrar).Public()), cp, w.Key(Operator))
	require.NoError(w.T, err)
	for _, id := range by {
		require.NoError(w.T, c.Cosign(id, w.clock, w.Key(id)))
	}
	return c
}

// Bundle makes the bundle of a query at the log's end, with the hashes of all pieces and
// the proof from earlier sizes.
func (w *World) Bundle(query carnet.Hash, older ...int64) *bundle.Bundle {
	w.T.Helper()
	s := history.NewSelector(KeyOf(Registrar).Public(), query)
	for _, e := range w.Entries {
		s.Take(e)
	}
	list, err := s.Selected()
	require.NoError(w.T, err)
	size := int64(len(w.Entries))
	all := w.Leaves(size)
	inputs := map[carnet.Hash]bool{}
	if c := w.State().Case(query); c != nil {
		for _, h := range c.Query.Inputs {
			inputs[h] = true
		}
	}
	b := &bundle.Bundle{Query: query, Checkpoint: w.Checkpoint(size, Keyholders...)}
	for _, e := range list {
		proof, err := evidence.ProveInclusion(all, e.Seq)
		require.NoError(w.T, err)
		b.Entries = append(b.Entries, bundle.Entry{Seq: e.Seq, Salt: e.Salt, Envelope: e.Envelope, Proof: proof})
		var d carnet.Dataset
		if inputs[e.Envelope.Hash()] && e.Envelope.Decode(carnet.TypeDataset, &d) == nil {
			for _, f := range d.Files {
				b.Pieces = append(b.Pieces, bundle.Pieces{File: f.Nonce, Hashes: w.Pieces[f.Nonce]})
			}
		}
	}
	for _, n := range older {
		proof, err := evidence.ProveConsistency(all, n)
		require.NoError(w.T, err)
		b.Older = append(b.Older, bundle.Older{Checkpoint: w.Checkpoint(n, Keyholders...), Proof: proof})
	}
	b.Sort()
	return b
}
