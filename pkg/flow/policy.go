package flow

import (
	"context"
	"errors"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/evidence"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/query"
	"github.com/carnet-network/carnet/pkg/terms"
)

// Refusal says who would not release a query, why, and what would pass.
type Refusal struct {
	By           carnet.PartyID
	Reason       string
	Message      string
	Remedy       string
	Line, Column int // 1-based place in the SQL text; 0 if none applies
}

// PolicyRequest is a query that a policy judges. Everything in it is public.
type PolicyRequest struct {
	Buyer   *carnet.Party
	Purpose string
	Plan    *plan.Plan
	Now     time.Time

	Judge     carnet.PartyID    // who asks: the gateway's operator
	Committee *carnet.Committee // that guards the keys; nil: not known
}

// PolicyDataset is a dataset to be published that a policy judges.
type PolicyDataset struct {
	Manifest  *carnet.Dataset
	Statement carnet.Hash   // of the manifest; zero before it is signed
	Owner     *carnet.Party // that is not registered yet; nil: the manifest's
	Committee *carnet.Committee
	Home      bool // the key has a home veto
	Now       time.Time
}

// Verdict is what a policy says. No refusal allows.
type Verdict struct {
	Refusals []Refusal
	Judged   []carnet.Judged  // what rules decided, to be signed; may be empty
	Approval []carnet.PartyID // owners, or the operator, that have to approve the query first; ascending
}

// Policy decides what the gateway takes part in. An error is a failure to decide, and
// then nothing is allowed.
type Policy interface {
	// Check decides about answering a query. Keyholders decide again for themselves.
	Check(ctx context.Context, r PolicyRequest) (Verdict, error)
	// CheckDataset decides about keeping a dataset.
	CheckDataset(ctx context.Context, d PolicyDataset) (Verdict, error)
}

// OwnersTerms is the policy that owners wrote into their manifests, and no bundle beside. A
// committee that demands one is not answered for.
type OwnersTerms struct{}

// Check implements Policy.
func (OwnersTerms) Check(_ context.Context, r PolicyRequest) (v Verdict, err error) {
	v = KeepTerms(r)
	v.Demand(r, nil)
	return v, nil
}

// Demand adds a refusal if the committee demands another bundle than the one in use; nil stands
// for none.
func (v *Verdict) Demand(r PolicyRequest, has *carnet.PolicyBundle) {
	if r.Committee == nil {
		return
	}
	if e := r.Committee.Policy.Unmet(r.Judge, has); e != nil {
		v.Refusals = append(v.Refusals, Refusal{By: r.Judge, Reason: e.Reason, Message: e.Msg, Remedy: e.Remedy})
	}
}

// KeepTerms judges by the owners' terms alone.
func KeepTerms(r PolicyRequest) (v Verdict) {
	for _, t := range terms.Check(terms.Request{Buyer: r.Buyer.ID, From: r.Buyer.Jurisdiction, Purpose: r.Purpose, Plan: r.Plan, Now: r.Now}) {
		v.Refusals = append(v.Refusals, Refusal{By: t.By, Reason: t.Reason, Message: t.Message, Remedy: t.Remedy})
	}
	v.Approval = terms.Approvers(r.Plan)
	return v
}

// CheckDataset implements Policy: owners publish what they like.
func (OwnersTerms) CheckDataset(context.Context, PolicyDataset) (Verdict, error) {
	return Verdict{}, nil
}

// refusalOf turns the error of a query that can't be compiled into a refusal by the
// gateway. ok is false for faults of our own.
func (g *Gateway) refusalOf(err error) (r Refusal, ok bool) {
	var e *carnet.Error
	if !errors.As(err, &e) || e.Kind == carnet.Internal {
		return r, false
	}
	r = Refusal{By: g.Operator, Reason: e.Reason, Message: e.Msg, Remedy: e.Remedy}
	var q *query.Refusal
	if errors.As(err, &q) {
		r.Message, r.Line, r.Column = q.Error(), q.Pos.Line, q.Pos.Column
	}
	return r, true
}

// decision is the signed decision of the gateway about a query or a manifest.
func (g *Gateway) decision(tx Tx, about carnet.Hash, v *Verdict) (*evidence.Envelope, error) {
	d := carnet.Decision{Query: about, By: g.Operator, Allow: len(v.Refusals) == 0, Judged: v.Judged, Created: g.now().Truncate(time.Second)}
	if !d.Allow {
		first := &v.Refusals[0]
		d.Reason, d.Message, d.Remedy = first.Reason, first.Message, first.Remedy
	}
	s, err := g.signer(tx)
	if err != nil {
		return nil, err
	}
	return evidence.Seal(carnet.TypeDecision, d, s)
}

// allowed journals by which rules something was allowed, beside what was. Owners' terms
// need no such entry: they are in the manifests. But that they allow it is a decision, too, which a
// gateway does not make without its operator's key.
func (g *Gateway) allowed(tx Tx, about carnet.Hash, v *Verdict) error {
	if _, err := g.signer(tx); err != nil || len(v.Judged) == 0 {
		return err
	}
	env, err := g.decision(tx, about, v)
	if err == nil {
		_, err = tx.Append(env)
	}
	return err
}

// refusedBy is the first refusal as an error, the others as its violations.
func refusedBy(refusals []Refusal) *carnet.Error {
	e := carnet.E(carnet.Refused, refusals[0].Reason, "%s", refusals[0].Message)
	e.Remedy = refusals[0].Remedy
	for _, r := range refusals[1:] {
		what := r.Message
		if r.Remedy != "" && r.Remedy != refusals[0].Remedy {
			what += "; " + r.Remedy
		}
		e = e.With(string(r.By), "%s", what)
	}
	return e
}
