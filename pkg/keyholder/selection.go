package keyholder

import (
	"context"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/he"
	"github.com/carnet-network/carnet/pkg/he/wire"
	"github.com/carnet-network/carnet/pkg/keys"
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
	choices, spare, weight := 0, 0, 0
	if p.Private != nil {
		choices, spare, weight = len(p.Private.Codes), p.Private.Spare, p.Private.Weight
	}
	if err := share.CheckPrivate(p.Committee, &c.Query, choices, spare, weight); err != nil {
		return asRefusal(err)
	}
	return nil
}

// selection is scheme §7, before any value share: this keyholder publishes its scalars of
// the check, and waits until enough keyholders' scalars agree that a selection was shared.
func (k *Keyholder) selection(ctx context.Context, c *Case, p *plan.Plan, s keys.Session) error {
	if p.Private == nil {
		return nil
	}
	if err := k.publishCheck(ctx, c, s); err != nil {
		return err
	}
	profile, checks := c.inputs[0].dealing.profile, k.state.countChecks(c.Hash)
	err := share.VerifySelection(he.NewRing(profile), p.Committee, p.Private.Checks, k.state.checksOf(c.Hash, c.committee(), profile))
	if carnet.ReasonOf(err) == "PRIVATE_CHECK_OPEN" {
		c.open = checks + 1
		return errNotYet
	}
	return err
}

// publishCheck makes this keyholder's check durable and only then lets it be sent, once:
// also after a restore, if the journal has it.
func (k *Keyholder) publishCheck(ctx context.Context, c *Case, s keys.Session) error {
	done, err := k.ledger.hasCheck(ctx, c.Hash)
	if err != nil || done {
		return err
	}
	scalars, err := s.Check(ctx)
	if err != nil {
		return selectionFault(err)
	}
	profile := c.inputs[0].dealing.profile
	body := carnet.Check{Query: c.Hash, By: k.cfg.Party, Number: c.committee().number, Scalars: wire.AppendScalars(nil, profile, scalars[:]), Created: k.now().UTC()}
	own := &ownCheck{query: c.Hash, seq: c.Seq}
	if own.statement, err = evidence.Seal(carnet.TypeCheck, body, k.signer()); err != nil {
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

// selectionFault makes a refusal of what is wrong with the selection or forbids one.
func selectionFault(err error) error {
	if kind := carnet.KindOf(err); kind == carnet.Invalid || kind == carnet.Refused {
		return asRefusal(err)
	}
	return err
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
	if env.Decode(carnet.TypeCheck, &c) != nil || c.By != s.me || !s.signedByMe(env) {
		return nil
	}
	return &ownCheck{query: c.Query, seq: seq, statement: env}
}

// forget drops what is known of checks and approvals of a decided query.
func (s *state) forget(query carnet.Hash) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.checks, query)
	delete(s.approvals, query)
}
