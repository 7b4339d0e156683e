package carnettest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/plain"
	"github.com/carnet-network/carnet/pkg/plan"
)

// Purpose of every question, unless said otherwise.
const Purpose = "statistics"

// grace is how long is waited for more answers than the threshold: until all have come,
// on a slow machine too.
const grace = time.Minute

// Submit asks without waiting.
func (n *Network) Submit(t testing.TB, buyer carnet.PartyID, product carnet.ProductID, sql string) *client.Asked {
	t.Helper()
	a, err := n.Client(t, buyer).Ask(Context(t), n.identities[buyer], product, sql, Purpose, 0)
	require.NoError(t, err, sql)
	return a
}

// SubmitPrivate asks a query with private parameters without waiting.
func (n *Network) SubmitPrivate(t testing.TB, buyer carnet.PartyID, product carnet.ProductID, sql string, values ...string) *client.Asked {
	t.Helper()
	a, err := n.Client(t, buyer).AskPrivate(Context(t), n.identities[buyer], product, sql, values, Purpose, 0)
	require.NoError(t, err, sql)
	return a
}

// Wait waits until a query is answered by all keyholders that run.
func (n *Network) Wait(t testing.TB, a *client.Asked) (*client.Status, error) {
	t.Helper()
	running := 0
	for _, k := range n.Keyholders {
		if k.stop != nil && !k.Ended() {
			running++
		}
	}
	c := n.Client(t, a.Query.Buyer)
	if running == len(n.Keyholders) {
		return c.Wait(Context(t), a.Hash, grace, nil)
	}
	Eventually(t, "answers of the keyholders that run", time.Minute, func() bool {
		s, err := c.Status(Context(t), a.Hash)
		require.NoError(t, err)
		return s.State != client.Computing && s.State != client.Releasing && (s.State != client.Ready || s.Answers+len(s.Refusals) >= running)
	})
	return c.Wait(Context(t), a.Hash, 0, nil)
}

// Open waits for a query and opens its answer.
func (n *Network) Open(t testing.TB, a *client.Asked) (*client.Answer, error) {
	t.Helper()
	if _, err := n.Wait(t, a); err != nil {
		return nil, err
	}
	return n.Client(t, a.Query.Buyer).Open(Context(t), n.identities[a.Query.Buyer], a)
}

// Ask asks, waits and opens, and fails the test on any error.
func (n *Network) Ask(t testing.TB, buyer carnet.PartyID, product carnet.ProductID, sql string) *client.Answer {
	t.Helper()
	got, err := n.Open(t, n.Submit(t, buyer, product, sql))
	require.NoError(t, err, sql)
	return got
}

// Rows are the rows of a result as text.
func Rows(r *plan.Result) [][]string {
	out := make([][]string, len(r.Rows))
	for i, row := range r.Rows {
		for _, v := range row {
			out[i] = append(out[i], v.String())
		}
	}
	return out
}

// Twin answers a plan from plaintext, without any encryption.
func Twin(t testing.TB, p *plan.Plan, src Plain) *plan.Result {
	t.Helper()
	values := make([]int64, len(p.Openings))
	for i := range p.Openings {
		v, err := plain.Eval(p.Profile, p.Openings[i].F, src)
		require.NoError(t, err)
		values[i] = he.Centre(v, p.Profile.T())
	}
	r, err := p.Evaluate(values)
	require.NoError(t, err)
	return r
}
