// Package terms judges a plan by the conditions that owners signed with their
// datasets: who may ask, for what purpose, which aggregates, groups and filters, how
// many owners every released number must combine, and until when.
//
// It is a pure function of public facts, so buyer, gateway and every keyholder come
// to the same verdict, and a refusal tells what would pass without telling anything
// about the data:
//
//	plan + manifests + who, what for, when --Check--> refusals (none: allowed)
package terms

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/plan"
	"github.com/carnet-network/carnet/pkg/query"
)

// Anyone in Terms.Buyers or Terms.Purposes allows every buyer or purpose.
const Anyone = "*"

// Request is what is judged.
type Request struct {
	Buyer   carnet.PartyID
	From    carnet.Jurisdiction // where the buyer is registered
	Purpose string
	Plan    *plan.Plan
	Now     time.Time            // the judge's clock
	Revoked map[carnet.Hash]bool // statement hashes of revoked datasets; may be nil
}

// Refusal is one condition that a request does not meet.
type Refusal struct {
	By      carnet.PartyID   // the owner whose condition it is
	Dataset carnet.DatasetID // the dataset it is attached to
	Reason  string           // stable identifier, UPPER_SNAKE_CASE
	Message string
	Remedy  string // the smallest change that would pass
}

// Reasons of refusals.
const (
	ReasonRevoked   = "DATASET_REVOKED"
	ReasonExpired   = "TERMS_EXPIRED"
	ReasonBuyer     = "BUYER_NOT_ALLOWED"
	ReasonFrom      = "JURISDICTION_NOT_ALLOWED"
	ReasonPurpose   = "PURPOSE_NOT_ALLOWED"
	ReasonAggregate = "AGGREGATE_NOT_ALLOWED"
	ReasonGroupBy   = "GROUP_BY_NOT_ALLOWED"
	ReasonFilter    = "FILTER_NOT_ALLOWED"
	ReasonOwners    = "TOO_FEW_OWNERS"
	ReasonProducts  = "PRODUCTS_NOT_ALLOWED"
)

// Error returns the refusal as an error of kind Refused.
func (r Refusal) Error() *carnet.Error {
	e := carnet.E(carnet.Refused, r.Reason, "%s", r.Message)
	e.Remedy = r.Remedy
	return e
}

// Check returns every condition that the request does not meet, in the order of the
// plan's datasets; nil means allowed. Datasets that contribute to no opening have no
// say: nothing of theirs is released.
func Check(r Request) []Refusal {
	var all []Refusal
	fewest := FewestOwners(r.Plan)
	for i := range r.Plan.Datasets {
		c := checker{request: &r, dataset: &r.Plan.Datasets[i]}
		c.state()
		c.party()
		c.shape()
		c.owners(fewest[i])
		all = append(all, c.refusals...)
	}
	return slices.Concat(all, Unlisted(r.Plan), Grouped(r.Plan))
}

type checker struct {
	request  *Request
	dataset  *plan.Dataset
	refusals []Refusal
}

func (c *checker) refuse(reason, remedy, format string, args ...any) {
	m := &c.dataset.Manifest
	c.refusals = append(c.refusals, Refusal{m.Owner, m.ID, reason, fmt.Sprintf(format, args...), remedy})
}

// state checks that the dataset may be used at all, now.
func (c *checker) state() {
	m := &c.dataset.Manifest
	if c.request.Revoked[c.dataset.Hash] {
		c.refuse(ReasonRevoked, "ask again: the product without this dataset has a plan of its own", "dataset %s has been revoked by its owner", m.ID)
	}
	switch end := m.Terms.Expires; {
	case end.IsZero():
		c.refuse(ReasonExpired, "the owner has to publish terms with an expiry", "the terms of dataset %s name no expiry", m.ID)
	case !c.request.Now.Before(end):
		c.refuse(ReasonExpired, "the owner has to publish the dataset again with later terms",
			"the terms of dataset %s expired on %s", m.ID, end.UTC().Format(time.RFC3339))
	}
}

// party checks who asks and what for.
func (c *checker) party() {
	m := &c.dataset.Manifest
	if b := m.Terms.Buyers; !slices.Contains(b, Anyone) && !slices.Contains(b, c.request.Buyer) {
		c.refuse(ReasonBuyer, fmt.Sprintf("ask %s to name you in the terms, or leave its data out", m.Owner),
			"%s does not allow %s to use dataset %s", m.Owner, c.request.Buyer, m.ID)
	}
	if j := m.Terms.Jurisdictions; len(j) > 0 && !slices.Contains(j, c.request.From) {
		c.refuse(ReasonFrom, fmt.Sprintf("ask %s to allow your jurisdiction, or leave its data out", m.Owner),
			"%s does not allow buyers of %s to use dataset %s", m.Owner, c.request.From, m.ID)
	}
	if p := m.Terms.Purposes; !slices.Contains(p, Anyone) && !slices.Contains(p, c.request.Purpose) {
		remedy := "ask for one of the allowed purposes: " + strings.Join(p, ", ")
		if len(p) == 0 {
			remedy = "the owner has to publish terms that allow a purpose"
		}
		c.refuse(ReasonPurpose, remedy, "%s does not allow dataset %s to be used for the purpose %q", m.Owner, m.ID, c.request.Purpose)
	}
}

// shape checks the aggregates, groups and filters that the query has of the dataset: those
// of the products that it belongs to.
func (c *checker) shape() {
	m := &c.dataset.Manifest
	var funcs []string
	for _, a := range m.Terms.Aggregates {
		funcs = append(funcs, canonical(a))
	}
	own := Asked(c.request.Plan, c.dataset.Hash)
	lists := []struct {
		reason, what  string
		used, allowed []string
	}{
		{ReasonAggregate, "aggregate with", own.Aggregates, funcs},
		{ReasonGroupBy, "group by", own.GroupBy, m.Terms.GroupBy},
		{ReasonFilter, "filter by", own.Filters, m.Terms.Filters},
	}
	for _, l := range lists {
		if len(l.allowed) == 0 {
			continue
		}
		for _, used := range l.used {
			if !slices.Contains(l.allowed, used) {
				c.refuse(l.reason, fmt.Sprintf("allowed is to %s: %s", l.what, strings.Join(l.allowed, ", ")),
					"%s does not allow to %s %s on dataset %s", m.Owner, l.what, used, m.ID)
			}
		}
	}
}

// Shape is what a query has of one dataset; lists are ascending.
type Shape struct{ Aggregates, GroupBy, Filters []string }

// Asked is what a plan has of a dataset, in every product that it belongs to.
func Asked(p *plan.Plan, dataset carnet.Hash) (out Shape) {
	for _, s := range p.Sources {
		if !slices.ContainsFunc(s.Datasets, func(d plan.Dataset) bool { return d.Hash == dataset }) {
			continue
		}
		out.Aggregates = union(out.Aggregates, s.Aggregates)
		out.GroupBy = union(out.GroupBy, s.GroupBy)
		out.Filters = union(out.Filters, s.Filters)
	}
	return out
}

// union merges two lists of names, ascending.
func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// canonical resolves aliases of aggregates: variance is var_samp.
func canonical(name string) string {
	if f, ok := query.AggregateFunc(name); ok {
		return string(f)
	}
	return strings.ToLower(name)
}
