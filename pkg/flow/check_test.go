package flow_test

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/flow"
	"github.com/carnet-network/carnet/pkg/flow/flowtest"
	"github.com/carnet-network/carnet/pkg/seal"
	"github.com/carnet-network/carnet/pkg/share"
)

const privateSQL = "SELECT SUM(value) FROM trade WHERE chapter = PRIVATE($1)"

// askPrivate is a query that selects the second chapter.
func askPrivate(t *testing.T, n *flowtest.Network, tables ...*flowtest.Table) *flowtest.Asked {
	q := n.Ask(privateSQL, "trade", tables...)
	s, seeds, err := share.NewSelection(n.Shares(), q.Body.ID, 3, []int{1}, rand.Reader)
	require.NoError(t, err)
	q.Body.Private = &carnet.PrivateParameter{Weight: s.Weight, Deltas: s.Deltas, Commitments: s.Commitments}
	for i, m := range n.Committee.Members {
		sealed, err := seal.Seal(n.Parties[m].SealingKey, share.SelectionInfo(&q.Body, i+1), seeds.Bundle(n.Shares(), i+1).Append(nil))
		require.NoError(t, err)
		q.Body.Private.Seeds = append(q.Body.Private.Seeds, sealed)
	}
	return q
}

// TestPrivateParametersAreChecked: what is publicly wrong with one is not journaled.
func TestPrivateParametersAreChecked(t *testing.T) {
	n, tables := twoOwners(t)
	for name, change := range map[string]func(q *carnet.Query){
		"missing":     func(q *carnet.Query) { q.Private = nil },
		"weight":      func(q *carnet.Query) { q.Private.Weight = 2 },
		"codes":       func(q *carnet.Query) { q.Private.Deltas = q.Private.Deltas[share.DeltaBytes:] },
		"commitments": func(q *carnet.Query) { q.Private.Commitments = q.Private.Commitments[1:] },
		"seeds":       func(q *carnet.Query) { q.Private.Seeds = q.Private.Seeds[1:] },
		"sealed":      func(q *carnet.Query) { q.Private.Seeds[0] = q.Private.Seeds[0][1:] },
	} {
		q := askPrivate(t, n, tables...)
		change(&q.Body)
		_, err := n.Submit(q)
		require.Equal(t, "BAD_SELECTION", carnet.ReasonOf(err), name)
	}
	plain := n.Ask(sumSQL, "trade", tables...)
	plain.Body.Private = askPrivate(t, n, tables...).Body.Private
	_, err := n.Submit(plain)
	requireReason(t, "BAD_SELECTION", err)

	c := n.Committee
	c.ID, c.PrivateChecks = "other", 2
	_, err = n.G.RegisterCommittee(ctx, n.Seal(carnet.TypeCommittee, c, "registrar"))
	requireReason(t, "BAD_COMMITTEE", err)
}

// TestChecksArePublishedOnce: a keyholder's check goes to the journal if it fits, once.
func TestChecksArePublishedOnce(t *testing.T) {
	n, tables := twoOwners(t)
	q := askPrivate(t, n, tables...)
	ref, err := n.Submit(q)
	require.NoError(t, err)
	plain, err := n.Submit(n.Ask(sumSQL, "trade", tables...))
	require.NoError(t, err)
	good := carnet.Check{Query: ref.Hash, By: "k1", Number: 1, Scalars: make([]byte, 2*q.Plan.Profile.ScalarBytes()), Created: n.Now()}
	submit := func(as carnet.PartyID, signer carnet.PartyID, change func(c *carnet.Check)) (flow.Ref, error) {
		c := good
		change(&c)
		return n.G.SubmitCheck(ctx, n.Parties[as], n.Seal(carnet.TypeCheck, c, signer))
	}
	same := func(*carnet.Check) {}
	for _, x := range []struct {
		reason     string
		as, signer carnet.PartyID
		change     func(c *carnet.Check)
	}{
		{"WRONG_PARTY", "k2", "k1", same},
		{"BAD_SIGNATURE", "k1", "k2", same},
		{"NOT_FOUND", "k1", "k1", func(c *carnet.Check) { c.Query = carnet.Hash{1} }},
		{"BAD_CHECK", "k1", "k1", func(c *carnet.Check) { c.Query = plain.Hash }},
		{"BAD_CHECK", "k1", "k1", func(c *carnet.Check) { c.Number = 2 }},
		{"BAD_CHECK", "k1", "k1", func(c *carnet.Check) { c.Scalars = c.Scalars[1:] }},
		{"NOT_A_MEMBER", "k4", "k4", func(c *carnet.Check) { c.By = "k4" }},
	} {
		_, err := submit(x.as, x.signer, x.change)
		requireReason(t, x.reason, err)
	}
	// Who waits for the answer hears of every check.
	heard := make(chan int, 100)
	watching, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		_ = n.G.WatchQuery(watching, n.Parties["bank"], ref.Hash, func(s flow.QueryStatus) error { heard <- s.Checked; return nil })
	}()
	require.Zero(t, <-heard)
	first, err := submit("k1", "k1", same)
	require.NoError(t, err)
	select {
	case checked := <-heard:
		require.Equal(t, 1, checked)
	case <-time.After(15 * time.Second): // before the store is read again anyway
		t.Fatal("the watcher was not told")
	}
	again, err := submit("k1", "k1", same)
	require.NoError(t, err)
	require.Equal(t, first, again)
	_, err = submit("k1", "k1", func(c *carnet.Check) { c.Scalars = append([]byte{1}, c.Scalars[1:]...) })
	requireReason(t, "CHECK_DIFFERS", err)

	// All three checks are needed: one refusal by a keyholder that has not checked ends it.
	state := func() flow.QueryState {
		s, err := n.G.GetQuery(ctx, n.Parties["bank"], ref.Hash)
		require.NoError(t, err)
		require.Equal(t, 3, s.Threshold, "2t-1")
		require.Equal(t, []int{1, 3}, []int{s.Checked, s.Checks})
		return s.State
	}
	refuse := func(by carnet.PartyID) {
		_, err := n.G.SubmitDecision(ctx, n.Parties[by], n.Seal(carnet.TypeDecision, carnet.Decision{Query: ref.Hash, By: by, Reason: "OWN_POLICY", Message: "no", Created: n.Now()}, by))
		require.NoError(t, err)
	}
	require.NotEqual(t, flow.QueryRefused, state())
	refuse("k2")
	require.Equal(t, flow.QueryRefused, state())
	_, err = submit("k3", "k3", func(c *carnet.Check) { c.By, c.Number = "k3", 3 })
	requireReason(t, "QUERY_CLOSED", err)
}
