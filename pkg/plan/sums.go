package plan

import (
	"math/big"

	"github.com/carnet-network/carnet/pkg/query"
)

// sums is an aggregate that is computed from the number of rows where its arguments
// are not NULL and from sums over them.
type sums struct {
	function         query.Func
	n                combination
	x, y, xx, yy, xy combination
	scale            int // of x, as it prints
	free             bool
	num              numberType // of x
	// always: a sum of no rows is not NULL. With noise a count does not tell whether there
	// are any, and would cost as much again.
	always bool
}

// value computes the aggregate from the totals of a group.
func (s *sums) value(totals []*big.Int) Value {
	n := s.n.value(totals)
	if s.function == query.Count || s.function == query.RegrCount {
		return Value{num: n}
	}
	if n.Sign() <= 0 && !s.always {
		return Value{}
	}
	t := s.shape()
	r := s.compute(n, totals)
	if r == nil {
		return Value{}
	}
	return Value{num: r, scale: t.scale, free: t.free}
}

var one = big.NewRat(1, 1)

// compute returns nil for NULL.
func (s *sums) compute(n *big.Rat, totals []*big.Int) *big.Rat {
	mean := func(c combination) *big.Rat {
		v := c.value(totals)
		return v.Quo(v, n)
	}
	// deviation is the sum of (a - mean of a)(b - mean of b): Σab - Σa Σb / n.
	deviation := func(ab, a, b combination) *big.Rat {
		v := new(big.Rat).Mul(mean(a), b.value(totals))
		return v.Sub(ab.value(totals), v)
	}
	square := func(aa, a combination) *big.Rat {
		v := deviation(aa, a, a)
		if v.Sign() < 0 { // only for totals that no rows can have
			v.SetInt64(0)
		}
		return v
	}
	over := func(v, by *big.Rat) *big.Rat {
		if by.Sign() == 0 {
			return nil
		}
		return v.Quo(v, by)
	}
	less := new(big.Rat).Sub(n, one)
	switch s.function {
	case query.Sum:
		return s.x.value(totals)
	case query.Avg, query.RegrAvgX:
		return mean(s.x)
	case query.RegrAvgY:
		return mean(s.y)
	case query.VarPop:
		return over(square(s.xx, s.x), n)
	case query.VarSamp:
		return over(square(s.xx, s.x), less)
	case query.StddevPop:
		return root(over(square(s.xx, s.x), n))
	case query.StddevSamp:
		if v := over(square(s.xx, s.x), less); v != nil {
			return root(v)
		}
		return nil
	case query.CovarPop:
		return over(deviation(s.xy, s.x, s.y), n)
	case query.CovarSamp:
		return over(deviation(s.xy, s.x, s.y), less)
	case query.RegrSXX:
		return square(s.xx, s.x)
	case query.RegrSYY:
		return square(s.yy, s.y)
	case query.RegrSXY:
		return deviation(s.xy, s.x, s.y)
	case query.RegrSlope:
		return over(deviation(s.xy, s.x, s.y), square(s.xx, s.x))
	case query.RegrIntercept:
		slope := over(deviation(s.xy, s.x, s.y), square(s.xx, s.x))
		if slope == nil {
			return nil
		}
		slope.Mul(slope, mean(s.x))
		return slope.Sub(mean(s.y), slope)
	}
	return s.related(deviation(s.xy, s.x, s.y), square(s.xx, s.x), square(s.yy, s.y))
}

// related computes CORR and REGR_R2.
func (s *sums) related(xy, xx, yy *big.Rat) *big.Rat {
	switch {
	case xx.Sign() == 0:
		return nil
	case yy.Sign() == 0 && s.function == query.RegrR2:
		return one
	case yy.Sign() == 0:
		return nil
	}
	both := new(big.Rat).Mul(xx, yy)
	squared := new(big.Rat).Mul(xy, xy)
	squared.Quo(squared, both)
	if s.function == query.RegrR2 {
		return squared
	}
	r := root(squared)
	if xy.Sign() < 0 {
		r.Neg(r)
	}
	return r
}

// shape is the type of the aggregate.
func (s *sums) shape() static {
	switch s.function {
	case query.Count, query.RegrCount:
		return static{kind: numberNode}
	case query.Sum:
		return static{kind: numberNode, num: s.num, scale: s.scale, free: s.free}
	case query.VarPop, query.VarSamp:
		return static{kind: numberNode, num: numericType, scale: min(2*s.scale, maxScale), free: true}
	case query.Avg, query.StddevPop, query.StddevSamp:
		return static{kind: numberNode, num: numericType, scale: s.scale, free: true}
	}
	return static{kind: numberNode, num: floatType, free: true}
}
