package query

import "math/big"

// PolynomialOf brings an expression of columns, numbers and + - * / into normal form;
// division is by numbers only. name gives the name a column goes by, or refuses it;
// if nil, columns go by the names written.
func PolynomialOf(e Expr, name func(*ColumnRef) (string, error)) (Polynomial, error) {
	switch e := e.(type) {
	case *Literal:
		if e.Kind == Number {
			r, ok := new(big.Rat).SetString(e.Text)
			if ok {
				return ConstantPolynomial(r), nil
			}
		}
	case *ColumnRef:
		n := e.Name
		if name != nil {
			var err error
			if n, err = name(e); err != nil {
				return Polynomial{}, err
			}
		}
		return ColumnPolynomial(n), nil
	case *Unary:
		if e.Op == Neg {
			x, err := PolynomialOf(e.X, name)
			return x.Scaled(big.NewRat(-1, 1)), err
		}
	case *Binary:
		switch e.Op {
		case Add, Sub, Mul, Div:
			x, err := PolynomialOf(e.X, name)
			if err != nil {
				return Polynomial{}, err
			}
			y, err := PolynomialOf(e.Y, name)
			if err != nil {
				return Polynomial{}, err
			}
			return e.Polynomial(x, y)
		}
	}
	return Polynomial{}, Refuse(e.Position(), "UNSUPPORTED", "%s is not made of columns, numbers and + - * /", Format(e)).
		Fix("write a polynomial of columns, such as x * (1 - y)")
}

// Polynomial computes the arithmetic operator on two polynomials.
func (e *Binary) Polynomial(x, y Polynomial) (Polynomial, error) {
	out, ok := Polynomial{}, true
	switch e.Op {
	case Add:
		out = x.Plus(y)
	case Sub:
		out = x.Plus(y.Scaled(big.NewRat(-1, 1)))
	case Mul:
		out, ok = x.Times(y)
	default:
		c := y.Constant()
		switch {
		case c == nil:
			return out, Refuse(e.At, "UNSUPPORTED", "%s divides by an encrypted value", Format(e)).
				Fix("the quotient of sums is possible: SUM(%s) / SUM(%s)", Format(e.X), Format(e.Y))
		case c.Sign() == 0:
			return out, Refuse(e.At, "DIVISION_BY_ZERO", "%s divides by zero", Format(e)).Fix("divide by another number")
		}
		out = x.Scaled(c.Inv(c))
	}
	if !ok || len(out.Terms) > MaxTerms {
		return Polynomial{}, Refuse(e.At, "TOO_COMPLEX", "multiplied out, the expression has more than %d terms or %d factors", MaxTerms, MaxDegree).
			Fix("aggregate its parts separately")
	}
	return out, nil
}
