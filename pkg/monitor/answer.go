package monitor

import (
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/history"
	"github.com/carnet-network/carnet/pkg/privacy"
	"github.com/carnet-network/carnet/pkg/terms"
)

// answer judges an answer that is genuine by itself: signed by a member of the committee
// about a query that is in the log before it.
func (m *Monitor) answer(seq int64, ev *history.Event) []Finding {
	c, a := ev.Case, ev.Answer
	defer c.Rest()
	j := m.judged[c.Hash]
	m.waiting[c.Hash] = true
	charge := &accusation{seq: seq, by: a.By}
	if !a.Created.Before(c.Query.Expires) {
		charge.add(InTime, "QUERY_EXPIRED", "the query of entry %d expired before it was answered", c.Seq)
	}
	for _, in := range c.Inputs {
		d := &in.Manifest.Body
		for _, end := range []*history.Ended{m.state.Revoked(d.ID), m.state.Retired(d.Key)} {
			if end != nil && history.AfterEnd(c.Answers[a.By], end) {
				charge.add(InUse, "DATASET_REVOKED", "dataset %s was withdrawn by entry %d", d.ID, end.Seq)
			}
		}
	}
	m.decided(c, a, charge)
	for _, key := range j.exhausted {
		charge.add(Within, "RELEASES_EXHAUSTED", "the query of entry %d opens more numbers under key %s than it may in all: %d were asked for",
			c.Seq, key, int64(len(m.charged[key]))+m.before[key])
	}
	for _, id := range j.overspent {
		charge.add(Budget, "BUDGET_SPENT", "the query of entry %d costs dataset %s more than is left of its privacy budget: %s were spent", c.Seq, id, privacy.Format(m.state.Budgets().Spent(id)))
		m.forgetful(charge)
	}
	if j.together != "" {
		charge.add(Company, j.together, "the numbers of the query of entry %d tell something about fewer owners than terms demand, by themselves or with those of queries before it, or that can't be found out", c.Seq)
		m.forgetful(charge)
	}
	if j.checks > 0 && len(c.Checks) < j.checks {
		charge.add(Checked, "PRIVATE_CHECK_OPEN", "%d checks of the private parameter of entry %d were published before, %d are needed", len(c.Checks), c.Seq, j.checks)
	}
	m.shape(c, a, j, charge)
	if p, err := c.Plan(); err == nil {
		for _, r := range terms.Check(terms.Request{Buyer: c.Query.Buyer, From: c.Buyer.Jurisdiction, Purpose: c.Query.Purpose, Plan: p, Now: a.Created}) {
			charge.add(Allowed, r.Reason, "%s", r.Message)
		}
	}
	return charge.found
}

// accusation collects what is wrong with one answer.
type accusation struct {
	seq   int64
	by    carnet.PartyID
	found []Finding
}

func (x *accusation) add(invariant, reason, format string, args ...any) {
	x.found = append(x.found, breach(invariant, reason, x.seq, x.by, format, args...))
}

// doubt has the last one be asked about, and says why it can be innocent.
func (x *accusation) doubt(why string) {
	f := &x.found[len(x.found)-1]
	f.Weight, f.Message = Suspect, f.Message+"; "+why
}

// forgetful has what follows from all queries before be asked about if some were forgotten.
func (m *Monitor) forgetful(charge *accusation) {
	if m.asked.forgotten > 0 && m.state.DemandsCompany() {
		charge.doubt("unless queries that the monitor forgot make a difference: carnet verify --log of its bundle finds out")
	}
}

// decided: nothing is answered that was refused by the gateway or by the keyholder itself, nor
// by another policy bundle than the committee demands.
func (m *Monitor) decided(c *history.Case, a *carnet.Answer, charge *accusation) {
	allowed := false
	for _, by := range sortedParties(c.Decisions) {
		d := c.Decisions[by]
		operator := c.Committee.Number(by) == 0
		allowed = allowed || operator && d.Body.Allow
		if !d.Body.Allow && (operator || by == a.By) {
			charge.add(Decided, "RELEASE_REFUSED", "%s refused the query of entry %d by entry %d", by, c.Seq, d.Seq)
		}
	}
	missing, refused := c.Unapproved(charge.seq)
	for _, owner := range refused {
		charge.add(Decided, "APPROVAL_REFUSED", "%s had refused the query of entry %d", owner, c.Seq)
	}
	for _, owner := range missing {
		charge.add(Decided, "APPROVAL_MISSING", "the terms of %s demand its approval of the query of entry %d, and the log has none before", owner, c.Seq)
	}
	if e := c.Committee.Body.Policy.Unmet(a.By, a.Policy); e != nil {
		charge.add(Decided, e.Reason, "%s", e.Msg)
	}
	if m.Decisions && !allowed {
		charge.add(Decided, "DECISION_MISSING", "the log has no decision of the gateway that allows the query of entry %d", c.Seq)
	}
}

func sortedParties(in map[carnet.PartyID]*history.Decided) (out []carnet.PartyID) {
	for id := range in {
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}

// shape: the answer opens what the plan says, and what the others opened.
func (m *Monitor) shape(c *history.Case, a *carnet.Answer, j *judged, charge *accusation) {
	if j.openings > 0 && a.Openings != j.openings {
		charge.add(AsAsked, "BAD_ANSWER", "%d numbers were opened, the plan of entry %d has %d", a.Openings, c.Seq, j.openings)
	}
	if j.digest != nil && a.Functionals != *j.digest {
		charge.add(AsAsked, "FUNCTIONALS_DIFFER", "other functionals were opened than those of the plan of entry %d", c.Seq)
	}
	for _, id := range c.Committee.Body.Members {
		o := c.Answers[id]
		if o == nil || id == a.By {
			continue
		}
		if j.digest == nil && o.Body.Functionals != a.Functionals {
			charge.add(AsAsked, "FUNCTIONALS_DIFFER", "other functionals were opened than by %s", id)
		}
		if o.Body.Attested != nil && a.Attested != nil && *o.Body.Attested != *a.Attested {
			charge.add(AsAsked, "PUBLIC_VALUES_WRONG", "another public half was computed than by %s", id)
		}
	}
}
