package carnet

import "time"

// Certificate says that a dataset or product was registered. It repeats what its
// statement says, for people, and names the statement, which is the proof. There is one
// for each statement: everything in it follows from that.
type Certificate struct {
	Subject      string       `json:"subject"`   // name of the dataset or product
	Kind         string       `json:"kind"`      // "dataset" or "product"
	Statement    Hash         `json:"statement"` // hash of the manifest or of the product's statement
	Entry        int64        `json:"entry"`     // of the journal, where that is
	By           PartyID      `json:"by"`        // owner or publisher
	Title        string       `json:"title,omitempty"`
	Schema       Hash         `json:"schema"`
	SchemaID     string       `json:"schema_id"`
	Datasets     []DatasetID  `json:"datasets,omitempty"` // of a product
	Jurisdiction Jurisdiction `json:"jurisdiction,omitempty"`
	Layout       Layout       `json:"layout,omitempty"`
	Rows         int64        `json:"rows"`
	Files        int          `json:"files"`
	Bytes        int64        `json:"bytes"` // of ciphertext
	Roots        []Hash       `json:"roots,omitempty"`
	Terms        *Terms       `json:"terms,omitempty"`
	Registered   time.Time    `json:"registered"` // as its statement says
	Operator     PartyID      `json:"operator"`
}

// Usage says how a dataset was used in a period, as the journal shows it at a size.
type Usage struct {
	Dataset    DatasetID     `json:"dataset"`
	Owner      PartyID       `json:"owner"`
	From       time.Time     `json:"from"`
	Until      time.Time     `json:"until"`   // not included
	Size       int64         `json:"size"`    // entries of the journal that were read
	Head       Hash          `json:"head"`    // of the journal at that size
	Queries    int64         `json:"queries"` // released
	Groups     int64         `json:"groups"`
	Numbers    int64         `json:"numbers"`
	Rows       int64         `json:"rows"`       // read, each time anew
	Budget     int64         `json:"budget"`     // millionths of rho that the released numbers cost, each time anew
	Unreleased int64         `json:"unreleased"` // journaled and not released
	Refused    []ReasonCount `json:"refused,omitempty"`
	Buyers     []BuyerUsage  `json:"buyers,omitempty"`
	Income     []Money       `json:"income,omitempty"` // of all payees
	Operator   PartyID       `json:"operator"`
	Created    time.Time     `json:"created"`
}

// BuyerUsage is one buyer's part of a usage.
type BuyerUsage struct {
	Buyer   PartyID `json:"buyer"`
	Queries int64   `json:"queries"`
	Groups  int64   `json:"groups"`
	Numbers int64   `json:"numbers"`
}

// ReasonCount is how many queries were refused for a reason.
type ReasonCount struct {
	Reason  string `json:"reason"`
	Queries int64  `json:"queries"`
}

// Money is an amount in a currency.
type Money struct {
	Currency string `json:"currency"`
	Amount   Amount `json:"amount"`
}
