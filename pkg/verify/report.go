package verify

import (
	"time"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Status is the outcome of a check.
type Status string

const (
	Passed     Status = "passed"
	Failed     Status = "failed"
	NotChecked Status = "not checked" // see Check.Why
	NotNeeded  Status = "not needed"  // there is nothing of the kind
)

// Fault is one thing that is not as it should be, and where: a part of the bundle.
type Fault struct {
	Part    string `json:"part"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

// Check is one line of the checklist.
type Check struct {
	ID      string   `json:"id"`
	Title   string   `json:"title"` // what is claimed
	Status  Status   `json:"status"`
	Meaning string   `json:"meaning"` // what it means that the claim holds
	Found   []string `json:"found"`   // what was found
	Why     string   `json:"why,omitempty"`
	Faults  []Fault  `json:"faults,omitempty"`
}

// Verdict sums a report up.
type Verdict string

const (
	Verified   Verdict = "verified"   // every check passed or had nothing to check
	Incomplete Verdict = "incomplete" // nothing failed, and something was not checked
	Broken     Verdict = "failed"
)

// Report is what verification found.
type Report struct {
	Bundle  carnet.Hash `json:"bundle"` // SHA-256 of the file
	Verdict Verdict     `json:"verdict"`
	// Registrar is set if the registrar's key that was given is most likely the wrong one: then
	// this is to be told before anything else.
	Registrar *OtherRegistrar `json:"wrong_registrar,omitempty"`
	Query     *Subject        `json:"query,omitempty"`
	Document  *Paper          `json:"document,omitempty"` // of a document, in place of a query
	Log       *Log            `json:"log,omitempty"`
	Checks    []*Check        `json:"checks"`
}

// Subject says which query the bundle is about.
type Subject struct {
	Hash     carnet.Hash        `json:"hash"`
	Entry    int64              `json:"entry"`
	Buyer    carnet.PartyID     `json:"buyer"`
	From     string             `json:"from"` // name and jurisdiction of the buyer
	Products []carnet.ProductID `json:"products"`
	SQL      string             `json:"sql"`
	Purpose  string             `json:"purpose"`
	Created  time.Time          `json:"created"`
	Expires  time.Time          `json:"expires"`
	Datasets []carnet.DatasetID `json:"datasets"`
	Released bool               `json:"released"` // enough keyholders answered
}

// Log says which log the bundle is from.
type Log struct {
	Origin   string           `json:"origin"`
	Size     int64            `json:"size"`
	Root     carnet.Hash      `json:"root"`
	Cosigned []carnet.PartyID `json:"cosigned"`
}

// Failures lists all faults.
func (r *Report) Failures() (out []Fault) {
	for _, c := range r.Checks {
		out = append(out, c.Faults...)
	}
	return out
}

// Check returns a check by its id, nil if there is none.
func (r *Report) Check(id string) *Check {
	for _, c := range r.Checks {
		if c.ID == id {
			return c
		}
	}
	return nil
}

// conclude sets the verdict.
func (r *Report) conclude() {
	r.Verdict = Verified
	for _, c := range r.Checks {
		switch {
		case c.Status == Failed:
			r.Verdict = Broken
			return
		case c.Status == NotChecked:
			r.Verdict = Incomplete
		}
	}
}
