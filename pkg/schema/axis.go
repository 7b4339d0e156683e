package schema

import (
	"fmt"
	"math"
	"strings"
)

// Coding says how codes become indicator columns in the records layout. It decides
// how many columns are stored and how many of them a question multiplies.
type Coding string

const (
	// OneHot has a column for each code, 1 where the row has it.
	OneHot Coding = "onehot"
	// Cumulative has a column for each code but the last, 1 where the row has it or one
	// before it: any range is a difference of two columns.
	Cumulative Coding = "cumulative"
	// TwoDigit writes the number of the code as two digits and has a column for each
	// value of either: about twice the root of the number of codes. One code is a product
	// of two columns.
	TwoDigit Coding = "digits"
)

var codings = []string{string(OneHot), string(Cumulative), string(TwoDigit)}

// Combination makes one axis of several dimensions, so that a question about all of
// them takes the columns of one.
type Combination struct {
	Dimensions []string `json:"dimensions"` // the first is outermost in the numbers of codes
	Encoding   Coding   `json:"encoding,omitempty"`
}

// Axis is a dimension, or several combined, as the records layout encodes it. A
// combination of codes has a number: mixed radix over the dimensions, the first
// outermost, NULL the last code of a nullable one.
type Axis struct {
	Dimensions []int // positions in the schema
	Coding     Coding
	Size       int // how many numbers there are
	Radix      int // TwoDigit: number = Radix*high + low; otherwise 0
	First      uint32
}

// Test is what an indicator column says about the number of the row's codes.
type Test int

const (
	Equals Test = iota + 1 // number = Code
	AtMost                 // number <= Code
	HighIs                 // number / Radix = Code
	LowIs                  // number mod Radix = Code
)

// Width is the number of columns of the axis.
func (a *Axis) Width() int {
	switch a.Coding {
	case Cumulative:
		return a.Size - 1
	case TwoDigit:
		return a.Highs() + a.Radix
	}
	return a.Size
}

// Highs is how many values the high digit has.
func (a *Axis) Highs() int { return (a.Size + a.Radix - 1) / a.Radix }

// Column returns the number of the column that makes the test with this code. The
// test has to be one of the axis's coding and the code within its range.
func (a *Axis) Column(test Test, code int) uint32 {
	if test == LowIs {
		code += a.Highs()
	}
	return a.First + uint32(code)
}

// axes lists the axes of the schema's dimensions: in schema order, a combination at
// the place of its first member there.
func (s *Schema) axes() []Axis {
	var list []Axis
	seen := map[string]bool{}
	for i := range s.Dimensions {
		d := &s.Dimensions[i]
		if seen[d.Name] {
			continue
		}
		c := Combination{[]string{d.Name}, d.Encoding}
		for _, other := range s.Combine {
			for _, name := range other.Dimensions {
				if name == d.Name {
					c = other
				}
			}
		}
		a := Axis{Coding: c.Encoding, Size: 1}
		if a.Coding == "" {
			a.Coding = OneHot
		}
		for _, name := range c.Dimensions {
			seen[name] = true
			at := s.Dimension(name)
			a.Dimensions = append(a.Dimensions, at)
			a.Size *= s.Dimensions[at].Cardinality()
		}
		if a.Coding == TwoDigit {
			a.Radix = int(math.Ceil(math.Sqrt(float64(a.Size)))) // exact: Size is far below 2^52
		}
		list = append(list, a)
	}
	return list
}

// indicators lists the columns of an axis, with the tests they make.
func (a *Axis) indicators() []Column {
	var list []Column
	add := func(test Test, n int) {
		for code := range n {
			list = append(list, Column{Test: test, Code: code})
		}
	}
	switch a.Coding {
	case Cumulative:
		add(AtMost, a.Size-1)
	case TwoDigit:
		add(HighIs, a.Highs())
		add(LowIs, a.Radix)
	default:
		add(Equals, a.Size)
	}
	return list
}

// indicatorName is for people: "month=03", "month<=03", "partner is null",
// "(flag,status)=(A,F)"; and for the digits of the number "country/18=3", "country%18=5".
func (s *Schema) indicatorName(a *Axis, c *Column) string {
	names, values := make([]string, len(a.Dimensions)), make([]string, len(a.Dimensions))
	null := false
	rest := c.Code
	for i := len(a.Dimensions) - 1; i >= 0; i-- {
		d := &s.Dimensions[a.Dimensions[i]]
		code := rest % d.Cardinality()
		rest /= d.Cardinality()
		names[i] = d.Name
		if null = code == len(d.Codes); null {
			values[i] = "null"
		} else {
			values[i] = d.Codes[code].Value
		}
	}
	name, value := names[0], values[0]
	if len(names) > 1 {
		name, value = "("+strings.Join(names, ",")+")", "("+strings.Join(values, ",")+")"
	}
	switch {
	case c.Test == AtMost:
		return name + "<=" + value
	case c.Test == HighIs:
		return fmt.Sprintf("%s/%d=%d", name, a.Radix, c.Code)
	case c.Test == LowIs:
		return fmt.Sprintf("%s%%%d=%d", name, a.Radix, c.Code)
	case null && len(names) == 1:
		return name + " is null"
	}
	return name + "=" + value
}
