package carnet

// Figures says that a sheet was worked out from the journal at a state: a settlement or a
// valuation. The sheet itself can be long, so its digest is signed. It is in no journal.
type Figures struct {
	Kind     string  `json:"kind"`  // "settlement" or "valuation"
	Sheet    Hash    `json:"sheet"` // SHA-256 of the sheet's JSON, without spaces
	Size     int64   `json:"size"`  // entries of the journal that were read
	Head     Hash    `json:"head"`  // of the journal at that size
	Operator PartyID `json:"operator"`
}
