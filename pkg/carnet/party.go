package carnet

import "time"

// PartyRevocation ends a party: what it signs counts for nothing in later entries. It is
// final for the party's name.
type PartyRevocation struct {
	Party   PartyID   `json:"party"`
	Reason  string    `json:"reason,omitempty"`
	Created time.Time `json:"created"`
}
