package keyholder

import (
	"context"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/share"
)

// checkPrivate is the public part of scheme §7: the query has a shared selection exactly
// if its plan asks for one, for as many codes and of the weight that the plan says.
func checkPrivate(_ context.Context, _ *Keyholder, c *Case) error {
	p, err := c.compile()
	if err != nil {
		return asRefusal(err)
	}
	choices, weight := 0, 0
	if p.Private != nil {
		choices, weight = len(p.Private.Codes), p.Private.Weight
	}
	if err := share.CheckPrivate(p.Committee, &c.Query, choices, weight); err != nil {
		return asRefusal(err)
	}
	return nil
}

// selection is scheme §7, before any value share: this keyholder opens its seeds of the
// selection, publishes its scalars of the check, and waits until enough keyholders'
// scalars agree that a selection was shared. nil for a query without private parameter.
// The caller zeroes what is returned.
func (k *Keyholder) selection(ctx context.Context, c *Case, p *plan.Plan) (*share.SelectionView, error) {
	if p.Private == nil {
		return nil, nil
	}
	view, err := k.selectionView(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := k.publishCheck(ctx, c, p, view); err != nil {
		view.Zero()
		return nil, err
	}
	profile, checks := c.inputs[0].dealing.profile, k.state.countChecks(c.Hash)
	err = share.VerifySelection(he.NewRing(profile), p.Committee, p.Private.Checks, k.state.checksOf(c.Hash, c.committee(), profile))
	switch {
	case err == nil:
		return view, nil
	case carnet.ReasonOf(err) == "PRIVATE_CHECK_OPEN":
		c.open, err = checks+1, errNotYet
	}
	view.Zero()
	return nil, err
}

// selectionView opens this keyholder's seeds and compares them with the commitments.
// Whatever is wrong with them, the reason is the same.
func (k *Keyholder) selectionView(ctx context.Context, c *Case) (*share.SelectionView, error) {
	com := c.committee()
	wrong := refuse("BAD_SELECTION_SEEDS", "the seeds of the selection sealed to keyholder %d do not match its commitments", com.number).
		Fix("submit the query again with a current client")
	plain, err := k.keys.Unseal(ctx, share.SelectionInfo(&c.Query, com.number), c.Query.Private.Seeds[com.number-1])
	if carnet.ReasonOf(err) == "UNSEAL_FAILED" {
		return nil, wrong
	}
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	b, err := share.ParseBundle(plain)
	if err != nil || b.Number != com.number {
		return nil, wrong
	}
	view, err := share.NewSelectionView(he.NewRing(c.inputs[0].dealing.profile), com.scheme, share.SelectionOf(&c.Query), b)
	if carnet.ReasonOf(err) == "BAD_SELECTION_SEEDS" {
		return nil, wrong
	}
	if err != nil {
		return nil, asRefusal(err)
	}
	return view, nil
}

// publishCheck makes this keyholder's check durable and only then lets it be sent, once:
// also after a restore, if the journal has it.
func (k *Keyholder) publishCheck(ctx context.Context, c *Case, p *plan.Plan, view *share.SelectionView) error {
	done, err := k.ledger.hasCheck(ctx, c.Hash)
	if err != nil || done {
		return err
	}
	rs, err := k.selectedResponder(ctx, c, view, p.Keys())
	if err != nil {
		return err
	}
	profile, scalars := c.inputs[0].dealing.profile, rs.Check(c.Hash)
	body := carnet.Check{Query: c.Hash, By: k.cfg.Party, Number: view.Number(), Scalars: wire.AppendScalars(nil, profile, scalars[:]), Created: k.now().UTC()}
	own := &ownCheck{query: c.Hash, seq: c.Seq}
	if own.statement, err = evidence.Seal(carnet.TypeCheck, body, k.signer); err != nil {
		return err
	}
	if err := k.ledger.keepCheck(ctx, own); err != nil {
		return k.fatal(err)
	}
	if err := k.crash("checked"); err != nil {
		return &fatalError{err}
	}
	k.log.Info("check of a private parameter made", "query", c.Hash, "seq", c.Seq)
	k.outbox.raise()
	return nil
}

// selectedResponder masks answers over the given keys.
func (k *Keyholder) selectedResponder(ctx context.Context, c *Case, view *share.SelectionView, keys []carnet.KeyID) (*share.SelectedResponder, error) {
	var shares []*share.KeyShare
	for _, key := range keys {
		s, err := k.keyShare(ctx, c.dealing(key))
		if err != nil {
			return nil, err
		}
		shares = append(shares, s)
	}
	rs, err := share.NewSelectedResponder(he.NewRing(c.inputs[0].dealing.profile), c.committee().scheme, view, shares)
	if carnet.KindOf(err) == carnet.Refused {
		return nil, asRefusal(err)
	}
	return rs, err
}

// respondSelected is scheme §7's value share, one scalar for every opening in plan order.
// What belongs to one code stays here.
func (k *Keyholder) respondSelected(ctx context.Context, c *Case, p *plan.Plan, der *derived, view *share.SelectionView) ([]byte, error) {
	responders := map[string]*share.SelectedResponder{}
	var values []he.Scalar
	at := 0
	for i := range p.Openings {
		o := &p.Openings[i]
		f := o.Choices[0]
		rs := responders[keySet(f)]
		if rs == nil {
			var keys []carnet.KeyID
			for j := range f.Keys {
				keys = append(keys, f.Keys[j].Key)
			}
			var err error
			if rs, err = k.selectedResponder(ctx, c, view, keys); err != nil {
				return nil, err
			}
			responders[keySet(f)] = rs
		}
		values = append(values, rs.Respond(der.ids[i], f.Degree, o.FloodBits, der.values[at:at+len(o.Choices)]))
		at += len(o.Choices)
	}
	return wire.AppendScalars(nil, c.inputs[0].dealing.profile, values), nil
}

// expectChecks makes room for the checks of a query with a private parameter.
func (s *state) expectChecks(env *evidence.Envelope) {
	var q carnet.Query
	if h := env.Hash(); env.Decode(carnet.TypeQuery, &q) == nil && q.Private != nil && s.checks[h] == nil {
		s.checks[h] = map[carnet.PartyID]*carnet.Check{}
	}
}

// applyCheck keeps the first check of every keyholder for a query that waits.
func (s *state) applyCheck(env *evidence.Envelope) error {
	var c carnet.Check
	if err := env.Decode(carnet.TypeCheck, &c); err != nil {
		return err
	}
	if _, err := s.signer(env, c.By, carnet.RoleKeyholder); err != nil {
		return err
	}
	if of := s.checks[c.Query]; of != nil && of[c.By] == nil {
		of[c.By] = &c
	}
	return nil
}

// countChecks counts the checks of a query, well-formed or not.
func (s *state) countChecks(query carnet.Hash) int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.checks[query])
}

// checksOf lists the well-formed checks of a query by members of its committee.
func (s *state) checksOf(query carnet.Hash, com *committee, profile *he.Profile) (out []share.CheckAnswer) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for i, member := range com.body.Members {
		c := s.checks[query][member]
		if c == nil || c.Number != i+1 {
			continue
		}
		scalars, err := wire.ReadScalars(profile, c.Scalars, share.CheckScalars)
		if err != nil {
			continue
		}
		out = append(out, share.CheckAnswer{Number: c.Number, Values: [share.CheckScalars]he.Scalar(scalars)})
	}
	return out
}

// ownCheck recognises a check of this keyholder in the journal.
func (s *state) ownCheck(seq int64, env *evidence.Envelope) *ownCheck {
	if env.PayloadType != carnet.TypeCheck {
		return nil
	}
	var c carnet.Check
	if p := s.party(s.me); p == nil || env.Verify(carnet.TypeCheck, p.SigningKey, &c) != nil || c.By != s.me {
		return nil
	}
	return &ownCheck{query: c.Query, seq: seq, statement: env}
}

// forget drops what is known of the check of a decided query.
func (s *state) forget(query carnet.Hash) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.checks, query)
}
