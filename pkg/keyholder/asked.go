package keyholder

import (
	"fmt"
	"strings"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Asked is a query in words, for somebody who is to decide about it. All of it is public.
type Asked struct {
	Buyer        carnet.PartyID      `json:"buyer"`
	BuyerName    string              `json:"buyer_name"`
	Jurisdiction carnet.Jurisdiction `json:"jurisdiction"`
	Purpose      string              `json:"purpose"`
	SQL          string              `json:"sql"`
	Expires      time.Time           `json:"expires"`
	Why          []string            `json:"why"`    // rules that want somebody to decide
	Owners       []carnet.PartyID    `json:"owners"` // whose approval is missing as well
	Plan         []string            `json:"plan"`   // what is computed, a step a line
	Terms        []string            `json:"terms"`  // of each dataset, a line each
	Policy       []string            `json:"policy"` // what the rules of this keyholder said
}

// describe puts a query into words.
func (c *Case) describe(w *waits, why []string) (a Asked, err error) {
	p, err := c.compile()
	if err != nil {
		return a, err
	}
	a = Asked{Buyer: c.Query.Buyer, BuyerName: c.buyer.Name, Jurisdiction: c.buyer.Jurisdiction, Purpose: c.Query.Purpose, SQL: c.Query.SQL,
		Expires: c.Query.Expires.UTC(), Why: why, Owners: w.owners, Plan: p.Describe(), Policy: c.verdict.Said}
	for _, in := range c.inputs {
		a.Terms = append(a.Terms, termsInWords(&in.manifest.body))
	}
	return a, nil
}

// termsInWords is one dataset and its terms on a line.
func termsInWords(d *carnet.Dataset) string {
	t := &d.Terms
	words := []string{fmt.Sprintf("%s of %s: until %s", d.ID, d.Jurisdiction, t.Expires.UTC().Format(time.DateOnly)), "buyers " + join(t.Buyers), "purposes " + join(t.Purposes)}
	add := func(what string, n int, list string) {
		if n > 0 {
			words = append(words, what+" "+list)
		}
	}
	add("buyers in", len(t.Jurisdictions), join(t.Jurisdictions))
	add("aggregates", len(t.Aggregates), join(t.Aggregates))
	add("grouped by", len(t.GroupBy), join(t.GroupBy))
	add("filtered by", len(t.Filters), join(t.Filters))
	if t.MinOwners > 1 {
		words = append(words, fmt.Sprintf("at least %d owners in every number", t.MinOwners))
	}
	if t.MinGroup > 1 {
		words = append(words, fmt.Sprintf("groups of at least %d", t.MinGroup))
	}
	if t.Approval != "" {
		words = append(words, "waits for approval of its "+t.Approval)
	}
	switch {
	case d.Declaration == nil:
		words = append(words, "nothing is declared about the data")
	case d.Declaration.Persons > 0:
		words = append(words, fmt.Sprintf("declared: %s, %d persons", join(d.Declaration.Classes), d.Declaration.Persons))
	default:
		words = append(words, "declared: "+join(d.Declaration.Classes))
	}
	return strings.Join(words, "; ")
}

func join[T ~string](list []T) string {
	out := make([]string, len(list))
	for i, x := range list {
		out[i] = string(x)
	}
	return strings.Join(out, ", ")
}
