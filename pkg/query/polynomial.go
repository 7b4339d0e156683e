package query

import (
	"math/big"
	"slices"
	"strings"
)

// Bounds of a polynomial: what has more is not worth expanding.
const (
	MaxTerms  = 256
	MaxDegree = 8
)

// Term is a coefficient times a product of columns.
type Term struct {
	Factors     []string // ascending, a power repeats its column; empty for the constant
	Coefficient *big.Rat // not zero; never changed
}

// Polynomial is an expression over columns in normal form: the sum of its terms. Two
// expressions with the same value for all values of their columns have equal terms.
//
// NULL in any column that the expression names makes its value NULL, also where the
// column cancels out, as in x - x + 1: Columns lists all of them. The zero value is
// the number 0. A Polynomial is not changed once made.
type Polynomial struct {
	Terms   []Term   // by degree, then by factors; every product of columns once
	Columns []string // ascending, each once
}

// ConstantPolynomial is a number.
func ConstantPolynomial(r *big.Rat) Polynomial {
	if r.Sign() == 0 {
		return Polynomial{}
	}
	return Polynomial{Terms: []Term{{nil, new(big.Rat).Set(r)}}}
}

// ColumnPolynomial is a column.
func ColumnPolynomial(name string) Polynomial {
	return Polynomial{[]Term{{[]string{name}, big.NewRat(1, 1)}}, []string{name}}
}

// key orders and identifies products of columns. Names contain no control characters.
func (t Term) key() string {
	return string(rune('0'+len(t.Factors))) + strings.Join(t.Factors, "\x00")
}

// normal collects equal products and sorts.
func normal(terms []Term, columns []string) Polynomial {
	slices.SortFunc(terms, func(a, b Term) int { return strings.Compare(a.key(), b.key()) })
	p := Polynomial{Columns: slices.Clone(columns)}
	slices.Sort(p.Columns)
	p.Columns = slices.Compact(p.Columns)
	for _, t := range terms {
		if n := len(p.Terms); n > 0 && slices.Equal(p.Terms[n-1].Factors, t.Factors) {
			p.Terms[n-1].Coefficient = new(big.Rat).Add(p.Terms[n-1].Coefficient, t.Coefficient)
			continue
		}
		p.Terms = append(p.Terms, t)
	}
	p.Terms = slices.DeleteFunc(p.Terms, func(t Term) bool { return t.Coefficient.Sign() == 0 })
	return p
}

// Plus returns p + q.
func (p Polynomial) Plus(q Polynomial) Polynomial {
	return normal(slices.Concat(p.Terms, q.Terms), slices.Concat(p.Columns, q.Columns))
}

// Scaled returns r times p.
func (p Polynomial) Scaled(r *big.Rat) Polynomial {
	out := make([]Term, len(p.Terms))
	for i, t := range p.Terms {
		out[i] = Term{t.Factors, new(big.Rat).Mul(t.Coefficient, r)}
	}
	return normal(out, p.Columns)
}

// Times returns p times q; ok is false if the product exceeds MaxTerms or MaxDegree.
func (p Polynomial) Times(q Polynomial) (_ Polynomial, ok bool) {
	if len(p.Terms)*len(q.Terms) > MaxTerms || p.Degree()+q.Degree() > MaxDegree {
		return Polynomial{}, false
	}
	var out []Term
	for _, a := range p.Terms {
		for _, b := range q.Terms {
			factors := slices.Concat(a.Factors, b.Factors)
			slices.Sort(factors)
			out = append(out, Term{factors, new(big.Rat).Mul(a.Coefficient, b.Coefficient)})
		}
	}
	return normal(out, slices.Concat(p.Columns, q.Columns)), true
}

// Substitute replaces columns: of returns what a column stands for, or false if it
// stands for itself. Columns of the result are those that the Columns of p stand for.
// ok is false if the result is too large.
func (p Polynomial) Substitute(of func(column string) (Polynomial, bool)) (_ Polynomial, ok bool) {
	value := func(c string) Polynomial {
		if q, replaced := of(c); replaced {
			return q
		}
		return ColumnPolynomial(c)
	}
	sum := Polynomial{}
	var columns []string
	for _, c := range p.Columns {
		columns = append(columns, value(c).Columns...)
	}
	for _, t := range p.Terms {
		product := ConstantPolynomial(t.Coefficient)
		for _, f := range t.Factors {
			if product, ok = product.Times(value(f)); !ok {
				return Polynomial{}, false
			}
		}
		if sum = sum.Plus(product); len(sum.Terms) > MaxTerms {
			return Polynomial{}, false
		}
	}
	return normal(sum.Terms, columns), true
}

// Degree is the largest number of factors of a term, 0 for a number.
func (p Polynomial) Degree() int {
	d := 0
	for _, t := range p.Terms {
		d = max(d, len(t.Factors))
	}
	return d
}

// Constant returns the value of a polynomial that names no column, nil for others.
func (p Polynomial) Constant() *big.Rat {
	switch {
	case len(p.Columns) > 0:
		return nil
	case len(p.Terms) == 0:
		return new(big.Rat)
	}
	return new(big.Rat).Set(p.Terms[0].Coefficient)
}

// Equal reports whether two polynomials have the same value for all values of their
// columns, NULL included.
func (p Polynomial) Equal(q Polynomial) bool {
	same := func(a, b Term) bool {
		return slices.Equal(a.Factors, b.Factors) && a.Coefficient.Cmp(b.Coefficient) == 0
	}
	return slices.EqualFunc(p.Terms, q.Terms, same) && slices.Equal(p.Columns, q.Columns)
}

// Eval returns the value where of gives those of the columns, none of them NULL.
func (p Polynomial) Eval(of func(column string) *big.Rat) *big.Rat {
	sum := new(big.Rat)
	for _, t := range p.Terms {
		v := new(big.Rat).Set(t.Coefficient)
		for _, f := range t.Factors {
			v.Mul(v, of(f))
		}
		sum.Add(sum, v)
	}
	return sum
}

// Decimals returns the digits after the point that the value has at most, given
// those of the columns; ok is false if a coefficient is no decimal number.
func (p Polynomial) Decimals(of func(column string) int) (n int, ok bool) {
	for _, t := range p.Terms {
		digits, exact := t.Coefficient.FloatPrec()
		if !exact {
			return 0, false
		}
		for _, f := range t.Factors {
			digits += of(f)
		}
		n = max(n, digits)
	}
	return n, true
}

// String writes the polynomial as SQL.
func (p Polynomial) String() string {
	if len(p.Terms) == 0 {
		return "0"
	}
	var b strings.Builder
	for i, t := range p.Terms {
		c := new(big.Rat).Abs(t.Coefficient)
		switch {
		case t.Coefficient.Sign() < 0 && i == 0:
			b.WriteString("- ")
		case t.Coefficient.Sign() < 0:
			b.WriteString(" - ")
		case i > 0:
			b.WriteString(" + ")
		}
		one := c.Cmp(big.NewRat(1, 1)) == 0
		if !one || len(t.Factors) == 0 {
			b.WriteString(number(c))
		}
		for j, f := range t.Factors {
			if j > 0 || !one {
				b.WriteString(" * ")
			}
			b.WriteString(Quote(f))
		}
	}
	return b.String()
}

// number writes a rational as a decimal if it is one, else as a quotient.
func number(r *big.Rat) string {
	if n, exact := r.FloatPrec(); exact {
		return r.FloatString(n)
	}
	return r.Num().String() + ".0 / " + r.Denom().String()
}
