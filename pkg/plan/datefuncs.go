package plan

import (
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/carnet-network/carnet/pkg/query"
)

// finer lists the fields that are the same for every date of a dimension with months
// or years, and would only look like an answer.
var finer = map[dateUnit][]string{
	unitMonth: {"week", "day", "dow", "isodow", "doy", "isoyear"},
	unitYear:  {"week", "day", "dow", "isodow", "doy", "isoyear", "month", "quarter"},
}

// datePartType is the type of a date function.
func datePartType(e *query.DatePart, x static, unit dateUnit) (static, error) {
	if x.kind != dateNode && x.kind != nullNode {
		return static{}, typeMismatch(e.X.Position(), "%s is %s, and not a date", query.Format(e.X), x.what()).
			Fix("use a dimension that the schema declares with type: date")
	}
	if slices.Contains(finer[unit], e.Field) {
		return static{}, query.Refuse(e.At, "UNSUPPORTED", "%s holds whole %ss: it has no %s", query.Format(e.X), unit, e.Field).
			Fix("ask for a %s or something coarser", unit)
	}
	switch e.Func {
	case query.DateTrunc:
		return static{kind: dateNode, stamp: true}, nil
	case query.Extract:
		return static{kind: numberNode, num: numericType}, nil
	}
	return static{kind: numberNode, num: floatType}, nil
}

// datePartValue computes a date function.
func datePartValue(e *query.DatePart, v Value) Value {
	if v.IsNull() {
		return v
	}
	t := day(v)
	if e.Func == query.DateTrunc {
		out, _ := dateValue(truncated(t, e.Field))
		return out
	}
	return NumberValue(big.NewRat(int64(field(t, e.Field)), 1), 0)
}

func weekday(t time.Time) int { return (int(t.Weekday())+6)%7 + 1 } // Monday is 1

func field(t time.Time, name string) int {
	year, week := t.ISOWeek()
	switch name {
	case "year":
		return t.Year()
	case "quarter":
		return (int(t.Month())-1)/3 + 1
	case "month":
		return int(t.Month())
	case "week":
		return week
	case "day":
		return t.Day()
	case "dow":
		return weekday(t) % 7
	case "isodow":
		return weekday(t)
	case "doy":
		return t.YearDay()
	case "isoyear":
		return year
	case "decade":
		return t.Year() / 10
	case "century":
		return (t.Year() + 99) / 100
	}
	return (t.Year() + 999) / 1000
}

// truncated goes back to the beginning of a field.
func truncated(t time.Time, name string) time.Time {
	first := func(year int, month time.Month) time.Time {
		return time.Date(year, month, 1, 0, 0, 0, 0, time.UTC)
	}
	switch name {
	case "year":
		return first(t.Year(), 1)
	case "quarter":
		return first(t.Year(), (t.Month()-1)/3*3+1)
	case "month":
		return first(t.Year(), t.Month())
	case "week":
		return t.AddDate(0, 0, 1-weekday(t))
	case "decade":
		return first(max(1, t.Year()/10*10), 1)
	}
	return t
}

// castType is the type of a cast.
func castType(e *query.Cast, x static) (static, error) {
	if x.kind == nullNode {
		return x, nil
	}
	switch {
	case e.To == query.DateType && x.kind == dateNode:
		x.stamp = false
		return x, nil
	case e.To == query.NumericType && x.kind == numberNode:
		x.num = numericType
		return x, nil
	case e.To == query.IntegerType && x.kind == numberNode:
		return static{kind: numberNode}, nil
	}
	r := typeMismatch(e.At, "%s is %s, which is not cast to %s", query.Format(e.X), x.what(), strings.ToUpper(string(e.To)))
	if e.To == query.DateType {
		return x, r.Fix("use a dimension that the schema declares with type: date")
	}
	return x, r.Fix("cast numbers to NUMERIC or INTEGER, dates to DATE")
}

// castValue casts a value of type x.
func castValue(e *query.Cast, x static, v Value) Value {
	if e.To == query.IntegerType && v.num != nil {
		return NumberValue(roundAs(x.num, v.num, 0), 0)
	}
	return v
}

// roundAs rounds as PostgreSQL does: numerics half away from zero, floats half to
// even.
func roundAs(t numberType, r *big.Rat, digits int) *big.Rat {
	if t == floatType {
		twice := new(big.Rat).Mul(r, big.NewRat(2, 1))
		if twice.IsInt() && twice.Num().Bit(0) == 1 { // a tie
			half := new(big.Rat).Quo(r, big.NewRat(2, 1))
			return half.Mul(round(half, 0), big.NewRat(2, 1))
		}
	}
	return round(r, digits)
}
