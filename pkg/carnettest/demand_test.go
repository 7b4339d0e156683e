package carnettest

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
	"github.com/carnet-network/carnet/pkg/policy"
)

// rulesOf are rules of another version.
func rulesOf(t *testing.T, version int) *policy.Holder {
	t.Helper()
	b := rules(t).Engine().Bundle()
	files := b.Files()
	files[policy.ManifestName] = fmt.Appendf(nil, "name: test\nversion: %d\nexpires: 2999-01-01T00:00:00Z\nroots: [config, packs, rules]\n", version)
	b, err := policy.NewBundle(files)
	require.NoError(t, err)
	h, err := policy.Hold(Context(t), b)
	require.NoError(t, err)
	return h
}

// requireDemanded checks a refusal for want of the bundle that the committee demands.
func requireDemanded(t *testing.T, err error, who string) {
	t.Helper()
	var e *carnet.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, "POLICY_DEMANDED", e.Reason, "%v", err)
	require.Contains(t, e.Msg, "test version 2 or later")
	require.Contains(t, e.Remedy, "ask "+who+" to put bundle test version 2")
}

// Rule: a committee can demand a policy bundle. A member with an older one, with another, or
// with none gives no share; nor is a query taken by a gateway that has not got it.
func TestCommitteeDemandsABundle(t *testing.T) {
	t.Parallel()
	first, second := rulesOf(t, 1), rulesOf(t, 2)
	digest := second.Engine().Bundle().Digest
	n := Start(t, corridor(Options{Rules: second, Judges: map[int]*policy.Holder{1: second, 2: second, 3: first},
		Demand: &carnet.PolicyDemand{Name: "test", Version: 2, Digest: &digest}}))
	publishTrade(t, n, carnet.LayoutCube, declare(nil))
	told := func() (out []carnet.Decision) {
		for _, d := range n.decisions(t) {
			if d.Reason == "POLICY_DEMANDED" {
				out = append(out, d)
			}
		}
		return out
	}
	a := n.Submit(t, "buyer", "cube", linearQuery)
	Eventually(t, "a refusal", time.Minute, func() bool { return len(told()) == 1 })
	d := told()[0]
	require.Equal(t, carnet.PartyID("kh3"), d.By)
	require.Contains(t, d.Message, "kh3 decides by test version 1")
	require.Contains(t, d.Remedy, "ask kh3 to put bundle test version 2")
	answer, err := n.Open(t, a)
	require.NoError(t, err)
	require.NotEmpty(t, answer.Result.Rows, "the other two have it")

	// Without a bundle, and with a changed one of the same version; a later one will do.
	for _, k := range n.Keyholders {
		require.NoError(t, k.Stop(t))
	}
	n.Judges = map[int]*policy.Holder{1: rulesOf(t, 3), 2: rules(t, "blocked_destinations: []", "blocked_destinations: [XX]")}
	for _, k := range n.Keyholders {
		k.Start(t)
	}
	a = n.Submit(t, "buyer", "cube", "SELECT COUNT(*) FROM cube")
	s, err := n.Wait(t, a)
	require.Equal(t, client.RefusedBy, s.State)
	require.Equal(t, "POLICY_DEMANDED", carnet.ReasonOf(err))
	Eventually(t, "two more refusals", time.Minute, func() bool { return len(told()) == 3 })
	for _, d := range told()[1:] {
		require.NotEqual(t, carnet.PartyID("kh1"), d.By, "a later version will do")
	}

	for _, has := range []*policy.Holder{nil, first} {
		g := Start(t, corridor(Options{Rules: has, Demand: &carnet.PolicyDemand{Name: "test", Version: 2}}))
		publishTrade(t, g, carnet.LayoutCube, declare(nil))
		_, err := g.Client(t, "buyer").Ask(Context(t), g.Identity("buyer"), "cube", linearQuery, Purpose, 0)
		requireDemanded(t, err, string(Operator))
		assessed, err := g.Client(t, "buyer").Assess(Context(t), "cube", linearQuery, Purpose)
		require.NoError(t, err)
		require.True(t, bytes.Contains(fmt.Append(nil, assessed.Refusals), []byte("POLICY_DEMANDED")), "also told beforehand")
	}
}
