package carnet

import "time"

// ApprovalOwner in Terms.Approval has every query of the dataset wait for its owner.
const ApprovalOwner = "owner"

// Approval says that a party's people looked at one query and allow or refuse it. It is
// bound to the query by its statement hash, which covers text, purpose, inputs, plan and
// the key that answers are sealed to. A party's first approval of a query counts.
type Approval struct {
	Query   Hash      `json:"query"` // statement hash of the query
	By      PartyID   `json:"by"`    // an owner of one of its datasets, or the gateway's operator
	Allow   bool      `json:"allow"`
	Reason  string    `json:"reason,omitempty"` // for the buyer; a refusal has one
	Created time.Time `json:"created"`
}

// Deferral says that a keyholder decides about a query only when people have approved
// it, whose, and until when it waits for them. It promises nothing.
type Deferral struct {
	Query   Hash      `json:"query"` // statement hash of the query
	By      PartyID   `json:"by"`    // the keyholder
	For     []PartyID `json:"for"`   // itself, owners of the query's datasets; ascending
	Until   time.Time `json:"until"`
	Created time.Time `json:"created"`
}
