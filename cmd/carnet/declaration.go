package main

import (
	"regexp"

	"github.com/carnet-network/carnet/pkg/carnet"
)

var jurisdictionForm = regexp.MustCompile(`^[A-Z]{2}$`)

// dataFile is the part of terms.yaml that declares what the data is, for the laws that
// it falls under.
type dataFile struct {
	Classes       []carnet.DataClass    `yaml:"classes"`
	Persons       int64                 `yaml:"persons"`
	Sensitive     int64                 `yaml:"sensitive_persons"`
	Collected     []carnet.Jurisdiction `yaml:"collected"`
	DomesticAdded bool                  `yaml:"domestic_added"`
	Exporter      []string              `yaml:"exporter"`
	Instruments   []instrumentFile      `yaml:"instruments"`
}

type instrumentFile struct {
	Kind         string                `yaml:"kind"`
	Number       string                `yaml:"number"`
	Jurisdiction carnet.Jurisdiction   `yaml:"jurisdiction"`
	Destinations []carnet.Jurisdiction `yaml:"destinations"`
	Flows        []string              `yaml:"flows"`
	Expires      string                `yaml:"expires"`
}

// declaration is what is signed; nil if nothing is declared.
func (f *dataFile) declaration(file string) (*carnet.Declaration, error) {
	if f == nil {
		return nil, nil
	}
	d := &carnet.Declaration{Classes: f.Classes, Persons: f.Persons, Sensitive: f.Sensitive, Collected: f.Collected,
		DomesticAdded: f.DomesticAdded, Exporter: f.Exporter}
	bad := carnet.E(carnet.Invalid, "BAD_DECLARATION", "the declaration in %s is not acceptable", file)
	for _, j := range f.Collected {
		if !jurisdictionForm.MatchString(string(j)) {
			bad = bad.With(file, "collected: %q is not a two-letter code such as KZ", j)
		}
	}
	for _, x := range f.Instruments {
		expires, err := parseDate(x.Expires)
		if err != nil {
			bad = bad.With(file, "instruments: %s %s: expires: %v", x.Kind, x.Number, err)
		}
		d.Instruments = append(d.Instruments, carnet.Instrument{Kind: x.Kind, Number: x.Number, Jurisdiction: x.Jurisdiction,
			Destinations: x.Destinations, Flows: x.Flows, Expires: expires})
	}
	if len(bad.Violations) > 0 {
		return nil, bad.Fix("correct the file; docs/howto/owner.md describes it")
	}
	return d, d.Check()
}
