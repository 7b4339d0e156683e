package plan

import (
	"math/big"
	"strings"
)

// Type is the type of a result column.
type Type string

const (
	Integer Type = "integer"
	Numeric Type = "numeric"
	Text    Type = "text"
	Date    Type = "date"
)

// ColumnInfo describes a column of the result.
type ColumnInfo struct {
	Name string `json:"name"`
	Type Type   `json:"type"`
}

// significant is the number of significant digits printed of a quotient or root.
const significant = 17

// maxScale bounds the digits after the point.
const maxScale = 1000

// Value is one value of a result: NULL, a text or an exact rational number. The zero
// Value is NULL.
type Value struct {
	text  string
	isTxt bool
	num   *big.Rat // never changed once set
	scale int      // digits after the point
	free  bool     // print more digits than scale, up to the significant ones
}

// TextValue makes a text.
func TextValue(s string) Value { return Value{text: s, isTxt: true} }

// NumberValue makes a number that prints with scale digits after the point.
func NumberValue(r *big.Rat, scale int) Value { return Value{num: r, scale: scale} }

// IsNull reports whether the value is NULL.
func (v Value) IsNull() bool { return !v.isTxt && v.num == nil }

// Text returns the text, and whether the value is one.
func (v Value) Text() (string, bool) { return v.text, v.isTxt }

// Rat returns a copy of the exact number, nil for NULL and text. A STDDEV is exact to
// 40 significant digits.
func (v Value) Rat() *big.Rat {
	if v.num == nil {
		return nil
	}
	return new(big.Rat).Set(v.num)
}

// String prints the value as SQL output does: numbers with their scale, quotients
// with 17 significant digits and without trailing zeros, NULL as NULL.
func (v Value) String() string {
	switch {
	case v.isTxt:
		return v.text
	case v.num == nil:
		return "NULL"
	case !v.free:
		return v.num.FloatString(v.scale)
	}
	scale := min(max(significant-magnitude(v.num), v.scale, 0), maxScale)
	s := v.num.FloatString(scale) // rounds half away from zero
	if strings.Contains(s, ".") {
		s = strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
	}
	if s == "-0" {
		return "0"
	}
	return s
}

// magnitude returns the e with 10^(e-1) <= |r| < 10^e, 0 for zero.
func magnitude(r *big.Rat) int {
	if r.Sign() == 0 {
		return 0
	}
	num, den := new(big.Int).Abs(r.Num()), r.Denom()
	e := len(num.String()) - len(den.String()) // 10^(e-1) < |r| < 10^(e+1)
	shifted := new(big.Int).Set(num)
	bound := new(big.Int).Set(den)
	if ten := big.NewInt(10); e >= 0 {
		bound.Mul(bound, ten.Exp(ten, big.NewInt(int64(e)), nil))
	} else {
		shifted.Mul(shifted, ten.Exp(ten, big.NewInt(int64(-e)), nil))
	}
	if shifted.Cmp(bound) >= 0 {
		return e + 1
	}
	return e
}

// MarshalJSON writes numbers as JSON numbers with all digits that are printed.
func (v Value) MarshalJSON() ([]byte, error) {
	switch {
	case v.isTxt:
		return marshalText(v.text)
	case v.num == nil:
		return []byte("null"), nil
	}
	return []byte(v.String()), nil
}
