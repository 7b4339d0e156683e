package carnettest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	pb "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/client"
	"github.com/carnet-network/carnet/pkg/flow"
	"github.com/carnet-network/carnet/pkg/policy"
)

// rules is the bundle that comes with the programs, with changes to its configuration,
// that does not expire.
func rules(t *testing.T, configuration ...string) *policy.Holder {
	t.Helper()
	b, err := policy.Default()
	require.NoError(t, err)
	files := b.Files()
	files[policy.ManifestName] = []byte("name: test\nversion: 1\nexpires: 2999-01-01T00:00:00Z\nroots: [config, packs, rules]\n")
	for i := 0; i < len(configuration); i += 2 {
		changed := strings.Replace(string(files["config.yaml"]), configuration[i], configuration[i+1], 1)
		require.NotEqual(t, string(files["config.yaml"]), changed)
		files["config.yaml"] = []byte(changed)
	}
	b, err = policy.NewBundle(files)
	require.NoError(t, err)
	h, err := policy.Hold(Context(t), b)
	require.NoError(t, err)
	return h
}

// corridor is a network of three jurisdictions; its gateway and buyers are in CH.
func corridor(o Options) Options {
	o.Places = map[int]carnet.Jurisdiction{1: "KZ", 2: "UZ", 3: "KG"}
	return o
}

var (
	statistics = &carnet.Declaration{Classes: []carnet.DataClass{carnet.ClassNone}}
	persons    = &carnet.Declaration{Classes: []carnet.DataClass{carnet.ClassPersonal}, Persons: 40}
)

func declare(of map[carnet.PartyID]*carnet.Declaration) func(int, *Publication) {
	return func(_ int, p *Publication) {
		if p.Data = statistics; of[p.Owner] != nil {
			p.Data = of[p.Owner]
		}
	}
}

// decisions are all decisions in the journal.
func (n *Network) decisions(t *testing.T) (out []carnet.Decision) {
	t.Helper()
	require.NoError(t, n.Gateway.Store.View(Context(t), func(tx flow.Tx) error {
		entries, err := tx.Entries(0, 10_000)
		for _, e := range entries {
			if e.Envelope.PayloadType == carnet.TypeDecision {
				var d carnet.Decision
				if err := e.Envelope.Decode(carnet.TypeDecision, &d); err != nil {
					return err
				}
				out = append(out, d)
			}
		}
		return err
	}))
	return out
}

// Rule: with a bundle at the gateway and at every keyholder, declared statistics of three
// jurisdictions are kept, guarded and released to a fourth, and every decision of the
// gateway is in the journal, signed, and can be repeated from there.
func TestPolicyAllows(t *testing.T) {
	t.Parallel()
	r := rules(t)
	n := Start(t, corridor(Options{Rules: r, Judges: map[int]*policy.Holder{1: r, 2: r, 3: r}}))
	publishTrade(t, n, carnet.LayoutCube, declare(nil))
	a := n.Ask(t, "buyer", "cube", linearQuery)
	require.NotEmpty(t, a.Result.Rows)
	flows := map[string]int{}
	for _, d := range n.decisions(t) {
		require.True(t, d.Allow)
		require.Equal(t, Operator, d.By)
		require.NotEmpty(t, d.Judged)
		for i := range d.Judged {
			require.NoError(t, r.Engine().Replay(Context(t), &d.Judged[i]))
			flows[d.Judged[i].Flow]++
		}
	}
	require.Equal(t, map[string]int{"storage": 3, "share": 4, "release": 1}, flows)
}

// Rule: what its owner does not declare is not kept where it would be abroad; the owner
// hears by which rule, where that can be read, and what to do.
func TestPolicyRefusesToKeep(t *testing.T) {
	t.Parallel()
	n := Start(t, corridor(Options{Rules: rules(t), Owners: []Owner{{"kz", "KZ"}}}))
	err := n.tryPublish(t, Publication{Owner: "kz", Schema: ParseSchema(t, tradeYAML), Layout: carnet.LayoutCube, CSV: trade(0)})
	requireExplained(t, err, "NEEDS_LEGAL_RULING", "kz.undeclared", "legal_ruling")
	require.Empty(t, n.decisions(t), "nothing is said of a manifest that nobody has")
	require.NoError(t, n.Gateway.Store.View(Context(t), func(tx flow.Tx) error {
		begun, err := tx.Uploads(flow.UploadPending, time.Now().Add(time.Hour))
		require.Empty(t, begun, "not a byte was sent")
		return err
	}))
	err = n.tryPublish(t, Publication{Owner: "kz", Name: "persons", Schema: ParseSchema(t, tradeYAML), Layout: carnet.LayoutCube, CSV: trade(0), Data: persons})
	requireExplained(t, err, "POLICY_DENIED", "kz.localisation", "primary_database")
}

// unasked is a gateway's policy for clients that do not ask beforehand.
type unasked struct{ flow.Policy }

func (u unasked) CheckDataset(ctx context.Context, d flow.PolicyDataset) (flow.Verdict, error) {
	if d.Statement.IsZero() {
		return flow.Verdict{}, nil
	}
	return u.Policy.CheckDataset(ctx, d)
}

// Rule: a client that does not ask beforehand is refused when it commits, and nothing is
// published.
func TestPolicyRefusesAtCommit(t *testing.T) {
	t.Parallel()
	n := Start(t, corridor(Options{Rules: rules(t), Owners: []Owner{{"kz", "KZ"}}, Around: func(p flow.Policy) flow.Policy { return unasked{p} }}))
	err := n.tryPublish(t, Publication{Owner: "kz", Schema: ParseSchema(t, tradeYAML), Layout: carnet.LayoutCube, CSV: trade(0)})
	requireExplained(t, err, "NEEDS_LEGAL_RULING", "kz.undeclared", "legal_ruling")
	require.NoError(t, n.Gateway.Store.View(Context(t), func(tx flow.Tx) error {
		_, err := tx.GetDataset("kz/trade")
		require.Equal(t, carnet.NotFound, carnet.KindOf(err))
		return nil
	}))
}

// requireExplained checks that a refusal names rule, law, source and a remedy.
func requireExplained(t *testing.T, err error, reason, rule, remedy string) {
	t.Helper()
	var e *carnet.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, reason, e.Reason, "%v", err)
	require.Contains(t, e.Error(), rule)
	require.Contains(t, e.Error(), "https://")
	require.Contains(t, e.Error(), "since 20")
	require.Contains(t, e.Remedy, remedy)
}

// Rule: keyholders do not rely on the gateway's policy. With a gateway that has none, each
// refuses by its own bundle, signs all that it takes to repeat that, and the buyer
// hears rule, source and remedy.
func TestPolicyOfKeyholders(t *testing.T) {
	t.Parallel()
	r := rules(t)
	n := Start(t, corridor(Options{Judges: map[int]*policy.Holder{1: r, 2: r, 3: r}}))
	publishTrade(t, n, carnet.LayoutCube, declare(map[carnet.PartyID]*carnet.Declaration{"kz": persons}))
	a, err := n.Client(t, "buyer").Ask(Context(t), n.Identity("buyer"), "cube", linearQuery, Purpose, 0)
	require.NoError(t, err)
	s, err := n.Wait(t, a)
	require.Equal(t, client.RefusedBy, s.State)
	requireExplained(t, err, "NEEDS_LEGAL_RULING", "kz.digital-code", "legal_ruling")
	n.refusedBy(t, a.Hash, "NEEDS_LEGAL_RULING")
	require.GreaterOrEqual(t, len(n.decisions(t)), 2, "with two refusals of three nothing can open any more")
	for _, d := range n.decisions(t) {
		require.False(t, d.Allow)
		require.Len(t, d.Judged, 2)
		for i := range d.Judged {
			require.NoError(t, r.Engine().Replay(Context(t), &d.Judged[i]))
		}
	}
	// Others of the union may be asked for: their owners have nothing to do with it.
	require.NotEmpty(t, n.Ask(t, "buyer", "cube", "SELECT COUNT(*) FROM cube WHERE jurisdiction = 'UZ'").Result.Rows)
}

// Rule: each keyholder has its own bundle, and a refusal of fewer than it takes is told
// beside the answer.
func TestPolicyOfOneKeyholder(t *testing.T) {
	t.Parallel()
	n := Start(t, corridor(Options{Judges: map[int]*policy.Holder{1: rules(t), 2: rules(t, "blocked_destinations: []", "blocked_destinations: [CH]")}}))
	publishTrade(t, n, carnet.LayoutCube, declare(nil))
	a := n.Submit(t, "buyer", "cube", linearQuery)
	Eventually(t, "a refusal", time.Minute, func() bool { return len(n.decisions(t)) == 1 })
	d := n.decisions(t)[0]
	require.Equal(t, carnet.PartyID("kh2"), d.By)
	require.Contains(t, d.Message, "base.blocked")
	require.Contains(t, d.Remedy, "kh2")
	answer, err := n.Open(t, a)
	require.NoError(t, err)
	require.NotEmpty(t, answer.Result.Rows)
}

// Rule: the volumes of an owner add up over its datasets, as the journal has them.
func TestPolicyCountsVolumes(t *testing.T) {
	t.Parallel()
	n := Start(t, corridor(Options{Rules: rules(t), Owners: []Owner{{"cn", "CN"}}}))
	s := ParseSchema(t, tradeYAML)
	publish := func(name string, count int64) error {
		return n.tryPublish(t, Publication{Owner: "cn", Name: name, Schema: s, Layout: carnet.LayoutCube, CSV: trade(0),
			Data: &carnet.Declaration{Classes: []carnet.DataClass{carnet.ClassPersonal}, Persons: count}})
	}
	require.NoError(t, publish("first", 60_000))
	err := publish("second", 60_000)
	requireExplained(t, err, "POLICY_DENIED", "cn.middle-volume", "standard_contract")
	require.ErrorContains(t, err, "120000 persons since 1 January")
	require.NoError(t, publish("third", 19_999))
	err = publish("third", 20_001) // in place of what was published
	requireExplained(t, err, "POLICY_DENIED", "cn.middle-volume", "standard_contract")
	require.ErrorContains(t, err, "100000 persons since 1 January")
	require.NoError(t, publish("third", 20_000))

	// A draft without a date counts as one of today, also if its name was published before.
	draft := &carnet.Dataset{}
	require.NoError(t, n.Gateway.Store.View(Context(t), func(tx flow.Tx) error {
		d, err := tx.GetDataset("cn/third")
		require.NoError(t, err)
		return d.Manifest.Envelope.Decode(carnet.TypeDataset, draft)
	}))
	draft.Files, draft.Created, draft.Declaration.Persons = nil, time.Time{}, 1
	v, err := n.Client(t, "cn").AssessPublication(Context(t), draft)
	require.NoError(t, err)
	requireExplained(t, v.Error(), "POLICY_DENIED", "cn.middle-volume", "standard_contract")

	n.Gateway.Restart(t)
	require.Error(t, publish("fourth", 1), "a restarted gateway counts what the journal has")
}

// tryPublish publishes, or says why not.
func (n *Network) tryPublish(t *testing.T, p Publication) error {
	t.Helper()
	ready := n.Prepare(t, p)
	ready.Restart = true // in place of an earlier version, if there is one
	_, err := n.Client(t, p.Owner).Publish(Context(t), n.Identity(p.Owner), ready)
	return err
}

// Rule: what would be needed is told before anything is done, by REST as by gRPC, also to
// who is not registered yet.
func TestAssessmentsByREST(t *testing.T) {
	t.Parallel()
	n := Start(t, corridor(Options{Rules: rules(t)}))
	publishTrade(t, n, carnet.LayoutCube, declare(nil))
	ask := pb.NewPolicyServiceClient(n.Conn(t, "buyer"))
	query := &pb.AssessQueryRequest{Product: "cube", Sql: linearQuery, Purpose: Purpose}
	want, err := ask.AssessQuery(Context(t), query)
	require.NoError(t, err)
	require.True(t, want.GetAssessment().GetAllow())
	require.Len(t, want.GetAssessment().GetFlows(), 2)
	var got pb.AssessQueryResponse
	n.webOf(t, "buyer").ok(t, "POST", "/v1/assessments/query", query, &got)
	// The clock is part of the decision: only the findings are compared.
	for i, f := range got.GetAssessment().GetFlows() {
		same := want.GetAssessment().GetFlows()[i]
		samePB(t, same.GetDecision().GetFields()["findings"], f.GetDecision().GetFields()["findings"])
		require.Equal(t, same.GetBundle(), f.GetBundle())
	}

	var kinds pb.AssessRegistrationResponse
	n.webOf(t, "newcomer").ok(t, "POST", "/v1/assessments/registration", &pb.AssessRegistrationRequest{Jurisdiction: "CN", Committee: string(CommitteeID)}, &kinds)
	allowed := map[string]bool{}
	for _, k := range kinds.GetKinds() {
		for _, r := range k.GetAssessment().GetRefusals() {
			require.NotEmpty(t, r.GetRemedy())
			require.Contains(t, r.GetMessage(), "https://")
		}
		d := k.GetDeclaration().GetFields()
		allowed[fmt.Sprint(d["classes"].GetListValue().AsSlice(), d["persons"].GetNumberValue())] = k.GetAssessment().GetAllow()
	}
	require.Equal(t, map[string]bool{"[] 0": false, "[none] 0": true, "[personal] 1000": true, "[personal] 250000": false, "[personal] 2e+06": false,
		"[personal sensitive] 1000": false, "[biometric] 1000": false, "[genetic] 1000": false, "[telecom] 1000": true, "[payment] 0": false, "[important] 0": false}, allowed)

	// The same for people: as a page or as text, by Accept or by ?format=.
	buyer := n.webOf(t, "buyer")
	for _, x := range []struct{ accept, path, kind, begins string }{
		{"text/html", "", "text/html", "<!DOCTYPE html>"},
		{"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "", "text/html", "<!DOCTYPE html>"},
		{"", "?format=html", "text/html", "<!DOCTYPE html>"},
		{"text/plain", "", "text/plain", "the query: would be accepted"},
		{"text/html", "?format=text", "text/plain", "the query: would be accepted"},
		{"text/html", "?format=json", "application/json", "{"},
		{"*/*", "", "application/json", "{"},
	} {
		kind, text := buyer.report(t, "/v1/assessments/query"+x.path, x.accept, query)
		require.Contains(t, kind, x.kind, "%v", x)
		require.True(t, strings.HasPrefix(text, x.begins), "%v: %s", x, text)
		require.Contains(t, text, "kz.", "the rules that spoke")
		require.Equal(t, x.kind == "application/json", !strings.Contains(text, "not legal advice"))
	}
	kind, text := n.webOf(t, "newcomer").report(t, "/v1/assessments/registration?format=html", "", &pb.AssessRegistrationRequest{Jurisdiction: "CN", Committee: string(CommitteeID)})
	require.Contains(t, kind, "text/html")
	require.Contains(t, text, "classes personal, 250000 persons")
	require.Contains(t, text, "would be refused")
	require.NotContains(t, text, "<script")
	kind, text = buyer.report(t, "/v1/assessments/query?format=html", "", &pb.AssessQueryRequest{Product: "nothing", Sql: "SELECT", Purpose: Purpose})
	require.Contains(t, kind, "application/json", "faults are JSON as everywhere")
	require.Contains(t, text, "message")

	owner := n.webOf(t, "kz")
	code, body := owner.call(t, "POST", "/v1/assessments/publication", &pb.AssessPublicationRequest{Manifest: []byte(`{"id":1}`)})
	require.Equal(t, 400, code)
	require.Contains(t, string(body), "BAD_MANIFEST")
	code, body = n.webOf(t, "buyer").call(t, "POST", "/v1/assessments/publication", &pb.AssessPublicationRequest{Manifest: []byte(`{}`)})
	require.Equal(t, 403, code, "%s", body)
}

// report asks for an answer in a media type, and returns the type that came.
func (w *web) report(t *testing.T, path, accept string, body proto.Message) (kind, text string) {
	t.Helper()
	b, err := protojson.Marshal(body)
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(Context(t), "POST", w.base+path, bytes.NewReader(b))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	if accept != "" {
		req.Header.Set("Accept", accept)
	}
	resp, err := w.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	out, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.Header.Get("Content-Type"), string(out)
}

// Rule: a keyholder whose bundle expired gives no share, whatever the gateway decided.
func TestKeyholdersWithStaleBundles(t *testing.T) {
	t.Parallel()
	stale := func() *policy.Holder {
		b, err := policy.Default()
		require.NoError(t, err)
		files := b.Files()
		files[policy.ManifestName] = []byte("name: old\nversion: 1\nexpires: 2026-01-02T00:00:00Z\nroots: [config, packs, rules]\n")
		b, err = policy.NewBundle(files)
		require.NoError(t, err)
		h, err := policy.Hold(Context(t), b)
		require.NoError(t, err)
		return h
	}
	n := Start(t, corridor(Options{Rules: rules(t), Judges: map[int]*policy.Holder{1: stale(), 2: rules(t), 3: stale()}}))
	publishTrade(t, n, carnet.LayoutCube, declare(nil))
	a := n.Submit(t, "buyer", "cube", linearQuery)
	_, err := n.Wait(t, a)
	var e *carnet.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, "POLICY_STALE", e.Reason)
	require.Contains(t, e.Remedy, "put a reviewed bundle in place")
}
