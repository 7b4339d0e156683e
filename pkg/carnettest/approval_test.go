package carnettest

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	pb "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
	"github.com/carnet-network/carnet/pkg/keyholder"
	"github.com/carnet-network/carnet/pkg/policy"
)

// decide has somebody of keyholder number decide about a query, as its inbox does.
func (n *Network) decide(t *testing.T, number int, query carnet.Hash, allow bool, reason string) {
	t.Helper()
	desk, err := keyholder.WriteLedger(n.Keyholders[number-1].LedgerFile())
	require.NoError(t, err)
	defer desk.Close()
	Eventually(t, "the query in the inbox", time.Minute, func() bool {
		x, err := desk.Consent(Context(t), query)
		require.NoError(t, err)
		return x != nil && x.Own
	})
	require.NoError(t, desk.Decide(Context(t), query, allow, reason, "ann", time.Now()))
}

// Rule: a query over data whose owner wants to be asked, of which two keyholders' people
// want to be asked as well, is answered when all approved, over restarts of everybody, and
// its buyer sees for whom it waits. A gateway that lets everything through does not change that.
func TestApprovals(t *testing.T) {
	t.Parallel()
	people := keyholder.ApprovalRules{Rules: []keyholder.ApprovalRule{{Name: "all", Personal: true}}}
	n := Start(t, Options{Policy: anything{}, Inboxes: map[int]keyholder.ApprovalRules{1: people, 2: people}})
	publishTrade(t, n, carnet.LayoutCube, func(_ int, p *Publication) {
		if p.Owner == "kz" {
			terms := OpenTerms()
			terms.Approval = carnet.ApprovalOwner
			p.Terms = &terms
		}
	})
	a := n.Submit(t, "buyer", "cube", linearQuery)
	buyer, owner := n.Client(t, "buyer"), n.Client(t, "kz")
	waitsFor := func(want ...carnet.PartyID) {
		t.Helper()
		Eventually(t, "who is waited for", time.Minute, func() bool {
			s, err := buyer.Status(Context(t), a.Hash)
			require.NoError(t, err)
			require.Zero(t, s.Answers)
			var got []carnet.PartyID
			for _, p := range s.Pending {
				got = append(got, p.Of)
			}
			return slices.Equal(got, want)
		})
	}
	waitsFor("kz", "kh1", "kh2")
	for _, k := range n.Keyholders {
		require.NoError(t, k.Stop(t))
	}
	n.Gateway.Restart(t)
	for _, k := range n.Keyholders {
		k.Start(t)
	}
	list, err := owner.Inbox(Context(t))
	require.NoError(t, err)
	require.Len(t, list, 1)
	p, err := owner.Recompile(Context(t), &list[0].Query)
	require.NoError(t, err)
	require.NotEmpty(t, p.Describe())
	var web pb.ListApprovalsResponse
	n.webOf(t, "kz").ok(t, "GET", "/v1/approvals", nil, &web)
	require.Len(t, web.GetQueries(), 1)
	require.Equal(t, "kz", web.GetQueries()[0].GetWaitingFor()[0].GetOf())

	n.decide(t, 1, a.Hash, true, "")
	waitsFor("kz", "kh1", "kh2") // its people approved; kz has not
	_, err = owner.Approve(Context(t), n.Identity("kz"), a.Hash, true, "")
	require.NoError(t, err)
	_, err = buyer.Wait(Context(t), a.Hash, 0, nil)
	require.NoError(t, err)
	answer, err := buyer.Open(Context(t), n.Identity("buyer"), a) // two of three are enough
	require.NoError(t, err)
	require.NotEmpty(t, answer.Result.Rows)
	n.decide(t, 2, a.Hash, false, "ann is careful")
	Eventually(t, "the refusal", time.Minute, func() bool {
		s, err := buyer.Status(Context(t), a.Hash)
		require.NoError(t, err)
		return len(s.Refusals) == 1 && s.Refusals[0].Reason == "APPROVAL_REFUSED" && s.Refusals[0].By == "kh2"
	})
}

// Rule: an owner's refusal ends a query, and its buyer hears who and why.
func TestOwnerRefuses(t *testing.T) {
	t.Parallel()
	n := Start(t, Options{})
	publishTrade(t, n, carnet.LayoutCube, func(_ int, p *Publication) {
		terms := OpenTerms()
		terms.Approval = carnet.ApprovalOwner
		p.Terms = &terms
	})
	a := n.Submit(t, "buyer", "cube", linearQuery)
	_, err := n.Client(t, "uz").Approve(Context(t), n.Identity("uz"), a.Hash, false, "not this month")
	require.NoError(t, err)
	s, err := n.Client(t, "buyer").Wait(Context(t), a.Hash, grace, nil)
	require.Equal(t, client.RefusedBy, s.State)
	require.Equal(t, "APPROVAL_REFUSED", carnet.ReasonOf(err))
	require.ErrorContains(t, err, "uz was asked to approve the query and refused")
	require.ErrorContains(t, err, "not this month")
}

// Rule: a bundle that obliges to approval has the same effect, the gateway's and a
// keyholder's each.
func TestPolicyObligesToApproval(t *testing.T) {
	t.Parallel()
	approving := func(who string) *policy.Holder {
		return rules(t, "approval: []", "approval: ["+who+"]")
	}
	n := Start(t, corridor(Options{Rules: approving("judge"), Judges: map[int]*policy.Holder{1: approving("owner"), 2: approving("judge"), 3: rules(t)}}))
	publishTrade(t, n, carnet.LayoutCube, declare(nil))
	a := n.Submit(t, "buyer", "cube", linearQuery)
	s, err := n.Client(t, "buyer").Status(Context(t), a.Hash)
	require.NoError(t, err)
	require.Equal(t, client.Waiting, s.State)
	_, err = n.Client(t, Operator).Approve(Context(t), n.Identity(Operator), a.Hash, true, "")
	require.NoError(t, err)
	for _, owner := range []carnet.PartyID{"kz", "uz", "kg"} {
		Eventually(t, "the owner is asked", time.Minute, func() bool {
			list, err := n.Client(t, owner).Inbox(Context(t))
			require.NoError(t, err)
			return len(list) == 1
		})
		_, err := n.Client(t, owner).Approve(Context(t), n.Identity(owner), a.Hash, true, "")
		require.NoError(t, err)
	}
	n.decide(t, 2, a.Hash, true, "")
	answer, err := n.Open(t, a)
	require.NoError(t, err)
	require.NotEmpty(t, answer.Result.Rows)
}

// Rule: what a bundle obliges to and nobody guarantees is refused with what is needed, by
// the gateway and, with a gateway that has no bundle, by every keyholder.
func TestObligationsAreKept(t *testing.T) {
	t.Parallel()
	strict := map[string][2]string{
		"min_group": {"min_group: 0", "min_group: 11"}, "noise": {"noise: false", "noise: true"},
		"purposes": {"purposes: []", "purposes: [research]"},
	}
	n := Start(t, corridor(Options{}))
	publishTrade(t, n, carnet.LayoutCube, declare(nil))
	for name, change := range strict {
		r := rules(t, change[0], change[1])
		g := Start(t, corridor(Options{Rules: r}))
		publishTrade(t, g, carnet.LayoutCube, declare(nil))
		_, err := g.Client(t, "buyer").Ask(Context(t), g.Identity("buyer"), "cube", linearQuery, Purpose, 0)
		requireNeeds(t, err, name)
		for _, k := range n.Keyholders {
			require.NoError(t, k.Stop(t))
		}
		n.Judges = map[int]*policy.Holder{1: r, 2: r, 3: r}
		for _, k := range n.Keyholders {
			k.Start(t)
		}
		a := n.Submit(t, "buyer", "cube", linearQuery)
		_, err = n.Wait(t, a)
		requireNeeds(t, err, name)
	}
}

func requireNeeds(t *testing.T, err error, name string) {
	t.Helper()
	var e *carnet.Error
	require.ErrorAs(t, err, &e, name)
	require.Equal(t, "OBLIGATION_UNMET", e.Reason, "%s: %v", name, err)
	require.Contains(t, e.Remedy, "needs ", name)
}
