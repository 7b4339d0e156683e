package carnet

import (
	"slices"
	"time"
)

// DataClass is a kind of data that a law treats by rules of its own.
type DataClass string

const (
	ClassNone      DataClass = "none"      // neither personal nor important data; stands alone
	ClassPersonal  DataClass = "personal"  // of identified or identifiable persons, pseudonymised ones included
	ClassSensitive DataClass = "sensitive" // personal data that a law protects more
	ClassImportant DataClass = "important" // notified or published as important by an authority
	ClassBiometric DataClass = "biometric"
	ClassGenetic   DataClass = "genetic"
	ClassTelecom   DataClass = "telecom" // of subscribers of telecommunication
	ClassPayment   DataClass = "payment" // of payment transactions
)

// dataClasses lists all kinds.
var dataClasses = []DataClass{ClassNone, ClassPersonal, ClassSensitive, ClassImportant, ClassBiometric, ClassGenetic, ClassTelecom, ClassPayment}

// Declaration is what an owner declares about a dataset for the laws that it falls
// under. It is signed with the manifest; nobody else can see whether it is true.
type Declaration struct {
	Classes       []DataClass    `json:"classes"`                     // at least one
	Persons       int64          `json:"persons,omitempty"`           // how many persons it has data of
	Sensitive     int64          `json:"sensitive_persons,omitempty"` // of how many the data is sensitive
	Collected     []Jurisdiction `json:"collected,omitempty"`         // where; absent: in the owner's jurisdiction
	DomesticAdded bool           `json:"domestic_added,omitempty"`    // to data collected abroad
	Exporter      []string       `json:"exporter,omitempty"`          // what the owner is for its law, such as "ciio" or "ftz"
	Instruments   []Instrument   `json:"instruments,omitempty"`
}

// Instrument is a filing, assessment, certificate or ruling that covers data.
type Instrument struct {
	Kind         string         `json:"kind"`         // such as security_assessment
	Number       string         `json:"number"`       // by what its authority or author knows it
	Jurisdiction Jurisdiction   `json:"jurisdiction"` // under whose law
	Destinations []Jurisdiction `json:"destinations"` // "*" is anywhere
	Flows        []string       `json:"flows"`        // storage, share, release; "*" is all
	Expires      time.Time      `json:"expires"`
}

// Check says what is wrong with a declaration, or nil: classes are known, numbers fit
// each other, every instrument is complete.
func (d *Declaration) Check() error {
	e := E(Invalid, "BAD_DECLARATION", "the declaration about the data is not acceptable").
		Fix("correct the declaration; docs/howto/owner.md describes it")
	if len(d.Classes) == 0 {
		return e.With("classes", "there is none; \"none\" says that the data is neither personal nor important")
	}
	for i, c := range d.Classes {
		switch {
		case !slices.Contains(dataClasses, c):
			return e.With("classes", "%q is none of %v", c, dataClasses)
		case slices.Contains(d.Classes[:i], c):
			return e.With("classes", "%q is listed twice", c)
		case c == ClassNone && len(d.Classes) > 1:
			return e.With("classes", "\"none\" stands alone")
		}
	}
	switch personal := d.Has(ClassPersonal, ClassSensitive, ClassBiometric, ClassGenetic, ClassTelecom); {
	case d.Persons < 0 || d.Sensitive < 0 || d.Sensitive > d.Persons:
		return e.With("persons", "want numbers from 0 up, and no more sensitive_persons than persons")
	case personal != (d.Persons > 0):
		return e.With("persons", "say of how many persons there is data, if and only if a class is personal data")
	case (d.Sensitive > 0) != d.Has(ClassSensitive, ClassBiometric, ClassGenetic):
		return e.With("sensitive_persons", "say of how many persons, if and only if a class is sensitive, biometric or genetic")
	case d.DomesticAdded && len(d.Collected) == 0:
		return e.With("domestic_added", "is said of data collected abroad; say where with collected")
	}
	for i := range d.Instruments {
		x := &d.Instruments[i]
		if x.Kind == "" || x.Number == "" || x.Jurisdiction == "" || len(x.Destinations) == 0 || len(x.Flows) == 0 || x.Expires.IsZero() {
			return e.With("instruments", "number %d: kind, number, jurisdiction, destinations, flows and expires are all needed", i+1)
		}
	}
	return nil
}

// Has reports whether one of the classes is declared.
func (d *Declaration) Has(classes ...DataClass) bool {
	return slices.ContainsFunc(d.Classes, func(c DataClass) bool { return slices.Contains(classes, c) })
}
