package keyholder

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	apiv1 "github.com/carnet-network/carnet/pkg/api/carnet/v1"
	"github.com/carnet-network/carnet/pkg/apiconv"
	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

func askingWorld(t *testing.T) *world {
	return theWorld(t, options{layout: carnet.LayoutCube, owners: 2, asks: true})
}

func (m *member) SubmitDeferral(_ context.Context, r *apiv1.SubmitDeferralRequest) (*apiv1.SubmitDeferralResponse, error) {
	env, err := apiconv.FromEnvelope("statement", r.GetStatement())
	if err != nil {
		return nil, err
	}
	var d carnet.Deferral
	if err := env.Verify(carnet.TypeDeferral, m.w.stores()[m.number-1].Signer().Public(), &d); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.deferrals = append(m.deferrals, d)
	m.touch()
	return &apiv1.SubmitDeferralResponse{}, nil
}

// deferred waits until a keyholder said whom a query waits for.
func (g *gateway) deferred(t *testing.T, query *evidence.Envelope) (out carnet.Deferral) {
	t.Helper()
	h := query.Hash()
	g.wait(t, "deferral", func() bool {
		for _, d := range g.deferrals {
			if d.Query == h {
				out = d
				return true
			}
		}
		return len(g.decisions[h])+len(g.answers[h]) > 0
	})
	require.Empty(t, g.got(h), "answered although it waits")
	require.Empty(t, g.said(h), "refused although it waits")
	return out
}

func (w *world) approval(t *testing.T, query *evidence.Envelope, by carnet.PartyID, allow bool, signer evidence.Signer) *evidence.Envelope {
	t.Helper()
	return sign(t, carnet.TypeApproval, carnet.Approval{Query: query.Hash(), By: by, Allow: allow, Reason: "because", Created: testTime}, signer)
}

// clock is a time that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: testTime.Add(time.Minute)} }

func (c *clock) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.now }

func (c *clock) set(t time.Time) { c.mu.Lock(); defer c.mu.Unlock(); c.now = t }

// TestOwnersApproval: a keyholder answers what an owner's terms have wait only with that
// owner's signature under exactly this query.
func TestOwnersApproval(t *testing.T) {
	w := askingWorld(t)
	g := newGateway(t, w)
	g.run(t, 1)
	query := w.ask(t, monthly)
	g.journal(t, query)
	d := g.deferred(t, query)
	require.Equal(t, []carnet.PartyID{"owner1"}, d.For)
	require.Equal(t, testTime.Add(time.Hour), d.Until)
	g.journal(t, w.approval(t, query, "owner1", true, w.owners[0]))
	g.answered(t, query, 1)
}

// TestAttackApprovals: what is no approval of this query by this owner does not open it.
func TestAttackApprovals(t *testing.T) {
	w := askingWorld(t)
	query, other := w.ask(t, monthly), w.ask(t, monthly)
	mallory := newIdentity("mallory")
	moved := w.approval(t, other, "owner1", true, w.owners[0])
	moved.Payload = w.approval(t, query, "owner1", true, w.owners[0]).Payload
	for name, env := range map[string]*evidence.Envelope{
		"of another query":             w.approval(t, other, "owner1", true, w.owners[0]),
		"by another owner":             w.approval(t, query, "owner2", true, w.owners[1]),
		"in its name by another owner": w.approval(t, query, "owner1", true, w.owners[1]),
		"by a stranger":                w.approval(t, query, "owner1", true, mallory),
		"by the buyer":                 w.approval(t, query, "owner1", true, w.buyer),
		"moved from another query":     moved,
		"signed as another thing":      sign(t, carnet.TypeRetirement, carnet.Approval{Query: query.Hash(), By: "owner1", Allow: true, Created: testTime}, w.owners[0]),
	} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t, w)
			now := newClock()
			h := g.run(t, 1, func(c *Config) { c.Now = now.Now })
			g.journal(t, query)
			g.deferred(t, query)
			g.journal(t, env)
			require.Eventually(t, func() bool { return h.position().Size() == g.size() }, waitLimit, waitStep)
			require.Eventually(t, func() bool {
				size, err := h.ledger.Quorum(t.Context(), w.committee)
				return err == nil && size == g.size()
			}, waitLimit, waitStep)
			require.Nil(t, h.state.approvalOf(query.Hash(), "owner1"), "it counts as the owner's")
			c := h.pendingCase(query.Hash())
			require.NotNil(t, c)
			moved, err := h.moved(t.Context(), c, h.waitsOf(c))
			require.NoError(t, err)
			require.False(t, moved)
			require.Empty(t, g.got(query.Hash()))
			// Nobody approves: it is refused aloud, and an approval that comes late is too late.
			now.set(testTime.Add(time.Hour))
			h.release.raise()
			d := g.refused(t, query)
			require.Equal(t, "APPROVAL_EXPIRED", d.Reason)
			require.Contains(t, d.Message, "owner1")
			require.NotEmpty(t, d.Remedy)
			g.journal(t, w.approval(t, query, "owner1", true, w.owners[0]))
			now.set(testTime.Add(time.Minute)) // nor does a clock that is set back help
			h.release.raise()
			require.Eventually(t, func() bool { return h.position().Size() == g.size() }, waitLimit, waitStep)
			require.Empty(t, g.got(query.Hash()))
		})
	}
}

func (g *gateway) size() int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.tree.Size()
}

// TestApprovalNeedsTheQuorum: an approval counts when a checkpoint of the quorum includes
// it, like the query itself.
func TestApprovalNeedsTheQuorum(t *testing.T) {
	w := askingWorld(t)
	g := newGateway(t, w)
	h := g.run(t, 1)
	query := w.ask(t, monthly)
	g.journal(t, query)
	g.deferred(t, query)
	g.mu.Lock()
	g.silent[2], g.silent[3] = true, true
	g.mu.Unlock()
	g.journal(t, w.approval(t, query, "owner1", true, w.owners[0]))
	require.Eventually(t, func() bool { return h.state.approvalOf(query.Hash(), "owner1") != nil }, waitLimit, waitStep)
	c := h.pendingCase(query.Hash())
	moved, err := h.moved(t.Context(), c, h.waitsOf(c))
	require.NoError(t, err)
	require.False(t, moved, "two of three have not seen the approval")
	require.Empty(t, g.got(query.Hash()))
}

func (h *holder) pendingCase(query carnet.Hash) *Case {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.pending[query]
}

// TestOwnersRefusal: an owner's refusal counts also where nobody asked it, the first
// statement of an owner counts, and a dataset that is revoked meanwhile stays closed.
func TestOwnersRefusal(t *testing.T) {
	w := askingWorld(t)
	t.Run("not asked", func(t *testing.T) {
		g := newGateway(t, w)
		g.run(t, 1)
		query := w.ask(t, monthly)
		g.journal(t, query, w.approval(t, query, "owner2", false, w.owners[1]), w.approval(t, query, "owner1", true, w.owners[0]))
		d := g.refused(t, query)
		require.Equal(t, "APPROVAL_REFUSED", d.Reason)
		require.Contains(t, d.Message, "because")
		require.Contains(t, d.Remedy, "owner2")
	})
	t.Run("twice", func(t *testing.T) {
		g := newGateway(t, w)
		g.run(t, 1)
		query := w.ask(t, monthly)
		g.journal(t, query, w.approval(t, query, "owner1", false, w.owners[0]), w.approval(t, query, "owner1", true, w.owners[0]))
		require.Equal(t, "APPROVAL_REFUSED", g.refused(t, query).Reason)
	})
	t.Run("revoked", func(t *testing.T) {
		g := newGateway(t, w)
		g.run(t, 1)
		query := w.ask(t, monthly)
		g.journal(t, query)
		g.deferred(t, query)
		g.journal(t, sign(t, carnet.TypeRevocation, carnet.Revocation{Dataset: "owner1/trade", Owner: "owner1", Created: testTime}, w.owners[0]),
			w.approval(t, query, "owner1", true, w.owners[0]))
		require.Equal(t, "DATASET_REVOKED", g.refused(t, query).Reason)
	})
}

// here has every query of a purpose wait for somebody of the keyholder.
func here(c *Config) {
	c.Approval = ApprovalRules{Rules: []ApprovalRule{{Name: "statistics are looked at", Purposes: []string{"statistics"}}}}
}

// TestKeyholdersApproval: a query waits for somebody here, over a restart, and is answered
// or refused as they decide, once.
func TestKeyholdersApproval(t *testing.T) {
	w := cubeWorld(t)
	g := newGateway(t, w)
	h := g.run(t, 1, here)
	yes, no := w.ask(t, monthly), w.ask(t, monthly)
	g.journal(t, yes, no)
	require.Equal(t, []carnet.PartyID{"kh1"}, g.deferred(t, yes).For)
	g.deferred(t, no)
	require.NoError(t, h.stop())
	h = h.again(t, here).start(t)

	desk, err := WriteLedger(h.ledger.path)
	require.NoError(t, err)
	defer desk.Close()
	list, err := desk.Consents(t.Context(), false)
	require.NoError(t, err)
	require.Len(t, list, 2)
	a := list[0].Asked
	require.Equal(t, []string{"statistics are looked at"}, a.Why)
	require.Equal(t, monthly, a.SQL)
	require.NotEmpty(t, a.Plan)
	require.Len(t, a.Terms, 2)
	now := testTime.Add(2 * time.Minute)
	require.Equal(t, "BAD_APPROVAL", carnet.ReasonOf(desk.Decide(t.Context(), no.Hash(), false, "", "ann", now)))
	require.Equal(t, "NOT_ASKED", carnet.ReasonOf(desk.Decide(t.Context(), carnet.Hash{1}, true, "", "ann", now)))
	require.Equal(t, "APPROVAL_EXPIRED", carnet.ReasonOf(desk.Decide(t.Context(), no.Hash(), true, "", "ann", testTime.Add(time.Hour))))
	require.NoError(t, desk.Decide(t.Context(), no.Hash(), false, "not for us to tell", "ann", now))
	require.Equal(t, "DECIDED", carnet.ReasonOf(desk.Decide(t.Context(), no.Hash(), true, "", "bob", now)))
	d := g.refused(t, no)
	require.Equal(t, "APPROVAL_REFUSED", d.Reason)
	require.Contains(t, d.Message, "not for us to tell")
	require.Contains(t, d.Remedy, "kh1")
	require.Empty(t, g.got(yes.Hash()))
	require.NoError(t, desk.Decide(t.Context(), yes.Hash(), true, "", "ann", now))
	g.answered(t, yes, 1)
	require.Equal(t, "DECIDED", carnet.ReasonOf(desk.Decide(t.Context(), yes.Hash(), false, "no", "bob", now)))
	list, err = desk.Consents(t.Context(), false)
	require.NoError(t, err)
	require.Empty(t, list)
	list, err = desk.Consents(t.Context(), true)
	require.NoError(t, err)
	require.Len(t, list, 2)
	require.Equal(t, "ann", list[0].By)
}

// TestDecisionsOfPeopleRace: of many decisions at a time one counts.
func TestDecisionsOfPeopleRace(t *testing.T) {
	w := cubeWorld(t)
	g := newGateway(t, w)
	h := g.run(t, 1, here)
	query := w.ask(t, monthly)
	g.journal(t, query)
	g.deferred(t, query)
	var wg sync.WaitGroup
	results := make(chan error, 20)
	for i := range cap(results) {
		wg.Go(func() {
			desk, err := WriteLedger(h.ledger.path)
			if err == nil {
				err = desk.Decide(context.Background(), query.Hash(), i%2 == 0, "why", "ann", testTime.Add(time.Minute))
				desk.Close()
			}
			results <- err
		})
	}
	wg.Wait()
	close(results)
	counted := 0
	for err := range results {
		if err == nil {
			counted++
		} else {
			require.Equal(t, "DECIDED", carnet.ReasonOf(err), "%v", err)
		}
	}
	require.Equal(t, 1, counted)
}

// TestApprovalExpiresEarlier: rules can give a query less time than its buyer did.
func TestApprovalExpiresEarlier(t *testing.T) {
	w := cubeWorld(t)
	g := newGateway(t, w)
	now := newClock()
	h := g.run(t, 1, here, func(c *Config) { c.Now, c.Approval.Within = now.Now, Duration(10*time.Minute) })
	query := w.ask(t, monthly)
	g.journal(t, query)
	require.Equal(t, testTime.Add(11*time.Minute), g.deferred(t, query).Until)
	now.set(testTime.Add(11 * time.Minute))
	h.release.raise()
	d := g.refused(t, query)
	require.Equal(t, "APPROVAL_EXPIRED", d.Reason)
	require.Contains(t, d.Message, "kh1")
}

// TestCrashWhileWaiting: a power cut between noting and telling, or before that is marked,
// loses and doubles nothing.
func TestCrashWhileWaiting(t *testing.T) {
	w := askingWorld(t)
	for _, at := range []string{"deferred", "deferral sent"} {
		t.Run(at, func(t *testing.T) {
			g := newGateway(t, w)
			query := w.ask(t, monthly)
			g.journal(t, query)
			h := g.prepare(t, 1, t.TempDir(), here)
			died := errors.New("power cut")
			h.crash = func(now string) error {
				if now == at {
					return died
				}
				return nil
			}
			h.start(t)
			if at == "deferred" {
				require.Eventually(t, func() bool { return errors.Is(h.stopIfDead(), died) }, waitLimit, waitStep)
			} else {
				g.deferred(t, query)
			}
			h.stop()
			h = h.again(t, here).start(t)
			d := g.deferred(t, query)
			require.Equal(t, []carnet.PartyID{"kh1", "owner1"}, d.For)
			g.mu.Lock()
			for _, again := range g.deferrals {
				require.Equal(t, d, again)
			}
			g.mu.Unlock()
			require.NoError(t, h.ledger.Decide(t.Context(), query.Hash(), true, "", "ann", testTime.Add(time.Minute)))
			g.journal(t, w.approval(t, query, "owner1", true, w.owners[0]))
			g.answered(t, query, 1)
		})
	}
}

// TestApprovalRules: a rule is met if all of its conditions are.
func TestApprovalRules(t *testing.T) {
	w := cubeWorld(t)
	s := newState(w.registrar.Public(), "kh1")
	for _, env := range w.base {
		require.NoError(t, s.apply(env))
	}
	c := s.newCase(0, w.ask(t, monthly))
	for name, x := range map[string]struct {
		rule ApprovalRule
		met  bool
	}{
		"every query":        {ApprovalRule{}, true},
		"buyer":              {ApprovalRule{Buyers: []carnet.PartyID{"buyer"}}, true},
		"other buyer":        {ApprovalRule{Buyers: []carnet.PartyID{"bank"}}, false},
		"jurisdiction":       {ApprovalRule{Jurisdictions: []carnet.Jurisdiction{"CH"}}, true},
		"other jurisdiction": {ApprovalRule{Jurisdictions: []carnet.Jurisdiction{"KZ"}}, false},
		"other purpose":      {ApprovalRule{Purposes: []string{"marketing"}}, false},
		"dataset":            {ApprovalRule{Datasets: []carnet.DatasetID{"owner2/trade"}}, true},
		"other dataset":      {ApprovalRule{Datasets: []carnet.DatasetID{"owner2/other"}}, false},
		"nothing declared":   {ApprovalRule{Personal: true}, true},
		"few numbers":        {ApprovalRule{Numbers: 1000}, false},
		"one of two":         {ApprovalRule{Purposes: []string{"statistics"}, Buyers: []carnet.PartyID{"bank"}}, false},
	} {
		x.rule.Name = name
		r := &ApprovalRules{Rules: []ApprovalRule{x.rule}}
		require.NoError(t, r.Check())
		require.Equal(t, x.met, len(r.why(c)) == 1, name)
	}
	for i := range c.inputs {
		c.inputs[i].manifest = &manifest{c.inputs[i].manifest.hash, c.inputs[i].manifest.body}
		c.inputs[i].manifest.body.Declaration = &carnet.Declaration{Classes: []carnet.DataClass{carnet.ClassNone}}
	}
	require.Empty(t, (&ApprovalRules{Rules: []ApprovalRule{{Name: "x", Personal: true}}}).why(c))
	require.Equal(t, "BAD_APPROVAL_RULES", carnet.ReasonOf((&ApprovalRules{Rules: []ApprovalRule{{}}}).Check()))
	for currency, amount := range map[string]Money{"tenge": 1, "KZT": 0, "EUR": -1} {
		require.Equal(t, "BAD_APPROVAL_RULES", carnet.ReasonOf((&ApprovalRules{Rules: []ApprovalRule{{Name: "x", Price: map[string]Money{currency: amount}}}}).Check()))
	}

	// What the buyer would owe: 100 for the query and 3 times 2.5 for its months to the first
	// owner, 1 in another currency to the second.
	prices := []*carnet.Price{{Currency: "KZT", Query: 100_000_000, Group: 2_500_000}, {Currency: "EUR", Query: 1_000_000}}
	for i := range c.products[0].inputs {
		in := &c.products[0].inputs[i]
		in.manifest = &manifest{in.manifest.hash, in.manifest.body}
		in.manifest.body.Terms.Price = prices[i]
	}
	c.rest()
	for text, met := range map[string]bool{"KZT: 107.50": true, "KZT: 107.51": false, "{KZT: 1000, EUR: 1}": true, "USD: 1": false} {
		var rule ApprovalRule
		require.NoError(t, yaml.Unmarshal([]byte("{name: dear, price: {"+strings.Trim(text, "{}")+"}}"), &rule))
		r := &ApprovalRules{Rules: []ApprovalRule{rule}}
		require.NoError(t, r.Check())
		require.Equal(t, met, len(r.why(c)) == 1, text)
	}
}

// TestAttackClockSetBack: nothing is decided with a clock that was set back, also over a
// restart, until it is right again or the operator says so.
func TestAttackClockSetBack(t *testing.T) {
	w := cubeWorld(t)
	g := newGateway(t, w)
	now := newClock()
	at := func(c *Config) { c.Now = now.Now }
	h := g.run(t, 1, at)
	now.set(testTime.Add(50 * time.Minute))
	first, second := w.ask(t, monthly), w.ask(t, monthly)
	g.journal(t, first)
	g.answered(t, first, 1)
	now.set(testTime.Add(10 * time.Minute))
	g.journal(t, second)
	require.Eventually(t, func() bool { return strings.Contains(h.logs.String(), "the clock says") }, waitLimit, waitStep)
	require.NoError(t, h.stop())
	h = h.again(t, at)
	c := h.pendingCase(second.Hash())
	require.NotNil(t, c)
	_, err := h.decide(t.Context(), c)
	require.Equal(t, "CLOCK_SET_BACK", carnet.ReasonOf(err))
	require.Equal(t, carnet.Unavailable, carnet.KindOf(err), "it is tried again, not refused")
	require.Empty(t, g.got(second.Hash()))
	now.set(testTime.Add(46 * time.Minute)) // as time services do
	h.start(t)
	g.answered(t, second, 1)
	require.NoError(t, h.stop())

	now.set(testTime.Add(10 * time.Minute))
	require.NoError(t, h.ledger.Resume(t.Context()))
	h = h.again(t, at).start(t)
	third := w.ask(t, monthly)
	g.journal(t, third)
	g.answered(t, third, 1)
}

// TestVolumesAreNotDatedBack: what an owner publishes counts for the time when it came, as
// far as this keyholder's own statements in the journal tell.
func TestVolumesAreNotDatedBack(t *testing.T) {
	w := cubeWorld(t)
	s := newState(w.registrar.Public(), "kh1")
	for _, env := range w.base {
		require.NoError(t, s.apply(env))
	}
	m := w.product.Datasets[0].Manifest
	add := func(made time.Time, signer evidence.Signer) time.Time {
		t.Helper()
		require.NoError(t, s.apply(sign(t, carnet.TypeDecision, carnet.Decision{By: "kh1", Reason: "X", Created: testTime.AddDate(1, 0, 0)}, signer)))
		m.Created = made
		m.Files = append([]carnet.File{}, m.Files...)
		f := m.Files[0]
		f.Nonce = carnet.Nonce{byte(len(m.Files)), 7}
		m.Files = append(m.Files, f)
		m.Files[len(m.Files)-1].Rows = 0
		m.Files[len(m.Files)-1].Blocks = w.encoding.Blocks(0)
		require.NoError(t, s.apply(sign(t, carnet.TypeDataset, m, w.owners[0])))
		all := s.published["owner1"]
		return all[len(all)-1].Created
	}
	require.Equal(t, testTime.Add(time.Second), add(testTime.Add(time.Second), w.stores()[1].Signer()), "others' dates prove nothing")
	own := w.stores()[0].Signer()
	require.Equal(t, testTime.AddDate(1, 0, 0), add(testTime.Add(2*time.Second), own))
	require.Equal(t, testTime.AddDate(2, 0, 0), add(testTime.AddDate(2, 0, 0), own), "later dates stay")
}
