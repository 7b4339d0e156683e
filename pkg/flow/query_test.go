package flow_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/columnfile"
	"github.com/carnet-network/carnet/pkg/flow"
	"github.com/carnet-network/carnet/pkg/flow/flowtest"
)

const sumSQL = "SELECT chapter, SUM(value), COUNT(*) FROM trade GROUP BY chapter"

// lockedBuffer is a log that is read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// run runs the background work until the test ends or stop is called.
func run(t *testing.T, g *flow.Gateway) (stop func()) {
	c, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { _ = g.Run(c); close(done) }()
	stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(stop)
	return stop
}

// waitFor waits until the query is in the state.
func waitFor(t *testing.T, n *flowtest.Network, id carnet.Hash, want flow.QueryState) (s flow.QueryStatus) {
	t.Helper()
	require.Eventually(t, func() bool {
		var err error
		s, err = n.G.GetQuery(ctx, n.Parties["bank"], id)
		require.NoError(t, err)
		return s.State == want
	}, 2*time.Minute, 5*time.Millisecond, "query is not %s", want)
	return s
}

func twoOwners(t *testing.T) (*flowtest.Network, []*flowtest.Table) {
	n := flowtest.New(t)
	tables := []*flowtest.Table{
		n.Publish("kz", "trade", carnet.LayoutCube, rows),
		n.Publish("hk", "trade", carnet.LayoutCube, [][2]int64{{0, 1}, {2, -300}}),
	}
	n.Product("trade", "kz", "kz/trade", "hk/trade")
	return n, tables
}

func TestAQueryIsComputedAndOpens(t *testing.T) {
	n, tables := twoOwners(t)
	run(t, n.G)
	q := n.Ask(sumSQL, "trade", tables...)
	ref, err := n.Submit(q)
	require.NoError(t, err)
	again, err := n.Submit(q)
	require.NoError(t, err)
	require.Equal(t, ref, again)
	waitFor(t, n, ref.Hash, flow.QueryReleasing)
	_, err = n.G.FetchAnswer(ctx, n.Parties["bank"], ref.Hash)
	requireReason(t, "NOT_READY", err)

	sealed := map[int][]byte{}
	for _, number := range []int{3, 1} {
		env, b := n.Answer(ref.Hash, q, number, tables...)
		first, err := n.G.SubmitAnswer(ctx, n.Parties[n.Committee.Members[number-1]], env, b, nil)
		require.NoError(t, err)
		second, err := n.G.SubmitAnswer(ctx, n.Parties[n.Committee.Members[number-1]], env, b, nil)
		require.NoError(t, err)
		require.Equal(t, first, second)
		sealed[number] = b
	}
	s := waitFor(t, n, ref.Hash, flow.QueryReady)
	require.Equal(t, 2, s.Answers)
	require.False(t, s.Over, "the third keyholder may still answer")
	f, err := n.G.FetchAnswer(ctx, n.Parties["bank"], ref.Hash)
	require.NoError(t, err)
	require.Len(t, f.Answers, 2)
	for _, a := range f.Answers {
		b, err := f.Sealed(ctx, a)
		require.NoError(t, err)
		require.Equal(t, sealed[a.Number], b)
	}
	result, err := q.Plan.Evaluate(n.OpenAnswer(ref.Hash, q, f.Values, sealed))
	require.NoError(t, err)
	var got [][]string
	for _, r := range result.Rows {
		var line []string
		for _, v := range r {
			line = append(line, v.String())
		}
		got = append(got, line)
	}
	require.Equal(t, [][]string{{"01", "11", "2"}, {"02", "2", "2"}, {"03", "-200", "2"}}, got)

	for id, may := range map[carnet.PartyID]bool{"audit": true, "other": false, "kz": false, "k1": false} {
		_, err = n.G.FetchAnswer(ctx, n.Parties[id], ref.Hash)
		require.Equal(t, may, err == nil, "%s: %v", id, err)
	}
	_, err = n.G.GetQuery(ctx, n.Parties["other"], ref.Hash)
	require.Equal(t, carnet.NotFound, carnet.KindOf(err))
	list, err := n.G.ListQueries(ctx, n.Parties["other"], 0, 10)
	require.NoError(t, err)
	require.Empty(t, list)
	list, err = n.G.ListQueries(ctx, n.Parties["bank"], 0, 10)
	require.NoError(t, err)
	require.Len(t, list, 1)
}

func TestComputationResumesAfterARestart(t *testing.T) {
	n, tables := twoOwners(t)
	q := n.Ask(sumSQL, "trade", tables...)
	ref, err := n.Submit(q) // nobody computes yet: the process dies
	require.NoError(t, err)
	n.Restart()
	stop := run(t, n.G)
	s := waitFor(t, n, ref.Hash, flow.QueryReleasing)
	stop()
	require.Equal(t, s.BlocksTotal, s.BlocksDone)
	n.Restart()
	run(t, n.G)
	after := waitFor(t, n, ref.Hash, flow.QueryReleasing)
	require.Equal(t, s.Values, after.Values)

	// What became of the product since does not change what was asked.
	r := carnet.Revocation{Dataset: "hk/trade", Owner: "hk", Created: n.Now()}
	second := n.Ask(sumSQL, "trade", tables...)
	ref, err = n.Submit(second)
	require.NoError(t, err)
	_, err = n.G.RevokeDataset(ctx, n.Parties["hk"], n.Seal(carnet.TypeRevocation, r, "hk"))
	require.NoError(t, err)
	require.Equal(t, after.Values, waitFor(t, n, ref.Hash, flow.QueryReleasing).Values)
	_, err = n.Submit(n.Ask(sumSQL, "trade", tables...))
	requireReason(t, "INPUTS_DIFFER", err)
	_, err = n.Submit(n.Ask(sumSQL, "trade", tables[0]))
	require.NoError(t, err)
}

func TestDamagedStorageFailsTheQuery(t *testing.T) {
	n, tables := twoOwners(t)
	var log lockedBuffer
	n.Config.Logger = slog.New(slog.NewTextHandler(&log, nil))
	n.Restart()
	q := n.Ask(sumSQL, "trade", tables...)
	ref, err := n.Submit(q)
	require.NoError(t, err)
	file := filepath.Join(n.Dir, "columns", tables[0].Nonce.String(), "0")
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	const at = columnfile.HeaderBytes + 100
	b[at] ^= 1
	require.NoError(t, os.WriteFile(file, b, 0o600))
	run(t, n.G)
	require.Eventually(t, func() bool {
		n.Advance(time.Second) // past the wait between attempts
		s, err := n.G.GetQuery(ctx, n.Parties["bank"], ref.Hash)
		require.NoError(t, err)
		return s.State == flow.QueryFailed
	}, 2*time.Minute, 10*time.Millisecond)
	s, err := n.G.GetQuery(ctx, n.Parties["bank"], ref.Hash)
	require.NoError(t, err)
	require.Equal(t, "STORAGE_DAMAGED", s.Failure)
	require.Contains(t, log.String(), "column 0 of file "+tables[0].Nonce.String()+": chunk 0, limb 0, piece 0", "the operator is told which")
	require.True(t, s.Over)
	b[at] ^= 1
	require.NoError(t, os.WriteFile(file, b, 0o600))
	q2, err := n.Submit(n.Ask(sumSQL, "trade", tables...))
	require.NoError(t, err)
	waitFor(t, n, q2.Hash, flow.QueryReleasing)
}

func TestSubmitQueryChecks(t *testing.T) {
	n, tables := twoOwners(t)
	for name, c := range map[string]struct {
		reason string
		change func(*carnet.Query)
	}{
		"plan":       {"PLAN_DIFFERS", func(q *carnet.Query) { q.Plan = carnet.Hash{1} }},
		"inputs":     {"INPUTS_DIFFER", func(q *carnet.Query) { q.Inputs = q.Inputs[:1] }},
		"order":      {"INPUTS_DIFFER", func(q *carnet.Query) { q.Inputs = []carnet.Hash{q.Inputs[1], q.Inputs[0]} }},
		"twice":      {"INPUTS_DIFFER", func(q *carnet.Query) { q.Inputs = append([]carnet.Hash{q.Inputs[0]}, q.Inputs...) }},
		"expired":    {"QUERY_EXPIRED", func(q *carnet.Query) { q.Expires = n.Now() }},
		"for ever":   {"BAD_QUERY", func(q *carnet.Query) { q.Expires = n.Now().AddDate(1, 0, 0) }},
		"recipient":  {"BAD_QUERY", func(q *carnet.Query) { q.Recipient = q.Recipient[1:] }},
		"id":         {"BAD_QUERY", func(q *carnet.Query) { q.ID = carnet.Hash{} }},
		"product":    {"UNKNOWN_PRODUCT", func(q *carnet.Query) { q.Product = "none" }},
		"other":      {"WRONG_PARTY", func(q *carnet.Query) { q.Buyer = "other" }},
		"column":     {"UNKNOWN_COLUMN", func(q *carnet.Query) { q.SQL = "SELECT SUM(weight) FROM trade" }},
		"not sql":    {"", func(q *carnet.Query) { q.SQL = "DROP TABLE trade" }},
		"other plan": {"PLAN_DIFFERS", func(q *carnet.Query) { q.SQL = "SELECT SUM(value) FROM trade" }},
	} {
		q := n.Ask(sumSQL, "trade", tables...)
		c.change(&q.Body)
		_, err := n.G.SubmitQuery(ctx, n.Parties["bank"], n.Seal(carnet.TypeQuery, q.Body, "bank"))
		require.Error(t, err, name)
		if c.reason != "" {
			require.Equal(t, c.reason, carnet.ReasonOf(err), "%s: %v", name, err)
		}
	}
	q := n.Ask(sumSQL, "trade", tables...)
	_, err := n.G.SubmitQuery(ctx, n.Parties["bank"], n.Seal(carnet.TypeQuery, q.Body, "other"))
	requireReason(t, "BAD_SIGNATURE", err)
	q.Body.Buyer = "kz"
	_, err = n.Submit(q)
	requireReason(t, "WRONG_ROLE", err)

	first := n.Ask(sumSQL, "trade", tables...)
	_, err = n.Submit(first)
	require.NoError(t, err)
	second := n.Ask("SELECT SUM(value) FROM trade", "trade", tables...)
	second.Body.ID = first.Body.ID
	_, err = n.Submit(second)
	requireReason(t, "QUERY_ID_USED", err)
}

func TestOwnersTermsRefuse(t *testing.T) {
	n, tables := twoOwners(t)
	size := func() int64 {
		entries, _, err := n.G.Journal(ctx)
		require.NoError(t, err)
		return entries
	}
	before := size()
	q := n.Ask(sumSQL, "trade", tables...)
	q.Body.Purpose = "marketing"
	_, err := n.Submit(q)
	require.Equal(t, carnet.Refused, carnet.KindOf(err), "%v", err)
	var e *carnet.Error
	require.ErrorAs(t, err, &e)
	require.NotEmpty(t, e.Remedy)
	require.Equal(t, before+1, size(), "the decision is journaled, the query is not")
	_, err = n.Submit(q)
	require.Equal(t, carnet.Refused, carnet.KindOf(err))
	require.Equal(t, before+1, size(), "once")

	query := n.Seal(carnet.TypeQuery, q.Body).Hash()
	require.NoError(t, n.Store.View(ctx, func(tx flow.Tx) error {
		entries, err := tx.Entries(before, 1)
		require.NoError(t, err)
		var d carnet.Decision
		require.NoError(t, entries[0].Envelope.Verify(carnet.TypeDecision, n.Parties["gateway"].SigningKey, &d))
		require.Equal(t, query, d.Query)
		require.False(t, d.Allow)
		require.Equal(t, e.Reason, d.Reason)
		return nil
	}))
	_, err = n.G.GetQuery(ctx, n.Parties["bank"], query)
	require.Equal(t, carnet.NotFound, carnet.KindOf(err))

	other := n.Ask(sumSQL, "trade", tables...)
	other.Body.Buyer = "other"
	_, err = n.Submit(other)
	require.Equal(t, carnet.Refused, carnet.KindOf(err))

	ex, err := n.G.ExplainQuery(ctx, n.Parties["bank"], []carnet.ProductID{"trade"}, sumSQL, "statistics")
	require.NoError(t, err)
	require.Empty(t, ex.Refusals)
	require.Equal(t, q.Plan.Hash(), ex.Plan.Hash())
	require.Positive(t, ex.Estimate.Gateway)
	require.Greater(t, ex.Estimate.Total, ex.Estimate.Gateway)
	ex, err = n.G.ExplainQuery(ctx, n.Parties["other"], []carnet.ProductID{"trade"}, sumSQL, "marketing")
	require.NoError(t, err)
	require.NotEmpty(t, ex.Refusals)
	ex, err = n.G.ExplainQuery(ctx, n.Parties["bank"], []carnet.ProductID{"trade"}, "SELECT\n  SUM(valu) FROM trade", "statistics")
	require.NoError(t, err)
	require.Nil(t, ex.Plan)
	require.Len(t, ex.Refusals, 1)
	require.Equal(t, 2, ex.Refusals[0].Line)
	require.EqualValues(t, "gateway", ex.Refusals[0].By)
	require.Equal(t, before+2, size(), "explaining stores nothing")
}
