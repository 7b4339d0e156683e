package carnet

import "time"

// Succession is an owner's word, given beforehand, to which committees the holders of a
// key's parts may hand it on without the owner. The newest one of a key counts; one that
// allows nothing takes earlier ones back.
type Succession struct {
	Key        KeyID           `json:"key"`
	Owner      PartyID         `json:"owner"`
	Committees []Hash          `json:"committees,omitempty"` // statement hashes
	Rule       *SuccessionRule `json:"rule,omitempty"`
	Created    time.Time       `json:"created"`
}

// SuccessionRule describes committees that the registrar may register later.
type SuccessionRule struct {
	Members       int            `json:"members"`                 // at least so many keyholders
	Threshold     int            `json:"threshold"`               // any that open are at least so many
	Jurisdictions []Jurisdiction `json:"jurisdictions,omitempty"` // every member is registered in one of them
}

// Allows reports whether the owner lets a committee with this statement hash have the key.
// jurisdiction is where a party is registered.
func (s *Succession) Allows(hash Hash, c *Committee, jurisdiction func(PartyID) Jurisdiction) bool {
	for _, h := range s.Committees {
		if h == hash {
			return true
		}
	}
	r := s.Rule
	if r == nil || len(c.Members) < r.Members || c.Threshold < r.Threshold {
		return false
	}
	for _, m := range c.Members {
		if len(r.Jurisdictions) > 0 && !has(r.Jurisdictions, jurisdiction(m)) {
			return false
		}
	}
	return true
}

func has(list []Jurisdiction, j Jurisdiction) bool {
	for _, x := range list {
		if x == j {
			return true
		}
	}
	return false
}

// Contribution is what one holder of parts of a key hands on to another committee. All
// holders of a part say the same of it.
type Contribution struct {
	Key       KeyID        `json:"key"`       // as datasets name it
	From      KeyID        `json:"from"`      // the dealing it is opened with now
	Committee Hash         `json:"committee"` // statement hash of the new committee
	By        PartyID      `json:"by"`
	Number    int          `json:"number"` // keyholder number in the committee of From
	Parts     []HandedPart `json:"parts"`  // of all parts it holds, ascending
	Sealed    []Hash       `json:"sealed"` // SHA-256 of the seeds sealed to each member of the new committee
	Created   time.Time    `json:"created"`
}

// HandedPart says how one part was split.
type HandedPart struct {
	Part        int    `json:"part"`        // its subset of the old committee
	Commitments []Hash `json:"commitments"` // to its seed for every part of the new committee, ascending
	Corrections []Hash `json:"corrections"` // digests of its corrections, power 1 first
}

// Resharing is a dealing that the holders of another one made of it. Every member of the
// new committee signs the same bytes, which follow from the contributions. Its hash is the
// identifier of the dealing; from its entry of the journal on the key is opened with it.
type Resharing struct {
	Key         KeyID   `json:"key"`
	From        KeyID   `json:"from"`
	Owner       PartyID `json:"owner"`
	Committee   Hash    `json:"committee"`
	Profile     string  `json:"profile"`
	Params      Hash    `json:"params"`
	Nonce       Nonce   `json:"nonce"`       // follows from From and Committee
	Commitments []Hash  `json:"commitments"` // to the list of seeds of every part
	Corrections []Hash  `json:"corrections"`
}

// Dealing is the resharing in the form of a dealing by the owner.
func (r *Resharing) Dealing() Dealing {
	return Dealing{Owner: r.Owner, Committee: r.Committee, Profile: r.Profile, Params: r.Params, Nonce: r.Nonce,
		Commitments: r.Commitments, Corrections: r.Corrections}
}
