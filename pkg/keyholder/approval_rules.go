package keyholder

import (
	"fmt"
	"slices"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/meter"
)

// ApprovalRules say which queries wait for somebody of this keyholder. The zero value: none.
type ApprovalRules struct {
	Within Duration       `yaml:"within"` // how long a query waits; 0: until it expires
	Rules  []ApprovalRule `yaml:"rules"`
}

// ApprovalRule has queries wait that meet all of its conditions; one without any is met
// by every query.
type ApprovalRule struct {
	Name          string                `yaml:"name"`          // told to whoever decides
	Buyers        []carnet.PartyID      `yaml:"buyers"`        // one of these asks
	Jurisdictions []carnet.Jurisdiction `yaml:"jurisdictions"` // the buyer is in one of these
	Purposes      []string              `yaml:"purposes"`      // for one of these
	Datasets      []carnet.DatasetID    `yaml:"datasets"`      // over one of these
	Personal      bool                  `yaml:"personal"`      // over data that is declared to be of persons, or of which nothing is declared
	Numbers       int                   `yaml:"numbers"`       // it opens at least so many
	Price         map[string]Money      `yaml:"price"`         // the buyer owes at least so much for it, in one of these currencies
}

// Money is a carnet.Amount that is written in any form.
type Money carnet.Amount

// UnmarshalText reads an amount.
func (m *Money) UnmarshalText(b []byte) error {
	x, err := carnet.ParseAmount(string(b))
	*m = Money(x)
	return err
}

// Duration is a time.Duration that is written as 48h.
type Duration time.Duration

// UnmarshalText reads a duration.
func (d *Duration) UnmarshalText(b []byte) error {
	x, err := time.ParseDuration(string(b))
	if err == nil && x < 0 {
		err = fmt.Errorf("%s is negative", b)
	}
	*d = Duration(x)
	return err
}

// Check finds rules that can't be meant.
func (r *ApprovalRules) Check() error {
	e := carnet.E(carnet.Invalid, "BAD_APPROVAL_RULES", "the rules about approvals can't be used")
	for i, x := range r.Rules {
		if x.Name == "" {
			e = e.With("rules", "number %d has no name, which whoever decides is told", i+1)
		}
		if x.Numbers < 0 {
			e = e.With("rules", "%s: numbers is negative", x.Name)
		}
		for c, least := range x.Price {
			if !carnet.ValidCurrency(c) || least <= 0 {
				e = e.With("rules", "%s: %q is not three capital letters such as KZT, or its amount is not positive", x.Name, c)
			}
		}
		for _, j := range x.Jurisdictions {
			if len(j) != 2 {
				e = e.With("rules", "%s: %q is not a two-letter code such as KZ", x.Name, j)
			}
		}
	}
	if len(e.Violations) > 0 {
		return e.Fix("correct the file; docs/howto/approvals.md shows one")
	}
	return nil
}

// why names the rules that a query meets. Its plan compiles: it was checked before.
func (r *ApprovalRules) why(c *Case) (out []string) {
	numbers := 0
	var owed map[string]carnet.Amount
	if p, err := c.compile(); err == nil {
		numbers = len(p.Openings)
		if lines, err := meter.Quote(meter.Uses(p), c.Query.Buyer, c.Query.Created); err == nil {
			owed, _ = meter.Totals(lines) // too much to be added up: nil, which every price condition meets
		}
	}
	for i := range r.Rules {
		if r.Rules[i].met(c, numbers, owed) {
			out = append(out, r.Rules[i].Name)
		}
	}
	return out
}

// met: owed is what the buyer would owe, nil if that can't be told.
func (r *ApprovalRule) met(c *Case, numbers int, owed map[string]carnet.Amount) bool {
	costly := owed == nil
	for currency, least := range r.Price {
		costly = costly || owed[currency] >= carnet.Amount(least)
	}
	over := func(yes func(*carnet.Dataset) bool) bool {
		return slices.ContainsFunc(c.inputs, func(in input) bool { return yes(&in.manifest.body) })
	}
	switch {
	case len(r.Buyers) > 0 && !slices.Contains(r.Buyers, c.Query.Buyer),
		len(r.Jurisdictions) > 0 && !slices.Contains(r.Jurisdictions, c.buyer.Jurisdiction),
		len(r.Purposes) > 0 && !slices.Contains(r.Purposes, c.Query.Purpose),
		len(r.Datasets) > 0 && !over(func(d *carnet.Dataset) bool { return slices.Contains(r.Datasets, d.ID) }),
		r.Personal && !over(func(d *carnet.Dataset) bool { return d.Declaration == nil || d.Declaration.Persons > 0 }),
		len(r.Price) > 0 && !costly,
		numbers < r.Numbers:
		return false
	}
	return true
}
