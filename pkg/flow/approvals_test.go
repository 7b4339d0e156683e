package flow_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/flow"
	"github.com/carnet-network/carnet/pkg/flow/flowtest"
)

// asking is a network in which hk's terms have queries wait for hk.
func asking(t *testing.T) (*flowtest.Network, []*flowtest.Table) {
	n := flowtest.New(t)
	kz := n.Publish("kz", "trade", carnet.LayoutCube, [][2]int64{{0, 5}, {1, 6}})
	hk := n.Encrypt(n.Deal("hk", carnet.LayoutCube), "trade", carnet.LayoutCube, [][2]int64{{0, 7}})
	hk.Manifest.Terms.Approval = "sometimes"
	require.NoError(t, n.Announce(hk))
	_, _, err := n.Upload(hk, hk.Order...)
	require.NoError(t, err)
	_, err = n.Commit(hk)
	requireReason(t, "BAD_MANIFEST", err)
	hk.Manifest.Terms.Approval = carnet.ApprovalOwner
	_, err = n.Commit(hk)
	require.NoError(t, err)
	n.Product("trade", "kz", "kz/trade", "hk/trade")
	return n, []*flowtest.Table{kz, hk}
}

func approve(n *flowtest.Network, query carnet.Hash, as, by, signer carnet.PartyID, allow bool, reason string) error {
	_, err := n.G.SubmitApproval(context.Background(), n.Parties[as], n.Seal(carnet.TypeApproval,
		carnet.Approval{Query: query, By: by, Allow: allow, Reason: reason, Created: n.Now()}, signer))
	return err
}

// TestQueriesWaitForOwners: nothing is computed before the owner approved; the buyer sees
// whom it waits for, the owner finds it, others do not see it.
func TestQueriesWaitForOwners(t *testing.T) {
	n, tables := asking(t)
	q := n.Ask(sumSQL, "trade", tables...)
	ex, err := n.G.ExplainQuery(ctx, n.Parties["bank"], []carnet.ProductID{"trade"}, sumSQL, "statistics")
	require.NoError(t, err)
	require.Equal(t, []carnet.PartyID{"hk"}, ex.Approval)
	ref, err := n.Submit(q)
	require.NoError(t, err)
	s, err := n.G.GetQuery(ctx, n.Parties["bank"], ref.Hash)
	require.NoError(t, err)
	require.Equal(t, flow.QueryWaiting, s.State)
	require.Equal(t, []flow.Pending{{Of: "hk", Until: q.Body.Expires}}, s.Pending)

	list, err := n.G.ListApprovals(ctx, n.Parties["hk"])
	require.NoError(t, err)
	require.Len(t, list, 1)
	_, err = n.G.GetQuery(ctx, n.Parties["hk"], ref.Hash)
	require.NoError(t, err, "who is asked may look at it")
	_, err = n.G.GetQuery(ctx, n.Parties["kz"], ref.Hash)
	requireReason(t, "NOT_FOUND", err)
	list, err = n.G.ListApprovals(ctx, n.Parties["kz"])
	require.NoError(t, err)
	require.Empty(t, list)

	requireReason(t, "WRONG_PARTY", approve(n, ref.Hash, "kz", "hk", "hk", true, ""))
	requireReason(t, "BAD_SIGNATURE", approve(n, ref.Hash, "hk", "hk", "kz", true, ""))
	requireReason(t, "WRONG_ROLE", approve(n, ref.Hash, "bank", "bank", "bank", true, ""))
	requireReason(t, "BAD_APPROVAL", approve(n, ref.Hash, "hk", "hk", "hk", false, ""))
	requireReason(t, "NOT_FOUND", approve(n, carnet.Hash{1}, "hk", "hk", "hk", true, ""))
	require.NoError(t, approve(n, ref.Hash, "hk", "hk", "hk", true, ""))
	requireReason(t, "APPROVAL_DIFFERS", approve(n, ref.Hash, "hk", "hk", "hk", false, "no, after all"))
	s, err = n.G.GetQuery(ctx, n.Parties["bank"], ref.Hash)
	require.NoError(t, err)
	require.Equal(t, flow.QueryComputing, s.State)
	require.Empty(t, s.Pending)
	background, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { _ = n.G.Run(background); close(done) }()
	defer func() { cancel(); <-done }()
	require.Eventually(t, func() bool {
		s, err := n.G.GetQuery(ctx, n.Parties["bank"], ref.Hash)
		return err == nil && s.State == flow.QueryReleasing
	}, 20*time.Second, 10*time.Millisecond)
}

// TestOwnersRefuseQueries: also one that was not asked; to its buyer it is the outcome.
func TestOwnersRefuseQueries(t *testing.T) {
	n, tables := asking(t)
	ref, err := n.Submit(n.Ask(sumSQL, "trade", tables...))
	require.NoError(t, err)
	require.NoError(t, approve(n, ref.Hash, "kz", "kz", "kz", false, "not in an election year"))
	s, err := n.G.GetQuery(ctx, n.Parties["bank"], ref.Hash)
	require.NoError(t, err)
	require.Equal(t, flow.QueryRefused, s.State)
	require.True(t, s.Over)
	require.Len(t, s.Refusals, 1)
	require.Equal(t, flow.Refusal{By: "kz", Reason: "APPROVAL_REFUSED", Message: "not in an election year", Remedy: "talk to kz, or ask without its data"}, s.Refusals[0])
	requireReason(t, "QUERY_CLOSED", approve(n, ref.Hash, "hk", "hk", "hk", true, ""))
	alone := n.Publish("kz", "other", carnet.LayoutCube, [][2]int64{{0, 5}})
	n.Product("alone", "kz", "kz/other")
	ref, err = n.Submit(n.Ask("SELECT SUM(value) FROM alone", "alone", alone))
	require.NoError(t, err)
	requireReason(t, "NOT_FOUND", approve(n, ref.Hash, "hk", "hk", "hk", false, "none of its business"))
}

// TestApprovalsExpire: a query that nobody approved expires, over a restart, and says for
// whom it waited; an approval that comes late is not taken.
func TestApprovalsExpire(t *testing.T) {
	n, tables := asking(t)
	q := n.Ask(sumSQL, "trade", tables...)
	ref, err := n.Submit(q)
	require.NoError(t, err)
	n.Restart()
	s, err := n.G.GetQuery(ctx, n.Parties["bank"], ref.Hash)
	require.NoError(t, err)
	require.Equal(t, flow.QueryWaiting, s.State)
	n.Advance(flowtest.QueryLife)
	requireReason(t, "QUERY_CLOSED", approve(n, ref.Hash, "hk", "hk", "hk", true, ""))
	require.NoError(t, n.G.Sweep(ctx))
	s, err = n.G.GetQuery(ctx, n.Parties["bank"], ref.Hash)
	require.NoError(t, err)
	require.Equal(t, flow.QueryExpired, s.State)
	require.Equal(t, []flow.Pending{{Of: "hk", Until: q.Body.Expires}}, s.Pending)
	list, err := n.G.ListApprovals(ctx, n.Parties["hk"])
	require.NoError(t, err)
	require.Empty(t, list)
}

// TestDeferrals: a keyholder tells whom it waits for, once; owners among them are asked.
func TestDeferrals(t *testing.T) {
	n, tables := asking(t)
	q := n.Ask(sumSQL, "trade", tables...)
	ref, err := n.Submit(q)
	require.NoError(t, err)
	submit := func(as, signer carnet.PartyID, until time.Time, whom ...carnet.PartyID) error {
		_, err := n.G.SubmitDeferral(ctx, n.Parties[as], n.Seal(carnet.TypeDeferral, carnet.Deferral{Query: ref.Hash, By: as, For: whom, Until: until, Created: n.Now()}, signer))
		return err
	}
	soon := n.Now().Add(time.Minute)
	requireReason(t, "BAD_SIGNATURE", submit("k1", "k2", soon, "k1"))
	requireReason(t, "NOT_A_MEMBER", submit("k4", "k4", soon, "k4"))
	requireReason(t, "BAD_DEFERRAL", submit("k1", "k1", soon))
	requireReason(t, "BAD_DEFERRAL", submit("k1", "k1", soon, "k2"))
	requireReason(t, "BAD_DEFERRAL", submit("k1", "k1", soon, "kz", "k1"))
	requireReason(t, "BAD_DEFERRAL", submit("k1", "k1", q.Body.Expires.Add(1), "k1"))
	require.NoError(t, submit("k1", "k1", soon, "k1", "kz"))
	requireReason(t, "DEFERRAL_DIFFERS", submit("k1", "k1", soon, "k1"))
	s, err := n.G.GetQuery(ctx, n.Parties["bank"], ref.Hash)
	require.NoError(t, err)
	require.Equal(t, []flow.Pending{{Of: "hk", Until: q.Body.Expires}, {Of: "kz", Until: q.Body.Expires}, {Of: "k1", Until: soon}}, s.Pending)
	require.NoError(t, approve(n, ref.Hash, "hk", "hk", "hk", true, ""))
	s, err = n.G.GetQuery(ctx, n.Parties["bank"], ref.Hash)
	require.NoError(t, err)
	require.Equal(t, flow.QueryComputing, s.State, "the gateway computes while a keyholder waits")
	list, err := n.G.ListApprovals(ctx, n.Parties["kz"])
	require.NoError(t, err)
	require.Len(t, list, 1, "whom a keyholder waits for is asked as well")
}

// TestApprovalsRace: of an approval and refusals at the same time one counts.
func TestApprovalsRace(t *testing.T) {
	n, tables := asking(t)
	ref, err := n.Submit(n.Ask(sumSQL, "trade", tables...))
	require.NoError(t, err)
	var wg sync.WaitGroup
	results := make(chan error, 20)
	for i := range cap(results) {
		wg.Go(func() { results <- approve(n, ref.Hash, "hk", "hk", "hk", i%2 == 0, time.Duration(i+1).String()) })
	}
	wg.Wait()
	close(results)
	counted := 0
	for err := range results {
		if err == nil {
			counted++
			continue
		}
		require.Contains(t, []string{"APPROVAL_DIFFERS", "QUERY_CLOSED"}, carnet.ReasonOf(err), "%v", err)
	}
	require.Equal(t, 1, counted)
}
