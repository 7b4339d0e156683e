package keyholder

import (
	"context"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/terms"
)

// Policy is a keyholder's own decision on a release, beyond the rules of the
// scheme. It must depend on public facts only, since its reason is published, and
// on facts in the request only, since a query is decided once.
type Policy interface {
	// Check returns no error to allow the release, an error of kind Refused with reason
	// and remedy to refuse it for good, any other error if it can't decide now. A refusal
	// with a method Judged() []carnet.Judged has records of what rules decided, which
	// become part of the signed decision.
	Check(ctx context.Context, r Request) (Verdict, error)
}

// Verdict is what an allowed release still needs, people's approval, and by what it was allowed.
type Verdict struct {
	Owners bool                 // of every owner of the datasets, whatever its terms say
	Own    []string             // of somebody of this keyholder: why; empty: nobody
	Said   []string             // what rules said, for whoever decides
	Policy *carnet.PolicyBundle // that decided; nil: owners' terms alone. The signed answer names it
}

// Request is what a policy decides on.
type Request struct {
	Query    *carnet.Query
	Buyer    *carnet.Party
	Plan     *plan.Plan
	Datasets []plan.Dataset // the inputs, with the owners' terms
	Now      time.Time
	Judge    carnet.PartyID // this keyholder

	// As the journal was before the query's entry.
	Committee *carnet.Committee
	Homes     map[carnet.KeyID]int                 // keys with a home veto, and by whom
	Parties   map[carnet.PartyID]*carnet.Party     // owners and members of the committee
	Published map[carnet.PartyID][]*carnet.Dataset // all manifests of each owner, in the order of the journal
}

// OwnerTerms is the policy that every owner's signed terms are kept, and nothing
// more. It answers for no committee that demands a policy bundle.
type OwnerTerms struct{}

// Check implements Policy.
func (OwnerTerms) Check(_ context.Context, r Request) (Verdict, error) {
	if err := r.Demanded(nil); err != nil {
		return Verdict{}, err
	}
	return Verdict{}, KeepTerms(r)
}

// Demanded refuses if the committee demands another bundle than the one in use; nil stands
// for none.
func (r *Request) Demanded(has *carnet.PolicyBundle) error {
	if r.Committee == nil {
		return nil
	}
	if e := r.Committee.Policy.Unmet(r.Judge, has); e != nil {
		return e
	}
	return nil
}

// KeepTerms judges by the owners' terms alone. The first unmet condition is the reason;
// others follow as violations.
func KeepTerms(r Request) error {
	refusals := terms.Check(terms.Request{Buyer: r.Query.Buyer, From: r.Buyer.Jurisdiction, Purpose: r.Query.Purpose, Plan: r.Plan, Now: r.Now})
	if len(refusals) == 0 {
		return nil
	}
	e := refusals[0].Error()
	for _, more := range refusals[1:] {
		e = e.With(string(more.Dataset), "%s", more.Message)
	}
	return e
}
