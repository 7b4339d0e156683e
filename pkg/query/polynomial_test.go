package query

import (
	"math/big"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func polynomial(t require.TestingT, text string) Polynomial {
	e, err := ParseExpr(text)
	require.NoError(t, err, text)
	p, err := PolynomialOf(e, nil)
	require.NoError(t, err, text)
	return p
}

func TestPolynomialNormalForm(t *testing.T) {
	for text, want := range map[string]string{
		"b * a + 2 * a * b":                "3 * a * b",
		"price * (1 - discount)":           "price - discount * price",
		"price*(1 - discount)*(1 + tax)":   "price - discount * price + price * tax - discount * price * tax",
		"(x - y) * (x - y)":                "x * x - 2 * x * y + y * y",
		"- (x - 3) / 2":                    "1.5 - 0.5 * x",
		"x - x":                            "0",
		"x / 3":                            "1.0 / 3 * x",
		"2e2 * x + .5":                     "0.5 + 200 * x",
		"c + b + a + a * a + 1 + z * 0":    "1 + a + b + c + a * a",
		"\"A b\" * -1":                     `- "A b"`,
		"(a + 1) * (a - 1) - a * a + 1e-1": "- 0.9",
	} {
		p := polynomial(t, text)
		require.Equal(t, want, p.String(), text)
		require.Equal(t, want, polynomial(t, want).String())
	}
}

// What cancels out still decides about NULL.
func TestPolynomialKeepsColumns(t *testing.T) {
	p := polynomial(t, "x - x + y * 0 + 1")
	require.Equal(t, []string{"x", "y"}, p.Columns)
	require.Equal(t, "1", p.String())
	require.Nil(t, p.Constant())
	require.False(t, p.Equal(polynomial(t, "1")))
	require.True(t, p.Equal(polynomial(t, "y - y + 1 + 0 * x")))
	require.Zero(t, polynomial(t, "2 - 3").Constant().Cmp(big.NewRat(-1, 1)))
}

func TestPolynomialSubstitute(t *testing.T) {
	net := polynomial(t, "price * (1 - discount)")
	p, ok := polynomial(t, "net * (1 + tax)").Substitute(func(c string) (Polynomial, bool) { return net, c == "net" })
	require.True(t, ok)
	require.True(t, p.Equal(polynomial(t, "price * (1 - discount) * (1 + tax)")))
	p, ok = polynomial(t, "net - net").Substitute(func(c string) (Polynomial, bool) { return net, c == "net" })
	require.True(t, ok)
	require.Equal(t, []string{"discount", "price"}, p.Columns)
}

func TestPolynomialDecimals(t *testing.T) {
	two := func(string) int { return 2 }
	n, ok := polynomial(t, "price * (1 - discount) * (1 + tax) + 0.125").Decimals(two)
	require.True(t, ok)
	require.Equal(t, 6, n)
	_, ok = polynomial(t, "x / 3").Decimals(two)
	require.False(t, ok)
}

func TestPolynomialRefusals(t *testing.T) {
	for text, reason := range map[string]string{
		"x / y": "UNSUPPORTED", "x / (1 - 1)": "DIVISION_BY_ZERO", "ROUND(x)": "UNSUPPORTED", "x = 1": "UNSUPPORTED", "'a'": "UNSUPPORTED",
		"x * x * x * x * x * x * x * x * x":                           "TOO_COMPLEX",
		"(a+b+c+d+e+f+g+h) * (a+b+c+d+e+f+g+h) * (a+b+c+d+e+f+g+h+i)": "TOO_COMPLEX",
		"NULL * x": "UNSUPPORTED",
	} {
		e, err := ParseExpr(text)
		require.NoError(t, err, text)
		_, err = PolynomialOf(e, nil)
		var r *Refusal
		require.ErrorAs(t, err, &r, text)
		require.Equal(t, reason, r.Reason, text)
		require.NotEmpty(t, r.Remedy)
	}
	_, err := ParseExpr("x + 1 FROM p")
	require.Error(t, err)
	_, err = ParseExpr("")
	require.Error(t, err)
}

// The normal form has the value of the expression, and the order of operands makes no
// difference.
func TestPolynomialValues(t *testing.T) {
	names := []string{"x", "y", "z"}
	var draw func(t *rapid.T, depth int) Expr
	draw = func(t *rapid.T, depth int) Expr {
		if depth == 0 || rapid.IntRange(0, 3).Draw(t, "leaf") == 0 {
			if rapid.Bool().Draw(t, "number") {
				return &Literal{Number, rapid.SampledFrom([]string{"0", "1", "2.5", "7"}).Draw(t, "n"), Pos{}}
			}
			return &ColumnRef{"", rapid.SampledFrom(names).Draw(t, "name"), Pos{}}
		}
		if rapid.IntRange(0, 5).Draw(t, "neg") == 0 {
			return &Unary{Neg, draw(t, depth-1), Pos{}}
		}
		return &Binary{rapid.SampledFrom([]Op{Add, Sub, Mul}).Draw(t, "op"), draw(t, depth-1), draw(t, depth-1), Pos{}}
	}
	values := map[string]*big.Rat{"x": big.NewRat(3, 1), "y": big.NewRat(-5, 2), "z": big.NewRat(11, 7)}
	var eval func(e Expr) *big.Rat
	eval = func(e Expr) *big.Rat {
		switch e := e.(type) {
		case *Literal:
			r, _ := new(big.Rat).SetString(e.Text)
			return r
		case *ColumnRef:
			return values[e.Name]
		case *Unary:
			return new(big.Rat).Neg(eval(e.X))
		}
		b := e.(*Binary)
		x, y := eval(b.X), eval(b.Y)
		switch b.Op {
		case Add:
			return new(big.Rat).Add(x, y)
		case Sub:
			return new(big.Rat).Sub(x, y)
		}
		return new(big.Rat).Mul(x, y)
	}
	rapid.Check(t, func(t *rapid.T) {
		e := draw(t, 4)
		p, err := PolynomialOf(e, nil)
		if err != nil {
			return
		}
		require.Zero(t, eval(e).Cmp(p.Eval(func(c string) *big.Rat { return values[c] })), Format(e))
		var columns []string
		Walk(e, func(x Expr) bool {
			if c, ok := x.(*ColumnRef); ok {
				columns = append(columns, c.Name)
			}
			return true
		})
		slices.Sort(columns)
		require.Equal(t, slices.Compact(columns), p.Columns)
	})
}
