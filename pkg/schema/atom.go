package schema

import (
	"math/big"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// AtomKind is a quantity that a row contributes to sums.
type AtomKind int

const (
	Count   AtomKind = iota // 1 for every row
	NotNull                 // 1 where X (and Y, if given) is not NULL
	Sum                     // X, 0 where NULL
	Square                  // X*X, 0 where NULL
	Product                 // X*Y, 0 where either is NULL
)

// Atom names a quantity. X and Y are measure names; atoms are comparable.
type Atom struct {
	Kind AtomKind
	X, Y string
}

// String is the name used for columns: rows, value, notnull(value), value^2,
// value*weight.
func (a Atom) String() string {
	switch a.Kind {
	case Count:
		return "rows"
	case NotNull:
		if a.Y != "" {
			return "notnull(" + a.X + "," + a.Y + ")"
		}
		return "notnull(" + a.X + ")"
	case Square:
		return a.X + "^2"
	case Product:
		return a.X + "*" + a.Y
	default:
		return a.X
	}
}

// ColumnKind tells the two sorts of columns apart.
type ColumnKind int

const (
	Indicator ColumnKind = iota + 1 // records: 1 where the row's codes pass a test
	Digit                           // a digit of an atom
)

// Column is one encrypted column of a file.
type Column struct {
	ID    uint32 // position in Encoding.Columns, and the column number of its blocks
	Name  string // for people: "month=03", "value^2.lo"
	Kind  ColumnKind
	Axis  int  // Indicator: position in Encoding.Axes
	Test  Test // Indicator: what it tells about the number of the row's codes
	Code  int  // Indicator: what the number is compared with
	Atom  Atom // Digit: the quantity
	Digit int  // Digit: 0 is the least significant
	Shift uint // Digit: the atom is the sum over its digits of column x 2^Shift
	Width uint // Digit: the column holds this many bits; 0 for the top digit, which is signed

	Min, Max           *big.Int // bounds of one slot or cell
	TotalMin, TotalMax *big.Int // bounds of any sum over rows of up to Limits.Datasets datasets; 2*max|total| < T
}

// Encoding is how the rows of a schema become columns in one layout. It is made by
// Encode, immutable, and safe for concurrent use.
type Encoding struct {
	Layout  carnet.Layout
	Profile string // name of the parameter profile
	N       int    // values per block
	T       uint64 // plaintext modulus
	Columns []Column
	Axes    []Axis // records: how dimensions are encoded; nil for cubes
	Cells   int    // number of cells of a cube, or of slots of an aligned file; 0 for other records
	// BytesPerRow is the ciphertext per record (records) or per cell (cube), over all
	// columns, without the padding of the last block.
	BytesPerRow int

	schema  *Schema
	atoms   []atom
	digits  map[Atom][]Column
	axisOf  []int // per dimension: position in Axes
	choices []choice
}

// Schema returns the schema the encoding was made from.
func (e *Encoding) Schema() *Schema { return e.schema }
