package schema

import (
	"math/big"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Sensitivity bounds how far one row moves any sum over column c: by how much the sum
// differs with the row and without it.
//
// In the records layout that is the largest magnitude of a slot. A cell of a cube holds the
// total of its rows, of which columns are digits. A low digit can be anything with the row
// and without it, so it moves by what it holds at most. The top digit is a floor, and moves
// by the row's value divided by its place, rounded up.
func (e *Encoding) Sensitivity(c Column) *big.Int {
	if c.Kind == Indicator {
		return big.NewInt(1)
	}
	if e.Layout == carnet.LayoutRecords {
		return maxBig(new(big.Int).Abs(c.Min), new(big.Int).Abs(c.Max))
	}
	if c.Width > 0 {
		most := new(big.Int).Lsh(big.NewInt(1), c.Width)
		return most.Sub(most, big.NewInt(1))
	}
	for i := range e.atoms {
		if a := &e.atoms[i]; a.Atom == c.Atom {
			most := new(big.Int).Set(maxBig(new(big.Int).Abs(a.lo), new(big.Int).Abs(a.hi)))
			up := new(big.Int).Lsh(big.NewInt(1), c.Shift)
			most.Add(most, up.Sub(up, big.NewInt(1)))
			return most.Rsh(most, c.Shift)
		}
	}
	return maxBig(new(big.Int).Abs(c.Min), new(big.Int).Abs(c.Max))
}
