package schema

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/carnet-network/carnet/pkg/carnet"
)

// Limits of what a schema may describe. They keep a signed schema below the size of
// a statement and every table below the sizes the parameter profiles are meant for.
const (
	MaxCodes      = 10_000  // codes of one dimension
	MaxDimensions = 32      // dimensions of one schema
	MaxMeasures   = 64      // measures of one schema
	MaxInputs     = 64      // inputs of one schema
	MaxFormula    = 1000    // bytes of one formula
	MaxPartitions = 4       // partition columns of one schema
	MaxFiles      = 4096    // partition combinations of one dataset
	MaxScale      = 12      // decimal digits of a measure
	MaxColumns    = 65_536  // encrypted columns of one file
	MaxCells      = 1 << 24 // cells of one cube, slots of one aligned file
	MaxRows       = 1 << 24 // rows of one dataset
	MaxDatasets   = 256     // datasets that may be summed together
	MaxTotal      = 1 << 28 // rows x datasets, and cells x datasets
	MaxCombined   = 1 << 16 // combinations of codes of one axis of the records layout
	MaxBytes      = 1 << 20 // JSON form of the schema, as a signed statement allows
)

// Schema describes the tables that several owners publish comparably. The zero value
// is not valid; use Parse, or decode JSON and call Validate. A Schema is not changed
// after that and may be read concurrently.
type Schema struct {
	Name        string          `json:"name"`
	Version     int             `json:"version"`
	Title       string          `json:"title,omitempty"`
	Description string          `json:"description,omitempty"`
	Nulls       []string        `json:"nulls,omitempty"` // spellings of NULL besides the empty field
	Dimensions  []Dimension     `json:"dimensions,omitempty"`
	Inputs      []Input         `json:"inputs,omitempty"` // columns that only formulas use
	Measures    []Measure       `json:"measures,omitempty"`
	Partitions  []Partition     `json:"partitions,omitempty"`
	Combine     []Combination   `json:"combine,omitempty"` // records: dimensions that are encoded as one
	Degree      int             `json:"degree,omitempty"`  // records: how many columns a question may multiply; 0 is 2
	Unit        string          `json:"unit,omitempty"`    // input column that names the person or firm a row is about; it is not published
	Aligned     bool            `json:"aligned,omitempty"` // records: a slot for each combination of codes, for products with other owners' rows
	Limits      Limits          `json:"limits"`
	Layouts     []carnet.Layout `json:"layouts"`
}

// Dimension is a column with a closed list of codes. Rows are grouped and filtered
// by it.
type Dimension struct {
	Name     string `json:"name"`
	Title    string `json:"title,omitempty"`
	Source   string `json:"source,omitempty"`  // header in the input, if not Name
	Prefix   int    `json:"prefix,omitempty"`  // use the first Prefix characters of the source; 0 = all
	Length   bool   `json:"length,omitempty"`  // use the number of characters of the source
	Buckets  string `json:"buckets,omitempty"` // computed from this measure: the code of a row is the largest that is not above its value
	Type     string `json:"type,omitempty"`    // DateType: codes are days, months or years; "": names or numbers
	Codes    []Code `json:"codes"`
	Ordered  bool   `json:"ordered,omitempty"`  // comparisons follow the order of Codes; codes that all are numbers compare as numbers anyway
	Nullable bool   `json:"nullable,omitempty"` // NULL is allowed and is one more code, the last
	Encoding Coding `json:"encoding,omitempty"` // records: how codes become columns; default OneHot
}

// DateType is the type of a dimension whose codes all are days (2024-01-31), all
// months (2024-01) or all years (2024).
const DateType = "date"

// Code is one value of a dimension.
type Code struct {
	Value string `json:"value"`
	Label string `json:"label,omitempty"`
}

// Measure is a number that is summed. Values are exact integers of 10^-Scale units.
type Measure struct {
	Name     string   `json:"name"`
	Title    string   `json:"title,omitempty"`
	Unit     string   `json:"unit,omitempty"`
	Source   string   `json:"source,omitempty"`
	Formula  string   `json:"formula,omitempty"` // computed by the owner from other columns of the row
	Scale    int      `json:"scale,omitempty"`   // decimal digits, 0..MaxScale
	Min      string   `json:"min"`               // decimal text, inclusive
	Max      string   `json:"max"`               // decimal text, inclusive
	Nullable bool     `json:"nullable,omitempty"`
	Outside  Outside  `json:"outside,omitempty"`  // what happens to values outside Min..Max; default Refuse
	Squares  bool     `json:"squares,omitempty"`  // store x*x, for variances
	Products []string `json:"products,omitempty"` // store x*y for these measures, for covariances
}

// Outside says what happens to a value outside a measure's bounds.
type Outside string

const (
	Refuse Outside = "refuse" // the row is an error
	Clip   Outside = "clip"   // the nearest bound is stored; the Binder counts it
)

// Partition is a public column: each combination of values is a file of its own, and
// queries select files by it without any cryptography.
type Partition struct {
	Name   string   `json:"name"`
	Title  string   `json:"title,omitempty"`
	Source string   `json:"source,omitempty"`
	Values []string `json:"values,omitempty"` // allowed values; empty = any short token
}

// Limits bound what is summed. Every total over Rows x Datasets rows fits the
// encoding; larger limits cost more digits.
type Limits struct {
	Rows     int64 `json:"rows"`     // rows of one dataset, over all its files
	Datasets int   `json:"datasets"` // datasets of one product
}

// ID is "name@version".
func (s *Schema) ID() string { return fmt.Sprintf("%s@%d", s.Name, s.Version) }

// MaxRowsTotal is the largest number of rows a sum may combine.
func (s *Schema) MaxRowsTotal() int64 { return s.Limits.Rows * int64(s.Limits.Datasets) }

// Dimension returns the position of a dimension, -1 if there is none of that name.
func (s *Schema) Dimension(name string) int {
	return slices.IndexFunc(s.Dimensions, func(d Dimension) bool { return d.Name == name })
}

// Measure returns the position of a measure, -1 if there is none of that name.
func (s *Schema) Measure(name string) int {
	return slices.IndexFunc(s.Measures, func(m Measure) bool { return m.Name == name })
}

// Partition returns the position of a partition, -1 if there is none of that name.
func (s *Schema) Partition(name string) int {
	return slices.IndexFunc(s.Partitions, func(p Partition) bool { return p.Name == name })
}

// Offers reports whether the schema lists the layout.
func (s *Schema) Offers(l carnet.Layout) bool { return slices.Contains(s.Layouts, l) }

// Hash identifies the contents of the schema, independent of who signed it.
func (s *Schema) Hash() carnet.Hash {
	b, err := json.Marshal(s)
	if err != nil { // only strings, numbers and booleans: cannot fail
		return carnet.Hash{}
	}
	return carnet.Digest("carnet/schema/1", b)
}

// Index returns the position of a code value, -1 if it is not in the list.
func (d *Dimension) Index(value string) int {
	return slices.IndexFunc(d.Codes, func(c Code) bool { return c.Value == value })
}

// Cardinality is the number of codes including NULL.
func (d *Dimension) Cardinality() int {
	if d.Nullable {
		return len(d.Codes) + 1
	}
	return len(d.Codes)
}

// Bounds returns Min and Max as scaled integers. It returns zeros for a measure that
// Validate refuses.
func (m *Measure) Bounds() (lo, hi int64) {
	lo, err1 := ParseDecimal(m.Min, m.Scale)
	hi, err2 := ParseDecimal(m.Max, m.Scale)
	if err1 != nil || err2 != nil {
		return 0, 0
	}
	return lo, hi
}

// Clips reports whether values outside the bounds are clipped.
func (m *Measure) Clips() bool { return m.Outside == Clip }
