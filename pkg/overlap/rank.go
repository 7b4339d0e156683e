package overlap

import (
	"math/big"
	"math/bits"
	"math/rand/v2"
	"slices"

	"github.com/carnet-network/carnet/pkg/cells"
)

// drawPrime draws a prime of 62 bits.
func drawPrime(r *rand.ChaCha8) uint64 {
	for {
		n := r.Uint64()>>2 | 1<<61 | 1
		if new(big.Int).SetUint64(n).ProbablyPrime(32) {
			return n
		}
	}
}

// elimination brings rows into echelon form, in the order in which they come.
type elimination struct {
	prime  uint64 // of 62 bits
	pivots int    // columns that are eliminated; what is beyond is left
	basis  [][]uint64
	at     []int      // column of the pivot of each
	before [][]uint64 // per row: what those before it have in the column of its pivot
}

// add reports whether the row, less a combination of those before, is zero in the first
// columns and not zero in those beyond. The row is used up.
func (e *elimination) add(row []uint64) bool {
	// How often each row is taken away follows from the columns of the pivots alone; then all
	// are, and the sum is reduced once.
	taken := make([]uint64, len(e.basis))
	s := &sum{make([]uint64, len(row)), row, e.prime}
	for i, at := range e.at {
		hi, lo := uint64(0), row[at]
		for j, v := range e.before[i] {
			if v == 0 || taken[j] == 0 {
				continue
			}
			hi, lo = cells.AddProduct(hi, lo, taken[j], v, e.prime)
		}
		if _, c := bits.Div64(hi, lo, e.prime); c != 0 {
			taken[i] = e.prime - c
		}
	}
	for i, b := range e.basis {
		if taken[i] != 0 {
			s.scale(taken[i], b, e.at[i]) // nothing is before its pivot
		}
	}
	row = s.reduced()
	first := slices.IndexFunc(row, func(v uint64) bool { return v != 0 })
	if first < 0 {
		return false
	}
	if first >= e.pivots {
		return true
	}
	inverse := new(big.Int).ModInverse(new(big.Int).SetUint64(row[first]), new(big.Int).SetUint64(e.prime)).Uint64()
	for k := range row {
		row[k] = cells.Product(row[k], inverse, e.prime)
	}
	before := make([]uint64, len(e.basis))
	for i, b := range e.basis {
		before[i] = b[first]
	}
	e.basis, e.at, e.before = append(e.basis, row), append(e.at, first), append(e.before, before)
	return false
}

// reduce makes every row zero in the columns of the others' pivots. Rows can't be added
// afterwards.
func (e *elimination) reduce() {
	for i := len(e.basis) - 1; i >= 0; i-- {
		for j := i + 1; j < len(e.basis); j++ {
			row, b := e.basis[i], e.basis[j]
			c := row[e.at[j]]
			for k := range row {
				if c != 0 && b[k] != 0 {
					row[k] = (row[k] + e.prime - cells.Product(c, b[k], e.prime)) % e.prime
				}
			}
		}
	}
}
