package flow

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/meter"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/share"
)

// Bounds of queries.
const (
	MaxQueryLife   = carnet.MaxQueryLife // longest time from now to a query's expiry
	maxOpenQueries = 64                  // queries of one buyer that wait, are computed or released
	maxPurpose     = 200
)

// SubmitQuery accepts a query signed by its buyer, if the gateway's own plan is the
// one the buyer signed, the owners' terms allow it and the journal leaves enough releases
// of its keys. A refusal by the terms is an
// error of kind Refused, and the signed decision goes to the journal.
func (g *Gateway) SubmitQuery(ctx context.Context, as *carnet.Party, env *evidence.Envelope) (Ref, error) {
	var q carnet.Query
	if err := env.Decode(carnet.TypeQuery, &q); err != nil {
		return Ref{}, err
	}
	if err := sameCaller(as, q.Buyer); err != nil {
		return Ref{}, err
	}
	if err := g.LogFault(); err != nil {
		return Ref{}, err // nobody would answer what is charged
	}
	if err := g.steady(ctx); err != nil {
		return Ref{}, err
	}
	// Compiling can take seconds, so it happens outside the transaction that counts,
	// which then checks that the inputs are still those.
	var in *inputs
	var done Ref
	err := g.Store.View(ctx, func(tx Tx) error {
		if st, err := tx.Statement(env.Hash()); !absent(err) {
			done = st.Ref
			return err
		}
		var err error
		in, err = g.checkQuery(tx, env, &q)
		return err
	})
	if err != nil || !done.Hash.IsZero() {
		return done, err
	}
	p, err := g.compile(ctx, q.SQL, in.products)
	if err != nil {
		return Ref{}, err
	}
	switch {
	case len(p.Openings) == 0:
		return Ref{}, bad("NOTHING_TO_OPEN", "the query selects no file, so its answer is known without asking anybody").
			Fix("evaluate the plan without values")
	case p.Hash() != q.Plan:
		return Ref{}, carnet.E(carnet.Precondition, "PLAN_DIFFERS", "the gateway's plan is not the one the buyer signed").
			Fix("load the product again and resubmit; if it persists, buyer and gateway run different versions")
	}
	choices, spare, weight, checks := 0, 0, 0, 0
	if p.Private != nil {
		choices, spare, weight, checks = len(p.Private.Codes), p.Private.Spare, p.Private.Weight, p.Private.Checks
	}
	if err := share.CheckPrivate(p.Committee, &q, choices, spare, weight); err != nil {
		return Ref{}, err
	}
	var sharing carnet.Hash
	if p.Private != nil {
		sharing = share.SelectionOf(&q).Hash()
	}
	asked, numbers, used := charges(in, p, sharing), numbered(in, p, sharing), meter.UsedBy(p)
	verdict, err := g.Policy.Check(ctx, PolicyRequest{as, q.Purpose, p, g.now(), g.Operator, &in.committee})
	if err != nil {
		return Ref{}, err
	}
	if len(verdict.Refusals) > 0 {
		return Ref{}, g.refuse(ctx, env.Hash(), &verdict)
	}
	rec := QueryRecord{
		ID: q.ID, Buyer: q.Buyer, Product: q.Product, Published: in.statements, Committee: in.hash,
		Threshold: p.Needed(), Checks: checks,
		Openings: len(p.Openings), ScalarBytes: in.profile.ScalarBytes(), Expires: q.Expires.UTC(),
		State: QueryComputing, BlocksTotal: p.Cost.Blocks, Updated: g.now(),
	}
	if len(verdict.Approval) > 0 {
		rec.State = QueryWaiting
	}
	ref, refusal, err := g.alone(ctx, in, q.SQL, p, func(last func(Tx) error) (Ref, error) {
		return g.record(ctx, env, func(tx Tx, st Stored) error {
			if err := last(tx); err != nil {
				return err
			}
			again, err := g.checkQuery(tx, env, &q)
			if err != nil {
				return err
			}
			if !slices.Equal(again.statements, in.statements) || !again.dealtLike(in) {
				return inputsDiffer()
			}
			if rec.Keyholders, err = serving(tx, again, max(rec.Threshold, rec.Checks)); err != nil {
				return err
			}
			e, err := g.exhausted(tx, as, again, p, asked)
			if err != nil {
				return err
			}
			if e != nil {
				return e
			}
			for key, list := range asked {
				if err := tx.PutCharges(key, list); err != nil {
					return err
				}
			}
			costs, err := expenses(tx, p, numbers)
			if err != nil {
				return err
			}
			if e := overspent(as, costs); e != nil {
				return e
			}
			if err := spend(tx, costs); err != nil {
				return err
			}
			rec.Statement = st
			if err := tx.PutQuery(rec); err != nil {
				return err
			}
			if err := putUses(tx, st.Hash, used); err != nil {
				return err
			}
			for _, by := range verdict.Approval {
				if err := tx.AskApproval(st.Hash, by, true); err != nil {
					return err
				}
			}
			return g.allowed(tx, st.Hash, &verdict)
		}, topicWork)
	})
	if refusal != nil {
		r, _ := g.refusalOf(refusal)
		verdict.Refusals = []Refusal{r}
		return Ref{}, g.refuse(ctx, env.Hash(), &verdict)
	}
	return ref, err
}

func inputsDiffer() error {
	return carnet.E(carnet.Precondition, "INPUTS_DIFFER", "the query's inputs are not the product's present datasets").
		Fix("load the product again and resubmit the query")
}

// checkQuery checks everything but plan and terms.
func (g *Gateway) checkQuery(tx Tx, env *evidence.Envelope, q *carnet.Query) (*inputs, error) {
	if _, err := signer(tx, env, q.Buyer, carnet.RoleBuyer); err != nil {
		return nil, err
	}
	now := g.now()
	e := bad("BAD_QUERY", "the query statement is not acceptable")
	switch {
	case q.ID.IsZero():
		return nil, e.With("id", "is zero")
	case len(q.Recipient) != HPKEPublicBytes:
		return nil, e.With("recipient", "want a key of %d bytes, have %d", HPKEPublicBytes, len(q.Recipient))
	case len(q.With) >= plan.MaxProducts:
		return nil, e.With("with", "a query is about at most %d products", plan.MaxProducts)
	case len(q.Purpose) > maxPurpose:
		return nil, e.With("purpose", "want at most %d bytes", maxPurpose)
	case !q.Expires.After(now):
		return nil, carnet.E(carnet.Precondition, "QUERY_EXPIRED", "the query expired at %s", q.Expires.UTC().Format(time.RFC3339)).
			Fix("submit it again with a later expiry")
	case q.Expires.After(now.Add(MaxQueryLife)):
		return nil, e.With("expires", "is more than %s from now", MaxQueryLife)
	}
	switch h, err := tx.QueryOf(q.Buyer, q.ID); {
	case err == nil && h != env.Hash():
		return nil, known("QUERY_ID_USED", "the query id was used for another query").Fix("draw a fresh id")
	case err != nil && !absent(err):
		return nil, err
	}
	list, err := tx.QueriesIn(open...)
	if err != nil {
		return nil, err
	}
	n := 0
	for i := range list {
		if list[i].Buyer == q.Buyer {
			n++
		}
	}
	if n >= maxOpenQueries {
		return nil, carnet.E(carnet.Exhausted, "TOO_MANY_QUERIES", "%d queries of yours are waiting", n).Fix("wait until some are answered or expire")
	}
	in, err := g.currentInputs(tx, q.Products())
	if err != nil {
		return nil, err
	}
	if !slices.Equal(in.manifests, q.Inputs) {
		return nil, inputsDiffer()
	}
	return in, nil
}

// refuse journals the gateway's decision about a query, once, and returns the first
// refusal as an error.
func (g *Gateway) refuse(ctx context.Context, query carnet.Hash, v *Verdict) error {
	decided := errors.New("decided before")
	err := g.Store.Update(ctx, func(tx Tx) error {
		list, err := tx.Decisions(query)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(list, func(d DecisionRecord) bool { return d.By == g.Operator }) {
			return decided
		}
		env, err := g.decision(tx, query, v)
		if err != nil {
			return err
		}
		ref, err := tx.Append(env)
		if err != nil {
			return err
		}
		return tx.PutDecision(query, g.Operator, ref.Hash)
	})
	switch {
	case err == nil:
		g.bus.wake(topicEntries)
	case !errors.Is(err, decided):
		return err
	}
	return refusedBy(v.Refusals)
}
