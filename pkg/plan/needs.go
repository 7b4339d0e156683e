package plan

import (
	"math/big"
	"slices"
	"strings"

	"github.com/carnet-network/carnet/pkg/query"
)

// maxFilters bounds the sets of rows that one query tells apart besides its groups.
const maxFilters = 4096

// need is a quantity that every group needs: the sum of a product over the rows that a
// filter selects.
type need struct {
	of     factors
	filter int // 0: WHERE; others: WHERE and a condition of an aggregate
	pair   int // number of the difference that it is one side of, 0 if it is none
	cross  int // number of the quantity of joined rows that it is instead, 0 if it is none
}

// needs collects quantities and filters; equal ones once.
type needs struct {
	names *names
	where query.Pos
	filterOf
	list    []need
	first   []*query.Aggregate // per need: the aggregate that asked first; nil for COUNT(*) of groups
	funcs   []string           // aggregates used, for the owners' terms
	filters []string           // columns used to select rows
	counts  []string           // columns whose codes are counted one by one
	join    *rowJoin           // of a join of rows: what aggregates are over
	known   []formula
}

// filterOf are the filters, and who asked for each.
type filterOf struct {
	conds  []*cond
	labels []string
	byKey  map[string]int
	called map[*query.Aggregate]string
}

func newNeeds(n *names, where *cond, at query.Pos, filters []string) *needs {
	var known []formula
	for i := range n.u.Schema.Measures {
		if p, ok := n.u.Schema.Formula(i); ok && !n.u.Schema.Measures[i].Clips() { // a clipped value is not the formula's
			known = append(known, formula{n.u.Schema.Measures[i].Name, p})
		}
	}
	return &needs{known: known, names: n, where: at, filterOf: filterOf{[]*cond{where}, []string{""}, map[string]int{everywhere.key(): 0}, map[*query.Aggregate]string{}}, filters: sortedSet(filters)}
}

func (n *needs) add(by *query.Aggregate, want need) int {
	if i := slices.Index(n.list, want); i >= 0 {
		return i
	}
	n.list = append(n.list, want)
	n.first = append(n.first, by)
	return len(n.list) - 1
}

// groupRows adds the row count of each group, need 0, which tells whether there is one.
func (n *needs) groupRows() { n.add(nil, need{}) }

// filter returns the number of the filter that adds a simplified condition to WHERE.
func (n *needs) filter(by *query.Aggregate, c *cond) (int, error) {
	key := c.key()
	if i, ok := n.byKey[key]; ok {
		return i, nil
	}
	if len(n.conds) >= maxFilters {
		return 0, query.Refuse(by.At, "TOO_COMPLEX", "the query tells more than %d sets of rows apart", maxFilters).
			Fix("ask for fewer codes, or group by the column")
	}
	n.byKey[key] = len(n.conds)
	n.conds = append(n.conds, join(allOf, n.conds[0], c))
	n.labels = append(n.labels, n.label(by))
	return len(n.conds) - 1, nil
}

// filterBy notes the columns of an expression that selects rows.
func (n *needs) filterBy(e query.Expr) {
	query.Walk(e, func(x query.Expr) bool {
		if c, ok := x.(*query.ColumnRef); ok && !slices.Contains(n.filters, c.Name) {
			n.filters = append(n.filters, c.Name)
		}
		return true
	})
}

// label is how descriptions call an aggregate.
func (n *needs) label(by *query.Aggregate) string {
	if n.called[by] == "" {
		text := query.Format(by)
		if r := []rune(text); len(r) > 120 {
			text = string(r[:120]) + "..."
		}
		n.called[by] = text
	}
	return n.called[by]
}

// formulas lists the measures that are polynomials of others.
func (n *needs) formulas() []formula { return n.known }

// aggregate is something that is computed from the totals of a group.
type aggregate interface {
	value(totals []*big.Int) Value
	shape() static
}

// aggregate finds out what an aggregate needs.
func (n *needs) aggregate(e *query.Aggregate) (aggregate, error) {
	if n.join != nil {
		return n.join.aggregate(e)
	}
	n.funcs = append(n.funcs, string(e.Func))
	chosen := everywhere
	if e.Filter != nil {
		c, err := n.names.condition(e.Filter)
		if err != nil {
			return nil, err
		}
		chosen = simplify(c.strict())
		n.filterBy(e.Filter)
	}
	switch {
	case e.Func.Ordinal():
		return n.ordinal(e, chosen)
	case e.Func.Pairs():
		return n.pair(e, chosen)
	}
	c := &collector{n, e}
	s := &sums{function: e.Func}
	if e.Func == query.Count {
		x, err := n.counted(e)
		if err != nil {
			return nil, err
		}
		s.n, err = c.count(x.within(chosen))
		return s, err
	}
	x, err := n.argument(e, e.Arg)
	if err != nil {
		return nil, err
	}
	if s.num, err = n.numberType(e, e.Arg); err != nil {
		return nil, err
	}
	x = x.within(chosen)
	if s.always = e.Func == query.Sum && n.names.u.noisy; !s.always {
		if s.n, err = c.count(x); err != nil {
			return nil, err
		}
	}
	if s.x, err = c.sum(x); err != nil {
		return nil, err
	}
	s.scale, s.free = n.decimals(x)
	if e.Func == query.Sum || e.Func == query.Avg {
		return s, nil
	}
	square, err := n.times(e, x, x)
	if err != nil {
		return nil, err
	}
	s.xx, err = c.sum(square)
	return s, err
}

// times multiplies two arguments with the same branches.
func (n *needs) times(e *query.Aggregate, x, y argument) (argument, error) {
	out := slices.Clone(x)
	for i := range out {
		p, ok := x[i].p.Times(y[i].p)
		if !ok {
			return nil, query.Refuse(e.At, "TOO_COMPLEX", "multiplied out, %s has more than %d terms or %d factors", query.Format(e), query.MaxTerms, query.MaxDegree).
				Fix("aggregate a measure: %s(%s)", strings.ToUpper(e.Name), n.firstMeasure())
		}
		out[i].p = p
	}
	return out, nil
}

// pair finds out what an aggregate of two arguments needs, all of it over the rows
// where both are not NULL.
func (n *needs) pair(e *query.Aggregate, chosen *cond) (aggregate, error) {
	first, err := n.argument(e, e.Arg)
	if err != nil {
		return nil, err
	}
	second, err := n.argument(e, e.Arg2)
	if err != nil {
		return nil, err
	}
	y, x, err := paired(first.within(chosen), second, e.At)
	if err != nil {
		return nil, err
	}
	c := &collector{n, e}
	s := &sums{function: e.Func}
	if s.n, err = c.count(x); err != nil {
		return nil, err
	}
	for _, q := range []struct {
		into *combination
		of   [2]argument
		by   []query.Func
	}{
		{&s.x, [2]argument{x, nil}, []query.Func{query.CovarPop, query.CovarSamp, query.Corr, query.RegrSlope, query.RegrIntercept, query.RegrR2, query.RegrAvgX, query.RegrSXX, query.RegrSXY}},
		{&s.y, [2]argument{y, nil}, []query.Func{query.CovarPop, query.CovarSamp, query.Corr, query.RegrSlope, query.RegrIntercept, query.RegrR2, query.RegrAvgY, query.RegrSYY, query.RegrSXY}},
		{&s.xy, [2]argument{x, y}, []query.Func{query.CovarPop, query.CovarSamp, query.Corr, query.RegrSlope, query.RegrIntercept, query.RegrR2, query.RegrSXY}},
		{&s.xx, [2]argument{x, x}, []query.Func{query.Corr, query.RegrSlope, query.RegrIntercept, query.RegrR2, query.RegrSXX}},
		{&s.yy, [2]argument{y, y}, []query.Func{query.Corr, query.RegrR2, query.RegrSYY}},
	} {
		if !slices.Contains(q.by, e.Func) {
			continue
		}
		of := q.of[0]
		if q.of[1] != nil {
			if of, err = n.times(e, q.of[0], q.of[1]); err != nil {
				return nil, err
			}
		}
		if *q.into, err = c.sum(of); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// paired splits two arguments into common branches, each NULL where the other is.
func paired(x, y argument, at query.Pos) (first, second argument, err error) {
	for _, a := range x {
		for _, b := range y {
			when := simplify(join(allOf, a.when, b.when))
			if when.never() {
				continue
			}
			first = append(first, argBranch{when, a.p.Plus(query.Polynomial{Columns: b.p.Columns})})
			second = append(second, argBranch{when, b.p.Plus(query.Polynomial{Columns: a.p.Columns})})
			if len(first) > maxBranches {
				return nil, nil, tooManyBranches(at)
			}
		}
	}
	return first, second, nil
}
