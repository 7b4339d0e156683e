package flow

import (
	"errors"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
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

// PolicyRequest is what a policy judges. Everything in it is public.
type PolicyRequest struct {
	Buyer   *carnet.Party
	Purpose string
	Plan    *plan.Plan
	Now     time.Time
}

// Policy decides whether the gateway takes part in answering a query; no refusal
// means that it does. Keyholders decide again for themselves.
type Policy interface {
	Check(r PolicyRequest) []Refusal
}

// OwnersTerms is the policy that owners wrote into their manifests.
type OwnersTerms struct{}

// Check implements Policy.
func (OwnersTerms) Check(r PolicyRequest) (out []Refusal) {
	for _, t := range terms.Check(terms.Request{Buyer: r.Buyer.ID, From: r.Buyer.Jurisdiction, Purpose: r.Purpose, Plan: r.Plan, Now: r.Now}) {
		out = append(out, Refusal{By: t.By, Reason: t.Reason, Message: t.Message, Remedy: t.Remedy})
	}
	return out
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
