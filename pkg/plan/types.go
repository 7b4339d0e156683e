package plan

import (
	"math/big"
	"time"

	"github.com/carnet-network/carnet/pkg/query"
)

type nodeKind int

const (
	nullNode nodeKind = iota
	numberNode
	textNode
	dateNode // its values are texts YYYY-MM-DD
)

// numberType is what PostgreSQL would call a number. Values are exact in all of them:
// the type decides what / and ROUND mean.
type numberType int

const (
	integerType numberType = iota // counts, whole numbers, integer columns: / drops the remainder
	numericType                   // measures and sums of them
	floatType                     // CORR and the like
)

// static is what is known of a value before any value is.
type static struct {
	kind  nodeKind
	num   numberType // number
	scale int        // number: digits after the point
	free  bool       // number: quotients and roots print more digits
	stamp bool       // date: PostgreSQL would have a timestamp, of midnight
	list  string     // text: codes of this column, which have an order of their own
}

func (s static) what() string {
	switch s.kind {
	case numberNode:
		return "a number"
	case dateNode:
		return "a date"
	case textNode:
		if s.list != "" {
			return "a code of " + s.list
		}
		return "text"
	}
	return "NULL"
}

// unify is the type of a value that is one or the other.
func unify(a, b static) (static, bool) {
	switch {
	case a.kind == nullNode:
		return b, true
	case b.kind == nullNode:
		return a, true
	case a.kind != b.kind, a.list != "", b.list != "":
		return a, false
	}
	return static{kind: a.kind, num: max(a.num, b.num), scale: max(a.scale, b.scale), free: a.free || b.free, stamp: a.stamp || b.stamp}, true
}

// ordered refuses codes with an order of their own where their texts would be compared.
func (s static) ordered(at query.Pos) error {
	if s.list == "" {
		return nil
	}
	return query.Refuse(at, "UNSUPPORTED", "codes of %s are compared and ordered as a column only, not inside expressions", s.list).
		Fix("use %s itself, and compare it with values", s.list)
}

// as gives a value the type of the place it comes to.
func (s static) as(v Value) Value {
	if v.num != nil {
		v.scale, v.free = s.scale, s.free
	}
	return v
}

func typeMismatch(at query.Pos, format string, args ...any) *query.Refusal {
	return query.Refuse(at, "TYPE_MISMATCH", format, args...).Fix("compare and compute with values of one type: numbers with numbers, text with text")
}

// arithmeticType is the type of x op y; it refuses what has none.
func arithmeticType(e *query.Binary, x, y static) (static, error) {
	if x.kind == dateNode || y.kind == dateNode {
		return dateArithmetic(e, x, y)
	}
	for i, s := range []static{x, y} {
		if s.kind == textNode {
			side := []query.Expr{e.X, e.Y}[i]
			return static{}, typeMismatch(side.Position(), "%s is text, and only numbers are computed with", query.Format(side)).Fix("use aggregates and numbers")
		}
	}
	out := static{kind: numberNode, num: max(x.num, y.num), scale: max(x.scale, y.scale), free: x.free || y.free}
	switch e.Op {
	case query.Mul:
		out.scale = x.scale + y.scale
	case query.Div:
		out.free = out.num != integerType
	}
	if out.scale > maxScale {
		out.scale, out.free = maxScale, true
	}
	return out, nil
}

// dateArithmetic is the type of date - date and date +- whole number; intervals are
// dealt with by shift.
func dateArithmetic(e *query.Binary, x, y static) (static, error) {
	whole := func(s static) bool {
		return s.kind == nullNode || s.kind == numberNode && s.num == integerType
	}
	switch {
	case e.Op == query.Sub && x.kind == dateNode && y.kind == dateNode && !x.stamp && !y.stamp:
		return static{kind: numberNode}, nil
	case (e.Op == query.Sub || e.Op == query.Add) && x.kind == dateNode && !x.stamp && whole(y):
		return x, nil
	case e.Op == query.Add && y.kind == dateNode && !y.stamp && whole(x):
		return y, nil
	}
	return static{}, typeMismatch(e.At, "%s is not defined: dates are subtracted from each other, and moved by days and intervals", query.Format(e)).
		Fix("write d + 7, d - INTERVAL '3' MONTH or d - DATE '2024-01-31'; of a date with a time, CAST(... AS DATE) first")
}

// day reads a date that is known to be one.
func day(v Value) time.Time {
	t, _ := query.ParseDate(v.text)
	return t
}

// dateValue makes a date; ok is false outside the years 1 to 9999.
func dateValue(t time.Time) (Value, bool) {
	if t.Year() < 1 || t.Year() > 9999 {
		return Value{}, false
	}
	return TextValue(t.Format("2006-01-02")), true
}

// maxDays bounds what a date is moved by.
const maxDays = 4_000_000

// arithmeticValue computes x op y of the type out; ok is false for a division by zero
// and for dates out of range.
func arithmeticValue(op query.Op, out, x, y static, a, b Value) (Value, bool) {
	if a.IsNull() || b.IsNull() {
		return Value{}, true
	}
	switch {
	case x.kind == dateNode && y.kind == dateNode:
		return NumberValue(big.NewRat(int64(day(a).Sub(day(b)).Hours()/24), 1), 0), true
	case x.kind == dateNode, y.kind == dateNode:
		if y.kind == dateNode {
			a, b = b, a
		}
		n := b.num.Num()
		if n.CmpAbs(big.NewInt(maxDays)) > 0 {
			return Value{}, false
		}
		days := int(n.Int64())
		if op == query.Sub {
			days = -days
		}
		return dateValue(day(a).AddDate(0, 0, days))
	}
	r, ok := arithmetic(op, a.num, b.num)
	if !ok {
		return Value{}, false
	}
	if op == query.Div && out.num == integerType {
		r = new(big.Rat).SetInt(new(big.Int).Quo(r.Num(), r.Denom()))
	}
	return Value{num: r, scale: out.scale, free: out.free}, true
}

// moved adds an interval to a date; ok is false outside the years 1 to 9999.
func moved(v Value, s query.Span, sign int) (Value, bool) {
	if v.IsNull() {
		return v, true
	}
	t, ok := s.After(day(v), sign)
	if !ok {
		return Value{}, false
	}
	return dateValue(t)
}
