package carnettest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	carnetv1 "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/apiconv"
	"github.com/carnet-network/carnet/pkg/bundle"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/policy"
	"github.com/carnet-network/carnet/pkg/verify"
)

// bundleOf names the bundle of a judge.
func bundleOf(h *policy.Holder) *carnet.PolicyBundle {
	if h == nil {
		return nil
	}
	b := h.Engine().Bundle()
	return &carnet.PolicyBundle{Name: b.Name, Version: b.Version, Digest: b.Digest}
}

// Rule: an answer shows by which policy bundle the gateway and every keyholder let it pass, from
// what each of them signed; a gateway can't show another decision than its own about the query.
func TestAnswersNameTheirBundles(t *testing.T) {
	t.Parallel()
	first, second := rulesOf(t, 1), rulesOf(t, 2)
	judges := map[int]*policy.Holder{1: first, 2: second}
	n := Start(t, corridor(Options{Rules: first, Judges: judges}))
	publishTrade(t, n, carnet.LayoutCube, declare(nil))
	a := n.Submit(t, "buyer", "cube", linearQuery)
	Eventually(t, "three answers", time.Minute, func() bool {
		s, err := n.Client(t, "buyer").Status(Context(t), a.Hash)
		return err == nil && s.Answers == 3
	})
	answer, err := n.Open(t, a)
	require.NoError(t, err)
	require.Len(t, answer.DecidedBy, 4)
	for i, by := range []*carnet.PolicyBundle{bundleOf(first), bundleOf(first), bundleOf(second), nil} {
		d := answer.DecidedBy[i]
		require.Equal(t, i, d.Number)
		require.Equal(t, by, d.Policy)
		env := n.statement(t, d.Statement)
		if i == 0 {
			var said carnet.Decision
			require.NoError(t, env.Decode(carnet.TypeDecision, &said))
			require.Equal(t, a.Hash, said.Query)
			continue
		}
		var said carnet.Answer
		require.NoError(t, env.Decode(carnet.TypeAnswer, &said))
		require.Equal(t, by, said.Policy)
	}
	require.Equal(t, Operator, answer.DecidedBy[0].Party)

	// The gateway's account for programs is the same.
	status, err := n.Gateway.Flow.GetQuery(Context(t), &carnet.Party{ID: "buyer", Roles: []carnet.Role{carnet.RoleBuyer}}, a.Hash)
	require.NoError(t, err)
	require.Len(t, status.Decided, 4)
	for i, d := range status.Decided {
		require.Equal(t, answer.DecidedBy[i].Policy, d.Policy)
		require.Equal(t, answer.DecidedBy[i].Party, d.By)
	}

	// Evidence has it, too, for whoever was not there.
	b, err := n.Client(t, "buyer").Evidence(Context(t), a.Hash, client.EvidenceOptions{Wait: time.Minute})
	require.NoError(t, err)
	for _, h := range []*policy.Holder{first, second} {
		env, err := h.Engine().Bundle().Sign()
		require.NoError(t, err)
		b.Policies = append(b.Policies, bundle.Policy{Statement: env.Payload, Files: h.Engine().Bundle().Files()})
	}
	b.Sort()
	data, err := b.Encode()
	require.NoError(t, err)
	r := n.verify(t, data, nil)
	require.Empty(t, r.Failures())
	i := slices.IndexFunc(r.Checks, func(c *verify.Check) bool { return c.ID == verify.CheckDecisions })
	said := strings.Join(r.Checks[i].Found, "\n")
	require.Contains(t, said, "kh1 answered, having decided by policy test version 1, digest "+bundleOf(first).Digest.String())
	require.Contains(t, said, "kh2 answered, having decided by policy test version 2")
	require.Contains(t, said, "kh3 answered, having decided by owners' terms alone")

	// Nothing but the gateway's own decision about this query will do.
	other := n.Ask(t, "buyer", "cube", "SELECT COUNT(*) FROM cube")
	theirs := n.statement(t, other.DecidedBy[0].Statement)
	forge := func(by carnet.PartyID, change func(*carnet.Decision)) *evidence.Envelope {
		own := n.statement(t, answer.DecidedBy[0].Statement)
		var d carnet.Decision
		require.NoError(t, own.Decode(carnet.TypeDecision, &d))
		change(&d)
		env, err := evidence.Seal(carnet.TypeDecision, d, n.identities[by])
		require.NoError(t, err)
		return env
	}
	for _, x := range []struct {
		reason string
		shown  *evidence.Envelope
	}{
		{"GATEWAY_WRONG", theirs},
		{"BAD_SIGNATURE", forge("buyer", func(*carnet.Decision) {})},
		{"WRONG_ROLE", forge("kz", func(d *carnet.Decision) { d.By = "kz" })},
		{"GATEWAY_WRONG", forge(Operator, func(d *carnet.Decision) { d.Allow = false })},
		{"GATEWAY_WRONG", forge(Operator, func(d *carnet.Decision) { d.Judged[1].Version = 7 })},
	} {
		n.Meddle(func(m *Message) error {
			if part, ok := m.Body.(*carnetv1.FetchAnswerResponse); ok && m.FromGateway && part.GetDecision() != nil {
				part.Part = &carnetv1.FetchAnswerResponse_Decision{Decision: apiconv.ToEnvelope(x.shown)}
			}
			return nil
		})
		_, err = n.Open(t, a)
		require.Equal(t, x.reason, carnet.ReasonOf(err), "%v", err)
	}
	n.Meddle(nil)
	_, err = n.Open(t, a)
	require.NoError(t, err)
}
