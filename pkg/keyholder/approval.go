package keyholder

import (
	"context"
	"slices"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
)

// approved is an owner's statement about a query, with its place in the journal.
type approved struct {
	carnet.Approval
	seq int64
}

// expectApprovals makes room for what owners say about a query.
func (s *state) expectApprovals(query carnet.Hash) {
	if s.approvals[query] == nil {
		s.approvals[query] = map[carnet.PartyID]*approved{}
	}
}

// applyApproval keeps the first statement of every owner about a query that waits.
func (s *state) applyApproval(env *evidence.Envelope) error {
	var a carnet.Approval
	if err := env.Decode(carnet.TypeApproval, &a); err != nil {
		return err
	}
	if _, err := s.signer(env, a.By, carnet.RoleOwner, carnet.RoleOperator); err != nil {
		return err
	}
	if of := s.approvals[a.Query]; of != nil && of[a.By] == nil {
		of[a.By] = &approved{a, s.applied - 1}
	}
	return nil
}

// approvalOf is what an owner said about a query, nil if nothing.
func (s *state) approvalOf(query carnet.Hash, owner carnet.PartyID) *approved {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.approvals[query][owner]
}

// waits is what a query waits for: people. It is made when all other checks passed.
type waits struct {
	owners []carnet.PartyID // whose approval has not come
	own    bool             // somebody here has to decide
	until  time.Time
}

// owners lists the owners of a query's inputs, ascending, each once.
func (c *Case) owners() (out []carnet.PartyID) {
	for _, in := range c.inputs {
		out = append(out, in.manifest.body.Owner)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// demands reports whether an owner's terms have every query wait for its approval. A word
// that is not known demands it as well.
func (c *Case) demands(owner carnet.PartyID) bool {
	return slices.ContainsFunc(c.inputs, func(in input) bool {
		return in.manifest.body.Owner == owner && in.manifest.body.Terms.Approval != ""
	})
}

// checkDeclined: no owner of an input refused the query.
func checkDeclined(_ context.Context, k *Keyholder, c *Case) error {
	for _, owner := range c.owners() {
		if a := k.state.approvalOf(c.Hash, owner); a != nil && !a.Allow {
			return refuse("APPROVAL_REFUSED", "%s refused the query: %s", owner, short(a.Reason)).
				Fix("talk to %s, or ask without its data", owner)
		}
	}
	return nil
}

// checkApproved: every owner whose terms, or a rule here, want its approval has signed one
// of exactly this query, which a checkpoint of the quorum includes; and somebody here
// approved it, where the rules of this keyholder want that. It comes after all other
// checks: nobody is asked about a query that would be refused anyway.
func checkApproved(ctx context.Context, k *Keyholder, c *Case) error {
	if err := checkDeclined(ctx, k, c); err != nil {
		return err
	}
	included, err := k.ledger.Quorum(ctx, c.committee().hash)
	if err != nil {
		return err
	}
	w := &waits{until: c.Query.Expires}
	for _, owner := range c.owners() {
		if !c.verdict.Owners && !c.demands(owner) {
			continue
		}
		if a := k.state.approvalOf(c.Hash, owner); a == nil || a.seq >= included {
			w.owners = append(w.owners, owner)
		}
	}
	why := slices.Concat(c.verdict.Own, k.cfg.Approval.why(c))
	entry, err := k.ledger.Consent(ctx, c.Hash)
	if err != nil {
		return err
	}
	if entry != nil {
		w.until = entry.Until
	} else if within := time.Duration(k.cfg.Approval.Within); within > 0 {
		if limit := k.now().Add(within); limit.Before(w.until) {
			w.until = limit
		}
	}
	switch {
	case len(why) == 0:
	case entry == nil || entry.Decision == "":
		w.own = true
	case entry.Decision == consentRefused:
		return refuse("APPROVAL_REFUSED", "%s refused the query: %s", k.cfg.Party, short(entry.Reason)).
			Fix("talk to %s", k.cfg.Party)
	}
	if len(w.owners) == 0 && !w.own {
		k.mu.Lock()
		c.waits = nil
		k.mu.Unlock()
		return nil
	}
	if !k.now().Before(w.until) {
		return w.late(k.cfg.Party)
	}
	if entry == nil || w.own && !entry.Own {
		if err := k.askPeople(ctx, c, w, why); err != nil {
			return err
		}
	}
	k.mu.Lock()
	c.waits = w
	k.mu.Unlock()
	return errNotYet
}

// late is the refusal of a query for which nobody decided in time.
func (w *waits) late(me carnet.PartyID) error {
	who := slices.Clone(w.owners)
	if w.own {
		who = append(who, me)
	}
	return refuse("APPROVAL_EXPIRED", "nobody of %s approved the query before %s", join(who), w.until.UTC().Format("2006-01-02 15:04:05 MST")).
		Fix("ask %s to expect it, and submit it again with an expiry that gives them time", join(who))
}

func (k *Keyholder) waitsOf(c *Case) *waits {
	k.mu.Lock()
	defer k.mu.Unlock()
	return c.waits
}

// moved reports whether something happened that a query waits for, so that only then its
// plan is compiled and judged anew.
func (k *Keyholder) moved(ctx context.Context, c *Case, w *waits) (bool, error) {
	if !k.now().Before(w.until) || checkBuyer(ctx, k, c) != nil || checkDeclined(ctx, k, c) != nil || checkRevoked(ctx, k, c) != nil {
		return true, nil
	}
	if w.own {
		entry, err := k.ledger.Consent(ctx, c.Hash)
		if err != nil || entry == nil || entry.Decision != "" {
			return true, err
		}
	}
	included, err := k.ledger.Quorum(ctx, c.committee().hash)
	if err != nil {
		return false, err
	}
	for _, owner := range w.owners {
		if a := k.state.approvalOf(c.Hash, owner); a != nil && a.seq < included {
			return true, nil
		}
	}
	return false, nil
}

// askPeople makes durable who is waited for, with all that somebody here needs to decide,
// and then has the gateway told.
func (k *Keyholder) askPeople(ctx context.Context, c *Case, w *waits, why []string) error {
	entry := &Consent{Query: c.Hash, Seq: c.Seq, Own: w.own, Until: w.until.UTC()}
	var err error
	if entry.Asked, err = c.describe(w, why); err != nil {
		return err
	}
	body := carnet.Deferral{Query: c.Hash, By: k.cfg.Party, For: slices.Clone(w.owners), Until: entry.Until, Created: k.now().UTC()}
	if w.own {
		body.For = append(body.For, k.cfg.Party)
	}
	slices.Sort(body.For)
	if entry.statement, err = evidence.Seal(carnet.TypeDeferral, body, k.signer()); err != nil {
		return err
	}
	if err := k.ledger.askConsent(ctx, entry); err != nil {
		return k.fatal(err)
	}
	if err := k.crash("deferred"); err != nil {
		return &fatalError{err}
	}
	k.log.Info("a query waits for people", "query", c.Hash, "for", join(body.For), "until", entry.Until)
	k.outbox.raise()
	return nil
}

// consentPace is how often decisions of people here are looked for.
const consentPace = time.Second

// watchConsent wakes queries that somebody decided about, in another process.
func (k *Keyholder) watchConsent(ctx context.Context) error {
	for {
		if err := newSignal().wait(ctx, consentPace); err != nil {
			return err
		}
		for _, query := range k.waitingHere() {
			entry, err := k.ledger.Consent(ctx, query)
			if err != nil {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				return k.fatal(err)
			}
			if entry != nil && entry.Decision != "" {
				k.release.raise()
			}
		}
	}
}

// waitingHere lists the queries that wait for somebody of this keyholder.
func (k *Keyholder) waitingHere() (out []carnet.Hash) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for h, c := range k.pending {
		if c.waits != nil && c.waits.own && !c.running {
			out = append(out, h)
		}
	}
	return out
}
