package plan

import (
	"math/big"
	"strings"

	"github.com/carnet-network/carnet/pkg/query"
)

// maxOrdinal bounds the values that an order statistic counts.
const maxOrdinal = 512

// ordinal is an aggregate of the values of a dimension: the buyer works it out from
// the number of rows with each value, which are what is opened.
type ordinal struct {
	function query.Func
	static   static
	fraction *big.Rat // percentiles
	values   []Value  // in the order asked for
	counts   []combination
}

// ordinal finds out what MIN, MAX, a percentile or MODE needs.
func (n *needs) ordinal(e *query.Aggregate, chosen *cond) (aggregate, error) {
	name := strings.ToUpper(e.Name)
	var measure string
	query.Walk(e.Arg, func(x query.Expr) bool {
		if c, ok := x.(*query.ColumnRef); ok {
			if r, err := n.names.resolve(c); err == nil && r.measure >= 0 {
				measure = c.Name
			}
		}
		return true
	})
	if measure != "" {
		r := query.Refuse(e.Arg.Position(), "UNSUPPORTED", "%s of a measure would need its encrypted values to be compared", name)
		if list := n.names.u.Schema.BucketsOf(measure); len(list) > 0 {
			return nil, r.Fix("use %s, where the buckets of %s begin", strings.Join(list, " or "), measure)
		}
		return nil, r.Fix("use a dimension; a new version of the schema can have one with buckets: %s", measure)
	}
	x, err := n.names.rowValue(e.Arg)
	if err != nil {
		return nil, err
	}
	out := &ordinal{function: e.Func, static: x.static}
	if e.Fraction != nil {
		if out.fraction, err = fraction(e); err != nil {
			return nil, err
		}
	}
	if e.Func == query.PercentileCont {
		if x.kind != numberNode {
			return nil, typeMismatch(e.Arg.Position(), "PERCENTILE_CONT computes between values, and %s is %s", query.Format(e.Arg), x.what()).
				Fix("write PERCENTILE_DISC(...) WITHIN GROUP (ORDER BY %s)", query.Format(e.Arg))
		}
		out.static = static{kind: numberNode, num: floatType, free: true}
	}
	columns := used(e.Arg)
	if len(columns) == 0 {
		return nil, query.Refuse(e.Arg.Position(), "UNSUPPORTED", "%s of a constant is the constant", name).Fix("name a dimension")
	}
	n.counts = append(n.counts, columns...)
	c := &collector{n, e}
	values := x.distinct(n.names)
	if len(values) > maxOrdinal {
		return nil, query.Refuse(e.At, "TOO_COMPLEX", "%s counts the rows with each of %d values, at most %d are possible", query.Format(e), len(values), maxOrdinal).
			Fix("group by %s and read it off the released groups, or use something coarser", strings.Join(sortedSet(columns), ", "))
	}
	for i := range values {
		v := values[i]
		if e.Desc {
			v = values[len(values)-1-i]
		}
		if v.IsNull() {
			continue
		}
		when, err := n.names.holding(x, func(w Value) bool { return sameValue(v, w) })
		if err != nil {
			return nil, err
		}
		when = simplify(join(allOf, chosen, when))
		if when.never() {
			continue
		}
		f, err := n.filter(e, when)
		if err != nil {
			return nil, err
		}
		count := combination{}
		count.add(c.needs.add(e, need{filter: f}), one)
		out.values, out.counts = append(out.values, v), append(out.counts, count)
	}
	return out, nil
}

// fraction reads the fraction of a percentile.
func fraction(e *query.Aggregate) (*big.Rat, error) {
	s, ok := asScalar(e.Fraction)
	if !ok || s.num == nil || s.num.Sign() < 0 || s.num.Cmp(one) > 0 {
		return nil, query.Refuse(e.Fraction.Position(), "TYPE_MISMATCH", "the fraction of a percentile is a number from 0 to 1").
			Fix("write %s(0.5) WITHIN GROUP (ORDER BY %s)", strings.ToUpper(e.Name), query.Format(e.Arg))
	}
	return s.num, nil
}

func (o *ordinal) shape() static { return o.static }

// value computes the aggregate from the totals of a group.
func (o *ordinal) value(totals []*big.Int) Value {
	counts := make([]*big.Int, len(o.counts))
	rows := new(big.Int)
	for i, c := range o.counts {
		counts[i] = c.value(totals).Num()
		rows.Add(rows, counts[i])
	}
	if rows.Sign() <= 0 {
		return Value{}
	}
	last := new(big.Int).Sub(rows, big.NewInt(1))
	switch o.function {
	case query.Min:
		return o.row(counts, new(big.Int))
	case query.Max:
		return o.row(counts, last)
	case query.Mode:
		best := 0
		for i := range counts {
			if counts[i].Cmp(counts[best]) > 0 {
				best = i
			}
		}
		return o.values[best]
	case query.PercentileDisc:
		// The first row at which at least the fraction of all rows is reached.
		at := new(big.Rat).Mul(o.fraction, new(big.Rat).SetInt(rows))
		up := new(big.Int).Add(at.Num(), at.Denom())
		up.Quo(up.Sub(up, big.NewInt(1)), at.Denom())
		if up.Sign() > 0 {
			up.Sub(up, big.NewInt(1))
		}
		return o.row(counts, up)
	}
	at := new(big.Rat).Mul(o.fraction, new(big.Rat).SetInt(last))
	down := new(big.Int).Quo(at.Num(), at.Denom())
	lo := o.row(counts, down).num
	part := at.Sub(at, new(big.Rat).SetInt(down))
	if part.Sign() == 0 {
		return o.static.as(Value{num: lo})
	}
	hi := o.row(counts, down.Add(down, big.NewInt(1))).num
	part.Mul(part, new(big.Rat).Sub(hi, lo))
	return o.static.as(Value{num: part.Add(part, lo)})
}

// row returns the value of the row with that number, from 0, in the order of values.
func (o *ordinal) row(counts []*big.Int, at *big.Int) Value {
	seen := new(big.Int)
	for i, c := range counts {
		if seen.Add(seen, c); at.Cmp(seen) < 0 {
			return o.values[i]
		}
	}
	return o.values[len(o.values)-1]
}
