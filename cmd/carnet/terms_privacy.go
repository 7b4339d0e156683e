package main

import (
	"math/big"
	"strings"

	"github.com/carnet-network/carnet/pkg/carnet"
	"github.com/carnet-network/carnet/pkg/privacy"
)

// privacyFile is the part of terms.yaml about noise. Amounts are decimal numbers.
type privacyFile struct {
	Budget      string `yaml:"budget"`
	PerNumber   string `yaml:"per_number"`
	RowsPerUnit int64  `yaml:"rows_per_unit"`
}

// terms adds to bad what is wrong with the amounts. rows_per_unit has to be said: how much
// one person can have in a table is what the noise is measured by.
func (f *privacyFile) terms(file string, bad *carnet.Error) (*carnet.Privacy, *carnet.Error) {
	if f == nil {
		return nil, bad
	}
	out := &carnet.Privacy{RowsPerUnit: f.RowsPerUnit}
	amount := func(field, text string) int64 {
		v, ok := millionths(text)
		if !ok {
			bad = bad.With(file, "privacy.%s: %q is no positive decimal number with up to 6 digits after the point, such as 0.01", field, text)
		}
		return v
	}
	out.Budget, out.PerNumber = amount("budget", f.Budget), amount("per_number", f.PerNumber)
	switch {
	case out.RowsPerUnit < 1 || out.RowsPerUnit > carnet.MaxRowsPerUnit:
		bad = bad.With(file, "privacy.rows_per_unit: say how many rows are about one person or firm at most, 1 to %d", carnet.MaxRowsPerUnit)
	case len(bad.Violations) > 0:
	case out.PerNumber > out.Budget:
		bad = bad.With(file, "privacy.per_number: is more than the budget")
	case out.Validate() != nil:
		bad = bad.With(file, "privacy.budget: is too large")
	}
	return out, bad
}

// millionths reads a positive decimal number with up to 6 digits after the point.
func millionths(text string) (int64, bool) {
	if strings.Trim(text, "0123456789.") != "" || strings.Count(text, ".") > 1 || strings.Trim(text, ".") != text || len(text) > 30 {
		return 0, false
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return 0, false
	}
	r.Mul(r, big.NewRat(privacy.Unit, 1))
	if !r.IsInt() || r.Sign() <= 0 || !r.Num().IsInt64() {
		return 0, false
	}
	return r.Num().Int64(), true
}
