package query

import "strings"

// aggregateNames maps every accepted spelling of an aggregate.
var aggregateNames = map[string]Func{
	"count": Count, "sum": Sum, "avg": Avg,
	"var_pop": VarPop, "var_samp": VarSamp, "variance": VarSamp,
	"stddev_pop": StddevPop, "stddev_samp": StddevSamp, "stddev": StddevSamp,
	"covar_pop": CovarPop, "covar_samp": CovarSamp, "corr": Corr,
	"regr_slope": RegrSlope, "regr_intercept": RegrIntercept, "regr_r2": RegrR2, "regr_count": RegrCount,
	"regr_avgx": RegrAvgX, "regr_avgy": RegrAvgY, "regr_sxx": RegrSXX, "regr_syy": RegrSYY, "regr_sxy": RegrSXY,
	"min": Min, "max": Max, "percentile_disc": PercentileDisc, "percentile_cont": PercentileCont, "mode": Mode,
}

// AggregateFunc returns the aggregate of that name, in any spelling.
func AggregateFunc(name string) (Func, bool) {
	f, ok := aggregateNames[strings.ToLower(name)]
	return f, ok
}

// call parses the arguments of a function whose name has been read.
func (p *parser) call(name token) (Expr, error) {
	if name.text == "private" {
		return p.private(name.pos)
	}
	if f, ok := aggregateNames[name.text]; ok {
		return p.aggregate(f, name)
	}
	var (
		e   Expr
		err error
	)
	switch name.text {
	case string(Coalesce), string(Nullif), string(Round):
		e, err = p.plainCall(CallFunc(name.text), name.pos)
	case string(Extract), string(DatePartF), string(DateTrunc):
		e, err = p.datePart(DateFunc(name.text), name.pos)
	default:
		return nil, unknownFunction(name)
	}
	if err == nil && (p.isWord("filter") || p.isWord("over") || p.isWord("within")) {
		if p.isWord("filter") {
			return nil, Refuse(p.tok.pos, "SYNTAX", "FILTER stands behind an aggregate").Fix("write SUM(x) FILTER (WHERE ...)")
		}
		return nil, p.unexpected("an operator")
	}
	return e, err
}

func unknownFunction(name token) error {
	if f, ok := otherFunctions[name.text]; ok {
		return Refuse(name.pos, "UNSUPPORTED", "%s", f.why).Fix("%s", f.fix)
	}
	if u, ok := unsupported[name.text]; ok {
		return Refuse(name.pos, "UNSUPPORTED", "%s", u.why).Fix("%s", u.fix)
	}
	return Refuse(name.pos, "UNKNOWN_FUNCTION", "there is no function %s", shorten(name.text, 40)).
		Fix("functions of rows are COUNT, SUM, AVG, VAR_*, STDDEV_*, COVAR_*, CORR and REGR_*, of dimensions MIN, MAX, PERCENTILE_* and MODE; functions of released numbers are COALESCE, NULLIF and ROUND")
}

func (p *parser) plainCall(f CallFunc, at Pos) (Expr, error) {
	if err := p.needOp("("); err != nil {
		return nil, err
	}
	c := &Call{Func: f, At: at}
	err := p.list(func() error {
		e, err := p.expr()
		c.Args = append(c.Args, e)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := p.needOp(")"); err != nil {
		return nil, err
	}
	n := len(c.Args)
	switch {
	case f == Nullif && n != 2:
		return nil, Refuse(at, "SYNTAX", "NULLIF takes two arguments").Fix("write NULLIF(a, 0)")
	case f == Round && n > 2:
		return nil, Refuse(at, "SYNTAX", "ROUND takes one or two arguments").Fix("write ROUND(a, 2)")
	}
	return c, nil
}
