package main

import (
	"os"
	"slices"
	"strings"
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/cells"
	"github.com/carnet-network/carnet/pkg/query"
	"github.com/carnet-network/carnet/pkg/schema"
)

// termsFile is terms.yaml: an owner's conditions for one dataset.
type termsFile struct {
	Buyers     []carnet.PartyID `yaml:"buyers"`
	Purposes   []string         `yaml:"purposes"`
	Aggregates []string         `yaml:"aggregates"`
	GroupBy    []string         `yaml:"group_by"`
	Filters    []string         `yaml:"filters"`
	MinOwners  int              `yaml:"min_owners"`
	MinGroup   int              `yaml:"min_group"`
	MaxShare   int              `yaml:"max_share"`
	From       []string         `yaml:"jurisdictions"`
	Products   []carnet.PartyID `yaml:"products_with"`
	Approval   string           `yaml:"approval"`
	Privacy    *privacyFile     `yaml:"privacy"`
	Expires    string           `yaml:"expires"`
	Price      *priceFile       `yaml:"price"`
	Data       *dataFile        `yaml:"declaration"`
}

// readTerms reads terms.yaml, with the declaration about the data if there is one. Nothing is allowed by leaving it out: who may ask, for
// what and until when has to be said.
func readTerms(file string) (carnet.Terms, *carnet.Declaration, error) {
	var t carnet.Terms
	data, err := os.ReadFile(file)
	if err != nil {
		return t, nil, carnet.E(carnet.NotFound, "NO_FILE", "the terms can't be read").Because(err).
			Fix("write a file with buyers, purposes and expires; see carnet publish --help")
	}
	var f termsFile
	if err := decodeYAML(file, data, &f); err != nil {
		return t, nil, err
	}
	bad := carnet.E(carnet.Invalid, "BAD_TERMS", "the terms in %s can't be used", file)
	if len(f.Buyers) == 0 {
		bad = bad.With(file, "buyers is missing: list party identifiers, or [\"*\"] for anyone")
	}
	if len(f.Purposes) == 0 {
		bad = bad.With(file, "purposes is missing: list words, or [\"*\"] for any purpose")
	}
	if f.MinOwners < 0 {
		bad = bad.With(file, "min_owners is negative")
	}
	if f.MinGroup < 0 || f.MinGroup > cells.MaxMinGroup {
		bad = bad.With(file, "min_group: %d is not 0 to %d", f.MinGroup, cells.MaxMinGroup)
	}
	if f.MaxShare < 0 || f.MaxShare > 100 || f.MaxShare > 0 && f.MinGroup < 2 {
		bad = bad.With(file, "max_share: %d is no percentage, or there is no min_group of 2 or more that it belongs to", f.MaxShare)
	}
	var from []carnet.Jurisdiction
	for _, j := range f.From {
		if !jurisdictionForm.MatchString(j) {
			bad = bad.With(file, "jurisdictions: %q is not a two-letter code such as KZ", j)
		}
		from = append(from, carnet.Jurisdiction(j))
	}
	for _, p := range f.Products {
		if !carnet.ValidName(string(p)) {
			bad = bad.With(file, "products_with: %q is not an owner; name each one, since both have to agree", p)
		}
	}
	if f.Approval != "" && f.Approval != carnet.ApprovalOwner {
		bad = bad.With(file, "approval: %q is not %q, which has every query wait for you", f.Approval, carnet.ApprovalOwner)
	}
	var expires time.Time
	if f.Expires == "" {
		bad = bad.With(file, "expires is missing: a date such as 2027-12-31")
	} else if expires, err = parseDate(f.Expires); err != nil {
		bad = bad.With(file, "expires: %v", err)
	} else if !expires.After(time.Now()) {
		bad = bad.With(file, "expires: %s has passed", f.Expires)
	}
	private, bad := f.Privacy.terms(file, bad)
	if len(bad.Violations) > 0 {
		return t, nil, bad.Fix("correct the file; carnet publish --help shows one")
	}
	declared, err := f.Data.declaration(file)
	if err != nil {
		return t, nil, err
	}
	price, err := f.Price.price(file)
	if err != nil {
		return t, nil, err
	}
	return carnet.Terms{
		Buyers: f.Buyers, Purposes: f.Purposes, Aggregates: f.Aggregates, GroupBy: f.GroupBy,
		Filters: f.Filters, MinOwners: f.MinOwners, Jurisdictions: from, ProductsWith: f.Products, Privacy: private, Expires: expires, Price: price,
		MinGroup: f.MinGroup, MaxShare: f.MaxShare, Approval: f.Approval,
	}, declared, nil
}

// fitTerms finds names that mean nothing in a schema. They would not open anything
// that should stay closed, but the owner meant something else.
func fitTerms(file string, t *carnet.Terms, s *schema.Schema) error {
	bad := carnet.E(carnet.Invalid, "BAD_TERMS", "the terms in %s do not fit schema %s", file, s.ID())
	for _, name := range t.Aggregates {
		if _, ok := query.AggregateFunc(name); !ok {
			bad = bad.With(file, "aggregates: %q is not an aggregate; docs/reference/sql.md lists them", name)
		}
	}
	columns := []string{"owner", "jurisdiction"}
	for i := range s.Partitions {
		columns = append(columns, s.Partitions[i].Name)
	}
	for i := range s.Dimensions {
		columns = append(columns, s.Dimensions[i].Name)
	}
	for _, list := range []struct {
		field string
		names []string
	}{{"group_by", t.GroupBy}, {"filters", t.Filters}} {
		for _, name := range list.names {
			if !slices.Contains(columns, name) {
				bad = bad.With(file, "%s: %q is none of %s", list.field, name, strings.Join(columns, ", "))
			}
		}
	}
	if most := s.Limits.Datasets; t.MinOwners > most {
		bad = bad.With(file, "min_owners: %d can't be met, products of this schema have at most %d datasets", t.MinOwners, most)
	}
	if len(bad.Violations) > 0 {
		return bad.Fix("correct the file; carnet publish --help shows one")
	}
	return nil
}

// parseDate reads a day, which ends at midnight UTC, or an exact time.
func parseDate(s string) (time.Time, error) {
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return t.AddDate(0, 0, 1).UTC(), nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, carnet.E(carnet.Invalid, "BAD_DATE", "%q is neither a day such as 2027-12-31 nor a time such as 2027-12-31T12:00:00Z", s)
	}
	return t.UTC(), nil
}
