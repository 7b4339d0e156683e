package carnet

// Privacy are the conditions of a dataset whose numbers are released with noise only.
// Amounts are rho of zero-concentrated differential privacy, in millionths.
type Privacy struct {
	// Budget is what all released numbers may cost together: for all buyers, for all
	// versions of the dataset, and for ever.
	Budget int64 `json:"budget"`
	// PerNumber is what one released number may cost at most, for all groups of one
	// query together. It decides the size of the noise.
	PerNumber int64 `json:"per_number"`
	// RowsPerUnit is how many rows of the dataset are about one person or firm at most.
	RowsPerUnit int64 `json:"rows_per_unit"`
}

// Bounds of privacy terms.
const (
	MaxPrivacyBudget = 1_000_000_000_000 // a rho of a million, which protects nothing
	MaxRowsPerUnit   = 1_000_000
)

// Validate says what is wrong with the terms, as an error of kind Invalid (BAD_PRIVACY).
func (p *Privacy) Validate() error {
	e := E(Invalid, "BAD_PRIVACY", "the privacy terms can't be kept").Fix("give budget, per_number and rows_per_unit as docs/howto/owner.md shows")
	switch {
	case p.Budget < 1 || p.Budget > MaxPrivacyBudget:
		return e.With("privacy.budget", "want 1 to %d millionths", int64(MaxPrivacyBudget))
	case p.PerNumber < 1 || p.PerNumber > p.Budget:
		return e.With("privacy.per_number", "want 1 millionth to the budget")
	case p.RowsPerUnit < 1 || p.RowsPerUnit > MaxRowsPerUnit:
		return e.With("privacy.rows_per_unit", "want 1 to %d", MaxRowsPerUnit)
	}
	return nil
}
